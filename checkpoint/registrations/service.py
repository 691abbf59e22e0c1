"""The verbs of a registration: submit, amend, withdraw, assess again. Each is one transaction and safe to repeat."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from flask import current_app
from pydantic import ValidationError
from sqlalchemy import Table, bindparam, delete, select, union_all, update
from sqlalchemy.exc import IntegrityError

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.service import raise_alerts, retract_for
from checkpoint.clock import local_date
from checkpoint.database import db, insert_rows, transaction
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.privacy import keyring, unseal
from checkpoint.regions import default_index
from checkpoint.regions.models import contains
from checkpoint.registrations import intake
from checkpoint.registrations.declaration import Declaration, Outline, dated_wrong
from checkpoint.registrations.intake import Context, Prepared
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
from checkpoint.registrations.overrides import end_overrides
from checkpoint.registrations.passes import PassKeys
from checkpoint.registrations.problems import from_pydantic, invalid
from checkpoint.registrations.queries import is_standing
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state

TOWN = 4
# The hot path reads plain columns by statements made once: the ORM's own bookkeeping costs more than these queries.
_registration = cast(Table, Registration.__table__)
_act = cast(Table, RegistrationAct.__table__)
_traveller = cast(Table, Traveller.__table__)
# Alerts that stand or fall with what was declared; what an inquiry asks does not change with the trip.
_OF_THE_TRIP = ("registration", "arrival", "reassessment", "appeal")
OPEN_STATES = (RegistrationState.DECLARED.value, RegistrationState.TURNED_BACK.value)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a traveller gets: the record, its assessment and its pass; `created` is false for a replay."""

    registration: Registration
    assessment: Assessment
    issued: Pass
    created: bool
    companions: tuple["Receipt", ...] = ()


def pass_keys() -> PassKeys:
    """The signing keys of the running application."""
    keys: PassKeys | None = current_app.extensions.get("pass_keys")
    if keys is None:
        keys = current_app.extensions["pass_keys"] = PassKeys(keyring())
    return keys


def context_at(at: datetime) -> Context:
    """What preparing a registration needs, as it is now."""
    settings = current_app.extensions["settings"]
    return Context(keyring(), pass_keys(), current_state(at), settings.site_division, settings.timezone, at)


def _wrong_places(declaration: Declaration | Outline, site_division: str) -> Iterable[tuple[str, str]]:
    index = default_index()
    if declaration.origin is not None and declaration.origin.code and not index.exists(declaration.origin.code):
        yield "origin.code", "unknown_division"
    for number, stay in enumerate(declaration.stays or ()):
        if stay is not None and stay.code and not index.exists(stay.code):
            yield f"stays.{number}.code", "unknown_division"
    destination = declaration.destination.code if declaration.destination is not None else None
    if destination is None:
        return
    if not index.exists(destination):
        yield "destination.code", "unknown_division"
    elif not contains(site_division, destination):
        yield "destination.code", "outside_site"
    elif index.level(destination) < TOWN:
        yield "destination.code", "destination_level"


def _wrong(declaration: Declaration | Outline, at: datetime) -> tuple[list[tuple[str, str]], uuid.UUID | None]:
    """Everything the words alone cannot show: dates against today, places against the register. With the checkpoint's id."""
    settings = current_app.extensions["settings"]
    wrong = dated_wrong(declaration, at, local_date(at, settings.timezone))
    wrong += _wrong_places(declaration, settings.site_division)
    checkpoint_id = None
    if declaration.checkpoint:
        checkpoint_id = db.session.scalar(
            select(Checkpoint.id).where(Checkpoint.code == declaration.checkpoint, Checkpoint.active.is_(True))
        )
        if checkpoint_id is None:
            wrong.append(("checkpoint", "unknown_checkpoint"))
    return wrong, checkpoint_id


def check(declaration: Declaration, at: datetime) -> uuid.UUID | None:
    """Raise InvalidInput for what the calendar and the register refuse; returns the checkpoint's id."""
    wrong, checkpoint_id = _wrong(declaration, at)
    if wrong:
        raise invalid(wrong)
    return checkpoint_id


def refusal(error: ValidationError, outline: Outline, at: datetime) -> InvalidInput:
    """Every wrong field of a declaration in one answer: those of the wrong form, and those that cannot be.

    Only a declaration that is refused anyway is looked at twice.
    """
    return from_pydantic(error, _wrong(outline, at)[0])


_BY_CLIENT_ID = union_all(
    select(_registration.c.id).where(_registration.c.client_id == bindparam("client_id")),
    select(_act.c.registration_id).where(_act.c.client_id == bindparam("client_id")),
)
_BY_DOCUMENT = select(
    _traveller.c.id, _traveller.c.name_sealed, _traveller.c.id_number_hash, _traveller.c.phone_hash
).where(_traveller.c.id_number_hash.in_(bindparam("hashes", expanding=True)))


def known_travellers(prepared: Sequence[Prepared]) -> None:
    """Use the rows of people who have been here before with the same document, phone and name."""
    by_hash = {one.traveller["id_number_hash"]: one for one in prepared if one.traveller is not None}
    ring = keyring()
    for known in db.session.execute(_BY_DOCUMENT, {"hashes": list(by_hash)}):
        one = by_hash[known.id_number_hash]
        new = one.traveller
        if new is None or known.phone_hash != new["phone_hash"]:
            continue
        if unseal(ring, known.name_sealed, "traveller", "name", known.id) == unseal(
            ring, new["name_sealed"], "traveller", "name", new["id"]
        ):
            one.registration["traveller_id"] = known.id
            one.traveller = None


def store(prepared: Sequence[Prepared]) -> None:
    """Insert prepared rows, each table at once, inside the transaction under way."""
    tables: list[tuple[type[Any], list[dict[str, Any]]]] = [
        (Traveller, [one.traveller for one in prepared if one.traveller is not None]),
        (Registration, [one.registration for one in prepared]),
        (Stay, [row for one in prepared for row in one.stays]),
        (TestResult, [row for one in prepared for row in one.tests]),
        (Assessment, [one.assessment for one in prepared]),
        (Pass, [one.issued for one in prepared]),
    ]
    for model, rows in tables:
        insert_rows(model, rows)


def submit(declaration: Declaration, *, actor: Actor, at: datetime, made_at: datetime | None = None) -> Receipt:
    """Store a declaration, assess it, issue the passes and tell the destination. The same client_id returns the first result.

    `made_at` is when it was handed in, where it comes later than that: its dates are compared with that day.
    """
    first = _replay(declaration.client_id)
    if first is not None:
        return first
    checkpoint_id = check(declaration, made_at or at)
    context = context_at(at)
    prepared = intake.prepare(context, declaration, checkpoint_id)
    known_travellers(prepared)
    try:
        with transaction():
            store(prepared)
            raise_alerts([one.alert for one in prepared], context.state.policy, at)
            hold_against_lists(declaration, [(one, one.registration["id"]) for one in prepared], context)
    except IntegrityError:
        first = _replay(declaration.client_id)  # the same submission won the race
        if first is None:
            raise
        return first
    receipts = [_receipt_of(one) for one in prepared]
    return replace(receipts[0], companions=tuple(receipts[1:]))


def _receipt_of(new: Prepared) -> Receipt:
    return Receipt(Registration(**new.registration), Assessment(**new.assessment), Pass(**new.issued), True)


def first_result(client_id: uuid.UUID) -> Receipt | None:
    """What was stored first under a client's own UUID, if anything was."""
    return _replay(client_id)


def _replay(client_id: uuid.UUID) -> Receipt | None:
    """The first result of a submission or amendment, if there was one."""
    if db.session.execute(_BY_CLIENT_ID, {"client_id": client_id}).first() is None:
        return None
    registration = db.session.scalar(select(Registration).where(Registration.client_id == client_id))
    if registration is not None:
        return _group_receipt(registration)
    act = db.session.get(RegistrationAct, client_id)
    if act is None:
        return None
    registration = db.session.get(Registration, act.registration_id)
    if registration is None or act.assessment_id is None:
        raise Conflict
    return replace(_receipt(registration, act.assessment_id), created=False)


def _receipt(registration: Registration, assessment_id: uuid.UUID) -> Receipt:
    assessment = db.session.get_one(Assessment, assessment_id)
    issued = db.session.scalars(
        select(Pass).where(Pass.assessment_id == assessment_id).order_by(Pass.issued_at)
    ).first()
    if issued is None:
        raise NotFound
    return Receipt(registration, assessment, issued, False)


def _first_receipt(registration: Registration) -> Receipt:
    first = db.session.scalars(
        select(Assessment.id)
        .where(Assessment.registration_id == registration.id, Assessment.cause == "submit")
        .order_by(Assessment.made_at)
        .limit(1)
    ).one()
    return _receipt(registration, first)


def _group_receipt(lead: Registration) -> Receipt:
    followers = db.session.scalars(
        select(Registration).where(Registration.lead_id == lead.id).order_by(Registration.id)
    ).all()
    return replace(_first_receipt(lead), companions=tuple(_first_receipt(one) for one in followers))


def amend(registration_id: uuid.UUID, declaration: Declaration, *, actor: Actor, at: datetime) -> Receipt:
    """Replace what was declared by a new declaration with its own client_id; a new pass replaces the old one.

    Companions are known by their documents: who is named again keeps the registration, who is new gets one, and who is not
    named any more does not come. A companion who withdrew alone and is named again is a new one.
    """
    first = _replay(declaration.client_id)
    if first is not None:
        return first
    registration = db.session.get(Registration, registration_id)
    if registration is None:
        raise NotFound
    if registration.state not in OPEN_STATES or is_standing(registration_id):
        raise Conflict("Only a registration that is still on its way can be changed.")
    checkpoint_id = check(declaration, at)
    context = context_at(at)
    prepared = intake.prepare(context, declaration, checkpoint_id)
    with transaction():
        known = _companions_by_document(registration)
        pairs = [(registration, prepared[0])]
        pairs += [(known.pop(one.document), one) for one in prepared[1:] if one.document in known]
        kept = {id(one) for _old, one in pairs}
        added = [one for one in prepared if id(one) not in kept]
        known_travellers(prepared)
        receipts = {id(one): _replace(old, one, actor, at) for old, one in pairs}
        _remember(declaration.client_id, receipts[id(prepared[0])], at)
        for gone in known.values():
            _close(gone, RegistrationState.WITHDRAWN, "withdrawn", actor, at)
        for one in added:
            one.registration["lead_id"] = registration.id
            receipts[id(one)] = _receipt_of(one)
        store(added)
        alerts = [one.alert for one in added] + [replace(one.alert, subject_id=old.id) for old, one in pairs]
        raise_alerts(alerts, context.state.policy, at)
        trips = {id(one): old.id for old, one in pairs}
        hold_against_lists(
            declaration, [(one, trips.get(id(one), one.registration["id"])) for one in prepared], context
        )
    ordered = [receipts[id(one)] for one in prepared]
    return replace(ordered[0], companions=tuple(ordered[1:]))


def _companions_by_document(lead: Registration) -> dict[bytes, Registration]:
    """The companions of a registration that are still on their way, by the keyed hash of their document."""
    rows = db.session.execute(
        select(Traveller.id_number_hash, Registration)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Registration.lead_id == lead.id, Registration.state.in_(OPEN_STATES))
    )
    return {document: registration for document, registration in rows}


def _remember(client_id: uuid.UUID, receipt: Receipt, at: datetime) -> None:
    """Keep the client's own UUID of an amendment, so that a repeat finds its first result."""
    db.session.add(
        RegistrationAct(
            client_id=client_id,
            registration_id=receipt.registration.id,
            act="amend",
            assessment_id=receipt.assessment.id,
            at=at,
        )
    )
    db.session.flush()


_KEPT = frozenset(
    {"id", "client_id", "lead_id", "state", "created_at", "origin_text_sealed", "address_sealed", "plate_sealed"}
)


def _replace(old: Registration, new: Prepared, actor: Actor, at: datetime) -> Receipt:
    """Give an existing registration the prepared facts; sealed values are sealed anew, since they are bound to their row."""
    session = db.session
    if new.traveller is not None:
        insert_rows(Traveller, [new.traveller])
    fresh = Registration(**new.registration)
    old.origin_text, old.address, old.plate = fresh.origin_text, fresh.address, fresh.plate
    for key, value in new.registration.items():
        if key not in _KEPT:
            setattr(old, key, value)
    old.state = RegistrationState.DECLARED.value
    end_overrides(old.id, at)  # what was set aside spoke of the places declared before
    retract_for(old.id, actor=actor, at=at, kinds=_OF_THE_TRIP)
    for model in (Stay, TestResult):
        session.execute(delete(model).where(model.registration_id == old.id))
    for rows, model_ in ((new.stays, Stay), (new.tests, TestResult)):
        insert_rows(model_, [row | {"registration_id": old.id} for row in rows])
    assessment = Assessment(**new.assessment | {"registration_id": old.id, "cause": "amend"})
    _revoke(old.id, "replaced", at)
    issued = Pass(**new.issued | {"registration_id": old.id})
    session.add_all([assessment, issued])
    session.flush()
    return Receipt(old, assessment, issued, True)


def _revoke(registration_id: uuid.UUID, because: str, at: datetime) -> None:
    db.session.execute(
        update(Pass)
        .where(Pass.registration_id == registration_id, Pass.revoked_at.is_(None))
        .values(revoked_at=at, revoked_because=because)
    )


def _close(registration: Registration, state: RegistrationState, because: str, actor: Actor, at: datetime) -> None:
    registration.state = state.value
    registration.updated_at = at
    _revoke(registration.id, because, at)
    retract_for(registration.id, actor=actor, at=at)
    db.session.flush()
    fall_back(registration.id, policy=current_state(at).policy, actor=actor, at=at)


def withdraw(registration_id: uuid.UUID, client_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """The traveller does not come: the passes of the group are withdrawn and its alerts retracted. A repeat changes nothing."""
    with transaction() as session:
        if session.get(RegistrationAct, client_id) is not None:
            return
        registration = session.get(Registration, registration_id)
        if registration is None:
            raise NotFound
        if registration.state == RegistrationState.WITHDRAWN.value:
            return
        if registration.state not in OPEN_STATES:
            raise Conflict("Somebody who has already crossed cannot withdraw: call the number on the pass.")
        if is_standing(registration_id):
            raise Conflict("A standing trip ends with the approval that it stands on.")
        group = [
            registration,
            *session.scalars(select(Registration).where(Registration.lead_id == registration.id)).all(),
        ]
        for one in group:
            if one.state in OPEN_STATES:
                _close(one, RegistrationState.WITHDRAWN, "withdrawn", actor, at)
        session.add(RegistrationAct(client_id=client_id, registration_id=registration.id, act="withdraw", at=at))


def holder_of(token: str, at: datetime) -> uuid.UUID | None:
    """The registration that a valid pass, neither expired nor revoked, stands for."""
    reading = pass_keys().read(token, at)
    if reading.problem is not None or reading.claims is None:
        return None
    return db.session.scalar(
        select(Pass.registration_id).where(Pass.serial == reading.claims.serial, Pass.revoked_at.is_(None))
    )
