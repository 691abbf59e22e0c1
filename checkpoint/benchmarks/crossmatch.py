"""`scripts/bench crossmatch`: a list of 12,430,000 rows against a million people, by the command that an operator types.

Beside it, over the same file: the reading, keying and joining alone (the exact part and the near misses, without sealing and alerts), and
a bare Polars read-and-join on documents, each in processes of their own. The accuracy figures are those of inquiries/evaluate.py on the
half of the labelled pairs that nothing was tuned on, and how many of the same people share a key at all.
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
from checkpoint.inquiries.chunks import Layout, keys_of, read_table
from checkpoint.inquiries.columns import FIELDS
from checkpoint.inquiries.evaluate import measure as accuracy
from checkpoint.inquiries.labelled import Pair, pairs
from checkpoint.inquiries.models import InquiryHit
from checkpoint.inquiries.reading import shape_of, spans

_SEEDS, _EACH = (21, 22, 23, 24), 60
_KEEP_EVERY = 50


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


def _command(instance: Instance, path: Path) -> tuple[float, float]:
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


def _exact_part(path: str, start: int, end: int, layout: Layout, secret: bytes, registry: str) -> int:
    """Pairs of one part: read, keyed, joined."""
    with Path(path).open("rb") as file:
        file.seek(start)
        table = read_table(file.read(end - start), layout)
    return keys_of(table, Blocker(secret), np.memmap(registry, np.uint64, "r"))


def _ready(number: int) -> int:
    """What a worker must have imported."""
    keys_of(pl.DataFrame(schema=dict.fromkeys(FIELDS, pl.String)), Blocker(bytes(32)), np.empty(0, np.uint64))
    time.sleep(0.2)
    return number


@contextmanager
def _registry_file(instance: Instance, pool: ProcessPoolExecutor) -> Iterator[str]:
    settings = instance.settings
    _ids, openings = slices(settings.database_url, settings.data, service.block_key())
    path = settings.data / "bench-registry"
    path.write_bytes(open_registry(openings, pool).tobytes())
    yield str(path)
    path.unlink()


def _exact(instance: Instance, path: Path) -> float:
    """Seconds for reading, keying and joining the whole file with the registry's keys, which lie ready."""
    shape = shape_of(path)
    layout = Layout(shape.encoding, shape.separator, shape.width, {"name": 1, "document": 2, "phone": 3, "plate": 5})
    with local_pool() as pool, _registry_file(instance, pool) as registry:
        list(pool.map(_ready, range(2 * (os.cpu_count() or 1))))  # the workers' own start is not measured
        began = time.perf_counter()
        waiting = [
            pool.submit(_exact_part, str(path), span.start, span.end, layout, service.block_key(), registry)
            for span in spans(path, shape.start, quoted=True)
        ]
        for one in waiting:
            one.result()
        return time.perf_counter() - began


def _bare(path: str, documents: list[str]) -> float:
    """Seconds of Polars alone: read two columns, join one."""
    known = pl.DataFrame({"document": documents})
    began = time.perf_counter()
    table = pl.read_csv(path, columns=["证件号码", "联系电话"], infer_schema=False)
    table.join(known, left_on="证件号码", right_on="document", how="inner")
    return time.perf_counter() - began


def _bare_apart(path: Path, documents: list[str]) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return min(pool.submit(_bare, str(path), documents).result() for _ in range(2))


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
            known = listed.fill(plan.people, datetime.now().astimezone() - timedelta(days=1), keep_every=_KEEP_EVERY)
            db.session.remove()
            path = instance.settings.data / "list.csv"
            listed.write_list(path, plan.rows, known)
            total, peak = _command(instance, path)
            hits = int(db.session.scalar(select(func.count()).select_from(InquiryHit)) or 0)
            db.session.remove()
            exact = _exact(instance, path)
            documents = [person.document for person in known] * (_KEEP_EVERY if plan.people > _KEEP_EVERY else 1)
            bare = _bare_apart(
                path, [f"{document}{at}" if at >= len(known) else document for at, document in enumerate(documents)]
            )
    found = accuracy(_SEEDS, _EACH)
    figures = {
        "total_s": total,
        "exact_s": exact,
        "polars_s": bare,
        "exact_over_polars": exact / bare,
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
