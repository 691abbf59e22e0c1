"""`register` and `scan`: rounds of floor and application in turn, then both at half their load."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Connection, event

from checkpoint.benchmarks import workloads
from checkpoint.benchmarks.instance import Instance, Server, served
from checkpoint.benchmarks.load import Call, Sample, run
from checkpoint.database import db

CONNECTIONS = 16
_MOST_RPS = 900  # bodies are made ahead for as many requests a second


@dataclass(frozen=True, slots=True)
class Plan:
    """How many passes are scanned in turn, how many rounds there are, and how long each part takes in seconds."""

    passes: int
    rounds: int
    warm: float
    select: float
    insert: float
    ours: float
    half: float


FULL = Plan(passes=400, rounds=3, warm=1.0, select=1.5, insert=2.5, ours=4.0, half=5.0)
QUICK = Plan(passes=120, rounds=2, warm=0.5, select=0.6, insert=1.2, ours=2.0, half=2.0)


@dataclass(frozen=True, slots=True)
class _Round:
    """One round of one kind: requests a second, and the workers' CPU time for a request in milliseconds."""

    rps: float
    cpu_ms: float


def _load(server: Server, calls: Callable[[], Call], seconds: float) -> _Round:
    before = server.workers.cpu_seconds()
    sample = run(server.port, calls, connections=CONNECTIONS, seconds=seconds)
    spent = server.workers.cpu_seconds() - before
    return _Round(sample.rps, 1000 * spent / max(1, len(sample.latencies)))


def _half(server: Server, calls: Callable[[], Call], rps: float, seconds: float) -> Sample:
    return run(server.port, calls, connections=CONNECTIONS, seconds=seconds, rate=rps / 2)


@contextmanager
def _counting(instance: Instance) -> Iterator[list[str]]:
    """The SQL statements that this process sends meanwhile, without BEGIN."""
    seen: list[str] = []

    def note(_c: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with instance.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def statements(instance: Instance, calls: Callable[[], Call]) -> int:
    """How many SQL statements one request sends, once the caches are warm."""
    client = instance.app.test_client()
    count = 0
    for _ in range(3):
        head, _blank, body = calls().request.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        headers = [(name, value) for name, _colon, value in (line.partition(": ") for line in fields)]
        with _counting(instance) as seen:
            client.post(first.split()[1], data=body, headers=headers)
        count = len(seen)
    return count


def measure(instance: Instance, name: str, plan: Plan) -> dict[str, float]:
    """The figures of `register` or `scan`."""
    seconds = plan.warm + plan.rounds * plan.ours + plan.half
    if name == "scan":
        ours = workloads.scanning(instance, workloads.issue_passes(instance, plan.passes))
    else:
        ours = workloads.registering(instance, int(seconds * _MOST_RPS))
    select, insert = workloads.selecting(), workloads.inserting()
    sent = statements(instance, ours)
    gc.collect()
    gc.freeze()  # the bodies made ahead must not slow the clock
    with served(instance) as server:
        for calls in (select, insert, ours):
            run(server.port, calls, connections=CONNECTIONS, seconds=plan.warm)
        reads, floors, rounds = [], [], []
        for _ in range(plan.rounds):
            reads.append(_load(server, select, plan.select))
            floors.append(_load(server, insert, plan.insert))
            rounds.append(_load(server, ours, plan.ours))
        rps, floor_rps = median(one.rps for one in rounds), median(one.rps for one in floors)
        calm = _half(server, ours, rps, plan.half)
        floor_calm = _half(server, insert, floor_rps, plan.half / 2)
        memory = server.workers.own_kib() / 1024
    pairs = list(zip(rounds, floors, strict=True))
    figures = {
        "rps": rps,
        "rps_over_floor": median(one.rps / under.rps for one, under in pairs),
        "cpu_ms": median(one.cpu_ms for one in rounds),
        "cpu_over_floor": median(one.cpu_ms / under.cpu_ms for one, under in pairs),
        "p50_ms": calm.quantile_ms(0.50),
        "p99_ms": calm.quantile_ms(0.99),
        "statements": float(sent),
        "floor_rps": floor_rps,
        "floor_cpu_ms": median(one.cpu_ms for one in floors),
        "floor_p99_ms": floor_calm.quantile_ms(0.99),
        "select_rps": median(one.rps for one in reads),
        "select_cpu_ms": median(one.cpu_ms for one in reads),
        "workers_mib": memory,
    }
    return {key: round(value, 3) for key, value in figures.items()}
