"""Planning, completing and cancelling the work on a person."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission, system_actor
from checkpoint.database import insert_rows, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed
from checkpoint.followups.finishing import RESULTS, Outcome, cancel_open, finish
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.followups.planning import plan
from checkpoint.followups.queries import one
from checkpoint.followups.replanning import Replanned, replan, replan_many, task_row

__all__ = ["RESULTS", "Replanned", "cancel_for", "complete", "plan_for", "replan", "replan_many"]


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
        cancel_for(registration_id, at=entered_at, because="entered_again")
        tasks = plan(measures, entered_at, timezone=timezone, arrival_hours=arrival_hours)
        insert_rows(FollowUp, [task_row(registration_id, division_code, task) for task in tasks])


def cancel_for(registration_id: uuid.UUID, *, at: datetime, because: str = "turned_back") -> None:
    """Cancel the open work on a registration, with what was raised about it. Joins a transaction."""
    system = system_actor(current_app.extensions["settings"].site_division)
    cancel_open(registration_id, because, actor=system, at=at)


def complete(followup_id: uuid.UUID, result: str, note: str | None, *, actor: Actor, at: datetime) -> FollowUp:
    """Enter the result of a piece of work. The same result again is harmless; a test result becomes evidence."""
    if not actor.may(Permission.FOLLOWUPS_ACT):
        raise NotAllowed
    with transaction() as session:
        one(actor, followup_id)
        found = select(FollowUp).where(FollowUp.id == followup_id).with_for_update()
        task = session.scalars(found.execution_options(populate_existing=True)).one()
        if result not in RESULTS[task.kind]:
            raise InvalidInput.one("result", "literal_error", f"result must be one of {', '.join(RESULTS[task.kind])}")
        if task.state == FollowUpState.DONE.value and task.result == result:
            return task
        if task.state != FollowUpState.OPEN.value:
            raise Conflict("This work was already finished or cancelled.")
        finish(task, Outcome(result, note), actor=actor, at=at)
        session.flush()
    return task
