"""Counting alerts for the people who look at many of them: an inbox's tabs, and the table of towns for command."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.kinds import hidden_from
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES, PAGE, in_reach, scoped
from checkpoint.database import db
from checkpoint.errors import NotAllowed
from checkpoint.regions.models import at_level

TOWN = 4


@dataclass(frozen=True, slots=True)
class Tally:
    """What an inbox's tabs show. `open` waits for an acknowledgement, `live` for an acknowledgement or a result."""

    live: int
    open: int
    notices: int
    closed: int


@dataclass(frozen=True, slots=True)
class PlaceTally:
    """The live alerts of one town or street, or of one village; `code` has 12 digits. An alert of the city itself counts under its code."""

    code: str
    live: int
    red: int
    open: int
    overdue: int
    escalated: int


def is_overdue(at: datetime) -> ColumnElement[bool]:
    """Not acknowledged, or acknowledged without a result, by its deadline."""
    silent = (Alert.state == AlertState.OPEN.value) & (Alert.ack_due <= at)
    stalled = (Alert.state == AlertState.ACKNOWLEDGED.value) & (Alert.resolve_due <= at)
    return silent | stalled


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def tally(actor: Actor, *, notices_since: datetime, closed_since: datetime) -> Tally:
    """How many alerts each tab of the actor's inbox holds."""
    if not actor.may(Permission.ALERTS_READ):
        raise NotAllowed
    mine = in_reach(actor, Alert.division_code)
    if hidden := hidden_from(actor):
        mine &= Alert.kind.not_in(hidden)
    live = db.session.execute(
        select(func.count(), _sum(Alert.state == AlertState.OPEN.value)).where(mine, Alert.state.in_(LIVE_STATES))
    ).one()
    notices = db.session.scalar(
        select(func.count()).where(mine, Alert.state == AlertState.NOTICE.value, Alert.created_at >= notices_since)
    )
    closed = db.session.scalar(
        select(func.count()).where(mine, Alert.state == AlertState.RESOLVED.value, Alert.resolved_at >= closed_since)
    )
    return Tally(int(live[0]), int(live[1]), int(notices or 0), int(closed or 0))


def closed_since(actor: Actor, since: datetime, *, limit: int = PAGE) -> list[Alert]:
    """What was resolved since an instant, the latest first."""
    query = scoped(actor).where(Alert.state == AlertState.RESOLVED.value, Alert.resolved_at >= since)
    return list(db.session.scalars(query.order_by(Alert.resolved_at.desc()).limit(limit)))


def by_place(actor: Actor, at: datetime, *, level: int = TOWN) -> list[PlaceTally]:
    """The live alerts of each town (or, by `level`, village) that has any, the most overdue first."""
    if not actor.may(Permission.ALERTS_READ) and not actor.may(Permission.STANDING_READ):
        raise NotAllowed
    rows = db.session.execute(
        select(
            Alert.division_code,
            func.count(),
            _sum(Alert.tier == "red"),
            _sum(Alert.state == AlertState.OPEN.value),
            _sum(is_overdue(at)),
            _sum(Alert.escalated_at.is_not(None)),
        )
        .where(in_reach(actor, Alert.division_code), Alert.state.in_(LIVE_STATES))
        .group_by(Alert.division_code)
    )
    places: dict[str, list[int]] = {}
    for code, *numbers in rows:
        sums = places.setdefault(at_level(code, level), [0] * len(numbers))
        sums[:] = [total + int(number) for total, number in zip(sums, numbers, strict=True)]
    found = [PlaceTally(code, *sums) for code, sums in places.items()]
    return sorted(found, key=lambda one: (-one.overdue, -one.red, -one.live, one.code))


def about(actor: Actor, subject_id: uuid.UUID) -> list[Alert]:
    """The alerts about one subject that the actor may see, oldest first."""
    return list(db.session.scalars(scoped(actor).where(Alert.subject_id == subject_id).order_by(Alert.created_at)))
