"""`reassess`: the real consecutive lists over a million registrations, 100,000 of them inside: from the act to the last alert.

Each list is imported before the clock runs: a draft is looked at before it is published. The clock runs from the act of
publishing until the last batch is committed, with as many processes as there are cores on PostgreSQL, one on SQLite.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from flask import Flask
from sqlalchemy import func, select

from checkpoint import create_app
from checkpoint.accounts.permissions import system_actor
from checkpoint.benchmarks import registry, report
from checkpoint.benchmarks.instance import Instance, prepared
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from checkpoint.errors import ConfigurationError
from checkpoint.risk.importing import import_list
from checkpoint.risk.lists import parse
from checkpoint.risk.publishing import publish, withdraw
from checkpoint.risk.queries import in_force
from checkpoint.surveillance.models import ReassessBatch
from checkpoint.surveillance.service import plan_all, work_all, work_batch

LISTS = PROJECT_ROOT.parent / "shared" / "risk-lists"
LAST_ORDINARY = "2022090500"  # the second busiest of the versions that follow each other without a gap
WORST = "2022120208"  # 44,891 areas come in one version
_INSIDE_EVERY = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """How many people are inside, and how many consecutive versions are published over them."""

    inside: int
    versions: int


FULL = Plan(inside=100_000, versions=40)
QUICK = Plan(inside=10_000, versions=8)


@dataclass(slots=True)
class Run:
    """What happened in one registry: seconds and people of each version."""

    seconds: list[float] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    alerts: int = 0
    worst: float = 0.0
    worst_people: int = 0


def _files() -> list[Path]:
    if not LISTS.is_dir():
        raise ConfigurationError(f"The lists of 2022 are not there: {LISTS.name} beside the project's folder.")
    return sorted(LISTS.glob("2022*.json"))


def _windows(plan: Plan) -> tuple[list[Path], list[Path]]:
    """The versions to measure with the one before them, and the worst with the one before it."""
    files = _files()
    last = max(number for number, path in enumerate(files) if path.name.startswith(LAST_ORDINARY))
    worst = next(number for number, path in enumerate(files) if path.name.startswith(WORST))
    return files[last - plan.versions : last + 1], files[worst - 1 : worst + 1]


_worker_app: Flask | None = None


def _start(environ: dict[str, str]) -> None:
    global _worker_app  # one application for the life of a worker process
    _worker_app = create_app(environ)


def _help(at: datetime) -> int:
    """Do batches until there are none; what another scheduler would do."""
    if _worker_app is None:
        raise RuntimeError("started without an application")
    done = 0
    with _worker_app.app_context():
        actor = system_actor("")
        while (size := work_batch(actor=actor, at=at)) is not None:
            done += size
        db.session.remove()
    return done


@contextmanager
def _helpers(instance: Instance) -> Iterator[ProcessPoolExecutor | None]:
    """The processes that share the work besides this one; on SQLite there is one writer, and one process."""
    if instance.settings.is_sqlite:
        yield None
        return
    others = max(1, (os.cpu_count() or 2) - 1)
    with ProcessPoolExecutor(
        others, mp_context=multiprocessing.get_context("spawn"), initializer=_start, initargs=(instance.environ,)
    ) as pool:
        pool.submit(_help, datetime.now().astimezone()).result()
        yield pool


def _publish(path: Path, helpers: ProcessPoolExecutor | None) -> tuple[float, int]:
    """Seconds from the act to the last commit, and people looked at again."""
    actor = system_actor("")
    parsed = parse(path.read_bytes(), path.name)
    at = parsed.published_at or datetime.now().astimezone()
    draft = import_list(parsed, actor=actor, at=at)
    db.session.remove()
    began = time.perf_counter()
    publish(draft.id, actor=actor, at=at)
    people = plan_all(at)
    waiting = [helpers.submit(_help, at)] if helpers is not None and people else []
    work_all(actor=actor, clock=lambda: at)
    for one in waiting:
        one.result()
    seconds = time.perf_counter() - began
    db.session.remove()
    return seconds, people


def _alerts() -> int:
    return int(db.session.scalar(select(func.sum(ReassessBatch.alerts))) or 0)


def _run(instance: Instance, plan: Plan, *, registrations: int) -> Run:
    ordinary, worst = _windows(plan)
    found = Run()
    with instance.app.app_context(), _helpers(instance) as helpers:
        given = in_force()
        if given is not None:
            withdraw(given.id, actor=system_actor(""), at=datetime.now().astimezone())
        last_day = _published(ordinary[-1])
        registry.fill(plan.inside, last_day.date(), _published(ordinary[0]))
        registry.add_those_who_left(registrations // plan.inside - 1)
        registry.refresh_statistics()
        _publish(ordinary[0], helpers)
        before = _alerts()
        for path in ordinary[1:]:
            seconds, people = _publish(path, helpers)
            found.seconds.append(seconds)
            found.people.append(people)
        registry.later((_published(worst[-1]) - last_day) // timedelta(days=1))
        registry.refresh_statistics()
        _publish(worst[0], helpers)
        found.worst, found.worst_people = _publish(worst[1], helpers)
        found.alerts = _alerts() - before
        if in_force() is None:
            raise RuntimeError("no list is in force after the run")
    return found


def _published(path: Path) -> datetime:
    return parse(path.read_bytes(), path.name).published_at or datetime.now().astimezone()


def measure(server: str | None, plan: Plan) -> tuple[str, dict[str, float]]:
    """The machine, and the figures of `reassess`, from a registry of those inside alone and from one ten times as large."""
    with prepared(server, {}) as small:
        alone = _run(small, plan, registrations=plan.inside)
    with prepared(server, {}) as big:
        where = report.machine(big)
        full = _run(big, plan, registrations=plan.inside * _INSIDE_EVERY)
    if alone.people != full.people:
        raise RuntimeError("other people were touched in the larger registry")
    figures = {
        "publish_median_s": median(full.seconds),
        "publish_worst_s": max(full.worst, *full.seconds),
        "growth_ratio": (sum(full.seconds) + full.worst) / (sum(alone.seconds) + alone.worst),
        "alerts": float(full.alerts),
        "people_median": float(median(full.people)),
        "people_worst": float(full.worst_people),
        "people_per_s": full.worst_people / full.worst if full.worst else 0.0,
        "registrations": float(plan.inside * _INSIDE_EVERY),
        "inside": float(plan.inside),
        "versions": float(plan.versions + 1),
    }
    return where, {key: round(value, 3) for key, value in figures.items()}
