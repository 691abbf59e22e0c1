"""Antigen tests at the barrier: the result a quarter of an hour later, on line or told afterwards."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.service import NewAlert, note_change, raise_alerts
from checkpoint.crossings.lane_models import SpotTest
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.shifts import tablet_of
from checkpoint.crossings.spot_rules import RESULTS, AfterTest, after_test
from checkpoint.database import db, insert_rows, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.registrations.models import Registration, TestResult
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import current_state

SOURCE = "spot"


@dataclass(frozen=True, slots=True)
class Reading:
    """A test as a tablet tells of it: `taken_at` when the sample was taken, `read_at` when the result was read."""

    test_id: uuid.UUID
    scan_id: uuid.UUID
    result: str
    taken_at: datetime
    read_at: datetime
    shift_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored test with its crossing and the verdict anew."""

    test: SpotTest
    crossing: Crossing
    after: AfterTest


def record_test(reading: Reading, *, actor: Actor, at: datetime) -> Outcome:
    """Store a result once; positive makes the person red and tells the destination. The same test_id again changes nothing.

    NotFound when the crossing is not known here: the tablet sends the scan first.
    """
    device_id, _checkpoint_id = tablet_of(actor)
    if reading.result not in RESULTS:
        raise InvalidInput.one("result", "literal_error", f"result must be one of {', '.join(RESULTS)}")
    known = db.session.get(SpotTest, reading.test_id)
    if known is not None:
        return _outcome(known, actor)
    try:
        with transaction() as session:
            crossing = session.scalars(select(Crossing).where(Crossing.id == reading.scan_id).with_for_update()).first()
            if crossing is None or crossing.checkpoint_id != actor.checkpoint_id:
                raise NotFound
            taken = min(reading.taken_at, at)
            test = SpotTest(
                id=reading.test_id,
                crossing_id=crossing.id,
                device_id=device_id,
                shift_id=reading.shift_id,
                taken_at=taken,
                read_at=max(taken, min(reading.read_at, at)),
                received_at=at,
                result=reading.result,
            )
            session.add(test)
            session.flush()
            if crossing.registration_id is not None:
                _take_effect(test, crossing.registration_id, actor, at)
            elif test.result == "positive":
                post = session.get_one(Checkpoint, crossing.checkpoint_id)
                _raise(test, post.division_code, "crossing", crossing.id, at)
    except IntegrityError:  # the same result won the race
        test = db.session.get_one(SpotTest, reading.test_id)
    return _outcome(test, actor)


def _take_effect(test: SpotTest, registration_id: uuid.UUID, actor: Actor, at: datetime) -> None:
    registration = locked(registration_id)
    insert_rows(
        TestResult,
        [
            {
                "id": test.id,
                "registration_id": registration.id,
                "kind": "antigen",
                "taken_at": test.taken_at,
                "result": test.result,
                "source": SOURCE,
            }
        ],
    )
    if test.result == "negative":
        if registration.alert_id is not None:
            note_change(registration.alert_id, registration.destination_code, "spot_negative", actor, at)
        return
    told = registration.alert_id
    assess_again(registration, state=current_state(at), cause="spot_test", actor=actor, at=at)
    if registration.alert_id == told:  # red before, so nothing was raised: a positive test is news all the same
        _raise(test, registration.destination_code, "registration", registration.id, at, registration)


def _raise(
    test: SpotTest,
    division_code: str,
    subject_type: str,
    subject_id: uuid.UUID,
    at: datetime,
    registration: Registration | None = None,
) -> None:
    alert = NewAlert(
        kind="spot_positive",
        cause=f"spot:{test.id}",
        division_code=division_code,
        tier=Tier.RED.value,
        needs_answer=True,
        subject_type=subject_type,
        subject_id=subject_id,
        params={"rules": ["positive_test"], "taken_at": test.taken_at.isoformat()},
    )
    if registration is not None:
        registration.alert_id = alert.id
        db.session.flush()
    raise_alerts([alert], current_state(at).policy, at)


def _outcome(test: SpotTest, actor: Actor) -> Outcome:
    crossing = db.session.get_one(Crossing, test.crossing_id)
    if crossing.checkpoint_id != actor.checkpoint_id:
        raise NotFound
    after = after_test(
        test.result,
        tier=crossing.tier,
        problem=crossing.problem,
        verdict=crossing.verdict,
        reasons=crossing.reasons,
    )
    return Outcome(test, crossing, after)
