"""What happens to applications by the clock: none is forgotten, and none waits for an answer that comes too late."""

from datetime import datetime

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts.models import Alert
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.approvals import hooks
from checkpoint.approvals.models import Approval, ApprovalState
from checkpoint.approvals.queries import UNANSWERED
from checkpoint.approvals.steps import close_alert, decide, note, tell
from checkpoint.database import new_id, transaction
from checkpoint.risk.service import current_state

BATCH = 200
TOO_LATE = {"reason": "lapsed"}


def tend(at: datetime) -> int:
    """One round; returns how many applications were touched. Two schedulers at once do nothing twice."""
    return close_lapsed(at) + remind(at)


def close_lapsed(at: datetime) -> int:
    """What was asked for a time that is over, and was never answered, is closed: the applicant reads that it came to no answer."""
    system = system_actor(current_app.extensions["settings"].site_division)
    with transaction() as session:
        query = select(Approval).where(Approval.state.in_(UNANSWERED), Approval.valid_until <= at)
        found = session.scalars(query.order_by(Approval.id).limit(BATCH).with_for_update(skip_locked=True)).all()
        for approval in found:
            close_alert(approval, system, at, answered=False)
            decide(approval, ApprovalState.REFUSED, system, at)
            note(approval, "approval.refused", actor=system, at=at, data=TOO_LATE)
            hooks.ended(approval, system, at)
    return len(found)


def remind(at: datetime) -> int:
    """An application whose alert somebody has closed without answering it raises a new one."""
    with transaction() as session:
        query = (
            select(Approval)
            .join(Alert, Alert.id == Approval.alert_id)
            .where(Approval.state == ApprovalState.OPEN.value, Alert.state.not_in(LIVE_STATES))
        )
        found = session.scalars(query.limit(BATCH).with_for_update(skip_locked=True, of=Approval)).all()
        policy = current_state(at).policy
        for approval in found:
            tell(approval, new_id(), policy, at)
    return len(found)
