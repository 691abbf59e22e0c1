"""Vehicles at the barrier (车辆): plate first or people first; everyone in one hangs on one vehicle crossing.

A coach shows a code of its own, by which passengers register themselves; the address carries a signed handle and nothing
personal. What a vehicle looks like on screen is in `vehicle_views.py`.
"""

import re
import unicodedata
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.crossings.lane_models import VehicleCrossing, VehiclePassenger
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.shifts import tablet_of
from checkpoint.database import db, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.privacy import Keyring, keyring, lookup_hash, same, secret_tag
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.service import Receipt, submit
from checkpoint.words import _

KINDS = ("car", "coach", "lorry")
LINK_FOR = timedelta(hours=24)  # how long passengers may register by a vehicle's code
_PLATE = re.compile(r"[\u4e00-\u9fffA-Z0-9]{5,10}")
_TAG = 10
_INSERTS: dict[str, Callable[[Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle as a tablet tells of it. `scans` join it, `dropped` leave it; both are scan_ids of this checkpoint."""

    vehicle_id: uuid.UUID
    kind: str
    plate: str | None
    opened_at: datetime
    scans: tuple[uuid.UUID, ...] = ()
    dropped: tuple[uuid.UUID, ...] = ()
    closed_at: datetime | None = None
    shift_id: uuid.UUID | None = None


def tell(vehicle: Vehicle, *, actor: Actor, at: datetime) -> VehicleCrossing:
    """Store what a tablet says of a vehicle; told again it changes nothing, told more it knows more.

    A plate that came later is added, one that was wrong is replaced. NotFound for a vehicle of another checkpoint.
    """
    device_id, checkpoint_id = tablet_of(actor)
    plate = plate_of(vehicle.plate)
    with transaction() as session:
        dialect = session.connection().dialect.name
        session.execute(
            _INSERTS[dialect](cast(Table, VehicleCrossing.__table__))
            .values(
                id=vehicle.vehicle_id,
                checkpoint_id=checkpoint_id,
                device_id=device_id,
                shift_id=vehicle.shift_id,
                kind=vehicle.kind,
                opened_at=min(vehicle.opened_at, at),
                received_at=at,
            )
            .on_conflict_do_nothing(index_elements=["id"])
        )
        stored = session.scalars(
            select(VehicleCrossing).where(VehicleCrossing.id == vehicle.vehicle_id).with_for_update()
        ).one()
        if stored.checkpoint_id != checkpoint_id:
            raise NotFound
        stored.kind = vehicle.kind
        if plate is not None:
            stored.plate, stored.plate_hash = plate, lookup_hash(keyring(), "plate", plate)
        if vehicle.closed_at is not None and stored.closed_at is None:
            stored.closed_at = max(stored.opened_at, min(vehicle.closed_at, at))
        session.flush()
        _seat(stored, vehicle.scans, vehicle.dropped)
    return stored


def plate_of(typed: str | None) -> str | None:
    """A plate as it is stored; None for nothing typed, InvalidInput for what is none."""
    folded = unicodedata.normalize("NFKC", typed or "")
    plate = re.sub(r"[\s·.\-]", "", folded).upper()
    if not plate:
        return None
    if not _PLATE.fullmatch(plate):
        raise InvalidInput.one("plate", "plate", _("This is not a number plate."))
    return plate


def _seat(vehicle: VehicleCrossing, scans: Sequence[uuid.UUID], dropped: Sequence[uuid.UUID]) -> None:
    """Put crossings of this checkpoint into the vehicle, and take others out of it."""
    here = Crossing.checkpoint_id == vehicle.checkpoint_id
    joining = [one for one in scans if one not in set(dropped)]
    if joining:
        db.session.execute(
            update(Crossing).where(Crossing.id.in_(joining), here).values(vehicle_id=vehicle.id),
            execution_options={"synchronize_session": False},
        )
    if dropped:
        db.session.execute(
            update(Crossing)
            .where(Crossing.id.in_(dropped), here, Crossing.vehicle_id == vehicle.id)
            .values(vehicle_id=None),
            execution_options={"synchronize_session": False},
        )


def vehicle_handle(ring: Keyring, vehicle_id: uuid.UUID) -> str:
    """The handle of /v/<handle>: the vehicle's id and a keyed tag, nothing personal."""
    tag = secret_tag(ring, "vehicle-link", vehicle_id.bytes, _TAG)
    return urlsafe_b64encode(vehicle_id.bytes + tag).decode().rstrip("=")


def _open_handle(ring: Keyring, handle: str) -> uuid.UUID | None:
    try:
        raw = urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
    except (Base64Error, ValueError):
        return None
    if len(raw) != 16 + _TAG or not same(raw[16:], secret_tag(ring, "vehicle-link", raw[:16], _TAG)):
        return None
    return uuid.UUID(bytes=raw[:16])


def boarding(handle: str, at: datetime) -> tuple[VehicleCrossing, Checkpoint]:
    """The vehicle whose code was scanned, with its checkpoint; NotFound when it is not ours, has driven on, or is too old."""
    vehicle_id = _open_handle(keyring(), handle)
    vehicle = None if vehicle_id is None else db.session.get(VehicleCrossing, vehicle_id)
    if vehicle is None or vehicle.closed_at is not None or vehicle.opened_at + LINK_FOR <= at:
        raise NotFound
    return vehicle, db.session.get_one(Checkpoint, vehicle.checkpoint_id)


def board(vehicle: VehicleCrossing, declaration: Declaration, *, actor: Actor, at: datetime) -> Receipt:
    """Register a passenger by the vehicle's code: submitted as any other, with all companions on the vehicle's list.

    Two transactions: whoever got no answer sends again, and both steps know a repeat.
    """
    receipt = submit(declaration, actor=actor, at=at)
    people = [receipt, *receipt.companions]
    with transaction() as session:
        dialect = session.connection().dialect.name
        session.execute(
            _INSERTS[dialect](cast(Table, VehiclePassenger.__table__))
            .values(
                [{"vehicle_id": vehicle.id, "registration_id": one.registration.id, "joined_at": at} for one in people]
            )
            .on_conflict_do_nothing(index_elements=["vehicle_id", "registration_id"])
        )
    return receipt
