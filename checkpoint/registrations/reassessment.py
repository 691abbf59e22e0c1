"""Assessing a stored registration again, because what is in force has changed since."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.service import note_change, raise_alerts
from checkpoint.clock import local_date
from checkpoint.database import db, insert_rows, transaction
from checkpoint.regions import default_index
from checkpoint.registrations.intake import alert_for, assessment_row, doubt_of
from checkpoint.registrations.models import Registration, Stay, TestResult
from checkpoint.registrations.overrides import in_force, set_aside
from checkpoint.risk.models import Assessment
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import Place, State, current_state, score


def places_of(stays: Sequence[Stay]) -> list[Place]:
    """Stored stays as the scorer sees them."""
    index = default_index()
    return [
        Place(
            position=stay.position,
            code=stay.code,
            name=index.full_name(stay.code) if stay.code and index.exists(stay.code) else "",
            text=stay.text or "",
            resolved=stay.county_code is not None,
            since=stay.since,
            until=stay.until,
        )
        for stay in stays
    ]


def assess_again(registration: Registration, *, state: State, cause: str, actor: Actor, at: datetime) -> Assessment:
    """A new assessment under what is in force now; a worse tier raises an alert, a better one is told. Joins a transaction."""
    settings = current_app.extensions["settings"]
    if registration.state_version > state.version:
        # published and assessed under since the caller looked: never go back to what was before
        state = current_state(at)
    stays = db.session.scalars(
        select(Stay).where(Stay.registration_id == registration.id).order_by(Stay.position)
    ).all()
    positive = db.session.scalar(
        select(TestResult.taken_at)
        .where(TestResult.registration_id == registration.id, TestResult.result == "positive")
        .order_by(TestResult.taken_at.desc())
        .limit(1)
    )
    result = score(
        places_of(stays),
        symptoms=registration.symptoms,
        positive_test_on=local_date(positive, settings.timezone) if positive else None,
        state=state,
        site_division=settings.site_division,
        at=at,
    )
    result = set_aside(result, in_force([registration.id], at).get(registration.id, ()), state.policy)
    row = assessment_row(registration.id, result, state, cause, at)
    before = Tier(registration.tier)
    with transaction() as session:
        insert_rows(Assessment, [row])
        registration.tier = result.tier.value
        registration.assessment_id = row["id"]
        registration.state_version = state.version
        registration.doubt = doubt_of(row["reasons"])
        registration.updated_at = at
        if result.tier.rank > before.rank:
            alert = alert_for(
                {
                    "id": registration.id,
                    "destination_code": registration.destination_code,
                    "arriving_on": registration.arriving_on,
                },
                row,
            )
            registration.alert_id = alert.id
            session.flush()
            raise_alerts([alert], state.policy, at)
        elif result.tier.rank < before.rank and registration.alert_id is not None:
            session.flush()
            note_change(
                registration.alert_id,
                registration.destination_code,
                "relaxed",
                actor,
                at,
                {"from": before.value, "to": result.tier.value},
            )
        session.flush()
    return Assessment(**row)


def locked(registration_id: uuid.UUID) -> Registration:
    """The registration, locked for the rest of the transaction, so that two lanes do not both act on the same facts."""
    return db.session.scalars(select(Registration).where(Registration.id == registration_id).with_for_update()).one()
