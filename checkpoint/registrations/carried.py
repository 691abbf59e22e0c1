"""Registrations that came with no network: a tablet read them from a phone's code and delivers them later, sealed to our key.

They take the same way as any other declaration. One that is found wrong on arrival is not lost: the traveller has passed the barrier
by then, so it is stored as it came, and a person is told.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, json
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import queries as alerts
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.service import NewAlert, raise_alerts, resolve
from checkpoint.database import db, new_id, transaction
from checkpoint.disclosure.service import unmasking
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.privacy import SealBroken, open_carried
from checkpoint.regions import default_index
from checkpoint.regions.models import at_level, contains
from checkpoint.registrations import service
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.registrations.declaration import Declaration, outline_of
from checkpoint.registrations.models import Registration
from checkpoint.registrations.problems import field_error
from checkpoint.registrations.service import Receipt
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import current_state
from checkpoint.words import lazy

TOWN = 4
KIND = "carried_refused"
LONGEST_AWAY = timedelta(
    days=30
)  # a tablet may have been off line this long; what its clock says beyond is its clock's error


def _why(params: Mapping[str, Any]) -> list[str]:
    return [field_error("", code).message for code in dict.fromkeys(params.get("codes", ()))]


register(Kind(KIND, lazy("Declared off line at the checkpoint, and something in it is wrong"), explain=_why))


@dataclass(frozen=True, slots=True)
class Carried:
    """What a tablet delivers: the phone's own UUID, the id of the key, the envelope, and when the code was read."""

    client_id: uuid.UUID
    kid: bytes
    envelope: bytes
    read_at: datetime


def receive(carried: Carried, *, actor: Actor, at: datetime) -> Receipt | CarriedRefusal:
    """Open and store what a tablet carried, once: whatever else arrives under the same client_id gets the first result.

    Dates are looked at as of the reading, since a day of arrival may be over when the tablet finds its network again.
    """
    if actor.checkpoint_id is None:
        raise NotAllowed
    carried = replace(carried, read_at=min(max(carried.read_at, at - LONGEST_AWAY), at))
    known = service.first_result(carried.client_id) or _refused_before(carried.client_id)
    if known is not None:
        return known
    try:
        raw = open_carried(carried.envelope, carried.kid)
    except SealBroken:
        return _keep(carried, None, InvalidInput([field_error("body", "unreadable")]), actor, at)
    try:
        declaration = _declaration(raw, carried, actor)
        return service.submit(declaration, actor=actor, at=at, made_at=carried.read_at)
    except InvalidInput as wrong:
        return _keep(carried, raw, wrong, actor, at)


def _declaration(raw: bytes, carried: Carried, actor: Actor) -> Declaration:
    """The declaration inside; it was handed in at the tablet's checkpoint, whatever poster the phone had opened."""
    own = db.session.scalar(
        select(Checkpoint.code).where(Checkpoint.id == actor.checkpoint_id, Checkpoint.active.is_(True))
    )
    body = _object(raw) | {"checkpoint": own}
    try:
        declaration = Declaration.model_validate(body)
    except ValidationError as error:
        raise service.refusal(error, outline_of(json.dumps(body).encode()), carried.read_at) from error
    if declaration.client_id != carried.client_id:
        raise InvalidInput([field_error("client_id", "uuid_parsing")])
    return declaration


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise InvalidInput([field_error("body", "unreadable")]) from error
    if not isinstance(body, dict):
        raise InvalidInput([field_error("body", "unreadable")])
    return body


def _refused_before(client_id: uuid.UUID) -> CarriedRefusal | None:
    return db.session.scalar(select(CarriedRefusal).where(CarriedRefusal.client_id == client_id))


def _keep(carried: Carried, raw: bytes | None, wrong: InvalidInput, actor: Actor, at: datetime) -> CarriedRefusal:
    """Store what could not be taken, and tell the town of the destination, or command where there is none."""
    problems = [{"field": one.field, "code": one.code} for one in wrong.errors]
    kept = CarriedRefusal(
        id=new_id(),
        client_id=carried.client_id,
        checkpoint_id=actor.checkpoint_id,
        device_id=actor.id if actor.kind == "device" else None,
        read_at=carried.read_at,
        received_at=at,
        problems=problems,
    )
    try:
        kept.declaration = None if raw is None else raw.decode()
    except UnicodeDecodeError:
        raw = None
    if raw is None:
        kept.envelope = carried.envelope
    alert = NewAlert(
        kind=KIND,
        cause=f"{KIND}:{carried.client_id}",
        division_code=_answering(raw),
        tier=Tier.YELLOW.value,
        needs_answer=True,
        subject_type="carried",
        subject_id=kept.id,
        params={"fields": [one["field"] for one in problems], "codes": [one["code"] for one in problems]},
    )
    try:
        with transaction() as session:
            session.add(kept)
            session.flush()
            raise_alerts([alert], current_state(at).policy, at)
    except IntegrityError:
        known = _refused_before(carried.client_id)  # the same delivery won the race
        if known is None:
            raise
        return known
    return kept


def _answering(raw: bytes | None) -> str:
    """The town of the destination if that much can be read, else the city."""
    site: str = current_app.extensions["settings"].site_division
    destination = outline_of(raw).destination if raw is not None else None
    code = destination.code if destination is not None else None
    index = default_index()
    if code is None or not index.exists(code) or not contains(site, code) or index.level(code) < TOWN:
        return site
    return at_level(code, TOWN)


def visible(actor: Actor, alert_id: uuid.UUID) -> CarriedRefusal:
    """What an alert of this kind is about, for whoever may see the alert; NotFound otherwise."""
    alert = alerts.one(actor, alert_id)
    kept = db.session.get(CarriedRefusal, alert.subject_id) if alert.kind == KIND and alert.subject_id else None
    if kept is None:
        raise NotFound
    return kept


def meanwhile(kept: CarriedRefusal) -> uuid.UUID | None:
    """The registration that has come under the same client_id since, when the phone sent it by itself."""
    return db.session.scalar(select(Registration.id).where(Registration.client_id == kept.client_id))


def reveal(alert_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """What was declared, in full, to be mended; who opened it, and what for, is written down. Empty when it could not be read at all.

    Raises InvalidInput, NotAllowed, TooManyOpened, NotFound.
    """
    kept = visible(actor, alert_id)
    with unmasking("carried", kept.id, purpose, actor=actor, at=at) as note:
        note(("name", "id_number", "phone", "address"), data={"alert": str(alert_id)})
        try:
            return _object((kept.declaration or "").encode())
        except InvalidInput:
            return {}


def mend(kept: CarriedRefusal, declaration: Declaration, alert_id: uuid.UUID, *, actor: Actor, at: datetime) -> Receipt:
    """Store the mended declaration under the phone's own client_id, so that the scan at the barrier finds it, and close the alert."""
    mended = declaration.model_copy(update={"client_id": kept.client_id})
    receipt = service.submit(mended, actor=actor, at=at, made_at=min(kept.read_at, at))
    resolve(alert_id, "handled", None, actor=actor, at=at)
    return receipt
