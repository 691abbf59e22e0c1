"""Holding a declaration's people against the inquiry lists in force, and letting the alerts of lists follow people from trip to trip."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.clock import local_date
from checkpoint.database import db, transaction
from checkpoint.inquiries.alarming import align, retract_of
from checkpoint.inquiries.lookup import Arrived, look_up
from checkpoint.inquiries.models import InquiryHit
from checkpoint.registrations.declaration import CompanionIn, Declaration
from checkpoint.registrations.holders import holders_of
from checkpoint.registrations.intake import Context, Prepared
from checkpoint.registrations.models import Registration, RegistrationState, Traveller
from checkpoint.risk.policy import PolicyData

_HERE = (RegistrationState.INSIDE.value, RegistrationState.DECLARED.value)


@dataclass(frozen=True, slots=True)
class Trip:
    """The trip by which somebody is to be answered for from now on."""

    registration_id: uuid.UUID
    division_code: str
    is_inside: bool = False


def hold_against_lists(
    declaration: Declaration, stored: Sequence[tuple[Prepared, uuid.UUID]], context: Context
) -> None:
    """The lead and the companions, each with the id of the trip that was stored for them; joins the transaction under way.

    What lists have said of them before goes with them; what lists in force say of them now is told to where they go.
    """
    people: list[Declaration | CompanionIn] = [declaration, *declaration.companions]
    arrived = [
        Arrived(
            person_hash=one.document,
            name=person.name,
            document=person.id_number,
            phone=person.phone or "",
            plate=declaration.plate or "",
            registration_id=registration_id,
            division_code=one.registration["destination_code"],
        )
        for person, (one, registration_id) in zip(people, stored, strict=True)
    ]
    trips = {one.person_hash: Trip(one.registration_id, one.division_code) for one in arrived}
    follow(trips, policy=context.state.policy, actor=system_actor(context.site_division), at=context.at)
    if any(registration_id != one.registration["id"] for one, registration_id in stored):
        _let_go(trips, policy=context.state.policy, actor=system_actor(context.site_division), at=context.at)
    today = local_date(context.at, context.timezone)
    look_up(arrived, lambda one: holders_of(one.phone), context.state.policy, today=today, at=context.at)


def _hits_of(people: Collection[bytes]) -> Select[InquiryHit, str]:
    """Whom lists have found among some people, by the hashes of their documents, with the state of the trip they stand at."""
    return (
        select(InquiryHit, Registration.state)
        .join(Registration, Registration.id == InquiryHit.registration_id)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Traveller.id_number_hash.in_(people), InquiryHit.person_hash == Traveller.id_number_hash)
    )


def follow(trips: Mapping[bytes, Trip], *, policy: PolicyData, actor: Actor, at: datetime) -> int:
    """Let what lists have found follow people, by the hash of their document, to the trip that counts now; returns how many alerts were
    raised. Who is in the city stays with the trip that brought them until the barrier lets them in by another one."""
    query = _hits_of(trips)
    if not db.session.execute(query.with_only_columns(InquiryHit.id).limit(1)).first():
        return 0
    with transaction() as session:
        rows = session.execute(
            query.order_by(InquiryHit.id).with_for_update(of=InquiryHit).execution_options(populate_existing=True)
        ).all()
        moved = []
        for hit, state in rows:
            trip = trips[hit.person_hash]
            elsewhere = hit.registration_id != trip.registration_id
            if elsewhere and state == RegistrationState.INSIDE.value and not trip.is_inside:
                continue
            hit.registration_id, hit.division_code = trip.registration_id, trip.division_code
            moved.append(hit)
        return align(moved, {trip.registration_id for trip in trips.values()}, policy=policy, actor=actor, at=at)


def _let_go(trips: Mapping[bytes, Trip], *, policy: PolicyData, actor: Actor, at: datetime) -> None:
    """An amended trip may turn out to be somebody else's, by another document: what was found of the first one is not about the second."""
    people = {trip.registration_id: person for person, trip in trips.items()}
    query = select(InquiryHit).where(InquiryHit.registration_id.in_(people)).order_by(InquiryHit.id).with_for_update()
    strange = [hit for hit in db.session.scalars(query) if hit.person_hash != people[hit.registration_id]]
    for hit in strange:
        other = _other_trip(hit.person_hash, hit.registration_id)
        if other is not None:
            hit.registration_id, hit.division_code = other.registration_id, other.division_code
            align([hit], {other.registration_id}, policy=policy, actor=actor, at=at)
        else:
            retract_of(hit, actor=actor, at=at)


def let_in(registration: Registration, *, policy: PolicyData, actor: Actor, at: datetime) -> int:
    """Somebody has come in by this trip: what lists have found of them counts where it leads, whatever trip it stood at."""
    person = db.session.scalar(select(Traveller.id_number_hash).where(Traveller.id == registration.traveller_id))
    if person is None:
        return 0
    trip = Trip(registration.id, registration.destination_code, is_inside=True)
    return follow({person: trip}, policy=policy, actor=actor, at=at)


def fall_back(registration_id: uuid.UUID, *, policy: PolicyData, actor: Actor, at: datetime) -> int:
    """A trip has come to nothing: what lists have found goes back to another trip of the same person, if there is one."""
    person = db.session.scalar(
        select(Traveller.id_number_hash)
        .join(Registration, Registration.traveller_id == Traveller.id)
        .join(InquiryHit, InquiryHit.registration_id == Registration.id)
        .where(Registration.id == registration_id, InquiryHit.person_hash == Traveller.id_number_hash)
        .limit(1)
    )
    if person is None:
        return 0
    trip = _other_trip(person, registration_id)
    return follow({person: trip}, policy=policy, actor=actor, at=at) if trip is not None else 0


def _other_trip(person: bytes, registration_id: uuid.UUID) -> Trip | None:
    """The trip besides one that tells where somebody is: in the city before on the way, then the newest."""
    other = db.session.execute(
        select(Registration.id, Registration.destination_code, Registration.state)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Traveller.id_number_hash == person, Registration.id != registration_id, Registration.state.in_(_HERE))
        .order_by(Registration.state.desc(), Registration.created_at.desc())  # "inside" stands behind "declared"
        .limit(1)
    ).first()
    return Trip(other[0], other[1], other[2] == RegistrationState.INSIDE.value) if other is not None else None


def here(registrations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of some trips are those of people in the city or on their way."""
    query = select(Registration.id).where(Registration.id.in_(set(registrations)), Registration.state.in_(_HERE))
    return set(db.session.scalars(query))


def catch_up(inquiry_id: uuid.UUID, *, policy: PolicyData, actor: Actor, at: datetime) -> int:
    """Those whom a list found at a trip that was amended in that very moment: the reader of the list had the old place in hand."""
    behind = (
        select(InquiryHit.person_hash, Registration.id, Registration.destination_code, Registration.state)
        .join(Registration, Registration.id == InquiryHit.registration_id)
        .where(InquiryHit.inquiry_id == inquiry_id, InquiryHit.division_code != Registration.destination_code)
    )
    rows = db.session.execute(behind).all()
    return sum(
        follow(
            {person: Trip(trip, division, state == RegistrationState.INSIDE.value)}, policy=policy, actor=actor, at=at
        )
        for person, trip, division, state in rows
    )
