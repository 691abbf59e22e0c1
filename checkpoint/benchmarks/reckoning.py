"""After a siege: what was answered is held against what is on disk, row by row."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text

from checkpoint import clock
from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.audit.verifying import verify
from checkpoint.benchmarks.crowd import Ledger
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db
from checkpoint.followups.models import FollowUp
from checkpoint.registrations.models import Registration

CHUNK = 500


@dataclass(slots=True)
class Reckoning:
    """What is missing, what is there more than once, and what is there otherwise than it was answered; each in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str, found: int, expected: int) -> None:
        """Hold one number against what it must be."""
        if found < expected:
            self.lost.append(f"{what}: {found} of {expected}")
        elif found > expected:
            self.doubled.append(f"{what}: {found} instead of {expected}")


def _chunks(values: Iterable[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    known = list(values)
    for start in range(0, len(known), CHUNK):
        yield known[start : start + CHUNK]


def reckon(ledger: Ledger, others: set[str]) -> Reckoning:
    """Compare everything; inside the application's context. `others` are the client ids of registrations that were made before."""
    found = Reckoning()
    _registrations(ledger, others, found)
    _scans(ledger, found)
    _alerts(found)
    _feed(found)
    found.wrong += [f"audit: {one.fault} at {one.number}" for one in verify(clock.now()).findings]
    if db.engine.dialect.name == "sqlite":
        found.wrong += [
            f"integrity_check: {row}" for row in db.session.scalars(text("PRAGMA integrity_check")) if row != "ok"
        ]
    return found


def _registrations(ledger: Ledger, others: set[str], found: Reckoning) -> None:
    query = select(Registration.client_id, func.count(), func.min(Registration.id.cast(db.String))).where(
        Registration.client_id.is_not(None)
    )
    rows = db.session.execute(query.group_by(Registration.client_id)).all()
    there = {str(client_id): (count, uuid.UUID(first)) for client_id, count, first in rows}
    leads = Counter(
        str(lead) for lead in db.session.scalars(select(Registration.lead_id).where(Registration.lead_id.is_not(None)))
    )
    for client_id, kept in ledger.registrations.items():
        count, row_id = there.get(client_id, (0, None))
        found.count(f"registration {client_id}", count, 1)
        if row_id is not None and str(row_id) != kept["id"]:
            found.wrong.append(f"registration {client_id} is {row_id}, not {kept['id']}")
        found.count(f"companions of {client_id}", leads[kept["id"]], kept["companions"])
    found.wrong += [f"nobody has sent registration {one}" for one in there.keys() - ledger.sent - others]


def _scans(ledger: Ledger, found: Reckoning) -> None:
    decided = {kept["scan"]: kept["decision"] for kept in ledger.decisions.values()}
    for chunk in _chunks(uuid.UUID(scan) for scan in ledger.scans):
        rows = {str(row.id): row for row in db.session.scalars(select(Crossing).where(Crossing.id.in_(chunk)))}
        made = Counter(
            str(one)
            for one in db.session.scalars(
                select(CrossingDecision.crossing_id).where(CrossingDecision.crossing_id.in_(chunk))
            )
        )
        for scan in map(str, chunk):
            _one_scan(scan, ledger.scans[scan], rows.get(scan), decided.get(scan), made[scan], found)
        db.session.expunge_all()
    strangers = {str(one) for one in db.session.scalars(select(Crossing.id))} - ledger.sent
    found.wrong += [f"nobody has sent scan {one}" for one in strangers]


def _one_scan(
    scan: str, kept: dict[str, Any], row: Crossing | None, decision: str | None, made: int, found: Reckoning
) -> None:
    found.count(f"scan {scan}", int(row is not None), 1)
    if row is None:
        return
    stored = {
        "verdict": row.verdict,
        "tier": row.tier,
        "problem": row.problem,
        "registration": str(row.registration_id),
    }
    if stored != kept:
        found.wrong.append(f"scan {scan} is {stored}, and was answered {kept}")
    if decision is None:
        if made > 1:
            found.doubled.append(f"decisions on {scan}: {made}")
        return
    found.count(f"decision on {scan}", made, 1)
    if row.decision != decision:
        found.wrong.append(f"the decision on {scan} is {row.decision}, and was answered {decision}")


def _alerts(found: Reckoning) -> None:
    """One alert for each registration and for each admission, whether or not its answer arrived; a plan for each admission."""
    causes = Counter(
        ":".join(cause.split(":")[:2])
        for cause in db.session.scalars(select(Alert.cause).where(Alert.kind.in_(("registration", "arrival"))))
    )
    registrations = [f"registration:{one}" for one in db.session.scalars(select(Registration.id))]
    admitted = db.session.execute(
        select(Crossing.id, Crossing.registration_id).where(
            Crossing.decision == "admitted", Crossing.registration_id.is_not(None)
        )
    ).all()
    for cause in registrations + [f"arrival:{row.id}" for row in admitted]:
        found.count(f"alert {cause}", causes.pop(cause, 0), 1)
    found.wrong += [f"alert {cause} has no cause" for cause in causes]
    planned = set(db.session.scalars(select(FollowUp.registration_id).distinct()))
    found.lost += [f"plan of {row.registration_id}" for row in admitted if row.registration_id not in planned]


def _feed(found: Reckoning) -> None:
    """Every alert is told once, and the numbers have no gap."""
    feed.number()
    first, last, count, unnumbered = db.session.execute(
        select(
            func.min(FeedEntry.seq),
            func.max(FeedEntry.seq),
            func.count(FeedEntry.seq),
            func.count() - func.count(FeedEntry.seq),
        )
    ).one()
    if first is not None and last is not None:
        found.count("numbers of the feed", count, last - first + 1)
    found.count("entries of the feed without a number", unnumbered, 0)
    told = dict(
        db.session.execute(
            select(FeedEntry.alert_id, func.count()).where(FeedEntry.event == "alert").group_by(FeedEntry.alert_id)
        ).all()
    )
    for alert_id in db.session.scalars(select(Alert.id)):
        found.count(f"feed of alert {alert_id}", told.pop(alert_id, 0), 1)
