"""The approvals of passes in a tablet's snapshot: whole at first, then only the passes of which something has changed.

An approval is told with each pass that it touches; what it asks stands once in `terms`, under a name made of its content, since
thousands of commuters may hold alike ones. A pass comes to be touched by a change of an approval, by a new trip of somebody named,
or by a new pass or a new assessment for an old one; nothing is written for it, so each of these is looked up from its own side.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, cast

from flask import current_app, json
from sqlalchemy import ColumnElement, Select, Table, case, select

from checkpoint.approvals.in_force import ever_touched, of_passes, of_registrations, touches
from checkpoint.approvals.models import Approval, ApprovalState
from checkpoint.approvals.standing import Standing, terms
from checkpoint.crossings.changes import AFTERWARDS, LATE_COMMIT, LONGEST_PASS, REVOKED, instant, newest
from checkpoint.database import db
from checkpoint.registrations.models import Pass, Registration, Traveller
from checkpoint.risk.models import Assessment

LOOK_EVERY = timedelta(seconds=5)  # newcomers are counted again by each process after this time
_HOUR_SECONDS = 3600
_LATE_TRIP = timedelta(minutes=2)  # a trip is committed at most this much later than the instant that it carries
_trip, _person = (cast(Table, model.__table__) for model in (Registration, Traveller))


@dataclass(frozen=True, slots=True)
class Known:
    """Up to when a tablet knows each kind of change: milliseconds since 1970, and the hour since 1970."""

    approvals_ms: int
    hour: int
    revoked_ms: int
    raised_ms: int


@dataclass(frozen=True, slots=True)
class _Newcomers:
    """Trips of an hour (and two minutes before it) that an approval touches, as far as this process has looked."""

    hour: int
    looked_at: datetime
    trips: frozenset[uuid.UUID]


def changes_at(at: datetime) -> tuple[int, int, int, int]:
    """The part of a snapshot's version: newest change and count of approvals; the hour, and the newcomers counted in it."""
    changed, count = newest(Approval.changed_at)
    if not changed:
        return 0, 0, 0, 0
    hour = int(at.timestamp()) // _HOUR_SECONDS
    return changed, count, hour, len(_newcomers(hour, at))


def whole(at: datetime) -> dict[str, Any]:
    """Every pass that an approval touches, from the side of the approvals in force: passes there are many more of."""
    granted = Approval.state == ApprovalState.GRANTED.value
    return _told(of_passes(granted, Approval.valid_until > at - LONGEST_PASS, *_still_good(at)), frozenset())


def changed(known: Known, at: datetime) -> dict[str, Any]:
    """The passes of which something may have changed since, each with all of its approvals: none where they have ended."""
    ended = ever_touched(Approval.changed_at > instant(known.approvals_ms) - LATE_COMMIT, *_still_good(at))
    trips = set(ended.values()) | set(db.session.scalars(_trips(_made_since(_start(known.hour)))))
    replaced = select(Pass.registration_id).where(REVOKED, Pass.revoked_at > instant(known.revoked_ms) - LATE_COMMIT)
    again = select(Assessment.registration_id).where(
        AFTERWARDS, Assessment.made_at > instant(known.raised_ms) - LATE_COMMIT
    )
    for ids in (replaced, again):
        trips |= set(db.session.scalars(_trips(_trip.c.id.in_(ids))))
    return _told(of_registrations(trips, *_still_good(at)), frozenset(ended))


def _still_good(at: datetime) -> tuple[ColumnElement[bool], ...]:
    # Not by the index on revoked_at: SQLite would take it, and read every pass that was never revoked.
    return case((Pass.revoked_at.is_(None), 1), else_=0) == 1, Pass.expires_at > at


def _newcomers(hour: int, at: datetime) -> frozenset[uuid.UUID]:
    """Trips begun in this hour that an approval touches: a process reads each minute of them a few times, not the whole hour."""
    known: _Newcomers | None = current_app.extensions.get("gate_newcomers")
    if known is not None and known.hour == hour and abs(at - known.looked_at) < LOOK_EVERY:
        return known.trips
    since, trips = _start(hour), frozenset[uuid.UUID]()
    if known is not None and known.hour == hour:
        since, trips = max(since, known.looked_at - _LATE_TRIP), known.trips
    found = _Newcomers(hour, at, trips | frozenset(db.session.scalars(_trips(_made_since(since)))))
    current_app.extensions["gate_newcomers"] = found
    return found.trips


def _start(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * _HOUR_SECONDS, UTC) - _LATE_TRIP


def _made_since(since: datetime) -> ColumnElement[bool]:
    return _trip.c.created_at > since


def _trips(where: ColumnElement[bool]) -> Select[Any]:
    """The trips meeting a condition that an approval touches: from the side of the trips, which are few, not of the approvals."""
    joined = _trip.join(_person, _person.c.id == _trip.c.traveller_id)
    return select(_trip.c.id).select_from(joined).where(where, touches(_trip, _person))


def _told(found: Mapping[bytes, list[Standing]], ended: frozenset[bytes]) -> dict[str, Any]:
    """`approvals` and `terms` as a tablet has them; a pass that was touched and is no more has an empty list."""
    approvals: dict[str, list[dict[str, Any]]] = {serial.hex(): [] for serial in ended}
    named: dict[str, Any] = {}
    for serial, standings in found.items():
        told = []
        for one in sorted(standings, key=lambda one: one.number):
            asked = terms(one.conditions)
            name = blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=6).hexdigest()
            named[name] = asked
            told.append(_entry(one, name))
        approvals[serial.hex()] = told
    return {"approvals": approvals, "terms": named}


def _entry(one: Standing, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "number": one.number,
        "from": one.conditions.valid_from.isoformat(),
        "until": one.conditions.valid_until.isoformat(),
        "terms": name,
    }
    return entry | ({"broken": ["route"]} if one.off_route else {})
