"""Silence escalates: village, town, city; so does an acknowledgement that no result follows."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.duty import CITY, answering, chain, level_on_duty, on_duty
from checkpoint.alerts.kinds import deadline_for
from checkpoint.alerts.models import Alert, AlertEvent, AlertState, FeedEntry
from checkpoint.alerts.service import feed_row
from checkpoint.database import after_commit, insert_rows, transaction
from checkpoint.live import kick
from checkpoint.risk.policy import Deadline, PolicyData

_STALLED = AlertState.ACKNOWLEDGED.value


def escalate_overdue(*, actor: Actor, at: datetime, policy: PolicyData, limit: int = 500) -> int:
    """What was not acknowledged, or acknowledged without a result, by its deadline goes up to the next level that is on duty.

    That level gets the same time again. What was silent at the city stays there and stays overdue; what the city acknowledged and
    did not finish waits for an answer again. Returns how many moved, at most `limit`.
    """
    with transaction() as session:
        silent = (Alert.state == AlertState.OPEN.value) & (Alert.ack_due <= at) & (Alert.responsible_level > CITY)
        stalled = (Alert.state == _STALLED) & (Alert.resolve_due <= at)
        overdue = session.scalars(
            select(Alert)
            .where(silent | stalled)
            .order_by(Alert.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        if not overdue:
            return 0
        staff = on_duty({one for alert in overdue for one in chain(alert.division_code)}, at)
        events = [_moved_up(alert, staff, policy, actor, at) for alert in overdue]
        session.flush()
        insert_rows(AlertEvent, events)
        insert_rows(FeedEntry, [feed_row("change", one.id, one.division_code, at, one.wave) for one in overdue])
        after_commit(kick)
    return len(overdue)


def next_level(alert: Alert, staff: dict[str, Any]) -> int:
    """The level above that is on duty; one level up where nobody is."""
    above = max(CITY, alert.responsible_level - 1)
    return level_on_duty(alert.division_code, above, staff)


def _moved_up(alert: Alert, staff: dict[str, Any], policy: PolicyData, actor: Actor, at: datetime) -> dict[str, Any]:
    stalled = alert.state == _STALLED
    alert.responsible_level = next_level(alert, staff)
    alert.escalated_at = at
    alert.assigned_to = alert.assigned_at = None
    wait_again(alert, policy, at)
    nobody = answering(alert.division_code, alert.responsible_level) not in staff
    data = {"to": alert.responsible_level, "after": "acknowledgement" if stalled else "silence", "nobody": nobody}
    return {"alert_id": alert.id, "at": at, "event": "escalated", "actor": actor.key, "data": data}


def wait_again(alert: Alert, policy: PolicyData, at: datetime) -> None:
    """An alert waits for an acknowledgement anew, by somebody who has to be told; a result that is overdue gets its time again."""
    deadline = deadline_of(alert, policy)
    alert.state = AlertState.OPEN.value
    alert.wave += 1
    alert.ack_due = at + timedelta(minutes=deadline.acknowledge_minutes)
    if alert.resolve_due is None or alert.resolve_due <= at:
        alert.resolve_due = at + timedelta(minutes=deadline.resolve_minutes)


def deadline_of(alert: Alert, policy: PolicyData) -> Deadline:
    """The time that an alert gets; a kind or tier without any of its own gets that of the longest tier."""
    found = deadline_for(alert.kind, alert.tier, policy)
    return found or max(policy.deadlines.values(), key=_length)


def _length(deadline: Deadline) -> int:
    return deadline.resolve_minutes
