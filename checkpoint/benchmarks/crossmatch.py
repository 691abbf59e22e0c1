"""`scripts/bench crossmatch`: a list of 12,430,000 rows against a million people, by the command that an operator types.

Beside it, over the same file and in turns: reading, keying and joining documents and phones alone (without sealing and alerts); the
same with names and plates, as a run does it; and a bare Polars that reads the same two columns and joins both with those of a million
people. The accuracy figures are those of inquiries/evaluate.py on the half of the labelled pairs that nothing was tuned on, and how many
of the same people share a key at all.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from sqlalchemy import func, select

from checkpoint.benchmarks import listed, report
from checkpoint.benchmarks.instance import Instance, prepared
from checkpoint.config import PROJECT_ROOT
from checkpoint.crossmatch.executors import local_pool
from checkpoint.crossmatch.people import open_registry, slices
from checkpoint.database import db
from checkpoint.inquiries import service
from checkpoint.inquiries.blocking import Blocker, listed_blocks, registered_blocks
from checkpoint.inquiries.chunks import Layout, Part, count_pairs, read_table
from checkpoint.inquiries.evaluate import measure as accuracy
from checkpoint.inquiries.labelled import Pair, pairs
from checkpoint.inquiries.models import InquiryHit
from checkpoint.inquiries.reading import shape_of, spans

_SEEDS, _EACH = (21, 22, 23, 24), 60
_KEEP_EVERY = 50
_ROUNDS = 3
_EXACT = {"document": 2, "phone": 3}
_ALL = {"name": 1, "document": 2, "phone": 3, "plate": 5}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many people are registered, and how many rows the list has."""

    people: int
    rows: int


FULL = Plan(people=1_000_000, rows=12_430_000)
QUICK = Plan(people=50_000, rows=600_000)


class _Memory:
    """The largest sum of what this process's children and theirs hold; a page shared by two counts half in each."""

    def __init__(self, root: int) -> None:
        self.root, self.peak_mib, self._over = root, 0.0, threading.Event()

    def watch(self) -> None:
        while not self._over.wait(0.25):
            self.peak_mib = max(self.peak_mib, sum(map(_pss, _family(self.root))) / 1024)

    def stop(self) -> None:
        self._over.set()


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield from _family(int(child))


def _pss(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def command(instance: Instance, path: Path) -> tuple[float, float]:
    """Seconds from the command to its end, and MiB at the peak."""
    run = [
        sys.executable,
        "-m",
        "flask",
        "--app",
        "wsgi",
        "crossmatch",
        str(path),
        "--source",
        "bench",
        "--legal-basis",
        "bench",
    ]
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own command
        run, cwd=PROJECT_ROOT, env=instance.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        memory = _Memory(process.pid)
        thread = threading.Thread(target=memory.watch, daemon=True)
        thread.start()
        _out, said = process.communicate()
        seconds = time.perf_counter() - began
        memory.stop()
        thread.join()
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace")[-500:])
    return seconds, memory.peak_mib


def _ready(number: int) -> int:
    """What a worker must have imported."""
    layout = Layout("utf-8", ",", 1, {"document": 0})
    read_table(b"330402199001010010\n", layout)
    time.sleep(0.2)
    return number


@contextmanager
def _registry_file(instance: Instance, pool: ProcessPoolExecutor) -> Iterator[str]:
    settings = instance.settings
    _ids, openings = slices(settings.database_url, settings.data, service.block_key())
    path = settings.data / "bench-registry"
    open_registry(openings, pool).write(path)
    yield str(path)
    path.unlink()


def _match(pool: ProcessPoolExecutor, path: Path, columns: dict[str, int], registry: str) -> float:
    """Seconds for reading, keying and joining these columns of the whole file with the registry's keys, which lie ready."""
    shape, secret = shape_of(path), service.block_key()
    layout = Layout(shape.encoding, shape.separator, shape.width, columns)
    began = time.perf_counter()
    waiting = [
        pool.submit(
            count_pairs,
            Part("", number, span.first_row, (str(path), span.start, span.end), layout, bytes(32), secret),
            registry,
        )
        for number, span in enumerate(spans(path, shape.start, quoted=True))
    ]
    for one in waiting:
        one.result()
    return time.perf_counter() - began


def _bare(path: str, people: str) -> float:
    """Seconds of Polars alone, on all cores: read documents and phones, join both with those of the people, who lie ready."""
    known = pl.read_ipc(people)
    began = time.perf_counter()
    table = pl.read_csv(path, columns=["证件号码", "联系电话"], infer_schema=False)
    table.join(known.select("document"), left_on="证件号码", right_on="document", how="inner")
    table.join(known.select("phone"), left_on="联系电话", right_on="phone", how="inner")
    return time.perf_counter() - began


def _side_by_side(instance: Instance, path: Path, people: pl.DataFrame) -> dict[str, float]:
    """The list held against the registry by documents and phones, by all that a person may be found by, and by bare Polars, in turns."""
    frame = instance.settings.data / "bench-people"
    people.write_ipc(frame)
    exact, whole, bare = [], [], []
    with local_pool() as pool, _registry_file(instance, pool) as registry:
        list(pool.map(_ready, range(2 * (os.cpu_count() or 1))))  # the workers' own start is not measured
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            alone.submit(_bare, str(path), str(frame)).result()  # nor is Polars' first use
            for _ in range(_ROUNDS):
                bare.append(alone.submit(_bare, str(path), str(frame)).result())
                exact.append(_match(pool, path, _EXACT, registry))
                whole.append(_match(pool, path, _ALL, registry))
    frame.unlink()
    return {
        "exact_s": median(exact),
        "keys_s": median(whole),
        "polars_s": median(bare),
        "exact_over_polars": median(ours / theirs for ours, theirs in zip(exact, bare, strict=True)),
        "keys_over_polars": median(ours / theirs for ours, theirs in zip(whole, bare, strict=True)),
    }


def _shared_keys() -> float:
    """Percent of the labelled pairs of one person each that share a key."""
    blocker = Blocker(bytes(32))

    def share(pair: Pair) -> bool:
        one, other = pair.listed, pair.registered
        born = f"{one.born:%Y%m%d}" if one.born else ""
        asked = blocker.of(listed_blocks(one.name, one.document, one.phone, born, one.plate))
        known = blocker.of(
            registered_blocks(other.name, other.document, other.phone, [other.plate] if other.plate else [])
        )
        return bool(np.intersect1d(asked, known).size)

    same = [pair for seed in _SEEDS for pair in pairs(seed, _EACH) if pair.same and pair.half == "held"]
    return 100 * sum(map(share, same)) / len(same)


def measure(server: str | None, plan: Plan) -> tuple[str, dict[str, float]]:
    """The machine, and the figures of `crossmatch`."""
    with prepared(server, {}) as instance:
        where = report.machine(instance)
        with instance.app.app_context():
            known, people = listed.fill(
                plan.people, datetime.now().astimezone() - timedelta(days=1), keep_every=_KEEP_EVERY
            )
            db.session.remove()
            path = instance.settings.data / "list.csv"
            listed.write_list(path, plan.rows, known)
            total, peak = command(instance, path)
            hits = int(db.session.scalar(select(func.count()).select_from(InquiryHit)) or 0)
            db.session.remove()
            beside = _side_by_side(instance, path, people)
    found = accuracy(_SEEDS, _EACH)
    figures = {
        "total_s": total,
        **beside,
        "peak_rss_mib": peak,
        "rows_per_s": plan.rows / total,
        "hits": float(hits),
        "planted": float(len(known)),
        "people": float(plan.people),
        "rows": float(plan.rows),
        "cores": float(os.cpu_count() or 1),
        "alert_precision": found.alert_precision,
        "alert_recall": found.alert_recall,
        "both_precision": found.both_precision,
        "both_recall": found.both_recall,
        "calibration_error": found.calibration_error,
        "shared_keys": _shared_keys(),
        **{f"kind_{kind.replace(' ', '_').replace(',', '')}": share for kind, share in found.by_kind.items()},
    }
    return where, {key: round(value, 4) for key, value in figures.items()}
