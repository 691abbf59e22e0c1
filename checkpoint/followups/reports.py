"""What a traveller tells from the pass page: that they have arrived, how they are, a test. Each is safe to send again.

A poster scanned at the door confirms an arrival; without it an arrival, like a test, is what somebody says, and waits for the
worker. A positive test and symptoms wait for nobody.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.followups.finishing import TESTS, Outcome, add_test, finish, unwell
from checkpoint.followups.models import FollowUp, FollowUpState, ReportState, TravellerReport
from checkpoint.regions.models import contains
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.registrations.reassessment import locked
from checkpoint.risk.wording import SYMPTOMS

FEVER_FROM = 373  # tenths of a degree Celsius
COLDEST, HOTTEST = 340, 430
TEST_KINDS, TEST_RESULTS = ("pcr", "antigen"), ("negative", "positive")
OLDEST_TEST = timedelta(days=14)
CLOCK_AHEAD = timedelta(minutes=15)


def report_arrival(
    registration_id: uuid.UUID, report_id: uuid.UUID, *, place_code: str | None, actor: Actor, at: datetime
) -> TravellerReport:
    """The traveller has arrived. `place_code` is the division of the poster at the door; it must be that of the destination."""
    with transaction():
        known = _known(report_id, registration_id, actor)
        if known is not None:
            return known
        registration = _inside(registration_id)
        if place_code is not None and not _same_place(place_code, registration.destination_code):
            raise InvalidInput.one("place", "other_place", "This poster belongs to another village or community.")
        task = _open_task(registration_id, ("arrival_visit",))
        proven = place_code is not None or task is None
        report = _new(report_id, registration_id, "arrival", at, task=task, place_code=place_code)
        report.state = (ReportState.TAKEN if proven else ReportState.WAITING).value
        _store(report)
        if task is not None and proven:
            finish(task, Outcome("arrived"), actor=actor, at=at)
    return report


def report_health(
    registration_id: uuid.UUID,
    report_id: uuid.UUID,
    *,
    temperature: int | None,
    symptoms: Sequence[str],
    actor: Actor,
    at: datetime,
) -> TravellerReport:
    """The daily report: `temperature` in tenths of a degree, the names of symptoms. Symptoms are assessed at once."""
    wrong = [FieldError("symptoms", "unknown", f"unknown symptom {one}") for one in symptoms if one not in SYMPTOMS]
    if temperature is not None and not COLDEST <= temperature <= HOTTEST:
        wrong.append(FieldError("temperature", "out_of_range", "between 34.0 and 43.0"))
    if wrong:
        raise InvalidInput(tuple(wrong))
    with transaction():
        known = _known(report_id, registration_id, actor)
        if known is not None:
            return known
        _inside(registration_id)
        told = tuple(dict.fromkeys([*symptoms, *(["fever"] if (temperature or 0) >= FEVER_FROM else [])]))
        task = _open_task(registration_id, ("health_check",), at)
        report = _new(report_id, registration_id, "health", at, task=task, temperature=temperature, symptoms=told)
        _store(report)
        if task is not None:
            finish(task, Outcome("unwell" if told else "well", symptoms=told), actor=actor, at=at)
        elif told:
            unwell(registration_id, told, report_id, actor=actor, at=at)
    return report


def report_test(
    registration_id: uuid.UUID,
    report_id: uuid.UUID,
    *,
    kind: str,
    result: str,
    taken_at: datetime,
    actor: Actor,
    at: datetime,
) -> TravellerReport:
    """A test that the traveller had done: a negative one waits for the worker, a positive one counts from now."""
    wrong: list[FieldError] = []
    if kind not in TEST_KINDS:
        wrong.append(FieldError("kind", "literal_error", f"kind must be one of {', '.join(TEST_KINDS)}"))
    if result not in TEST_RESULTS:
        wrong.append(FieldError("result", "literal_error", f"result must be one of {', '.join(TEST_RESULTS)}"))
    if taken_at > at + CLOCK_AHEAD or taken_at < at - OLDEST_TEST:
        wrong.append(FieldError("taken_at", "out_of_range", "within the last 14 days"))
    if wrong:
        raise InvalidInput(tuple(wrong))
    with transaction():
        known = _known(report_id, registration_id, actor)
        if known is not None:
            return known
        _inside(registration_id)
        task = _open_task(registration_id, TESTS, max(at, taken_at))
        report = _new(report_id, registration_id, "test", at, task=task)
        report.test_kind, report.test_result, report.taken_at = kind, result, min(taken_at, at)
        report.state = ReportState.WAITING.value
        _store(report)
        if result == "positive":
            add_test(
                registration_id,
                kind=kind,
                taken_at=report.taken_at,
                result=result,
                source="declared",
                actor=actor,
                at=at,
            )
    return report


def settle(report_id: uuid.UUID, *, confirmed: bool, actor: Actor, at: datetime) -> TravellerReport:
    """A worker confirms a told test that belongs to no planned work, or says that it was not so. A second time is harmless."""
    if not actor.may(Permission.FOLLOWUPS_ACT):
        raise NotAllowed
    with transaction() as session:
        query = (
            select(TravellerReport)
            .join(Registration, Registration.id == TravellerReport.registration_id)
            .where(TravellerReport.id == report_id, in_reach(actor, Registration.destination_code))
        )
        report = session.scalars(query).first()
        if report is None:
            raise NotFound
        if report.state != ReportState.WAITING.value:
            return report
        report.state = (ReportState.CONFIRMED if confirmed else ReportState.REFUSED).value
        report.settled_at, report.settled_by = at, actor.key
        session.flush()
        if confirmed and report.kind == "test" and report.test_result == "negative":
            add_test(
                report.registration_id,
                kind=report.test_kind or "pcr",
                taken_at=report.taken_at or at,
                result="negative",
                source="followup",
                actor=actor,
                at=at,
            )
    return report


def _known(report_id: uuid.UUID, registration_id: uuid.UUID, actor: Actor) -> TravellerReport | None:
    """The first result of a repeat; the caller must hold the pass, or that of the one who declared for all."""
    registration = db.session.get(Registration, registration_id)
    if registration is None or actor.id not in (registration.id, registration.lead_id):
        raise NotFound
    known = db.session.get(TravellerReport, report_id)
    if known is not None and known.registration_id != registration_id:
        raise NotFound
    return known


def _inside(registration_id: uuid.UUID) -> Registration:
    registration = locked(registration_id)
    if registration.state != RegistrationState.INSIDE.value:
        raise Conflict("Reports are taken from people who have passed a checkpoint and were not released yet.")
    return registration


def _same_place(poster: str, destination: str) -> bool:
    return contains(poster, destination) or contains(destination, poster)


def _open_task(registration_id: uuid.UUID, kinds: Sequence[str], at: datetime | None = None) -> FollowUp | None:
    """The open work of a kind that may be done at an instant, the latest that has begun."""
    query = select(FollowUp).where(
        FollowUp.registration_id == registration_id,
        FollowUp.kind.in_(kinds),
        FollowUp.state == FollowUpState.OPEN.value,
    )
    if at is not None:
        query = query.where(FollowUp.from_at <= at)
        if kinds == ("health_check",):
            query = query.where(FollowUp.due_at > at)  # how somebody is today says nothing of yesterday
    return db.session.scalars(query.order_by(FollowUp.from_at.desc()).limit(1).with_for_update()).first()


def _new(
    report_id: uuid.UUID, registration_id: uuid.UUID, kind: str, at: datetime, *, task: FollowUp | None, **told: Any
) -> TravellerReport:
    return TravellerReport(
        **{
            "id": report_id,
            "registration_id": registration_id,
            "follow_up_id": task.id if task else None,
            "kind": kind,
            "state": ReportState.TAKEN.value,
            "reported_at": at,
            "symptoms": [],
        }
        | {name: list(value) if name == "symptoms" else value for name, value in told.items()}
    )


def _store(report: TravellerReport) -> None:
    db.session.add(report)
    db.session.flush()
