"""What happens to appeals by the clock: nothing is forgotten, and nothing set aside outlasts its time."""

import uuid
from datetime import datetime

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.appeals.models import Appeal, AppealState
from checkpoint.appeals.service import KIND, OPEN_TRIPS, close_alert, tell
from checkpoint.database import db, transaction
from checkpoint.followups.service import replan
from checkpoint.registrations.models import Registration
from checkpoint.registrations.overrides import AssessmentOverride
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.risk.service import current_state

BATCH = 200


def tend(at: datetime) -> int:
    """One round; returns how many appeals and overrides were touched. Two schedulers at once do nothing twice."""
    return void_pointless(at) + remind(at) + end_overdue(at)


def void_pointless(at: datetime) -> int:
    """Appeals of people who do not come, or have been released, need no answer any more."""
    system = system_actor(current_app.extensions["settings"].site_division)
    with transaction() as session:
        query = (
            select(Appeal)
            .join(Registration, Registration.id == Appeal.registration_id)
            .where(Appeal.state == AppealState.OPEN.value, Registration.state.not_in(OPEN_TRIPS))
        )
        found = session.scalars(query.limit(BATCH).with_for_update(skip_locked=True, of=Appeal)).all()
        for appeal in found:
            appeal.state = AppealState.VOID.value
            session.flush()
            close_alert(appeal, AlertState.RETRACTED, system, at)
    return len(found)


def remind(at: datetime) -> int:
    """An appeal whose alert somebody has closed without an answer to the traveller raises a new one."""
    with transaction() as session:
        query = (
            select(Appeal, Alert.cause)
            .join(Alert, Alert.id == Appeal.alert_id)
            .where(Appeal.state == AppealState.OPEN.value, Alert.state.not_in(LIVE_STATES))
        )
        found = session.execute(query.limit(BATCH).with_for_update(skip_locked=True, of=Appeal)).all()
        policy = current_state(at).policy
        for appeal, cause in found:
            again = int(cause.split(":")[2]) + 1 if cause.count(":") == 2 else 1
            appeal.alert_id = tell(appeal, f"{KIND}:{appeal.id}:{again}", policy, at)
        session.flush()
    return len(found)


def end_overdue(at: datetime) -> int:
    """What was set aside until now counts again: those who are still on their way or inside are assessed anew."""
    ended = 0
    for override_id in db.session.scalars(
        select(AssessmentOverride.id)
        .where(AssessmentOverride.ended_at.is_(None), AssessmentOverride.until <= at)
        .limit(BATCH)
    ).all():
        ended += _end(override_id, at)
    return ended


def _end(override_id: uuid.UUID, at: datetime) -> int:
    system = system_actor(current_app.extensions["settings"].site_division)
    with transaction() as session:
        query = select(AssessmentOverride).where(
            AssessmentOverride.id == override_id, AssessmentOverride.ended_at.is_(None)
        )
        override = session.scalars(query.with_for_update(skip_locked=True)).first()
        if override is None:
            return 0
        override.ended_at = at
        session.flush()
        registration = locked(override.registration_id)
        if registration.state in OPEN_TRIPS:
            after = assess_again(registration, state=current_state(at), cause="override_end", actor=system, at=at)
            replan(registration.id, after.measures, actor=system, at=at)
    return 1
