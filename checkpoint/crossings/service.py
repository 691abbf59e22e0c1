"""One door for every scan: the tablet on line, the tablet after a day off line, the officer's keyboard. Decisions: deciding.py."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Executable, Row, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.service import note_change
from checkpoint.approvals.conditions import Passage
from checkpoint.approvals.in_force import of_trip
from checkpoint.approvals.standing import Settled, settle
from checkpoint.crossings.deciding import decide
from checkpoint.crossings.finding import Found, look_up, newest_negative
from checkpoint.crossings.listed import hold_against_lists
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.verdict import Presented, clock_is_wrong, judge
from checkpoint.database import db, transaction
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.risk.service import State, current_state

__all__ = ["Recorded", "Scan", "decide", "record", "record_scan"]


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan as a tablet sends it. `token` is a pass, the short code under it, or `ID:` and the id of a registration,
    with `.n` behind it for the n-th companion of that declaration.

    `scanned_at` is the tablet's clock, which was `skew_seconds` ahead of ours when it was last compared. `shown` is what a tablet
    without a network told the officer, `{verdict, rules}`, judged under the snapshot `snapshot_version`.
    """

    scan_id: uuid.UUID
    token: str
    scanned_at: datetime
    offline: bool = False
    shift_id: uuid.UUID | None = None
    vehicle_id: uuid.UUID | None = None
    shown: dict[str, Any] | None = None
    snapshot_version: str | None = None
    skew_seconds: int | None = None

    @property
    def moment(self) -> datetime:
        """When it was scanned, by a right clock."""
        return self.scanned_at - timedelta(seconds=self.skew_seconds or 0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored crossing; `found` has whom it is about, None for a repeat."""

    crossing: Crossing
    found: Found | None


def record_scan(scan: Scan, *, actor: Actor, at: datetime) -> Crossing:
    """Store a scan with its verdict and return it; the same scan_id again returns the first result and changes nothing."""
    return record(scan, actor=actor, at=at).crossing


def record(scan: Scan, *, actor: Actor, at: datetime) -> Recorded:
    """`record_scan`, with what was found on the way, so that the screen need not ask for it again."""
    if not actor.may(Permission.SCANS_WRITE) or actor.checkpoint_id is None or actor.id is None:
        raise NotAllowed
    state = current_state(at)
    found = _found(scan, at)
    with transaction() as session:
        if found.problem is None and found.row is not None and found.row.state_version != state.version:
            known = session.get(Crossing, scan.scan_id)
            if known is not None:
                return Recorded(_own(known, actor), None)
            assess_again(locked(found.row.id), state=state, cause="scan", actor=actor, at=at)
            found = _found(scan, at)
        row = _crossing_row(scan, found, state, actor, at)
        if not _inserted(row):
            return Recorded(_own(session.get_one(Crossing, scan.scan_id), actor), None)
        _tell(found, row, actor, at)
        if found.problem is None and found.row is not None:
            hold_against_lists(found.row, state.policy, at=at)
    return Recorded(Crossing(**row), found)


def _found(scan: Scan, at: datetime) -> Found:
    valid_at = scan.moment if scan.offline else at
    return look_up(scan.token, valid_at=valid_at, moment=scan.moment, scan_id=scan.scan_id, at=at)


def _tell(found: Found, row: dict[str, Any], actor: Actor, at: datetime) -> None:
    """The destination sees on the open alert that the person has come to the barrier."""
    about = found.row
    if about is not None and about.alert_id is not None:
        said = {"verdict": row["verdict"], "checkpoint": str(actor.checkpoint_id), "problem": found.problem}
        note_change(about.alert_id, about.destination_code, "scanned", actor, at, said)


def _own(crossing: Crossing, actor: Actor) -> Crossing:
    if crossing.checkpoint_id != actor.checkpoint_id:
        raise NotFound
    return crossing


def _insert_once(maker: Callable[[Table], Any]) -> Executable:
    """INSERT … ON CONFLICT DO NOTHING RETURNING id, made once: building it anew would cost a tenth of a scan."""
    values: dict[str, Any] = {column.name: bindparam(column.name) for column in _crossing.columns}
    return cast(
        Executable,
        maker(_crossing).values(values).on_conflict_do_nothing(index_elements=["id"]).returning(_crossing.c.id),
    )


_crossing = cast(Table, Crossing.__table__)
_INSERT_ONCE = {"postgresql": _insert_once(postgresql.insert), "sqlite": _insert_once(sqlite.insert)}


def _inserted(row: dict[str, Any]) -> bool:
    """Insert a crossing unless its scan_id is taken: two copies of one request at the same moment give one row."""
    connection = db.session.connection()
    return connection.execute(_INSERT_ONCE[connection.dialect.name], row).first() is not None


def _crossing_row(scan: Scan, found: Found, state: State, actor: Actor, at: datetime) -> dict[str, Any]:
    about: Row[Any] | None = found.row
    stands = about if found.problem is None else None
    approval = _approval(stands, scan, actor) if stands is not None and stands.approved else None
    judgement = judge(
        Presented(
            problem=found.problem,
            tier=about.tier if about is not None else None,
            negative_test_at=newest_negative(about) if about is not None else None,
            scanned_at=scan.moment,
            clock_wrong=clock_is_wrong(scan.scanned_at, at, offline=scan.offline, skew_seconds=scan.skew_seconds),
            negative_test_hours=state.policy.negative_test_hours,
            approval=approval,
        )
    )
    said: list[dict[str, Any]] = [{"rule": rule, "points": 0} for rule in judgement.rules]
    if approval is not None:
        said.insert(0, approval.as_reason(red_from=state.policy.red_from, yellow_from=state.policy.yellow_from))
    return {
        "id": scan.scan_id,
        "checkpoint_id": actor.checkpoint_id,
        "device_id": actor.id,
        "pass_serial": found.serial,
        "registration_id": about.id if about is not None else None,
        "assessment_id": about.assessment_id if about is not None else None,
        "scanned_at": scan.scanned_at,
        "received_at": at,
        "offline": scan.offline,
        "verdict": judgement.verdict.value,
        "tier": stands.tier if stands is not None else None,
        "problem": found.problem,
        "reasons": said + (stands.reasons if stands is not None else []),
        "measures": stands.measures if stands is not None else [],
        "shown": scan.shown,
        "snapshot_version": scan.snapshot_version,
        "skew_seconds": scan.skew_seconds,
        "decision": None,
        "decided_at": None,
        "shift_id": scan.shift_id,
        "vehicle_id": scan.vehicle_id,
    }


def _approval(about: Row[Any], scan: Scan, actor: Actor) -> Settled | None:
    """What the approvals of a pass come to at this crossing."""
    if actor.checkpoint_id is None:
        return None
    post, standings = of_trip(about.id, actor.checkpoint_id)
    zone = ZoneInfo(current_app.extensions["settings"].timezone)
    return settle(standings, Passage(scan.moment, post, newest_negative(about), zone))
