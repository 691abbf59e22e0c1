"""New measures for people who are inside: what is still wanted stays, the rest is cancelled, what is new is planned.

The days of a measure count from when it was first imposed on the person, or from entry if that is later: days already
served count, and a measure that is imposed late runs its full time.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.followups.alarms import close_alarms
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.followups.planning import Task, measured, revise
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.risk.models import Assessment

CHUNK = 500
_followup = cast(Table, FollowUp.__table__)


@dataclass(frozen=True, slots=True)
class Replanned:
    """How much work new measures brought and took away."""

    added: int = 0
    cancelled: int = 0


def replan(
    registration_id: uuid.UUID, measures: Sequence[Mapping[str, Any]], *, actor: Actor, at: datetime
) -> Replanned:
    """Bring the follow-up of one person in line with new measures. Joins a transaction; a second time changes nothing.

    Call it after the assessment with these measures has been stored. Somebody who is not inside has no plan.
    """
    return replan_many({registration_id: measures}, actor=actor, at=at)


def replan_many(
    wanted: Mapping[uuid.UUID, Sequence[Mapping[str, Any]]],
    *,
    actor: Actor,
    at: datetime,
    because: str = "replanned",
) -> Replanned:
    """The same for many people at once, by registration: a fixed number of statements for each 500. Joins a transaction.

    `because` (at most 16 letters) is kept with the work that is cancelled.
    """
    added = cancelled = 0
    with transaction() as session:
        session.flush()
        for ids in _chunks(list(wanted)):
            rows, gone = _changes(ids, wanted, at)
            if gone:
                session.execute(
                    update(FollowUp)
                    .where(FollowUp.id.in_(gone), FollowUp.state == FollowUpState.OPEN.value)
                    .values(
                        state=FollowUpState.CANCELLED.value,
                        done_at=at,
                        done_by=actor.key,
                        because=because,
                        overdue_at=None,
                    )
                )
                close_alarms(list(gone), "retracted", actor=actor, at=at)
            insert_rows(FollowUp, rows)
            added += len(rows)
            cancelled += len(gone)
    return Replanned(added, cancelled)


def task_row(registration_id: uuid.UUID, division_code: str, task: Task) -> dict[str, Any]:
    """The columns of a new piece of work."""
    return {
        "id": new_id(),
        "registration_id": registration_id,
        "division_code": division_code,
        "kind": task.kind,
        "day": task.day,
        "from_at": task.from_at,
        "due_at": task.due_at,
        "state": FollowUpState.OPEN.value,
    }


def _chunks(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _changes(
    ids: Sequence[uuid.UUID], wanted: Mapping[uuid.UUID, Sequence[Mapping[str, Any]]], at: datetime
) -> tuple[list[dict[str, Any]], list[uuid.UUID]]:
    """The rows to insert and the ids to cancel for some registrations."""
    timezone = current_app.extensions["settings"].timezone
    people = db.session.execute(
        select(Registration.id, Registration.destination_code, Registration.entered_at).where(
            Registration.id.in_(ids),
            Registration.state == RegistrationState.INSIDE.value,
            Registration.entered_at.is_not(None),
        )
    ).all()
    imposed = _first_imposed(ids, wanted)
    existing = _existing(ids)
    rows: list[dict[str, Any]] = []
    gone: list[uuid.UUID] = []
    for person in people:
        since = max(person.entered_at, imposed.get(person.id, at))
        known = existing.get(person.id, _Existing({}, set()))
        change = revise(
            measured(wanted[person.id], since, timezone=timezone),
            open_keys=known.open_by_key,
            done_keys=known.done,
            at=at,
        )
        rows += [task_row(person.id, person.destination_code, task) for task in change.add]
        gone += [known.open_by_key[key] for key in change.cancel]
    return rows, gone


@dataclass(frozen=True, slots=True)
class _Existing:
    open_by_key: dict[tuple[str, datetime], uuid.UUID]
    done: set[tuple[str, datetime]]


def _existing(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Existing]:
    """The open and the done work of registrations by its keys."""
    columns = (_followup.c.id, _followup.c.registration_id, _followup.c.kind, _followup.c.due_at, _followup.c.state)
    found: dict[uuid.UUID, _Existing] = {}
    for row in db.session.execute(select(*columns).where(_followup.c.registration_id.in_(ids))):
        one = found.setdefault(row.registration_id, _Existing({}, set()))
        if row.state == FollowUpState.OPEN.value:
            one.open_by_key[row.kind, row.due_at] = row.id
        elif row.state == FollowUpState.DONE.value:
            one.done.add((row.kind, row.due_at))
    return found


def _first_imposed(
    ids: Sequence[uuid.UUID], wanted: Mapping[uuid.UUID, Sequence[Mapping[str, Any]]]
) -> dict[uuid.UUID, datetime]:
    """When the measures of each registration were first imposed on it."""
    rows = db.session.execute(
        select(Assessment.registration_id, Assessment.measures, Assessment.made_at).where(
            Assessment.registration_id.in_(ids)
        )
    )
    first: dict[uuid.UUID, datetime] = {}
    for registration_id, measures, made_at in rows:
        if measures == list(wanted[registration_id]):
            first[registration_id] = min(made_at, first.get(registration_id, made_at))
    return first
