"""Commuters day by day: every standing trip is assessed again each morning, its pass kept going, and closed when its approval is over.

What tells that somebody was looked at today is the trip itself: its origin is a stay through today. So the work can stop at any
point and be taken up by any process; two at once skip each other's people. An assessment is stored when it says something else than
the one before: of thirty thousand commuters on a quiet morning nothing changes but the dates.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals.hooks import when_ended
from checkpoint.approvals.models import Approval, ApprovalKind, ApprovalState
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotFound
from checkpoint.followups.finishing import reassess
from checkpoint.followups.reports import CLOCK_AHEAD, OLDEST_TEST, TEST_KINDS, TEST_RESULTS
from checkpoint.followups.service import cancel_for
from checkpoint.registrations import standing
from checkpoint.registrations.models import Pass, Registration, Stay
from checkpoint.registrations.reassessment import locked
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import current_state
from checkpoint.surveillance.people import Person, assess_all, books_of, load
from checkpoint.surveillance.writing import DOUBTS, Occasion, write

BATCH = 200
MORNING = time(4)  # local: before the first shift sets out, after the lists of the day before have come
_LOOK_BACK = timedelta(days=30)  # how long after its end an approval is still closed, should nothing have run for weeks
_NOBODY = uuid.UUID(int=0)
_DONE = "commuters_done_on"


@dataclass(frozen=True, slots=True)
class Morning:
    """What a round did, in people: looked at, with another result, told to the village, with a new token, closed."""

    assessed: int = 0
    changed: int = 0
    told: int = 0
    signed: int = 0
    closed: int = 0

    def __add__(self, other: "Morning") -> "Morning":
        return Morning(
            self.assessed + other.assessed,
            self.changed + other.changed,
            self.told + other.told,
            self.signed + other.signed,
            self.closed + other.closed,
        )


def each_morning(*, actor: Actor, at: datetime) -> Morning:
    """The scheduler's round: nothing before the morning, and nothing once a round has found nothing left to do today."""
    local = at.astimezone(ZoneInfo(current_app.extensions["settings"].timezone))
    if local.time() < MORNING or current_app.extensions.get(_DONE) == local.date():
        return Morning()
    done = assess_commuters(actor=actor, at=at)
    if done == Morning() and db.session.execute(_waiting(_NOBODY, at).limit(1)).first() is None:
        current_app.extensions[_DONE] = local.date()
    return done


def assess_commuters(*, actor: Actor, at: datetime) -> Morning:
    """Assess every standing trip that was not looked at today, by the batch, each one transaction; then close what is over."""
    done, after = Morning(), _NOBODY
    while True:
        with transaction() as session:
            due = _due(session, after, at)
            if not due:
                break
            after = max(due)
            done += _assess(session, due, actor, at)
    return done + _close_lapsed(actor, at)


def _waiting(after: uuid.UUID, at: datetime) -> Select[uuid.UUID, datetime]:
    """The trips that were not looked at today, with the end of their approvals, by id and beyond one."""
    return (
        select(Registration.id, Approval.valid_until)
        .select_from(Approval)
        .join(Registration, Registration.id == Approval.registration_id)
        .join(Stay, Stay.registration_id == Registration.id)
        .where(
            Approval.registration_id > after,
            Approval.kind == ApprovalKind.COMMUTER.value,
            Approval.state == ApprovalState.GRANTED.value,
            Approval.valid_until > at,
            Registration.state.in_(standing.GOING),
            Stay.is_origin,
            Stay.until < standing.today_at(at),
        )
        .order_by(Approval.registration_id)
    )


def _due(session: Session, after: uuid.UUID, at: datetime) -> dict[uuid.UUID, datetime]:
    """The next of them on which nobody else is at work, locked."""
    query = _waiting(after, at).limit(BATCH).with_for_update(of=Registration, skip_locked=True)
    return {row.id: row.valid_until for row in session.execute(query)}


def _assess(session: Session, due: Mapping[uuid.UUID, datetime], actor: Actor, at: datetime) -> Morning:
    state, today = current_state(at), standing.today_at(at)
    standing.move_days(due, at)
    books = books_of(state)
    people = load(list(due), books, at)
    for person in people.values():
        person.judged_at = at
        person.arriving_on = today
    results = assess_all(people.values(), state, books)
    changed = [one for one in people.values() if _differs(one, results[one.id])]
    alerts = 0
    if changed:
        written, _verdicts = write(
            changed, results, state=state, change=Occasion.daily(state, today), actor=actor, at=at
        )
        alerts = written.alerts
    soon = at + standing.RENEW_BEFORE
    passes = session.execute(
        select(Pass.registration_id, Pass.expires_at).where(
            Pass.registration_id.in_(due), Pass.revoked_at.is_(None), Pass.expires_at < soon
        )
    )
    ending = {one for one, expires_at in passes if expires_at < due[one]}
    signed = standing.sign_again({one: due[one] for one in ending.union(one.id for one in changed)}, at)
    return Morning(assessed=len(people), changed=len(changed), told=alerts, signed=signed)


def _differs(person: Person, result: Result) -> bool:
    """Whether a result says something else than what is stored: the number of the list and a list's age in hours do not count."""
    fresh = [reason.as_dict() for reason in result.reasons]
    return (
        result.tier.value != person.tier
        or [measure.as_dict() for measure in result.measures] != person.measures
        or _bare(fresh) != _bare(person.reasons)
    )


def _bare(reasons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            key: value
            for key, value in reason.items()
            if key != "list_id" and not (key == "detail" and reason["rule"] in DOUBTS)
        }
        for reason in reasons
    ]


def _close_lapsed(actor: Actor, at: datetime) -> Morning:
    """End the trips whose approvals are over by their own last day."""
    rows = db.session.execute(
        select(Registration.id)
        .join(Approval, Approval.registration_id == Registration.id)
        .where(
            Approval.kind == ApprovalKind.COMMUTER.value,
            Approval.state == ApprovalState.GRANTED.value,
            Approval.valid_until <= at,
            Approval.valid_until > at - _LOOK_BACK,
            Registration.state.in_(standing.GOING),
        )
    )
    lapsed = [row.id for row in rows]
    for chunk in _chunks(lapsed):
        with transaction():
            for one in chunk:
                standing.end(one, actor=actor, at=at)
                cancel_for(one, at=at, because="lapsed")
    return Morning(closed=len(lapsed))


def _chunks(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def end_work(approval: Approval, _actor: Actor, at: datetime) -> None:
    """Nobody calls any more on a commuter whose approval has ended."""
    if approval.registration_id is not None:
        cancel_for(approval.registration_id, at=at, because="approval_ended")


when_ended(ApprovalKind.COMMUTER, end_work)


def tell_test(
    registration_id: uuid.UUID,
    report_id: uuid.UUID,
    *,
    kind: str,
    result: str,
    taken_at: datetime,
    actor: Actor,
    at: datetime,
) -> None:
    """A commuter tells a test from the pass page, by the phone's own UUID; a repeat changes nothing.

    It counts like one that is declared: the officer at the barrier sees when it was taken. A negative one goes into the pass, for
    tablets with no network; a positive one is assessed at once. Raises InvalidInput for what cannot be, Conflict once the trip is over.
    """
    wrong: list[FieldError] = []
    if kind not in TEST_KINDS:
        wrong.append(FieldError("kind", "literal_error", f"kind must be one of {', '.join(TEST_KINDS)}"))
    if result not in TEST_RESULTS:
        wrong.append(FieldError("result", "literal_error", f"result must be one of {', '.join(TEST_RESULTS)}"))
    if taken_at > at + CLOCK_AHEAD or taken_at < at - OLDEST_TEST:
        wrong.append(FieldError("taken_at", "out_of_range", "within the last 14 days"))
    if wrong:
        raise InvalidInput(tuple(wrong))
    if actor.id != registration_id:
        raise NotFound
    with transaction() as session:
        registration = locked(registration_id)
        approval = session.scalars(
            select(Approval).where(
                Approval.registration_id == registration_id, Approval.state == ApprovalState.GRANTED.value
            )
        ).first()
        if approval is None or registration.state not in standing.GOING or approval.valid_until <= at:
            raise Conflict("This trip is over.")
        if not standing.add_test(registration_id, report_id, kind=kind, result=result, taken_at=taken_at, at=at):
            return
        if result == "positive":
            reassess(registration_id, "test", actor=actor, at=at)
        standing.sign_again({registration_id: approval.valid_until}, at)
        registration.updated_at = at
        session.flush()
