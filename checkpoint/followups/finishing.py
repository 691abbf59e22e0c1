"""What the result of a piece of work brings with it: evidence, a new assessment, a new plan, an alert, the release."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select, update

from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.alerts.models import Alert
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import raise_alerts
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.followups.alarms import UNWELL, close_alarms, close_failed, failed_alert, unwell_alert
from checkpoint.followups.models import FollowUp, FollowUpState, ReportState, TravellerReport
from checkpoint.followups.planning import Task, is_complete, next_day
from checkpoint.followups.replanning import replan, task_row
from checkpoint.registrations.models import Registration, RegistrationState, TestResult
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.risk.service import current_state

RESULTS: dict[str, tuple[str, ...]] = {
    "arrival_visit": ("arrived", "not_here"),
    "landing_test": ("negative", "positive", "refused"),
    "test": ("negative", "positive", "refused"),
    "health_check": ("well", "unwell", "no_answer"),
    "release": ("released", "extended"),
}
TESTS = ("landing_test", "test")
PLAN_COMPLETE = "plan_complete"
AGAIN = "again"  # a visit after one in vain, with a time of its own: whoever is met then was not met in time
LEAST_TIME = timedelta(hours=1)
UNSAID = "other"  # the symptom of somebody whom a worker found unwell without saying how


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a piece of work. `because` is set when it came about by a rule; `symptoms` by which somebody is unwell."""

    result: str
    note: str | None = None
    because: str | None = None
    symptoms: tuple[str, ...] = ()


def finish(task: FollowUp, outcome: Outcome, *, actor: Actor, at: datetime) -> None:
    """Write the result of an open piece of work and all that follows from it, in the transaction under way."""
    task.state = FollowUpState.DONE.value
    task.result = outcome.result
    task.note = outcome.note or None
    task.done_at = at
    task.done_by = actor.key
    task.because = outcome.because or task.because
    db.session.flush()
    claim = waiting_claim(task.id)
    _settle(task, actor, at)
    close_alarms([task.id], "resolved", actor=actor, at=at)
    if task.kind == "arrival_visit":
        _arrived(task, actor, at)
    elif task.kind in TESTS:
        _tested(task, claim, actor, at)
    elif task.kind == "health_check" and outcome.result == "unwell":
        unwell(task.registration_id, outcome.symptoms, task.id, actor=actor, at=at)
    elif task.kind == "release":
        _released(task, actor, at)
    if task.kind != "release":
        release_if_complete(task.registration_id, at=at)


def waiting_claim(followup_id: uuid.UUID) -> TravellerReport | None:
    """The newest thing that the traveller said about a piece of work and that nobody has settled yet."""
    query = select(TravellerReport).where(
        TravellerReport.follow_up_id == followup_id, TravellerReport.state == ReportState.WAITING.value
    )
    return db.session.scalars(query.order_by(TravellerReport.reported_at.desc()).limit(1)).first()


def _settle(task: FollowUp, actor: Actor, at: datetime) -> None:
    """What was said about the work is now confirmed, or it was otherwise."""
    said = {"arrival": "arrived"}
    waiting = select(TravellerReport).where(
        TravellerReport.follow_up_id == task.id, TravellerReport.state == ReportState.WAITING.value
    )
    for report in db.session.scalars(waiting):
        agrees = said.get(report.kind, report.test_result) == task.result
        report.state = (ReportState.CONFIRMED if agrees else ReportState.REFUSED).value
        report.settled_at, report.settled_by = at, actor.key
    db.session.flush()


def _tier(registration_id: uuid.UUID) -> str:
    return db.session.scalars(select(Registration.tier).where(Registration.id == registration_id)).one()


def _failed(task: FollowUp, at: datetime) -> None:
    raise_alerts([failed_alert(task, _tier(task.registration_id))], current_state(at).policy, at)


def _arrived(task: FollowUp, actor: Actor, at: datetime) -> None:
    if task.result == "arrived":
        close_failed(task.registration_id, actor=actor, at=at)
        return
    # Not at the door: the town hears of it, and somebody goes again, within the same time as long as there is any.
    _failed(task, at)
    late = task.due_at < at + LEAST_TIME
    due = at + timedelta(hours=current_state(at).policy.arrival_hours) if late else task.due_at
    again = task_row(
        task.registration_id, task.division_code, Task(task.kind, task.day, from_at=task.from_at, due_at=due)
    )
    insert_rows(FollowUp, [again | {"because": AGAIN if late else task.because}])


def _tested(task: FollowUp, claim: TravellerReport | None, actor: Actor, at: datetime) -> None:
    if task.result == "refused":
        _failed(task, at)
        return
    agrees = claim is not None and claim.test_result == task.result
    add_test(
        task.registration_id,
        kind=claim.test_kind or "pcr" if claim is not None and agrees else "pcr",
        taken_at=claim.taken_at or at if claim is not None and agrees else at,
        result=task.result or "",
        source="followup",
        actor=actor,
        at=at,
    )


def add_test(
    registration_id: uuid.UUID, *, kind: str, taken_at: datetime, result: str, source: str, actor: Actor, at: datetime
) -> None:
    """Keep a test as evidence; a positive one is assessed at once, and the plan follows."""
    row = {"id": new_id(), "registration_id": registration_id, "kind": kind, "taken_at": taken_at}
    insert_rows(TestResult, [row | {"result": result, "source": source}])
    if result == "positive":
        reassess(registration_id, "test", actor=actor, at=at)


def reassess(registration_id: uuid.UUID, cause: str, *, actor: Actor, at: datetime) -> bool:
    """Assess anew what is known of a person and plan what the measures ask for; whether that raised an alert."""
    registration = locked(registration_id)
    before = registration.alert_id
    assessment = assess_again(registration, state=current_state(at), cause=cause, actor=actor, at=at)
    replan(registration_id, assessment.measures, actor=actor, at=at)
    return registration.alert_id != before


def unwell(
    registration_id: uuid.UUID, symptoms: tuple[str, ...], cause: uuid.UUID, *, actor: Actor, at: datetime
) -> None:
    """Somebody has symptoms: assessed again, and the village hears of it, by the new tier or by an alert of its own."""
    registration = locked(registration_id)
    known = list(registration.symptoms)
    new = [one for one in symptoms if one not in known] or ([] if known or symptoms else [UNSAID])
    registration.symptoms = [*known, *new]
    db.session.flush()
    if reassess(registration_id, "health", actor=actor, at=at):
        return
    standing = select(Alert.id).where(
        Alert.subject_id == registration_id, Alert.kind == UNWELL, Alert.state.in_(LIVE_STATES)
    )
    if db.session.scalars(standing.limit(1)).first() is None:
        alert = unwell_alert(registration_id, registration.destination_code, registration.tier, cause)
        raise_alerts([alert], current_state(at).policy, at)


def _released(task: FollowUp, actor: Actor, at: datetime) -> None:
    if task.result == "extended":
        timezone = current_app.extensions["settings"].timezone
        more = next_day(task.day, at, timezone=timezone)
        rows = [task_row(task.registration_id, task.division_code, one) for one in more]
        insert_rows(FollowUp, rows)
        return
    registration = locked(task.registration_id)
    registration.released_at = at
    registration.state = RegistrationState.LEFT.value
    registration.updated_at = at
    db.session.flush()
    cancel_open(task.registration_id, "released", actor=actor, at=at)


def cancel_open(registration_id: uuid.UUID, because: str, *, actor: Actor, at: datetime) -> None:
    """Cancel the open work on a registration and take back what was raised about it. Joins a transaction."""
    with transaction() as session:
        session.flush()
        open_ = (FollowUp.registration_id == registration_id) & (FollowUp.state == FollowUpState.OPEN.value)
        ids = list(session.scalars(select(FollowUp.id).where(open_)))
        session.execute(
            update(FollowUp)
            .where(FollowUp.id.in_(ids))
            .values(
                state=FollowUpState.CANCELLED.value, done_at=at, done_by=actor.key, because=because, overdue_at=None
            )
        )
        close_alarms(ids, "retracted", actor=actor, at=at)


def release_if_complete(registration_id: uuid.UUID, *, at: datetime) -> bool:
    """Release somebody whose plan is done and whose last day has come; whether it was so. Joins a transaction."""
    with transaction() as session:
        tasks = list(session.scalars(select(FollowUp).where(FollowUp.registration_id == registration_id)))
        release = next(
            (
                one
                for one in tasks
                if one.kind == "release" and one.state == FollowUpState.OPEN.value and one.from_at <= at
            ),
            None,
        )
        if release is None or not is_complete([(one.kind, one.state, one.result) for one in tasks]):
            return False
        system = system_actor(current_app.extensions["settings"].site_division)
        finish(release, Outcome("released", because=PLAN_COMPLETE), actor=system, at=at)
    return True
