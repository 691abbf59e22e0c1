"""What happens to follow-up work by the clock: overdue work raises its alert, a complete plan ends in the release."""

import uuid
from datetime import datetime

from flask import current_app
from sqlalchemy import exists, select, text, update
from sqlalchemy.orm import aliased

from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts.service import raise_alerts
from checkpoint.database import db, transaction
from checkpoint.followups.alarms import overdue_alert
from checkpoint.followups.finishing import cancel_open, release_if_complete
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.risk.service import current_state

BATCH = 500
_OPEN_RELEASES = text("follow_up.kind = 'release' AND follow_up.state = 'open'")  # the words of the partial index


def sweep(at: datetime) -> tuple[int, int]:
    """One round: how many alerts were raised, how many people released. Two schedulers at once do nothing twice."""
    raised = 0
    while True:
        found = raise_overdue(at)
        raised += found
        if found < BATCH:
            break
    return raised, release_complete(at)


def raise_overdue(at: datetime, *, limit: int = BATCH) -> int:
    """Raise the alert of each open piece of work whose time is over, once for each. One transaction; returns how many."""
    system = system_actor(current_app.extensions["settings"].site_division)
    with transaction() as session:
        late = session.scalars(
            select(FollowUp)
            .where(FollowUp.state == FollowUpState.OPEN.value, FollowUp.overdue_at.is_(None), FollowUp.due_at <= at)
            .order_by(FollowUp.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if not late:
            return 0
        session.execute(update(FollowUp).where(FollowUp.id.in_([one.id for one in late])).values(overdue_at=at))
        people = {
            registration_id: (state, tier)
            for registration_id, state, tier in session.execute(
                select(Registration.id, Registration.state, Registration.tier).where(
                    Registration.id.in_({one.registration_id for one in late})
                )
            )
        }
        inside = [one for one in late if people[one.registration_id][0] == RegistrationState.INSIDE.value]
        policy = current_state(at).policy
        raise_alerts([overdue_alert(one, people[one.registration_id][1], at) for one in inside], policy, at)
        for gone in {one.registration_id for one in late} - {one.registration_id for one in inside}:
            cancel_open(gone, "not_inside", actor=system, at=at)
    return len(late)


def release_complete(at: datetime) -> int:
    """Release everybody whose last day has come and whose plan is done; one transaction each. Returns how many."""
    return sum(release_if_complete(one, at=at) for one in _candidates(at))


def _candidates(at: datetime) -> list[uuid.UUID]:
    """Whose release may be due and who has no other work open; each is looked at again before it is done."""
    other = aliased(FollowUp)
    unfinished = exists().where(
        other.registration_id == FollowUp.registration_id,
        other.kind != "release",
        (other.state == FollowUpState.OPEN.value) | other.result.in_(("positive", "refused", "unwell", "no_answer")),
    )
    query = select(FollowUp.registration_id).where(_OPEN_RELEASES, FollowUp.from_at <= at, ~unfinished)
    found = list(db.session.scalars(query.limit(BATCH)))
    db.session.rollback()  # the reading ends here: each release is a transaction of its own
    return found
