"""`scripts/bench crossmatch --lookup`: somebody new against lists of 20,000,000 rows that are in force.

The lists are read by the command that an operator types. Then people who stand on none of them are held against all of them in this
process, and people who do are registered, which raises their alerts; and a gunicorn takes registrations at an even rate, before the
lists came and with them in force.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.benchmarks import listed, report, workloads
from checkpoint.benchmarks.crossmatch import command
from checkpoint.benchmarks.instance import Instance, prepared, served
from checkpoint.benchmarks.load import Sample, run
from checkpoint.database import db, new_id
from checkpoint.inquiries.listfile import sizes
from checkpoint.inquiries.lookup import Arrived, look_up
from checkpoint.inquiries.models import Inquiry, InquiryHit
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.risk.service import current_state

_RATE, _CONNECTIONS = 40.0, 4
_EVERY = 20
"""One in so many of the people who are looked up stands on a list."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rows are in force, in how many lists, how many people are looked up, and for how many seconds registrations are sent."""

    rows: int
    lists: int
    people: int
    seconds: float


FULL = Plan(rows=20_000_000, lists=4, people=4000, seconds=15.0)
QUICK = Plan(rows=400_000, lists=2, people=400, seconds=3.0)


def _arrived(body: dict[str, Any]) -> Arrived:
    hashed = lookup_hash(keyring(), "document", f"{body['id_type']}:{body['id_number']}")
    return Arrived(
        person_hash=hashed,
        name=body["name"],
        document=body["id_number"],
        phone=body["phone"],
        plate=body.get("plate") or "",
        registration_id=new_id(),
        division_code=body["destination"]["code"],
    )


def _put_in_force(instance: Instance, plan: Plan, named: Sequence[listed.Known]) -> float:
    """Seconds for reading all lists; those who are named stand on the first one."""
    path, total = instance.settings.data / "list.csv", 0.0
    for number in range(plan.lists):
        listed.write_list(path, plan.rows // plan.lists, named if number == 0 else (), seed=11 + number)
        total += command(instance, path)[0]
    path.unlink()
    return total


def _timed(instance: Instance, people: Sequence[Arrived]) -> list[float]:
    """Milliseconds of each look-up of people whom no list names."""
    now = clock.now()
    policy, today = current_state(now).policy, clock.local_date(now, instance.settings.timezone)
    took = []
    for one in people:
        began = time.perf_counter()
        try:
            look_up([one], lambda _one: 1, policy, today=today, at=now)
        except (
            IntegrityError
        ):  # among 20,000,000 rows one names them by chance, and nobody here is registered to hang a hit on
            db.session.remove()
            continue
        took.append(1000 * (time.perf_counter() - began))
    return took


def _registered(instance: Instance, bodies: Sequence[dict[str, Any]]) -> list[float]:
    """Milliseconds of each registration of people whom a list names, from the declaration to the commit with the alert."""
    actor = system_actor(instance.settings.site_division)
    took = []
    for body in bodies:
        declaration = Declaration.model_validate(body)
        began = time.perf_counter()
        registrations.submit(declaration, actor=actor, at=clock.now())
        took.append(1000 * (time.perf_counter() - began))
        db.session.remove()
    return took


def _requests(instance: Instance, plan: Plan, seed: int) -> tuple[Sample, float]:
    """Registrations at an even rate by a gunicorn of its own, and the MiB that its workers share with nobody."""
    source = workloads.declarations(instance, seed)
    calls: Callable[[], Any] = lambda: workloads.registration_call(next(source))  # noqa: E731 - a name for what run() asks for
    with served(instance) as server:
        run(server.port, calls, connections=_CONNECTIONS, seconds=2.0, rate=_RATE)
        sample = run(server.port, calls, connections=_CONNECTIONS, seconds=plan.seconds, rate=_RATE)
        return sample, server.workers.own_kib() / 1024


def _quantile(took: Sequence[float], share: float) -> float:
    return sorted(took)[min(len(took) - 1, int(share * len(took)))]


def measure(server: str | None, plan: Plan) -> tuple[str, dict[str, float]]:
    """The machine, and the figures."""
    with prepared(server, {}) as instance:
        where = report.machine(instance)
        before, memory_before = _requests(instance, plan, 1)
        with instance.app.app_context():
            bodies = list(itertools.islice(workloads.declarations(instance, 2), plan.people))
            named = [listed.Known(body["name"], body["id_number"], body["phone"]) for body in bodies[::_EVERY]]
            reading = _put_in_force(instance, plan, named)
            rows = int(db.session.scalar(select(func.sum(Inquiry.rows))) or 0)
            people = [_arrived(body) for body in bodies]
            strangers = [one for at, one in enumerate(people) if at % _EVERY]
            cold = _timed(instance, strangers[:1])[0]
            alone = _timed(instance, strangers)
            found = _registered(instance, bodies[::_EVERY])
            hits = int(db.session.scalar(select(func.count()).select_from(InquiryHit)) or 0)
            lists = db.session.scalars(select(Inquiry.id)).all()
            on_disk = sizes(instance.settings.data / "inquiries" / one.hex for one in lists)
            db.session.remove()
        after, memory_after = _requests(instance, plan, 3)
    figures = {
        "rows": float(rows),
        "lists": float(plan.lists),
        "reading_s": reading,
        "disk_mib": on_disk / (1 << 20),
        "first_ms": cold,
        "lookup_p50_ms": _quantile(alone, 0.50),
        "lookup_p99_ms": _quantile(alone, 0.99),
        "found_p50_ms": _quantile(found, 0.50),
        "found_p99_ms": _quantile(found, 0.99),
        "hits": float(hits),
        "named": float(len(named)),
        "request_p50_ms": after.quantile_ms(0.50),
        "request_p99_ms": after.quantile_ms(0.99),
        "request_before_p50_ms": before.quantile_ms(0.50),
        "request_before_p99_ms": before.quantile_ms(0.99),
        "workers_mib": memory_after,
        "workers_before_mib": memory_before,
    }
    return where, {key: round(value, 4) for key, value in figures.items()}
