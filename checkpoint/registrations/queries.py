"""Reading registrations: a person's record as the caller may see it, always through the caller's jurisdiction."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import Select, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.privacy import keyring, mask_document, mask_name, mask_phone, mask_plate
from checkpoint.regions import default_index
from checkpoint.registrations.models import (
    Pass,
    Registration,
    RegistrationAct,
    Stay,
    TestResult,
    Traveller,
)
from checkpoint.registrations.passes import link_handle
from checkpoint.risk.models import Assessment

STAND = "stand"


@dataclass(frozen=True, slots=True)
class Record:
    """A registration with all that belongs to it. `issued` is the newest pass, None if all were revoked."""

    registration: Registration
    traveller: Traveller
    assessment: Assessment
    stays: tuple[Stay, ...]
    tests: tuple[TestResult, ...]
    issued: Pass | None
    companions: tuple["Person", ...]


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a group, masked."""

    registration_id: uuid.UUID
    name: str
    tier: str
    state: str


def standing(registration_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some registrations that stand for a commuter's every day, whatever their state."""
    if not registration_ids:
        return set()
    acts = select(RegistrationAct.registration_id).where(
        RegistrationAct.registration_id.in_(registration_ids), RegistrationAct.act == STAND
    )
    return set(db.session.scalars(acts))


def is_standing(registration_id: uuid.UUID) -> bool:
    """Whether a registration is a commuter's standing trip: it is neither changed nor withdrawn by itself."""
    return bool(standing([registration_id]))


def scoped(actor: Actor) -> Select[Registration]:
    """Registrations of people whose destination lies in the actor's jurisdiction."""
    if not actor.may(Permission.PEOPLE_READ):
        raise NotAllowed
    return select(Registration).where(in_reach(actor, Registration.destination_code))


def visible(actor: Actor, registration_id: uuid.UUID) -> Record:
    """One record: for the holder of its pass, or a user of its jurisdiction; NotFound for everybody else."""
    if actor.kind == "traveller":
        registration = db.session.get(Registration, registration_id)
        allowed = registration is not None and actor.id in (registration.id, registration.lead_id)
    else:
        registration = db.session.scalar(scoped(actor).where(Registration.id == registration_id))
        allowed = registration is not None
    if registration is None or not allowed:
        raise NotFound
    return record(registration)


def record(registration: Registration) -> Record:
    """Everything that belongs to a registration."""
    session = db.session
    lead = registration.lead_id or registration.id
    group = session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where((Registration.lead_id == lead) | (Registration.id == lead))
        .order_by(Registration.id)
    ).all()
    newest = select(Pass).where(Pass.registration_id == registration.id, Pass.revoked_at.is_(None))
    return Record(
        registration=registration,
        traveller=session.get_one(Traveller, registration.traveller_id),
        assessment=session.get_one(Assessment, registration.assessment_id),
        stays=tuple(
            session.scalars(select(Stay).where(Stay.registration_id == registration.id).order_by(Stay.position))
        ),
        tests=tuple(
            session.scalars(
                select(TestResult).where(TestResult.registration_id == registration.id).order_by(TestResult.taken_at)
            )
        ),
        issued=session.scalars(newest.order_by(Pass.issued_at.desc()).limit(1)).first(),
        companions=tuple(
            Person(one.id, mask_name(traveller.name or ""), one.tier, one.state)
            for one, traveller in group
            if one.id != registration.id
        ),
    )


def masked(traveller: Traveller) -> dict[str, str]:
    """Name, document and phone as any screen may show them."""
    return {
        "name": mask_name(traveller.name or ""),
        "id_type": traveller.id_type,
        "id_number": mask_document(traveller.id_number or ""),
        "phone": mask_phone(traveller.phone) if traveller.phone else "",
    }


def masked_plate(registration: Registration) -> str:
    """The plate as a screen may show it, empty if there is none."""
    return mask_plate(registration.plate) if registration.plate else ""


def pass_path(registration_id: uuid.UUID) -> str:
    """The path that reopens a pass."""
    return f"/p/{link_handle(keyring(), registration_id)}"


def pass_url(registration_id: uuid.UUID) -> str:
    """The address that reopens a pass, as the outside world writes it."""
    settings = current_app.extensions["settings"]
    return f"{settings.public_url}{pass_path(registration_id)}"


def place_name(code: str | None) -> str:
    """The official full name of a division, empty if it is not known."""
    index = default_index()
    return index.full_name(code) if code and index.exists(code) else ""


def people(registration_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[Registration, Traveller]]:
    """Registrations with their travellers, by id, for lists on screen; the caller has scoped the ids."""
    if not registration_ids:
        return {}
    rows = db.session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Registration.id.in_(registration_ids))
    )
    return {registration.id: (registration, traveller) for registration, traveller in rows}


def masked_names(traveller_ids: Sequence[uuid.UUID]) -> list[str]:
    """The masked names of some travellers, in the order asked for."""
    if not traveller_ids:
        return []
    found = {one.id: one for one in db.session.scalars(select(Traveller).where(Traveller.id.in_(traveller_ids)))}
    return [mask_name(found[one].name or "") for one in traveller_ids]
