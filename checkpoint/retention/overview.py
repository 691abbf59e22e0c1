"""What command reads of keeping: how much is due, what is held and why, what the last runs took."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.retention.holds import Reason, due, held, reasons_of
from checkpoint.retention.models import DayCount, ErasureRequest, PurgeRun
from checkpoint.retention.purge import survey
from checkpoint.risk.policy import Retention
from checkpoint.risk.service import current_state

RUNS_SHOWN = 5
PEOPLE_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Held:
    """A trip whose time is over and which something holds."""

    registration: Registration
    traveller: Traveller
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """`going` trips would go now; `held` counts trips by reason; `counted` crossings stand as counts only; `asked` requests wait."""

    going: int
    held: dict[str, int]
    counted: int
    asked: int
    runs: Sequence[PurgeRun]
    days: Retention
    people: tuple[Held, ...]


def overview(actor: Actor, at: datetime) -> Overview:
    """All of it at an instant; the people held only for whom may read of people, and in their jurisdiction."""
    if not actor.may(Permission.COMMAND_READ):
        raise NotAllowed
    going, by_reason = survey(at)
    return Overview(
        going=going,
        held=by_reason,
        counted=int(db.session.scalar(select(func.coalesce(func.sum(DayCount.count), 0))) or 0),
        asked=int(db.session.scalar(select(func.count(ErasureRequest.id))) or 0),
        runs=db.session.scalars(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(RUNS_SHOWN)).all(),
        days=current_state(at).policy.retention,
        people=_people(actor, at) if actor.may(Permission.PEOPLE_READ) else (),
    )


def _people(actor: Actor, at: datetime) -> tuple[Held, ...]:
    rows = db.session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(due(current_state(at).policy, at), held(at), in_reach(actor, Registration.destination_code))
        .order_by(Registration.id)
        .limit(PEOPLE_SHOWN)
    ).all()
    reasons: dict[uuid.UUID, tuple[Reason, ...]] = reasons_of([one.id for one, _traveller in rows], at)
    return tuple(Held(one, traveller, reasons[one.id]) for one, traveller in rows)
