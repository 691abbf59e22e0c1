"""One door for every scan and every decision: the tablet on line, the tablet after a day off line, the officer's keyboard."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import Executable, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import NewAlert, note_change, raise_alerts, retract_for
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.crossings.verdict import Decision, Presented, Verdict, clock_is_wrong, judge, needs_reason
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.followups.service import cancel_for, plan_for
from checkpoint.registrations.models import Pass, Registration, RegistrationState, TestResult
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.registrations.service import pass_keys
from checkpoint.risk.models import Assessment
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import State, current_state

_SHORT_CODE = re.compile(r"[2-9A-HJ-NP-TV-Z]{8}")


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan as a tablet sends it. `token` is a pass or the short code under it; `scanned_at` is the tablet's clock."""

    scan_id: uuid.UUID
    token: str
    scanned_at: datetime
    offline: bool = False
    shift_id: uuid.UUID | None = None
    vehicle_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a token stands for in the register."""

    problem: str | None
    serial: bytes | None
    registration: Registration | None


def _look_up(token: str, at: datetime) -> _Found:
    token = token.strip()
    if _SHORT_CODE.fullmatch(token.upper()):
        issued = db.session.scalar(select(Pass).where(Pass.short_code == token.upper()))
        problem = "unknown" if issued is None else ("expired" if issued.expires_at <= at else None)
    else:
        reading = pass_keys().read(token, at)
        if reading.claims is None:
            return _Found(reading.problem, None, None)
        issued = db.session.get(Pass, reading.claims.serial)
        problem = "unknown" if issued is None else reading.problem
        if issued is None:
            return _Found(problem, reading.claims.serial, None)
    if issued is None:
        return _Found(problem, None, None)
    if issued.revoked_at is not None:
        problem = "replaced" if issued.revoked_because == "replaced" else "withdrawn"
    return _Found(problem, issued.serial, db.session.get(Registration, issued.registration_id))


def _newest_negative(registration_id: uuid.UUID, before: datetime) -> datetime | None:
    newest = db.session.execute(
        select(TestResult.taken_at, TestResult.result)
        .where(TestResult.registration_id == registration_id, TestResult.taken_at <= before)
        .order_by(TestResult.taken_at.desc())
        .limit(1)
    ).first()
    return newest.taken_at if newest is not None and newest.result == "negative" else None


def record_scan(scan: Scan, *, actor: Actor, at: datetime) -> Crossing:
    """Store a scan with its verdict and return it; the same scan_id again returns the first result and changes nothing."""
    if not actor.may(Permission.SCANS_WRITE) or actor.checkpoint_id is None or actor.id is None:
        raise NotAllowed
    known = db.session.get(Crossing, scan.scan_id)
    if known is not None:
        return _own(known, actor)
    state = current_state(at)
    found = _look_up(scan.token, scan.scanned_at if scan.offline else at)
    with transaction() as session:
        assessment = _assessment(found, state, actor, at)
        row = _crossing_row(scan, found, assessment, state, actor, at)
        if not _inserted(row):
            return _own(session.get_one(Crossing, scan.scan_id), actor)
        registration = found.registration
        if registration is not None and registration.alert_id is not None:
            note_change(
                registration.alert_id,
                registration.destination_code,
                "scanned",
                actor,
                at,
                {"verdict": row["verdict"], "checkpoint": str(actor.checkpoint_id), "problem": found.problem},
            )
    return Crossing(**row)


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


def _assessment(found: _Found, state: State, actor: Actor, at: datetime) -> Assessment | None:
    registration = found.registration
    if registration is None:
        return None
    if registration.state_version != state.version and found.problem is None:
        return assess_again(locked(registration.id), state=state, cause="scan", actor=actor, at=at)
    return db.session.get_one(Assessment, registration.assessment_id)


def _crossing_row(
    scan: Scan, found: _Found, assessment: Assessment | None, state: State, actor: Actor, at: datetime
) -> dict[str, Any]:
    judgement = judge(
        Presented(
            problem=found.problem,
            tier=assessment.tier if assessment else None,
            negative_test_at=_newest_negative(found.registration.id, scan.scanned_at) if found.registration else None,
            scanned_at=scan.scanned_at,
            clock_wrong=clock_is_wrong(scan.scanned_at, at, offline=scan.offline),
            negative_test_hours=state.policy.negative_test_hours,
        )
    )
    said = [{"rule": rule, "points": 0} for rule in judgement.rules]
    stands = assessment is not None and found.problem is None
    return {
        "id": scan.scan_id,
        "checkpoint_id": actor.checkpoint_id,
        "device_id": actor.id,
        "pass_serial": found.serial,
        "registration_id": found.registration.id if found.registration else None,
        "assessment_id": assessment.id if assessment else None,
        "scanned_at": scan.scanned_at,
        "received_at": at,
        "offline": scan.offline,
        "verdict": judgement.verdict.value,
        "tier": assessment.tier if assessment is not None and stands else None,
        "problem": found.problem,
        "reasons": said + (assessment.reasons if assessment is not None and stands else []),
        "measures": assessment.measures if assessment is not None and stands else [],
        "decision": None,
        "decided_at": None,
        "shift_id": scan.shift_id,
        "vehicle_id": scan.vehicle_id,
    }


def decide(
    scan_id: uuid.UUID,
    decision: str,
    note: str | None,
    *,
    actor: Actor,
    at: datetime,
    decided_at: datetime | None = None,
    shift_id: uuid.UUID | None = None,
) -> Crossing:
    """What the officer did with a crossing. The same decision again is harmless; another one stands beside the first.

    `decided_at` is the tablet's time for a decision made off line; the server's time otherwise.
    """
    if decision not in {one.value for one in Decision}:
        raise InvalidInput.one("decision", "literal_error", f"decision must be one of {', '.join(Decision)}")
    if not actor.may(Permission.SCANS_WRITE) or actor.checkpoint_id is None:
        raise NotAllowed
    with transaction() as session:
        crossing = session.scalars(select(Crossing).where(Crossing.id == scan_id).with_for_update()).first()
        if crossing is None or crossing.checkpoint_id != actor.checkpoint_id:
            raise NotFound
        if crossing.decision == decision:
            return crossing
        if needs_reason(crossing.verdict, decision) and not (note or "").strip():
            raise InvalidInput.one("note", "missing", "Say why: this decision goes against the verdict.")
        when = min(decided_at or at, at)
        row = CrossingDecision(
            id=new_id(),
            crossing_id=crossing.id,
            decision=decision,
            actor=actor.key,
            decided_at=when,
            received_at=at,
            shift_id=shift_id,
        )
        row.note = note or None
        session.add(row)
        session.execute(update(Crossing).where(Crossing.id == crossing.id).values(decision=decision, decided_at=when))
        crossing.decision, crossing.decided_at = decision, when
        if crossing.registration_id is not None:
            _take_effect(crossing, decision, actor, when, at)
    return crossing


def _take_effect(crossing: Crossing, decision: str, actor: Actor, when: datetime, at: datetime) -> None:
    """What a decision does to the trip: let in, sent back, or only told to the destination."""
    registration = locked(crossing.registration_id) if crossing.registration_id else None
    if registration is None:
        return
    if decision == Decision.ADMITTED.value:
        _admit(registration, crossing, actor, when, at)
        return
    if crossing.problem is not None:
        return  # an old picture of a pass was sent away: that says nothing of the trip, which may have a better one
    if decision == Decision.TURNED_BACK.value:
        registration.state = RegistrationState.TURNED_BACK.value
        registration.updated_at = at
        cancel_for(registration.id, at=at)
        retract_for(registration.id, actor=actor, at=at)
        return
    if registration.alert_id is not None:
        note_change(registration.alert_id, registration.destination_code, decision, actor, at)


def _admit(registration: Registration, crossing: Crossing, actor: Actor, when: datetime, at: datetime) -> None:
    policy = current_state(at).policy
    assessment = db.session.get_one(Assessment, registration.assessment_id)
    registration.state = RegistrationState.INSIDE.value
    registration.entered_at = when
    registration.updated_at = at
    alert = NewAlert(
        kind="arrival",
        cause=f"arrival:{crossing.id}",
        division_code=registration.destination_code,
        tier=assessment.tier,
        needs_answer=assessment.tier != Tier.GREEN.value,
        subject_id=registration.id,
        params={
            "rules": [reason["rule"] for reason in assessment.reasons],
            "checkpoint": str(crossing.checkpoint_id),
            "entered_at": when.isoformat(),
            "overridden": crossing.verdict in (Verdict.HOLD.value, Verdict.REFUSE.value),
        },
    )
    if db.session.scalar(select(Alert.id).where(Alert.cause == alert.cause)) is None:
        registration.alert_id = alert.id
        db.session.flush()
        raise_alerts([alert], policy, at)
    plan_for(
        registration.id,
        division_code=registration.destination_code,
        measures=assessment.measures,
        entered_at=when,
        timezone=current_app.extensions["settings"].timezone,
        arrival_hours=policy.arrival_hours,
    )
