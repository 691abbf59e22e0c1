"""Whom a scanned token stands for: one statement by the pass's serial, its short code, or the registration itself.

The same row serves the verdict and the screen. It is plain columns by statements made once: five reads through the ORM cost more
than the rest of a scan.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Select, Table, bindparam, func, or_, select
from sqlalchemy.sql import FromClause

from checkpoint.accounts.models import Checkpoint
from checkpoint.approvals.in_force import touches
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.privacy import keyring, mask_document, mask_name, mask_phone, mask_plate, unseal
from checkpoint.registrations.models import Pass, Registration, RegistrationState, TestResult, Traveller
from checkpoint.registrations.queries import place_name
from checkpoint.registrations.service import pass_keys
from checkpoint.risk.models import Assessment

_SHORT_CODE = re.compile(r"[2-9A-HJ-NP-TV-Z]{8}")
_BY_ID = "ID:"
_COMPANION = re.compile(r"(.{32,36})\.([1-9][0-9]?)")

_pass, _trip, _person = (cast(Table, model.__table__) for model in (Pass, Registration, Traveller))
_assessed, _test, _crossing, _post = (
    cast(Table, model.__table__) for model in (Assessment, TestResult, Crossing, Checkpoint)
)
_earlier = _crossing.alias("earlier")
_other = _trip.alias("other")


@dataclass(frozen=True, slots=True)
class Found:
    """What a token stands for in the register: `problem` is a key of verdict.PROBLEM_RULES or None; `row` has the columns below."""

    problem: str | None
    serial: bytes | None
    row: Row[Any] | None


@dataclass(frozen=True, slots=True)
class Previous:
    """The crossing before this one of the same registration."""

    scanned_at: datetime
    checkpoint: str
    verdict: str
    decision: str | None
    decided_at: datetime | None


def _columns(source: FromClause) -> Select[Any]:
    """The registration with its person, its newest assessment and test before `moment`, and the crossing before `scan_id`."""
    newest_test = (
        select(_test.c.id)
        .where(_test.c.registration_id == _trip.c.id, _test.c.taken_at <= bindparam("moment"))
        .order_by(_test.c.taken_at.desc())
        .limit(1)
        .correlate(_trip)
        .scalar_subquery()
    )
    before = (
        select(_crossing.c.id)
        .where(
            _crossing.c.registration_id == _trip.c.id,
            _crossing.c.id != bindparam("scan_id"),
            _crossing.c.received_at <= bindparam("at"),
        )
        .order_by(_crossing.c.scanned_at.desc())
        .limit(1)
        .correlate(_trip)
        .scalar_subquery()
    )
    lead = func.coalesce(_trip.c.lead_id, _trip.c.id)
    companions = (
        select(func.count())
        .select_from(_other)
        .where(_other.c.lead_id == lead, _other.c.id != _trip.c.id)
        .correlate(_trip)
        .scalar_subquery()
    )
    joined = (
        source.join(_person, _person.c.id == _trip.c.traveller_id)
        .join(_assessed, _assessed.c.id == _trip.c.assessment_id)
        .outerjoin(_test, _test.c.id == newest_test)
        .outerjoin(_earlier, _earlier.c.id == before)
        .outerjoin(_post, _post.c.id == _earlier.c.checkpoint_id)
    )
    return select(
        _pass.c.serial,
        _pass.c.expires_at,
        _pass.c.revoked_at,
        _pass.c.revoked_because,
        _trip.c.id,
        _trip.c.lead_id,
        _trip.c.state,
        _trip.c.origin_code,
        _trip.c.destination_code,
        _trip.c.arriving_on,
        _trip.c.transport,
        _trip.c.plate_sealed,
        _trip.c.alert_id,
        _trip.c.state_version,
        _trip.c.assessment_id,
        _person.c.id.label("person_id"),
        _person.c.name_sealed,
        _person.c.id_type,
        _person.c.id_number_sealed,
        _person.c.id_number_hash,
        _person.c.phone_sealed,
        _assessed.c.tier,
        _assessed.c.reasons,
        _assessed.c.measures,
        _test.c.taken_at,
        _test.c.result,
        companions.label("companions"),
        touches(_trip, _person).label("approved"),
        _earlier.c.scanned_at,
        _post.c.name.label("checkpoint"),
        _earlier.c.verdict,
        _earlier.c.decision,
        _earlier.c.decided_at,
    ).select_from(joined)


_newest_pass = (
    select(_pass.c.serial)
    .where(_pass.c.registration_id == _trip.c.id)
    .order_by(_pass.c.issued_at.desc())
    .limit(1)
    .correlate(_trip)
    .scalar_subquery()
)
_FROM_PASS = _pass.join(_trip, _trip.c.id == _pass.c.registration_id)
_FROM_TRIP = _trip.outerjoin(_pass, _pass.c.serial == _newest_pass)
_BY_SERIAL = _columns(_FROM_PASS).where(_pass.c.serial == bindparam("key"))
_BY_CODE = _columns(_FROM_PASS).where(_pass.c.short_code == bindparam("key"))
_BY_TRIP = _columns(_FROM_TRIP).where(or_(_trip.c.id == bindparam("key"), _trip.c.client_id == bindparam("key")))
_lead = _trip.alias("lead")
_follower = _trip.alias("follower")
_BY_PLACE = _columns(_FROM_TRIP).where(
    _trip.c.id
    == select(_follower.c.id)
    .join(_lead, _lead.c.id == _follower.c.lead_id)
    .where(or_(_lead.c.id == bindparam("key"), _lead.c.client_id == bindparam("key")))
    .order_by(_follower.c.id)  # ids are time-ordered: as they were declared
    .limit(1)
    .offset(bindparam("number"))
    .scalar_subquery()
)


def look_up(token: str, *, valid_at: datetime, moment: datetime, scan_id: uuid.UUID, at: datetime) -> Found:
    """Find whom a token stands for. It must be valid at `valid_at`; tests count that were taken by `moment`."""
    token = token.strip()
    limits = {"moment": moment, "scan_id": scan_id, "at": at}
    if token[:3].upper() == _BY_ID:
        return _by_id(token[3:], limits, valid_at)
    if _SHORT_CODE.fullmatch(token.upper()):
        return _judged(_one(_BY_CODE, token.upper(), limits), None, valid_at)
    reading = pass_keys().read(token, valid_at)
    if reading.claims is None:
        return Found(reading.problem, None, None)
    return _judged(_one(_BY_SERIAL, reading.claims.serial, limits), reading.claims.serial, valid_at)


def _by_id(written: str, limits: Mapping[str, Any], valid_at: datetime) -> Found:
    """By the id or client_id of a registration; `.n` behind it means the n-th who was declared as travelling along."""
    companion = _COMPANION.fullmatch(written)
    try:
        key = uuid.UUID(companion[1] if companion else written)
    except ValueError:
        return Found("unreadable", None, None)
    if companion:
        return _judged(_one(_BY_PLACE, key, {**limits, "number": int(companion[2]) - 1}), None, valid_at)
    return _judged(_one(_BY_TRIP, key, limits), None, valid_at)


def _one(statement: Select[Any], key: object, limits: Mapping[str, Any]) -> Row[Any] | None:
    return db.session.connection().execute(statement, {"key": key, **limits}).first()


def _judged(row: Row[Any] | None, serial: bytes | None, valid_at: datetime) -> Found:
    if row is None or row.serial is None:
        return Found("unknown", serial, row)
    problem = None
    if row.revoked_at is not None:
        problem = "replaced" if row.revoked_because == "replaced" else "withdrawn"
    elif row.state == RegistrationState.WITHDRAWN.value:
        problem = "withdrawn"
    elif row.expires_at <= valid_at:
        problem = "expired"
    return Found(problem, row.serial, row)


def of_crossing(crossing: Crossing) -> Row[Any] | None:
    """The row of a stored crossing's person, as the scan found it."""
    if crossing.registration_id is None:
        return None
    limits = {"moment": crossing.scanned_at, "scan_id": crossing.id, "at": crossing.received_at}
    return _one(_BY_TRIP, crossing.registration_id, limits)


def newest_negative(row: Row[Any]) -> datetime | None:
    """When the newest test was taken, if it was negative."""
    taken: datetime | None = row.taken_at
    return taken if row.result == "negative" else None


def person(row: Row[Any]) -> dict[str, Any]:
    """Who it is and how they travel, masked, as any tablet may show it."""
    ring = keyring()
    name = unseal(ring, row.name_sealed, "traveller", "name", row.person_id)
    number = unseal(ring, row.id_number_sealed, "traveller", "id_number", row.person_id)
    phone = unseal(ring, row.phone_sealed, "traveller", "phone", row.person_id) if row.phone_sealed else None
    plate = unseal(ring, row.plate_sealed, "registration", "plate", row.id) if row.plate_sealed else None
    return {
        "name": mask_name(name),
        "id_type": row.id_type,
        "id_number": mask_document(number),
        "phone": mask_phone(phone) if phone else "",
        "plate": mask_plate(plate) if plate else "",
        "origin": place_name(row.origin_code),
        "destination": place_name(row.destination_code),
        "arriving_on": row.arriving_on.isoformat(),
        "transport": row.transport,
        "companions": row.companions + (1 if row.lead_id else 0),
        "state": row.state,
    }


def previous(row: Row[Any]) -> Previous | None:
    """The crossing before, if there was one."""
    if row.checkpoint is None:
        return None
    return Previous(row.scanned_at, row.checkpoint, row.verdict, row.decision, row.decided_at)
