"""The lane on one screen: today's counts, who registered here a moment ago, whose test runs, which tablets are there.

A tablet asks every few seconds, so each part is one query on an index and none looks at people of other checkpoints.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import exists, func, select

from checkpoint.accounts import pins
from checkpoint.accounts.models import Device, User
from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import standing
from checkpoint.clock import local_date, start_of_day
from checkpoint.crossings.lane_models import Shift, SpotTest
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.shifts import tablet_of
from checkpoint.crossings.vehicle_views import vehicles_here
from checkpoint.crossings.verdict import Decision
from checkpoint.database import db
from checkpoint.privacy import mask_plate
from checkpoint.registrations.models import Registration, RegistrationState, Traveller
from checkpoint.registrations.queries import masked
from checkpoint.risk.service import current_state

QUEUE_FOR = timedelta(minutes=60)
TESTS_FOR = timedelta(hours=3)
VEHICLES_FOR = timedelta(hours=4)
LONGEST_QUEUE = 30


@dataclass(frozen=True, slots=True)
class Queued:
    """Somebody who registered by this checkpoint's poster and was not scanned yet, masked; `companions` travel along."""

    registration_id: uuid.UUID
    name: str
    id_number: str
    plate: str
    transport: str
    tier: str
    companions: int
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose test on the spot has no result yet; `verdict` is that of the scan, `reasons` what it said of approvals."""

    scan_id: uuid.UUID
    name: str
    tier: str | None
    verdict: str
    reasons: list[dict[str, Any]]
    started_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Tablet:
    """A tablet of the checkpoint; `officer` is who is on duty there."""

    label: str
    is_this: bool
    last_seen_at: datetime | None
    officer: str


@dataclass(frozen=True, slots=True)
class LinedUp:
    """A vehicle that has not driven on; its plate masked."""

    vehicle_id: uuid.UUID
    kind: str
    plate: str
    tier: str | None
    people: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """Everything that the screen of a lane shows. Counts are of today, at the whole checkpoint."""

    scans: int
    verdicts: dict[str, int]
    decisions: dict[str, int]
    queue: tuple[Queued, ...]
    tests: tuple[Waiting, ...]
    vehicles: tuple[LinedUp, ...]
    tablets: tuple[Tablet, ...]
    officers: tuple[tuple[uuid.UUID, str, str], ...]


def lane(*, actor: Actor, at: datetime) -> Lane:
    """The lane of the checkpoint at which a tablet stands."""
    device_id, checkpoint_id = tablet_of(actor)
    verdicts, decisions = _counts(checkpoint_id, at)
    return Lane(
        scans=sum(verdicts.values()),
        verdicts=verdicts,
        decisions=decisions,
        queue=tuple(_queue(checkpoint_id, at)),
        tests=tuple(_tests(checkpoint_id, at)),
        vehicles=tuple(
            LinedUp(one.id, one.kind, mask_plate(one.plate) if one.plate else "", tier, people, one.opened_at)
            for one, tier, people in vehicles_here(checkpoint_id, at - VEHICLES_FOR)
        ),
        tablets=tuple(_tablets(checkpoint_id, device_id)),
        officers=tuple((one.id, one.display_name, pins.stamp(one)) for one in pins.officers(actor)),
    )


def _counts(checkpoint_id: uuid.UUID, at: datetime) -> tuple[dict[str, int], dict[str, int]]:
    timezone = current_app.extensions["settings"].timezone
    rows = db.session.execute(
        select(Crossing.verdict, Crossing.decision, func.count())
        .where(
            Crossing.checkpoint_id == checkpoint_id,
            Crossing.scanned_at >= start_of_day(local_date(at, timezone), timezone),
        )
        .group_by(Crossing.verdict, Crossing.decision)
    )
    verdicts: dict[str, int] = {}
    decisions: dict[str, int] = {}
    for verdict, decision, number in rows:
        verdicts[verdict] = verdicts.get(verdict, 0) + number
        if decision is not None:
            decisions[decision] = decisions.get(decision, 0) + number
    return verdicts, decisions


def _queue(checkpoint_id: uuid.UUID, at: datetime) -> list[Queued]:
    """One line for each group: who declared stands for those who travel along, and each of them can be tapped at the scan."""
    scanned = exists().where(Crossing.registration_id == Registration.id)
    rows = db.session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(
            Registration.checkpoint_id == checkpoint_id,
            Registration.created_at >= at - QUEUE_FOR,
            Registration.state == RegistrationState.DECLARED.value,
            ~scanned,
        )
        .order_by(Registration.created_at.desc(), Registration.id.desc())
        .limit(LONGEST_QUEUE)
    ).all()
    return [
        Queued(
            one.id,
            (shown := masked(traveller))["name"],
            shown["id_number"],
            mask_plate(one.plate) if one.plate else "",
            one.transport,
            one.tier,
            sum(other.lead_id == one.id for other, _traveller in rows),
            one.created_at,
        )
        for one, traveller in rows
    ]


def _tests(checkpoint_id: uuid.UUID, at: datetime) -> list[Waiting]:
    minutes = timedelta(minutes=current_state(at).policy.antigen_minutes)
    read = exists().where(SpotTest.crossing_id == Crossing.id, SpotTest.read_at >= Crossing.decided_at)
    rows = db.session.execute(
        select(Crossing, Traveller)
        .outerjoin(Registration, Registration.id == Crossing.registration_id)
        .outerjoin(Traveller, Traveller.id == Registration.traveller_id)
        .where(
            Crossing.checkpoint_id == checkpoint_id,
            Crossing.scanned_at >= at - TESTS_FOR,
            Crossing.decision == Decision.TESTED.value,
            ~read,
        )
        .order_by(Crossing.scanned_at)
        .limit(LONGEST_QUEUE)
    )
    return [
        Waiting(
            crossing.id,
            masked(traveller)["name"] if traveller is not None else "",
            crossing.tier,
            crossing.verdict,
            [reason for reason in crossing.reasons if reason["rule"] in standing.RULES],
            started,
            started + minutes,
        )
        for crossing, traveller in rows
        for started in (crossing.decided_at or crossing.scanned_at,)
    ]


def _tablets(checkpoint_id: uuid.UUID, device_id: uuid.UUID) -> list[Tablet]:
    on_duty = {
        device: name
        for device, name in db.session.execute(
            select(Shift.device_id, User.display_name)
            .join(User, User.id == Shift.officer_id)
            .where(Shift.checkpoint_id == checkpoint_id, Shift.ended_at.is_(None))
            .order_by(Shift.started_at)
        )
    }
    devices = db.session.scalars(
        select(Device)
        .where(Device.checkpoint_id == checkpoint_id, Device.revoked_at.is_(None), Device.enrolled_at.is_not(None))
        .order_by(Device.label)
    )
    return [Tablet(one.label, one.id == device_id, one.last_seen_at, on_duty.get(one.id, "")) for one in devices]
