"""Reading crossings: what a tablet shows of one, and counts for command."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db
from checkpoint.errors import NotAllowed
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.registrations.queries import masked, masked_plate, place_name


@dataclass(frozen=True, slots=True)
class Previous:
    """The crossing before this one of the same registration."""

    scanned_at: datetime
    checkpoint: str
    verdict: str
    decision: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class GateView:
    """What the verdict screen shows. `person` is masked; None when the token stands for nobody."""

    crossing: Crossing
    person: Mapping[str, Any] | None
    previous: Previous | None


def gate_view(crossing: Crossing) -> GateView:
    """A crossing with the person and the crossing before it."""
    if crossing.registration_id is None:
        return GateView(crossing, None, None)
    registration, traveller = db.session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Registration.id == crossing.registration_id)
    ).one()
    lead = registration.lead_id or registration.id
    companions = db.session.scalar(
        select(func.count())
        .select_from(Registration)
        .where((Registration.lead_id == lead) & (Registration.id != registration.id))
    )
    person = masked(traveller) | {
        "plate": masked_plate(registration),
        "origin": place_name(registration.origin_code),
        "destination": place_name(registration.destination_code),
        "arriving_on": registration.arriving_on.isoformat(),
        "transport": registration.transport,
        "companions": int(companions or 0) + (1 if registration.lead_id else 0),
        "state": registration.state,
    }
    return GateView(crossing, person, _previous(crossing))


def _previous(crossing: Crossing) -> Previous | None:
    row = db.session.execute(
        select(Crossing.scanned_at, Checkpoint.name, Crossing.verdict, Crossing.decision, Crossing.decided_at)
        .join(Checkpoint, Checkpoint.id == Crossing.checkpoint_id)
        .where(
            Crossing.registration_id == crossing.registration_id,
            Crossing.id != crossing.id,
            Crossing.received_at <= crossing.received_at,
        )
        .order_by(Crossing.scanned_at.desc())
        .limit(1)
    ).first()
    return Previous(row.scanned_at, row.name, row.verdict, row.decision, row.decided_at) if row else None


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


def by_checkpoint(actor: Actor, since: datetime) -> list[tuple[str, str, int, int]]:
    """For each checkpoint of the jurisdiction: code, name, scans and admissions since an instant."""
    if not actor.may(Permission.COMMAND_READ):
        raise NotAllowed
    admitted = func.sum(case((Crossing.decision == "admitted", 1), else_=0))
    rows = db.session.execute(
        select(Checkpoint.code, Checkpoint.name, func.count(Crossing.id), func.coalesce(admitted, 0))
        .outerjoin(Crossing, (Crossing.checkpoint_id == Checkpoint.id) & (Crossing.received_at >= since))
        .where(in_reach(actor, Checkpoint.division_code))
        .group_by(Checkpoint.code, Checkpoint.name)
        .order_by(Checkpoint.code)
    )
    return [(code, name, int(scans), int(done)) for code, name, scans, done in rows]
