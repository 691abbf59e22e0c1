"""How members stand, worked out from the registry: at once for those who are added, by the clock for those whose trips changed.

The hot path knows nothing of companies. A round reads what changed in the registry since the last one, by an index, and a little
before that, since a slow transaction may commit late; nothing is told twice, because a member's row is locked and only a change
of its standing tells.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import exists, select, union

from checkpoint.clock import start_of_day
from checkpoint.companies.models import CompanyLook, CompanyMember, CompanyNotice
from checkpoint.companies.standing import Trip, is_told, standing_of
from checkpoint.companies.telling import owe
from checkpoint.database import db, new_id, transaction
from checkpoint.registrations.models import Registration, RegistrationState, TestResult, Traveller
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state

LOOK = "registry"
OVERLAP = timedelta(minutes=5)
FIRST_LOOK = timedelta(days=1)
CHUNK = 400


def look(at: datetime) -> int:
    """One round; returns how many members stand otherwise than before."""
    if db.session.scalar(select(CompanyMember.id).where(CompanyMember.removed_at.is_(None)).limit(1)) is None:
        return 0
    known = db.session.scalar(select(CompanyLook.looked_at).where(CompanyLook.name == LOOK))
    found = _touched((known or at - FIRST_LOOK) - OVERLAP, at)
    changed = 0
    for start in range(0, len(found), CHUNK):
        with transaction():
            changed += refresh(found[start : start + CHUNK], at)
    with transaction() as session:
        session.merge(CompanyLook(name=LOOK, looked_at=at))
    return changed


def _touched(since: datetime, at: datetime) -> Sequence[uuid.UUID]:
    """Members with a trip that changed since then, and those whose standing has run out."""
    listed = CompanyMember.removed_at.is_(None)
    people = (
        select(CompanyMember.id)
        .join(Traveller, Traveller.id_number_hash == CompanyMember.id_number_hash)
        .join(Registration, Registration.traveller_id == Traveller.id)
        .where(Registration.updated_at >= since, listed)
    )
    lorries = (
        select(CompanyMember.id)
        .join(Registration, Registration.plate_hash == CompanyMember.plate_hash)
        .where(Registration.updated_at >= since, listed)
    )
    lapsed = select(CompanyMember.id).where(CompanyMember.standing_until <= at, listed)
    return sorted(set(db.session.scalars(union(people, lorries, lapsed))))


def refresh(member_ids: Collection[uuid.UUID], at: datetime) -> int:
    """Work out anew how some members stand and tell what changed, in the transaction under way; returns how many changed."""
    members = db.session.scalars(
        select(CompanyMember)
        .where(CompanyMember.id.in_(member_ids), CompanyMember.removed_at.is_(None))
        .order_by(CompanyMember.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    trips = _trips(members, at)
    notices = []
    changed = 0
    for member in members:
        found = standing_of(trips.get(member.id, ()), at)
        member.standing_until = found.until
        if found.standing.value == member.standing:
            continue
        if is_told(member.standing, found.standing.value):
            notices.append(_notice(member, found.standing.value, at))
        member.standing, member.standing_since = found.standing.value, at
        changed += 1
    db.session.add_all(notices)
    db.session.flush()
    owe(notices, at)
    return changed


def _notice(member: CompanyMember, standing: str, at: datetime) -> CompanyNotice:
    return CompanyNotice(id=new_id(), company_id=member.company_id, member_id=member.id, standing=standing, made_at=at)


def _trips(members: Iterable[CompanyMember], at: datetime) -> Mapping[uuid.UUID, list[Trip]]:
    """The trips of some members, by the keyed hash of document or plate."""
    ids = [member.id for member in members]
    tested = (
        exists()
        .where(
            TestResult.registration_id == Registration.id,
            TestResult.result == "negative",
            TestResult.source != "declared",
        )
        .label("tested")
    )
    columns: tuple[Any, ...] = (
        CompanyMember.id,
        Registration.state,
        Registration.created_at,
        Registration.tier,
        Registration.arriving_on,
        Assessment.measures,
        tested,
    )
    open_trip = Registration.state != RegistrationState.WITHDRAWN.value
    people = (
        select(*columns)
        .join(Traveller, Traveller.id_number_hash == CompanyMember.id_number_hash)
        .join(Registration, Registration.traveller_id == Traveller.id)
        .join(Assessment, Assessment.id == Registration.assessment_id)
        .where(CompanyMember.id.in_(ids), open_trip)
    )
    lorries = (
        select(*columns)
        .join(Registration, Registration.plate_hash == CompanyMember.plate_hash)
        .join(Assessment, Assessment.id == Registration.assessment_id)
        .where(CompanyMember.id.in_(ids), open_trip)
    )
    days = current_state(at).policy.pass_valid_days
    timezone = current_app.extensions["settings"].timezone
    found: dict[uuid.UUID, list[Trip]] = {}
    for query in (people, lorries):
        for row in db.session.execute(query):
            found.setdefault(row.id, []).append(
                Trip(
                    row.state,
                    row.created_at,
                    row.tier,
                    frozenset(str(measure["kind"]) for measure in row.measures),
                    bool(row.tested),
                    start_of_day(row.arriving_on + timedelta(days=days + 1), timezone),
                )
            )
    return found
