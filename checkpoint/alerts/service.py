"""Raising and moving alerts. Every kind goes through here; what a kind means is known only to the room that raises it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertEvent, AlertState, FeedEntry
from checkpoint.alerts.queries import one
from checkpoint.database import after_commit, db, insert_rows, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput
from checkpoint.live import kick
from checkpoint.regions.models import significant
from checkpoint.risk.policy import PolicyData, Tier

RESULTS = ("handled", "no_answer", "not_here", "transferred", "false_alarm")
VILLAGE, TOWN, CITY = 5, 4, 3
_LEVELS = {12: VILLAGE, 9: TOWN}


@dataclass(frozen=True, slots=True)
class NewAlert:
    """What a room wants a jurisdiction to know. `needs_answer` false makes a notice."""

    kind: str
    cause: str
    division_code: str
    tier: str
    needs_answer: bool
    subject_type: str = "registration"
    subject_id: uuid.UUID | None = None
    params: dict[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=new_id)
    group_key: str | None = None


def level_of(division_code: str) -> int:
    """Who answers for a division: 5 a village, 4 a town, 3 the city."""
    return _LEVELS.get(len(significant(division_code)), CITY)


def alert_row(new: NewAlert, policy: PolicyData, at: datetime) -> dict[str, Any]:
    """The columns of a new alert, with the deadlines of the policy for its tier."""
    deadline = policy.deadlines.get(Tier(new.tier)) if new.needs_answer else None
    return {
        "id": new.id,
        "kind": new.kind,
        "cause": new.cause,
        "subject_type": new.subject_type,
        "subject_id": new.subject_id,
        "division_code": new.division_code,
        "responsible_level": level_of(new.division_code),
        "tier": new.tier,
        "state": (AlertState.OPEN if deadline else AlertState.NOTICE).value,
        "params": new.params,
        "group_key": new.group_key,
        "created_at": at,
        "ack_due": at + timedelta(minutes=deadline.acknowledge_minutes) if deadline else None,
        "resolve_due": at + timedelta(minutes=deadline.resolve_minutes) if deadline else None,
    }


def feed_row(event: str, alert_id: uuid.UUID, division_code: str, at: datetime) -> dict[str, Any]:
    """The columns of an outbox entry, not yet numbered."""
    return {"event": event, "alert_id": alert_id, "division_code": division_code, "at": at}


def raise_alerts(new: Sequence[NewAlert], policy: PolicyData, at: datetime) -> None:
    """Store alerts and their outbox entries in the transaction under way; screens hear of them after its commit."""
    if not new:
        return
    with transaction():
        insert_rows(Alert, [alert_row(one_new, policy, at) for one_new in new])
        insert_rows(FeedEntry, [feed_row("alert", one_new.id, one_new.division_code, at) for one_new in new])
        after_commit(kick)


def note_change(
    alert_id: uuid.UUID, division_code: str, event: str, actor: Actor, at: datetime, data: dict[str, Any] | None = None
) -> None:
    """Add a step to an alert's history and tell the screens that show it."""
    with transaction():
        insert_rows(AlertEvent, [{"alert_id": alert_id, "at": at, "event": event, "actor": actor.key, "data": data}])
        insert_rows(FeedEntry, [feed_row("change", alert_id, division_code, at)])
        after_commit(kick)


def acknowledge(alert_id: uuid.UUID, *, actor: Actor, at: datetime) -> Alert:
    """Somebody has seen it and takes it on. A second time, or after it was resolved, is harmless."""
    with transaction() as session:
        alert = one(actor, alert_id)
        moved: Any = session.execute(
            update(Alert)
            .where(Alert.id == alert.id, Alert.state == AlertState.OPEN.value)
            .values(state=AlertState.ACKNOWLEDGED.value, acknowledged_at=at, acknowledged_by=actor.key)
        )
        if moved.rowcount:
            note_change(alert.id, alert.division_code, "acknowledged", actor, at)
            session.refresh(alert)
    return alert


def resolve(alert_id: uuid.UUID, result: str, note: str | None, *, actor: Actor, at: datetime) -> Alert:
    """Close an alert with a result; one that was never acknowledged is so now. A second time is harmless: the first result stays."""
    if result not in RESULTS:
        raise InvalidInput.one("result", "literal_error", f"result must be one of {', '.join(RESULTS)}")
    with transaction() as session:
        alert = one(actor, alert_id)
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
        note_change(alert.id, alert.division_code, "resolved", actor, at, {"result": result})
    return alert


def add_note(alert_id: uuid.UUID, note: str, *, actor: Actor, at: datetime) -> Alert:
    """Write down what was said or done; earlier notes stay above it."""
    with transaction() as session:
        alert = one(actor, alert_id)
        alert.note = f"{alert.note}\n{note}" if alert.note else note
        session.flush()
        note_change(alert.id, alert.division_code, "note", actor, at)
    return alert


def retract_for(subject_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Take back what is open or noticed about a subject, because its reason is gone; returns how many."""
    with transaction() as session:
        states = (AlertState.OPEN.value, AlertState.ACKNOWLEDGED.value, AlertState.NOTICE.value)
        alerts = session.scalars(select(Alert).where(Alert.subject_id == subject_id, Alert.state.in_(states))).all()
        for alert in alerts:
            alert.state = AlertState.RETRACTED.value
            session.flush()
            note_change(alert.id, alert.division_code, "retracted", actor, at)
    return len(alerts)


def escalate_overdue(*, actor: Actor, at: datetime, policy: PolicyData, limit: int = 500) -> int:
    """Silence escalates: what was not acknowledged, or acknowledged without a result, by its deadline goes one level up.

    The next level gets the same time again. What has reached the city stays there and stays overdue. Returns how many moved.
    """
    with transaction() as session:
        silent = (Alert.state == AlertState.OPEN.value) & (Alert.ack_due <= at)
        stalled = (Alert.state == AlertState.ACKNOWLEDGED.value) & (Alert.resolve_due <= at)
        overdue = session.scalars(
            select(Alert)
            .where(silent | stalled, Alert.responsible_level > CITY)
            .order_by(Alert.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for alert in overdue:
            deadline = policy.deadlines[Tier(alert.tier)]
            was_acknowledged = alert.state == AlertState.ACKNOWLEDGED.value
            alert.responsible_level -= 1
            alert.state = AlertState.OPEN.value
            alert.escalated_at = at
            alert.ack_due = at + timedelta(minutes=deadline.acknowledge_minutes)
            if alert.resolve_due is not None and alert.resolve_due <= at:
                alert.resolve_due = at + timedelta(minutes=deadline.resolve_minutes)
            session.flush()
            note_change(
                alert.id,
                alert.division_code,
                "escalated",
                actor,
                at,
                {"to": alert.responsible_level, "after": "acknowledgement" if was_acknowledged else "silence"},
            )
    return len(overdue)


def subject_alert(subject_id: uuid.UUID) -> Alert | None:
    """The newest alert about a subject."""
    return db.session.scalar(
        select(Alert).where(Alert.subject_id == subject_id).order_by(Alert.created_at.desc()).limit(1)
    )
