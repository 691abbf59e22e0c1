"""Reading vehicles: who sits in one, its colour, and who is expected in it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import standing
from checkpoint.crossings.lane_models import VehicleCrossing, VehiclePassenger
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.shifts import tablet_of
from checkpoint.crossings.vehicles import LINK_FOR, vehicle_handle
from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.privacy import keyring
from checkpoint.registrations.models import Registration, RegistrationState, Traveller
from checkpoint.registrations.queries import masked
from checkpoint.risk.policy import Tier

REGISTERED_FOR = timedelta(days=3)  # how far back a plate is looked for among registrations
AT_MOST = 100
LINED_UP = 12


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody scanned into a vehicle; `name` is masked and empty when nobody stands behind the code. `reasons` are what the scan
    said of approvals.
    """

    scan_id: uuid.UUID
    registration_id: uuid.UUID | None
    name: str
    id_number: str
    tier: str | None
    verdict: str
    decision: str | None
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody who registered for this vehicle, by its code or its plate, and was not scanned into it yet; masked."""

    registration_id: uuid.UUID
    name: str
    id_number: str
    tier: str
    by_code: bool


@dataclass(frozen=True, slots=True)
class VehicleView:
    """A vehicle as the tablet shows it. `url` is the address of its own code, None once it no longer opens."""

    vehicle: VehicleCrossing
    plate: str
    checkpoint: str
    tier: str | None
    seated: tuple[Seated, ...]
    expected: tuple[Expected, ...]
    url: str | None


def worst(tiers: Iterable[str | None]) -> str | None:
    """The colour of a vehicle: that of its worst passenger. Whoever stands behind no valid pass counts as red."""
    found = [Tier(tier) if tier else Tier.RED for tier in tiers]
    return max(found, key=lambda tier: tier.rank).value if found else None


def vehicle_view(vehicle_id: uuid.UUID, *, actor: Actor, at: datetime) -> VehicleView:
    """One vehicle for a tablet of the city; NotFound outside of it."""
    tablet_of(actor)
    row = db.session.execute(
        select(VehicleCrossing, Checkpoint)
        .join(Checkpoint, Checkpoint.id == VehicleCrossing.checkpoint_id)
        .where(VehicleCrossing.id == vehicle_id)
    ).first()
    if row is None or not actor.sees(row.Checkpoint.division_code):
        raise NotFound
    vehicle: VehicleCrossing = row.VehicleCrossing
    seated = _seated(vehicle)
    here = {one.registration_id for one in seated}
    settings = current_app.extensions["settings"]
    is_open = vehicle.closed_at is None and vehicle.opened_at + LINK_FOR > at
    return VehicleView(
        vehicle=vehicle,
        plate=vehicle.plate or "",
        checkpoint=row.Checkpoint.name,
        tier=worst(one.tier for one in seated),
        seated=tuple(seated),
        expected=tuple(one for one in _expected(vehicle) if one.registration_id not in here),
        url=f"{settings.public_url}/v/{vehicle_handle(keyring(), vehicle.id)}" if is_open else None,
    )


def _seated(vehicle: VehicleCrossing) -> list[Seated]:
    """The newest crossing of each person in a vehicle, and every code behind which nobody stands, in order of scanning.

    A scan names its vehicle before the vehicle itself is told; one of another checkpoint seats nobody.
    """
    rows = db.session.execute(
        select(Crossing, Registration.tier, Traveller)
        .outerjoin(Registration, Registration.id == Crossing.registration_id)
        .outerjoin(Traveller, Traveller.id == Registration.traveller_id)
        .where(Crossing.vehicle_id == vehicle.id, Crossing.checkpoint_id == vehicle.checkpoint_id)
        .order_by(Crossing.scanned_at.desc(), Crossing.id.desc())
        .limit(AT_MOST)
    )
    found: dict[uuid.UUID, Seated] = {}
    for crossing, now, traveller in rows:
        key = crossing.registration_id or crossing.id
        if key in found:
            continue
        shown = masked(traveller) if traveller is not None else {"name": "", "id_number": ""}
        tier = now if crossing.problem is None else None  # what is known of them now: a test may have changed it
        found[key] = Seated(
            crossing.id,
            crossing.registration_id,
            shown["name"],
            shown["id_number"],
            tier,
            crossing.verdict,
            crossing.decision,
            [reason for reason in crossing.reasons if reason["rule"] in standing.RULES],
        )
    return list(reversed(found.values()))


def _expected(vehicle: VehicleCrossing) -> list[Expected]:
    """Who registered by the vehicle's code, then who declared its plate in the last days."""
    people = select(Registration, Traveller).join(Traveller, Traveller.id == Registration.traveller_id)
    waiting = Registration.state == RegistrationState.DECLARED.value
    by_code = db.session.execute(
        people.join(VehiclePassenger, VehiclePassenger.registration_id == Registration.id)
        .where(VehiclePassenger.vehicle_id == vehicle.id, waiting)
        .order_by(VehiclePassenger.joined_at)
        .limit(AT_MOST)
    )
    found = {one.id: _expected_of(one, traveller, True) for one, traveller in by_code}
    if vehicle.plate_hash is not None:
        by_plate = db.session.execute(
            people.where(
                Registration.plate_hash == vehicle.plate_hash,
                Registration.created_at >= vehicle.opened_at - REGISTERED_FOR,
                waiting,
            )
            .order_by(Registration.created_at)
            .limit(AT_MOST)
        )
        for one, traveller in by_plate:
            found.setdefault(one.id, _expected_of(one, traveller, False))
    return list(found.values())


def _expected_of(registration: Registration, traveller: Traveller, by_code: bool) -> Expected:
    shown = masked(traveller)
    return Expected(registration.id, shown["name"], shown["id_number"], registration.tier, by_code)


def vehicles_here(checkpoint_id: uuid.UUID, since: datetime) -> list[tuple[VehicleCrossing, str | None, int]]:
    """The vehicles at a checkpoint: open ones since an instant, newest first, each with its colour and its people's number."""
    vehicles = list(
        db.session.scalars(
            select(VehicleCrossing)
            .where(
                VehicleCrossing.checkpoint_id == checkpoint_id,
                VehicleCrossing.opened_at >= since,
                VehicleCrossing.closed_at.is_(None),
            )
            .order_by(VehicleCrossing.opened_at.desc())
            .limit(LINED_UP)
        )
    )
    inside: dict[uuid.UUID, dict[uuid.UUID, str | None]] = {one.id: {} for one in vehicles}
    if inside:
        rows = db.session.execute(
            select(Crossing.vehicle_id, Crossing.id, Crossing.registration_id, Crossing.problem, Registration.tier)
            .outerjoin(Registration, Registration.id == Crossing.registration_id)
            .where(Crossing.vehicle_id.in_(inside), Crossing.checkpoint_id == checkpoint_id)
            .order_by(Crossing.scanned_at)
        )
        for row in rows:
            inside[row.vehicle_id][row.registration_id or row.id] = row.tier if row.problem is None else None
    return [(one, worst(inside[one.id].values()), len(inside[one.id])) for one in vehicles]
