"""A trip that stands (跨省通勤): one registration for every day of a commuter, until the approval that it stands on ends.

It is assessed when it is applied for, so that whoever answers sees the colour, and has no pass until it is granted. From then on its
dates move: the origin is a stay through today, and the day of arrival is today. Its pass keeps serial and short code; what changes
(the newest negative test, the days that it is still valid) is a new token for the same pass, so that a picture of the old one opens
the barrier until its own last day, tablets keep one entry for each commuter, and one withdrawal ends every token.
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import cast

from flask import current_app
from sqlalchemy import Table, bindparam, select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.service import retract_for
from checkpoint.clock import local_date
from checkpoint.database import db, insert_rows, insert_unless_there, new_id, transaction
from checkpoint.registrations import intake
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.listed import fall_back, hold_against_lists
from checkpoint.registrations.models import (
    Pass,
    Registration,
    RegistrationAct,
    RegistrationState,
    Stay,
    TestResult,
    Traveller,
)
from checkpoint.registrations.queries import STAND
from checkpoint.registrations.reassessment import assess_again, locked, places_of
from checkpoint.registrations.service import check, context_at, known_travellers
from checkpoint.risk.models import Assessment
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import current_state

# A standing trip in these states is looked at every day.
GOING = (RegistrationState.DECLARED.value, RegistrationState.TURNED_BACK.value, RegistrationState.INSIDE.value)
RENEW_BEFORE = timedelta(days=3)  # a pass that ends sooner gets another token: the phone may be off for a weekend
_pass = cast(Table, Pass.__table__)
_ANOTHER_TOKEN = (
    update(_pass)
    .where(_pass.c.serial == bindparam("key"))
    .values(
        token=bindparam("new_token"),
        assessment_id=bindparam("new_assessment"),
        issued_at=bindparam("new_time"),
        expires_at=bindparam("new_expiry"),
    )
)


def today_at(at: datetime) -> date:
    """The date at the site."""
    return local_date(at, current_app.extensions["settings"].timezone)


def stand(declaration: Declaration, *, at: datetime) -> Registration:
    """Store a standing trip that is applied for: assessed, held against the inquiry lists, without pass and alert.

    Its own identifier is not the client's, which belongs to the application: nobody can put a trip of theirs in its place.
    Raises InvalidInput for what a declaration may not say. Joins a transaction.
    """
    with transaction() as session:
        context = context_at(at)
        prepared = intake.prepare(context, declaration, check(declaration, at))
        known_travellers(prepared)
        one = prepared[0]
        one.registration.update(client_id=None, alert_id=None, state=RegistrationState.APPLIED.value)
        if one.traveller is not None:
            insert_rows(Traveller, [one.traveller])
        insert_rows(Registration, [one.registration])
        insert_rows(Stay, one.stays)
        insert_rows(TestResult, one.tests)
        insert_rows(Assessment, [one.assessment])
        trip: uuid.UUID = one.registration["id"]
        session.add(RegistrationAct(client_id=new_id(), registration_id=trip, act=STAND, at=at))
        session.flush()
        hold_against_lists(declaration, [(one, trip)], context)
        return session.get_one(Registration, trip)


def begin(registration_id: uuid.UUID, *, until: datetime, actor: Actor, at: datetime) -> Registration:
    """What was applied for is granted: assessed under today's date, with a pass that is valid until `until` at the latest.

    Nobody is told of the colour: whoever granted it has seen it. Joins a transaction; a second time changes nothing.
    """
    with transaction() as session:
        registration = locked(registration_id)
        if registration.state != RegistrationState.APPLIED.value:
            return registration
        registration.state = RegistrationState.DECLARED.value
        move_days([registration.id], at)
        session.refresh(registration)
        registration.tier = Tier.RED.value  # as bad as can be, so that no colour is news
        assess_again(registration, state=current_state(at), cause="submit", actor=actor, at=at)
        insert_rows(Pass, [_signed(registration, until, at) | {"revoked_at": None, "revoked_because": None}])
        return registration


def move_days(registration_ids: Collection[uuid.UUID], at: datetime) -> None:
    """The people live at their origin through today, and come today. Joins a transaction; a second time changes nothing."""
    today = today_at(at)
    with transaction() as session:
        session.execute(
            update(Stay)
            .where(Stay.registration_id.in_(registration_ids), Stay.is_origin, Stay.until < today)
            .values(until=today)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(Registration)
            .where(Registration.id.in_(registration_ids), Registration.arriving_on < today)
            .values(arriving_on=today)
            .execution_options(synchronize_session=False)
        )


def sign_again(registration_ids: Mapping[uuid.UUID, datetime], at: datetime) -> int:
    """Another token for the passes of standing trips, each valid until the given instant at the latest. Joins a transaction.

    A tier that is worse than the pass said at first goes into the token and stays among those that tablets are told of, since a picture
    of the first token may still be about; a better one becomes what the pass stands for. Returns how many were signed.
    """
    if not registration_ids:
        return 0
    with transaction() as session:
        session.flush()
        rows = session.execute(
            select(Registration, Pass.serial, Pass.assessment_id, Assessment.tier)
            .join(Pass, Pass.registration_id == Registration.id)
            .join(Assessment, Assessment.id == Pass.assessment_id)
            .where(Registration.id.in_(registration_ids), Pass.revoked_at.is_(None))
            .execution_options(populate_existing=True)
        ).all()
        changes = []
        for registration, serial, issued_for, tier_then in rows:
            fresh = _signed(registration, registration_ids[registration.id], at, serial)
            worse = Tier(registration.tier).rank > Tier(tier_then).rank
            changes.append(
                {
                    "key": serial,
                    "new_token": fresh["token"],
                    "new_assessment": issued_for if worse else registration.assessment_id,
                    "new_time": at,
                    "new_expiry": fresh["expires_at"],
                }
            )
        if changes:
            session.connection().execute(_ANOTHER_TOKEN, changes)
            session.expire_all()
        return len(changes)


def _signed(
    registration: Registration, until: datetime, at: datetime, serial: bytes | None = None
) -> dict[str, object]:
    """The columns of the pass of a standing trip as things are now."""
    session = db.session
    stays = session.scalars(
        select(Stay)
        .where(Stay.registration_id == registration.id)
        .order_by(Stay.position)
        .execution_options(populate_existing=True)
    ).all()
    newest = session.execute(
        select(TestResult.taken_at, TestResult.result)
        .where(TestResult.registration_id == registration.id, TestResult.taken_at <= at)
        .order_by(TestResult.taken_at.desc())
        .limit(1)
    ).first()
    assessment = session.get_one(Assessment, registration.assessment_id)
    return intake.pass_row(
        context_at(at),
        registration.id,
        {"id": assessment.id, "tier": assessment.tier, "reasons": assessment.reasons},
        places_of(stays),
        session.get_one(Traveller, registration.traveller_id).id_number or "",
        today_at(at),
        newest.taken_at if newest is not None and newest.result == "negative" else None,
        until=until,
        serial=serial,
    )


def add_test(
    registration_id: uuid.UUID, report_id: uuid.UUID, *, kind: str, result: str, taken_at: datetime, at: datetime
) -> bool:
    """Keep a test that a commuter tells, by the phone's own UUID; False for a repeat. Joins a transaction."""
    row = {
        "id": report_id,
        "registration_id": registration_id,
        "kind": kind,
        "taken_at": min(taken_at, at),
        "result": result,
        "source": "declared",
    }
    with transaction():
        return insert_unless_there(TestResult, row, "id")


def end(registration_id: uuid.UUID, *, actor: Actor, at: datetime) -> Registration:
    """The trip stands no more: every token of its pass is dead, and what was open about it is taken back. Joins a transaction.

    What was never granted is withdrawn; what was, is over. A second time changes nothing.
    """
    with transaction() as session:
        registration = locked(registration_id)
        if registration.state not in (*GOING, RegistrationState.APPLIED.value):
            return registration
        was_going = registration.state in GOING
        registration.state = (RegistrationState.LEFT if was_going else RegistrationState.WITHDRAWN).value
        registration.updated_at = at
        session.execute(
            update(Pass)
            .where(Pass.registration_id == registration.id, Pass.revoked_at.is_(None))
            .values(revoked_at=at, revoked_because="withdrawn")
        )
        retract_for(registration.id, actor=actor, at=at)
        session.flush()
        fall_back(registration.id, policy=current_state(at).policy, actor=actor, at=at)
        return registration
