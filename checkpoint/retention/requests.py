"""What people say about keeping: city command holds a trip's data, or lets go of it; a traveller asks for erasure by the pass."""

import uuid
from datetime import datetime

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.audit.service import record
from checkpoint.database import db, insert_unless_there, transaction
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.registrations.models import Registration
from checkpoint.registrations.queries import is_standing, scoped
from checkpoint.registrations.service import OPEN_STATES, withdraw
from checkpoint.retention.kinds import KIND
from checkpoint.retention.models import ErasureRequest, LegalHold
from checkpoint.retention.purge import erase, wipe
from checkpoint.risk.service import current_state

LONGEST_WHY = 500


def hold(registration_id: uuid.UUID, why: str, *, actor: Actor, at: datetime) -> LegalHold:
    """Keep a trip's data until the hold is ended. Holding what is held already is harmless: the first reason stays.

    Raises InvalidInput, NotAllowed, NotFound.
    """
    why = why.strip()
    if not why:
        raise InvalidInput.one("why", "missing", "Say why it must be kept.")
    if len(why) > LONGEST_WHY:
        raise InvalidInput.one("why", "length", f"at most {LONGEST_WHY} characters")
    with transaction() as session:
        registration = _locked(registration_id, actor)
        known = _in_force(registration.id)
        if known is not None:
            return known
        new = LegalHold(id=uuid.uuid4(), registration_id=registration.id, made_at=at, made_by=actor.key)
        new.why = why
        session.add(new)
        session.flush()
        _audit("data.hold", registration.id, actor, at)
    return new


def end_hold(registration_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """Let go of a trip's data: it goes when its time is over. A second time is harmless. Raises NotAllowed, NotFound."""
    with transaction() as session:
        registration = _locked(registration_id, actor)
        known = _in_force(registration.id)
        if known is None:
            return
        known.ended_at, known.ended_by = at, actor.key
        session.flush()
        _audit("data.hold_end", registration.id, actor, at)


def hold_of(registration_id: uuid.UUID) -> LegalHold | None:
    """The hold in force on a trip; the caller has scoped it."""
    return _in_force(registration_id)


def ask_erasure(registration_id: uuid.UUID, request_id: uuid.UUID, *, actor: Actor, at: datetime) -> bool:
    """A traveller wants a trip's data erased: True when it is gone, False when it waits for what holds it.

    Whoever has not come yet withdraws by it. What waits is told to the village and goes by the purge. A repeat changes nothing:
    asking for what is gone already is True. `request_id` is the phone's own UUID.
    """
    if actor.kind != "traveller" or actor.id != registration_id:
        raise NotAllowed
    with transaction() as session:
        registration = session.scalar(select(Registration).where(Registration.id == registration_id).with_for_update())
        if registration is None:
            return True
        if registration.state in OPEN_STATES and not is_standing(registration_id):
            withdraw(registration_id, uuid.uuid4(), actor=actor, at=at)
        session.flush()
        row = {"id": request_id, "registration_id": registration_id, "asked_at": at}
        if insert_unless_there(ErasureRequest, row, "registration_id"):
            _audit("data.erasure_asked", registration_id, actor, at)
            gone = erase(registration_id, at)
            if not gone:
                _tell(registration, at)
        else:
            gone = erase(registration_id, at)
        if gone:
            _audit("data.erase", registration_id, actor, at)
    if gone:
        wipe()
    return gone


def take_back_erasure(registration_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """The traveller wants the data kept after all; it goes when its time is over. A second time is harmless."""
    if actor.kind != "traveller" or actor.id != registration_id:
        raise NotAllowed
    with transaction() as session:
        found = session.scalar(
            select(ErasureRequest).where(ErasureRequest.registration_id == registration_id).with_for_update()
        )
        if found is None:
            return
        session.delete(found)
        session.flush()
        _audit("data.erasure_back", registration_id, actor, at)


def _tell(registration: Registration, at: datetime) -> None:
    new = NewAlert(
        kind=KIND,
        cause=f"{KIND}:{registration.id}:{at.isoformat()}"[:80],
        division_code=registration.destination_code,
        subject_id=registration.id,
    )
    raise_alerts([new], current_state(at).policy, at)


def _locked(registration_id: uuid.UUID, actor: Actor) -> Registration:
    if not actor.may(Permission.RETENTION_HOLD):
        raise NotAllowed
    query = scoped(actor).where(Registration.id == registration_id).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def _in_force(registration_id: uuid.UUID) -> LegalHold | None:
    query = select(LegalHold).where(LegalHold.registration_id == registration_id, LegalHold.ended_at.is_(None))
    return db.session.scalar(query)


def _audit(act: str, registration_id: uuid.UUID, actor: Actor, at: datetime) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="registration",
        object_id=registration_id,
    )
