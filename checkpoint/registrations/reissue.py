"""A new pass for a registration whose assessment was corrected; the old one is replaced."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update

from checkpoint.database import db, insert_rows
from checkpoint.registrations.intake import pass_row
from checkpoint.registrations.models import Pass, Registration, Stay, TestResult, Traveller
from checkpoint.registrations.reassessment import places_of
from checkpoint.registrations.service import context_at
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import State


def reissue(
    registration: Registration,
    assessment: Assessment,
    without_stays: Collection[int | None],
    *,
    state: State,
    at: datetime,
) -> Pass:
    """Replace the pass by one for `assessment`, in the transaction under way.

    The stays at `without_stays` are left out of the new one, so that a tablet off line does not count their counties again.
    """
    stays = db.session.scalars(
        select(Stay).where(Stay.registration_id == registration.id).order_by(Stay.position)
    ).all()
    newest = db.session.execute(
        select(TestResult.taken_at, TestResult.result)
        .where(TestResult.registration_id == registration.id, TestResult.taken_at <= at)
        .order_by(TestResult.taken_at.desc())
        .limit(1)
    ).first()
    traveller = db.session.get_one(Traveller, registration.traveller_id)
    row = pass_row(
        context_at(at),
        registration.id,
        {"id": assessment.id, "tier": assessment.tier, "reasons": assessment.reasons},
        [place for place in places_of(stays) if place.position not in without_stays],
        traveller.id_number or "",
        registration.arriving_on,
        newest.taken_at if newest is not None and newest.result == "negative" else None,
    )
    db.session.execute(
        update(Pass)
        .where(Pass.registration_id == registration.id, Pass.revoked_at.is_(None))
        .values(revoked_at=at, revoked_because="replaced")
    )
    insert_rows(Pass, [row])
    registration.updated_at = at
    db.session.flush()
    return Pass(**row)
