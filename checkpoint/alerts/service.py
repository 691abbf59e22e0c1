"""Raising and moving alerts. Every kind goes through here; what a kind means is known only to the room that raises it.

open → acknowledged → resolved, each with its time and actor. Silence and an acknowledgement without a result go up a level
(escalation.py); handing over and reopening are acts of their own (handing.py). Whoever moves an alert locks its row first, so
that of two who act at once the later one finds what the earlier one did.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, true

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.duty import CITY, TOWN, VILLAGE, level_of, routes
from checkpoint.alerts.kinds import deadline_for, kind_of
from checkpoint.alerts.models import Alert, AlertEvent, AlertState, FeedEntry
from checkpoint.alerts.queries import LIVE_STATES, scoped
from checkpoint.alerts.receipts import seen_by
from checkpoint.database import after_commit, db, insert_rows, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.live import kick
from checkpoint.risk.policy import PolicyData

__all__ = ["CITY", "TOWN", "VILLAGE", "level_of"]

RESULTS = ("handled", "no_answer", "not_here", "transferred", "false_alarm")
TAKEN_BACK = -1  # the wave of a retraction: those who were told are told again


@dataclass(frozen=True, slots=True)
class NewAlert:
    """What a room wants a jurisdiction to know. `needs_answer` false makes a notice; with neither tier nor `needs_answer` given the
    kind's own are taken. `ack_due` and `resolve_due` stand in place of every deadline of policy and kind."""

    kind: str
    cause: str
    division_code: str
    tier: str = ""
    needs_answer: bool | None = None
    subject_type: str = "registration"
    subject_id: uuid.UUID | None = None
    params: dict[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=new_id)
    group_key: str | None = None
    ack_due: datetime | None = None
    resolve_due: datetime | None = None


def alert_row(new: NewAlert, policy: PolicyData, at: datetime, level: int | None = None) -> dict[str, Any]:
    """The columns of a new alert, with its deadlines; `level` answers for it, the division's own unless given."""
    kind = kind_of(new.kind)
    tier = new.tier or (kind.tier.value if kind else "yellow")
    needs_answer = (kind is None or kind.needs_answer) if new.needs_answer is None else new.needs_answer
    deadline = deadline_for(new.kind, tier, policy) if needs_answer else None
    is_open = deadline is not None or (needs_answer and new.ack_due is not None)
    return {
        "id": new.id,
        "kind": new.kind,
        "cause": new.cause,
        "subject_type": new.subject_type,
        "subject_id": new.subject_id,
        "division_code": new.division_code,
        "responsible_level": level if is_open and level is not None else level_of(new.division_code),
        "tier": tier,
        "state": (AlertState.OPEN if is_open else AlertState.NOTICE).value,
        "params": new.params,
        "group_key": new.group_key,
        "created_at": at,
        "ack_due": new.ack_due or (at + timedelta(minutes=deadline.acknowledge_minutes) if deadline else None),
        "resolve_due": new.resolve_due or (at + timedelta(minutes=deadline.resolve_minutes) if deadline else None),
    }


def feed_row(
    event: str, alert_id: uuid.UUID, division_code: str, at: datetime, wave: int | None = None
) -> dict[str, Any]:
    """The columns of an outbox entry, not yet numbered. With a `wave` messages go out as well as screens being told."""
    return {"event": event, "alert_id": alert_id, "division_code": division_code, "at": at, "wave": wave}


def raise_alerts(new: Sequence[NewAlert], policy: PolicyData, at: datetime) -> None:
    """Store alerts and their outbox entries in the transaction under way; screens and channels hear of them after its commit.

    Each goes to the level at which somebody is on duty now.
    """
    if not new:
        return
    with transaction():
        levels = routes((one_new.division_code for one_new in new), at)
        rows = [alert_row(one_new, policy, at, levels[one_new.division_code]) for one_new in new]
        insert_rows(Alert, rows)
        opened = [row for row in rows if row["state"] == AlertState.OPEN.value]
        insert_rows(AlertEvent, [_routed(row, at) for row in opened if row["responsible_level"] != _own_level(row)])
        waves = {row["id"]: 0 for row in opened}
        insert_rows(
            FeedEntry,
            [feed_row("alert", row["id"], row["division_code"], at, waves.get(row["id"])) for row in rows],
        )
        after_commit(kick)


def _own_level(row: dict[str, Any]) -> int:
    return level_of(row["division_code"])


def _routed(row: dict[str, Any], at: datetime) -> dict[str, Any]:
    data = {"to": row["responsible_level"], "after": "nobody_on_duty"}
    return {"alert_id": row["id"], "at": at, "event": "routed", "actor": "system", "data": data}


def note_change(
    alert_id: uuid.UUID,
    division_code: str,
    event: str,
    actor: Actor,
    at: datetime,
    data: dict[str, Any] | None = None,
    *,
    wave: int | None = None,
) -> None:
    """Add a step to an alert's history and tell the screens that show it; with a `wave` also those whom channels reach."""
    with transaction():
        insert_rows(AlertEvent, [{"alert_id": alert_id, "at": at, "event": event, "actor": actor.key, "data": data}])
        insert_rows(FeedEntry, [feed_row("change", alert_id, division_code, at, wave)])
        after_commit(kick)


def locked(actor: Actor, alert_id: uuid.UUID) -> Alert:
    """One alert as it is now, locked for the rest of the transaction; NotFound outside the actor's jurisdiction."""
    query = scoped(actor).where(Alert.id == alert_id).with_for_update().execution_options(populate_existing=True)
    alert = db.session.scalar(query)
    if alert is None:
        raise NotFound
    return alert


def acknowledge(alert_id: uuid.UUID, *, actor: Actor, at: datetime) -> Alert:
    """Somebody has seen it and takes it on. A second time, or after it was resolved, is harmless."""
    with transaction() as session:
        alert = locked(actor, alert_id)
        if alert.state == AlertState.OPEN.value:
            alert.state = AlertState.ACKNOWLEDGED.value
            alert.acknowledged_at = at
            alert.acknowledged_by = actor.key
            session.flush()
            seen_by(actor, [alert.id], at)
            note_change(alert.id, alert.division_code, "acknowledged", actor, at)
    return alert


def resolve(alert_id: uuid.UUID, result: str, note: str | None, *, actor: Actor, at: datetime) -> Alert:
    """Close an alert with a result; one that was never acknowledged is so now. A second time is harmless: the first result stays."""
    if result not in RESULTS:
        raise InvalidInput.one("result", "literal_error", f"result must be one of {', '.join(RESULTS)}")
    with transaction() as session:
        alert = locked(actor, alert_id)
        if alert.state == AlertState.RETRACTED.value:
            raise Conflict("This alert was retracted.")
        if alert.state == AlertState.RESOLVED.value:
            return alert
        if alert.acknowledged_at is None:
            alert.acknowledged_at = at
            alert.acknowledged_by = actor.key
        alert.state = AlertState.RESOLVED.value
        alert.resolved_at = at
        alert.resolved_by = actor.key
        alert.result = result
        alert.note = note or alert.note
        session.flush()
        seen_by(actor, [alert.id], at)
        note_change(alert.id, alert.division_code, "resolved", actor, at, {"result": result})
    return alert


def add_note(alert_id: uuid.UUID, note: str, *, actor: Actor, at: datetime) -> Alert:
    """Write down what was said or done; earlier notes stay above it."""
    with transaction() as session:
        alert = locked(actor, alert_id)
        alert.note = f"{alert.note}\n{note}" if alert.note else note
        session.flush()
        seen_by(actor, [alert.id], at)
        note_change(alert.id, alert.division_code, "note", actor, at)
    return alert


def retract_for(
    subject_id: uuid.UUID,
    *,
    actor: Actor,
    at: datetime,
    kinds: Collection[str] = (),
    wave: int | None = TAKEN_BACK,
) -> int:
    """Take back what is open or noticed about a subject, because its reason is gone; returns how many.

    Only alerts of some `kinds` if any are named; without a `wave` the screens alone hear of it.
    """
    with transaction() as session:
        session.flush()
        states = (*LIVE_STATES, AlertState.NOTICE.value)
        alerts = session.scalars(
            select(Alert)
            .where(Alert.subject_id == subject_id, Alert.state.in_(states), Alert.kind.in_(kinds) if kinds else true())
            .order_by(Alert.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        for alert in alerts:
            alert.state = AlertState.RETRACTED.value
            session.flush()
            note_change(alert.id, alert.division_code, "retracted", actor, at, wave=wave)
    return len(alerts)


def subject_alert(subject_id: uuid.UUID) -> Alert | None:
    """The newest alert about a subject."""
    return db.session.scalar(
        select(Alert).where(Alert.subject_id == subject_id).order_by(Alert.created_at.desc()).limit(1)
    )
