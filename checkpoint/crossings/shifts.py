"""Who is on duty at a tablet: sign in with a PIN, hand over, sign out; on line, or told later by a tablet that was off line."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from checkpoint.accounts import pins
from checkpoint.accounts.models import User
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.audit.service import record
from checkpoint.crossings.lane_models import Shift
from checkpoint.database import db, transaction
from checkpoint.errors import NotAllowed, NotFound

OFFLINE_FOR = timedelta(hours=12)  # how long a tablet may let an officer in again without asking


@dataclass(frozen=True, slots=True)
class Opening:
    """A sign-in as a tablet sends it. Without a PIN it happened off line, where the tablet itself checked the PIN."""

    shift_id: uuid.UUID
    officer_id: uuid.UUID
    pin: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A shift with its officer."""

    shift: Shift
    officer: User


def open_shift(opening: Opening, *, actor: Actor, at: datetime) -> OnDuty:
    """Begin a shift; whoever was on duty at this tablet before is relieved. The same shift_id again changes nothing.

    InvalidInput for a wrong PIN, NotFound for an officer whom this tablet may not know.
    """
    device_id, checkpoint_id = tablet_of(actor)
    known = db.session.get(Shift, opening.shift_id)
    if known is not None:
        return OnDuty(_own(known, actor), db.session.get_one(User, known.officer_id))
    offline = opening.pin is None
    if opening.pin is None:
        officer = db.session.get(User, opening.officer_id)
        if officer is None or not actor.sees(officer.division_code):
            raise NotFound
    else:
        officer = pins.check_pin(actor, opening.officer_id, opening.pin)
    started = min(opening.started_at, at)
    shift = Shift(
        id=opening.shift_id,
        checkpoint_id=checkpoint_id,
        device_id=device_id,
        officer_id=officer.id,
        started_at=started,
        received_at=at,
        offline=offline,
        proven=not offline or _vouched(device_id, officer, started),
    )
    try:
        _store(shift, actor, at)
    except IntegrityError:  # the same sign-in won the race
        shift = _own(db.session.get_one(Shift, opening.shift_id), actor)
    return OnDuty(shift, officer)


def _store(shift: Shift, actor: Actor, at: datetime) -> None:
    with transaction() as session:
        session.execute(
            update(Shift)
            .where(Shift.device_id == shift.device_id, Shift.ended_at.is_(None), Shift.started_at <= shift.started_at)
            .values(ended_at=shift.started_at)
        )
        session.add(shift)
        session.flush()
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="shift.open",
            object_type="user",
            object_id=shift.officer_id,
            data={"shift": str(shift.id), "offline": shift.offline, "proven": shift.proven},
        )


def _vouched(device_id: uuid.UUID, officer: User, started: datetime) -> bool:
    """Whether the officer had shown the PIN to the server from this tablet within the time that it may vouch for them."""
    if not officer.active or officer.pin_hash is None:
        return False
    seen = db.session.scalar(
        select(Shift.id)
        .where(
            Shift.device_id == device_id,
            Shift.officer_id == officer.id,
            Shift.offline.is_(False),
            Shift.started_at.between(started - OFFLINE_FOR, started),
        )
        .limit(1)
    )
    return seen is not None


def end_shift(shift_id: uuid.UUID, ended_at: datetime, *, actor: Actor, at: datetime) -> OnDuty:
    """Sign out. A second time, or after somebody else took over, is harmless."""
    tablet_of(actor)
    with transaction() as session:
        shift = session.scalars(select(Shift).where(Shift.id == shift_id).with_for_update()).first()
        if shift is None:
            raise NotFound
        _own(shift, actor)
        if shift.ended_at is None:
            shift.ended_at = max(shift.started_at, min(ended_at, at))  # a clock may have been set right between
            session.flush()
    return OnDuty(shift, db.session.get_one(User, shift.officer_id))


def tablet_of(actor: Actor) -> tuple[uuid.UUID, uuid.UUID]:
    """The ids of the tablet that acts and of its checkpoint; NotAllowed for anybody else."""
    if not actor.may(Permission.SCANS_WRITE) or actor.id is None or actor.checkpoint_id is None:
        raise NotAllowed
    return actor.id, actor.checkpoint_id


def _own(shift: Shift, actor: Actor) -> Shift:
    if shift.device_id != actor.id:
        raise NotFound
    return shift
