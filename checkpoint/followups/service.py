"""Planning, completing and cancelling the work on a person."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.database import insert_rows, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.followups.planning import plan
from checkpoint.followups.queries import one
from checkpoint.followups.replanning import Replanned, replan, replan_many, task_row
from checkpoint.registrations.models import Registration, RegistrationState, TestResult

__all__ = ["RESULTS", "Replanned", "cancel_for", "complete", "plan_for", "replan", "replan_many"]

RESULTS: dict[str, tuple[str, ...]] = {
    "arrival_visit": ("arrived", "not_here"),
    "landing_test": ("negative", "positive", "refused"),
    "test": ("negative", "positive", "refused"),
    "health_check": ("well", "unwell", "no_answer"),
    "release": ("released", "extended"),
}


def plan_for(
    registration_id: uuid.UUID,
    *,
    division_code: str,
    measures: Sequence[Mapping[str, Any]],
    entered_at: datetime,
    timezone: str,
    arrival_hours: int,
) -> None:
    """Plan the work on somebody who was let in; what an earlier plan left open is cancelled. Joins a transaction."""
    with transaction():
        cancel_for(registration_id, at=entered_at)
        tasks = plan(measures, entered_at, timezone=timezone, arrival_hours=arrival_hours)
        insert_rows(FollowUp, [task_row(registration_id, division_code, task) for task in tasks])


def cancel_for(registration_id: uuid.UUID, *, at: datetime) -> None:
    """Cancel the open work on a registration. Joins a transaction."""
    with transaction() as session:
        session.execute(
            update(FollowUp)
            .where(FollowUp.registration_id == registration_id, FollowUp.state == FollowUpState.OPEN.value)
            .values(state=FollowUpState.CANCELLED.value, done_at=at)
        )


def complete(followup_id: uuid.UUID, result: str, note: str | None, *, actor: Actor, at: datetime) -> FollowUp:
    """Enter the result of a piece of work. The same result again is harmless; a test result becomes evidence."""
    if not actor.may(Permission.FOLLOWUPS_ACT):
        raise NotAllowed
    with transaction() as session:
        task = one(actor, followup_id)
        if result not in RESULTS[task.kind]:
            raise InvalidInput.one("result", "literal_error", f"result must be one of {', '.join(RESULTS[task.kind])}")
        if task.state == FollowUpState.DONE.value and task.result == result:
            return task
        if task.state != FollowUpState.OPEN.value:
            raise Conflict("This work was already finished or cancelled.")
        task.state = FollowUpState.DONE.value
        task.result = result
        task.note = note or None
        task.done_at = at
        task.done_by = actor.key
        if task.kind in ("landing_test", "test") and result in ("negative", "positive"):
            session.add(
                TestResult(
                    id=new_id(),
                    registration_id=task.registration_id,
                    kind="pcr",
                    taken_at=at,
                    result=result,
                    source="followup",
                )
            )
        if task.kind == "release" and result == "released":
            registration = session.get_one(Registration, task.registration_id)
            registration.released_at = at
            registration.state = RegistrationState.LEFT.value
        session.flush()
    return task
