"""Reading crossings: what a tablet shows of one, and counts for command."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from checkpoint.accounts.models import Checkpoint
from checkpoint.crossings.finding import Found, Previous, of_crossing, person, previous
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db

CONFLICT_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another crossing of the same person at about the same time, in another lane, with another decision. Both stand."""

    scan_id: uuid.UUID
    scanned_at: datetime
    checkpoint: str
    verdict: str
    decision: str


@dataclass(frozen=True, slots=True)
class GateView:
    """What the verdict screen shows. `person` is masked; None when the token stands for nobody."""

    crossing: Crossing
    person: Mapping[str, Any] | None
    previous: Previous | None
    conflicts: Sequence[Conflict] = ()


def gate_view(crossing: Crossing, found: Found | None = None) -> GateView:
    """A crossing with the person and the crossing before it; `found` spares asking again right after the scan."""
    row = of_crossing(crossing) if found is None else found.row
    if row is None:
        return GateView(crossing, None, None)
    return GateView(crossing, person(row), previous(row), conflicts([crossing]).get(crossing.id, ()))


def conflicts(crossings: Sequence[Crossing]) -> dict[uuid.UUID, list[Conflict]]:
    """For each crossing those of the same person, in another lane, that were decided otherwise within ten minutes."""
    decided = {one.id: one for one in crossings if one.decision is not None and one.registration_id is not None}
    if not decided:
        return {}
    one, other = aliased(Crossing), aliased(Crossing)
    rows = db.session.execute(
        select(one.id, one.scanned_at, other, Checkpoint.name)
        .join(other, (other.registration_id == one.registration_id) & (other.device_id != one.device_id))
        .join(Checkpoint, Checkpoint.id == other.checkpoint_id)
        .where(one.id.in_(decided), other.decision.is_not(None), other.decision != one.decision)
        .order_by(other.scanned_at, other.id)
    )
    found: dict[uuid.UUID, list[Conflict]] = {}
    for one_id, scanned_at, against, name in rows:
        if abs(against.scanned_at - scanned_at) <= CONFLICT_WITHIN:
            said = Conflict(against.id, against.scanned_at, name, against.verdict, str(against.decision))
            found.setdefault(one_id, []).append(said)
    return found


def decisions(crossing_id: uuid.UUID) -> list[CrossingDecision]:
    """The decisions on a crossing, oldest first."""
    query = (
        select(CrossingDecision)
        .where(CrossingDecision.crossing_id == crossing_id)
        .order_by(CrossingDecision.decided_at)
    )
    return list(db.session.scalars(query))


def of_registration(registration_id: uuid.UUID) -> list[tuple[Crossing, str]]:
    """The crossings of a registration with the checkpoint's name, oldest first; the caller has scoped the registration."""
    rows = db.session.execute(
        select(Crossing, Checkpoint.name)
        .join(Checkpoint, Checkpoint.id == Crossing.checkpoint_id)
        .where(Crossing.registration_id == registration_id)
        .order_by(Crossing.scanned_at)
    )
    return [(crossing, name) for crossing, name in rows]
