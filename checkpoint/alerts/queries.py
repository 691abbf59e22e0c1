"""Reading alerts, always through the reader's jurisdiction."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, case, func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.scope import in_reach as in_reach
from checkpoint.alerts.kinds import hidden_from
from checkpoint.alerts.models import Alert, AlertEvent, AlertState, FeedEntry
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound

PAGE = 200
LIVE_STATES = (AlertState.OPEN.value, AlertState.ACKNOWLEDGED.value)


def scoped(actor: Actor) -> Select[Alert]:
    """Alerts that the actor may see."""
    if not actor.may(Permission.ALERTS_READ):
        raise NotAllowed
    query = select(Alert).where(in_reach(actor, Alert.division_code))
    hidden = hidden_from(actor)
    return query.where(Alert.kind.not_in(hidden)) if hidden else query


def one(actor: Actor, alert_id: uuid.UUID) -> Alert:
    """One alert; NotFound when it is outside the actor's jurisdiction, as if it did not exist."""
    alert = db.session.scalar(scoped(actor).where(Alert.id == alert_id))
    if alert is None:
        raise NotFound
    return alert


def inbox(actor: Actor, *, states: Sequence[str] = LIVE_STATES, limit: int = PAGE) -> list[Alert]:
    """What to do now: red before yellow before green, and the nearest deadline first."""
    worst_first = case({"red": 0, "yellow": 1}, value=Alert.tier, else_=2)
    due = case((Alert.state == AlertState.OPEN.value, Alert.ack_due), else_=Alert.resolve_due)
    query = (
        scoped(actor).where(Alert.state.in_(states)).order_by(worst_first, due, Alert.created_at.desc()).limit(limit)
    )
    return list(db.session.scalars(query))


def recent(actor: Actor, *, since: datetime, states: Sequence[str], limit: int = PAGE) -> list[Alert]:
    """The newest alerts in some states: notices, and what was closed lately."""
    query = scoped(actor).where(Alert.state.in_(states), Alert.created_at >= since)
    return list(db.session.scalars(query.order_by(Alert.created_at.desc()).limit(limit)))


def since(actor: Actor, after: int, *, state: str | None = None, limit: int = PAGE) -> list[tuple[int, Alert]]:
    """Alerts raised after a sequence number, with theirs, ascending: how an integration follows along without a gap."""
    query = (
        select(FeedEntry.seq, Alert)
        .join(Alert, Alert.id == FeedEntry.alert_id)
        .where(FeedEntry.event == "alert", FeedEntry.seq > after, in_reach(actor, FeedEntry.division_code))
        .order_by(FeedEntry.seq)
        .limit(limit)
    )
    if state is not None:
        query = query.where(Alert.state == state)
    if hidden := hidden_from(actor):
        query = query.where(Alert.kind.not_in(hidden))
    if not actor.may(Permission.ALERTS_READ):
        raise NotAllowed
    return [(int(seq), alert) for seq, alert in db.session.execute(query) if seq is not None]


def sequence_of(alert_id: uuid.UUID) -> int | None:
    """The sequence number under which an alert was raised."""
    return db.session.scalar(select(FeedEntry.seq).where(FeedEntry.alert_id == alert_id, FeedEntry.event == "alert"))


def history(alert_id: uuid.UUID) -> list[AlertEvent]:
    """The steps of an alert, oldest first."""
    query = select(AlertEvent).where(AlertEvent.alert_id == alert_id).order_by(AlertEvent.at, AlertEvent.id)
    return list(db.session.scalars(query))


def counts(actor: Actor, at: datetime) -> dict[str, int]:
    """Open, overdue and escalated alerts of the jurisdiction."""
    live = scoped(actor).where(Alert.state.in_(LIVE_STATES)).subquery()
    overdue = ((live.c.state == AlertState.OPEN.value) & (live.c.ack_due <= at)) | (
        (live.c.state == AlertState.ACKNOWLEDGED.value) & (live.c.resolve_due <= at)
    )
    row = db.session.execute(
        select(
            func.count().label("live"),
            func.coalesce(func.sum(case((live.c.state == AlertState.OPEN.value, 1), else_=0)), 0).label("open"),
            func.coalesce(func.sum(case((overdue, 1), else_=0)), 0).label("overdue"),
            func.coalesce(func.sum(case((live.c.escalated_at.is_not(None), 1), else_=0)), 0).label("escalated"),
        ).select_from(live)
    ).one()
    return {"live": row.live, "open": row.open, "overdue": row.overdue, "escalated": row.escalated}
