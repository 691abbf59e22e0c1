"""How a benchmark tells its figures: one table for people, or one JSON object as the last line."""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

from rich.console import Console
from rich.table import Table

from checkpoint.benchmarks.instance import Instance
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db

MEANING = {
    "rps": "requests answered a second, all workers busy",
    "rps_over_floor": "the same, over the floor's INSERT and COMMIT in the same workers",
    "cpu_ms": "CPU time of the workers for one request",
    "cpu_over_floor": "the same, over the floor's INSERT and COMMIT",
    "p50_ms": "half of the requests at half load; for stream: from the server's stamp, before the commit, to a screen",
    "p99_ms": "99 of 100 of them",
    "statements": "SQL statements of one request, without BEGIN and COMMIT",
    "floor_rps": "the floor: a bare Flask view with one INSERT and COMMIT of 1 KB",
    "floor_cpu_ms": "CPU time of the workers for one of them",
    "floor_p99_ms": "99 of 100 of them at half of the floor's load",
    "select_rps": "a bare Flask view with one indexed SELECT",
    "select_cpu_ms": "CPU time of the workers for one of them",
    "workers_mib": "memory of the workers that they share with nobody",
    "connections": "screens connected",
    "alerts": "registrations answered, each raising one alert",
    "alerts_per_second": "as many were sent a second",
    "answer_p50_ms": "from the answer to the POST until the alert is on a screen, half of them",
    "answer_p99_ms": "99 of 100 of them",
    "lost": "alerts that did not reach a screen, all together; gate: scans that the server has otherwise; siege: answered and not there",
    "doubled": "alerts that reached a screen twice; gate, siege: crossings, alerts or others too many",
    "disordered": "screens on which a number came after a higher one",
    "kib_per_stream": "memory that a connected screen adds",
    "cpu_ms_per_alert": "CPU time of the workers for one alert: its registration, and telling every screen",
}


MEANING |= {
    "total_s": "crossmatch: seconds from the command to its end",
    "exact_s": "seconds for reading, keying and joining documents and phones alone, on all cores",
    "keys_s": "the same with names and plates, as a run does it",
    "polars_s": "seconds for a bare Polars that reads and joins the same two columns",
    "exact_over_polars": "exact_s over polars_s, round by round",
    "keys_over_polars": "keys_s over polars_s, round by round",
    "peak_rss_mib": "memory of all processes of the command together at its peak",
    "hits": "people whom the list found",
    "planted": "people of the registry who were written into the list",
    "publish_median_s": "seconds from publishing a list to the last alert committed, half of the versions",
    "publish_worst_s": "the same, the worst version",
    "growth_ratio": "ten times the registry with the same people touched, over those inside alone",
    "people_median": "people assessed again, half of the versions",
    "people_worst": "the same, the worst version",
    "people_per_s": "people assessed again in a second of the worst version",
    "registrations": "people in the registry",
    "inside": "of them inside",
    "versions": "lists that were published",
}
MEANING |= {
    "form_kb": "KiB over the wire for the first load of the traveller's form",
    "form_usable_s": "seconds until it is painted and can be filled in, at 400 kbit/s, 400 ms, a processor four times slower",
    "form_ready_s": "seconds until its scripts help as well: searching places, rows, what the phone keeps",
    "form_longest_task_ms": "the longest time for which it answered to nothing; 0 when none took 50 ms",
    "form_shift": "how far it moved while it loaded (layout shift)",
    "register_s": "seconds from the address to the code, on that line, typing like a person; --quick does not wait",
    "inbox_kb": "KiB over the wire for the first load of an inbox of 20 alerts",
    "inbox_usable_s": "seconds from the key that signs in until it is live, on three bars of 2G",
    "clicks": "touches of the traveller's main task; clicks_gate, clicks_inbox, clicks_command: of the others",
    "axe_violations": "what axe-core finds on the first pages by WCAG 2.2 AA, by day and by night",
}
MEANING |= {
    "reconnected": "screens that were cut in the middle and came back with Last-Event-ID",
    "people": "people inside whom the list touched",
    "arrivals": "alerts that screens had to show, all screens together",
    "publish_ms": "until the answer to the act of publishing",
    "committed_s": "seconds from that answer until the last alert was committed",
    "screens_s": "seconds from that answer until the last screen showed its last alert",
    "commit_p50_ms": "from the commit of an alert until a screen that was there showed it, half of them",
    "commit_p99_ms": "99 of 100 of them",
    "commit_last_ms": "the last of them",
    "returned_last_ms": "the last alert that had been missed, after its screen came back",
    "workers_cpu_s": "CPU time of the workers for publishing and for telling all screens",
}
MEANING |= {
    "county": "percent of texts placed in the right county",
    "town": "the same, in the right town, where the text tells one",
    "village": "the same, in the right village",
    "wrong": "resolve: percent with a definite county that is not the right one; siege: answers that must not be, or are stored otherwise",
    "texts_per_cpu_s": "texts resolved in a second of CPU",
    "load_s": "seconds until the first answer of a fresh process",
    "rss_mib": "memory of the process at its peak",
    "area_precision": "percent of the stays called inside a listed area that are",
    "area_recall": "percent of the stays inside a listed area that were called so",
    "ours_county": "percent in the right county on the cases given to the peers too",
}


MEANING |= {
    "scan_offline_ms": "from the frame with the code to the painted verdict with no network, half of them",
    "scan_online_ms": "the same when the server answers",
    "touches": "touches from the scan to the admission of a green traveller",
    "sent": "scans of the storm that are on the server just as the tablet has them",
    "deliver_s": "seconds to deliver them over a network that loses a third and repeats a tenth",
    "vectors": "rows of the rule vectors run in Chromium",
    "vectors_differ": "rows on which Chromium does not say what the file says",
    "gate_kb": "KiB over the wire until the lane is open and the tablet keeps its page",
}


MEANING |= {
    "secrets": "names, documents, phones, plates, addresses and own words that were looked for",
    "searched_mib": "dump: million characters of dump and files that were searched",
    "found": "secrets that stood in them",
    "search_s": "seconds for dumping and searching",
    "rows": "rows in the backup",
    "backup_mib": "size of the backup",
    "backup_s": "seconds to write it and to read it back",
    "restore_s": "seconds to read it, and to restore it into an empty SQLite instance",
    "resealed_per_s": "rows sealed anew under a new key in a second",
}


MEANING |= {
    "answered": "registrations, scans and decisions that were answered with success, once each",
    "kills": "processes that got SIGKILL during the mixed load, by kind below",
    "peak_p95_s": "seconds until the answer of 95 of 100 that were accepted, at ten times the usual",
    "peak_offered_rps": "declarations that came in a second then",
    "peak_accepted_rps": "of them accepted",
    "peak_told_to_retry": "of them told when to come back (503 with Retry-After)",
    "peak_untold": "of them without an answer",
    "city_p95_s": "the same as peak_p95_s at ten times the city's documented peak of 2,000 an hour",
    "city_untold": "of those, not accepted at once",
    "max_acts_per_s": "the most acts answered in a second, with nothing killed",
    "mixed_acts_per_s": "acts that came in a second while it was killed",
    "held_back": "travellers who did not set out because too many were under way",
    "told_to_retry": "answers of 503 with Retry-After during the mixed load",
    "cut": "connections that broke, or were refused, during the mixed load",
    "disk_refused": "declarations that were told in clear words that the disk takes nothing",
    "disk_unclear": "answered in any other way meanwhile, or refused afterwards",
    "disk_lost": "answered before with success, and not there afterwards",
    "disk_corrupt": "faults of the file afterwards",
}


def commit() -> str:
    """The commit that was measured, with a plus sign if files differ from it."""
    git = shutil.which("git")
    if git is None or not (PROJECT_ROOT / ".git").exists():
        return "unknown"

    def ask(*arguments: str) -> str:
        command = [git, "-C", str(PROJECT_ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603

    return ask("rev-parse", "--short=12", "HEAD") + (
        "+" if ask("status", "--porcelain", "--untracked-files=no") else ""
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def processor() -> str:
    """Cores, processor, system and Python in one line, for what needs no database."""
    return (
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    )


def machine(instance: Instance) -> str:
    """Cores, processor, system, Python and database in one line."""
    with instance.app.app_context():
        dialect = db.engine.dialect
        with db.engine.connect():
            version = ".".join(str(part) for part in dialect.server_version_info or ())
        database = f"{'SQLite' if dialect.name == 'sqlite' else 'PostgreSQL'} {version}"
        db.engine.dispose()
    return (
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {database}, load {os.getloadavg()[0]:.1f} at the start"
    )


def show(name: str, where: str, figures: dict[str, float], *, as_json: bool) -> None:
    """Print the figures."""
    if as_json:
        print(json.dumps({"name": name, "commit": commit(), "machine": where, "figures": figures}, ensure_ascii=False))
        return
    table = Table(title=f"{name} · commit {commit()} · {where}", title_justify="left")
    for heading, side in (("Figure", "left"), ("Value", "right"), ("What it is", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for key, value in figures.items():
        table.add_row(key, f"{value:,.3f}".rstrip("0").rstrip("."), MEANING.get(key, ""))
    Console().print(table)
