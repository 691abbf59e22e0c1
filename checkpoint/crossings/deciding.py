"""What the officer did with a crossing, and what that does to the trip."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import NewAlert, note_change, raise_alerts, retract_for
from checkpoint.crossings.kinds import AGAINST_RULES
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.crossings.verdict import Decision, is_override, needs_reason
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.followups.service import cancel_for, plan_for
from checkpoint.privacy import keyring, seal
from checkpoint.registrations.listed import let_in
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.registrations.queries import is_standing
from checkpoint.registrations.reassessment import locked
from checkpoint.risk.models import Assessment
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import current_state
from checkpoint.words import _

# What an arrival says again, with the tier and the time that count now.
_SAID_BEFORE = ("registration", "arrival")


@dataclass(frozen=True, slots=True)
class Made:
    """A decision as a tablet sends it, with its own `decision_id`; `decided_at` is the tablet's time, the server's unless given."""

    decision: str
    note: str | None = None
    decided_at: datetime | None = None
    decision_id: uuid.UUID | None = None
    shift_id: uuid.UUID | None = None


def decide(
    scan_id: uuid.UUID,
    decision: str,
    note: str | None,
    *,
    actor: Actor,
    at: datetime,
    decided_at: datetime | None = None,
    decision_id: uuid.UUID | None = None,
    shift_id: uuid.UUID | None = None,
) -> Crossing:
    """What the officer did with a crossing. The same decision again is harmless; another one stands beside the first.

    What was done off line has happened: it is recorded as it was, and the destination is told when the rules would not have let
    the person in. On line that needs a reason, which stays with the crossing and is final for it.
    """
    made = Made(decision, note, decided_at, decision_id, shift_id)
    if made.decision not in {one.value for one in Decision}:
        raise InvalidInput.one("decision", "literal_error", f"decision must be one of {', '.join(Decision)}")
    if not actor.may(Permission.SCANS_WRITE) or actor.checkpoint_id is None:
        raise NotAllowed
    with transaction() as session:
        crossing = session.scalars(select(Crossing).where(Crossing.id == scan_id).with_for_update()).first()
        if crossing is None or crossing.checkpoint_id != actor.checkpoint_id:
            raise NotFound
        when = min(made.decided_at or at, at)
        if _is_repeat(session, crossing, made, when):
            return crossing
        _check(crossing, made)
        is_first = crossing.decision is None
        _record(session, crossing, made, when, actor, at)
        if crossing.offline and is_override(crossing.verdict, made.decision):
            _tell_against_rules(crossing, when, at)
        if crossing.registration_id is not None:
            _take_effect(crossing, made.decision, is_first, actor, when, at)
    return crossing


def _is_repeat(session: Session, crossing: Crossing, made: Made, when: datetime) -> bool:
    """Whether this decision is stored already: by its own id, as the newest one, or off line by what it was and when."""
    if crossing.decision == made.decision:
        return True
    if crossing.decision is None:
        return False
    same = CrossingDecision.id == made.decision_id
    if made.decision_id is None:
        same = (CrossingDecision.decision == made.decision) & (CrossingDecision.decided_at == when)
    stored = select(CrossingDecision.id).where(CrossingDecision.crossing_id == crossing.id, same)
    return session.scalar(stored.limit(1)) is not None


def _check(crossing: Crossing, made: Made) -> None:
    if crossing.offline:
        return  # it has happened: nobody can be asked for a reason any more
    if crossing.decision is not None and is_override(crossing.verdict, crossing.decision):
        raise Conflict(_("The officer has decided against the verdict: that is final for this crossing. Scan again."))
    if needs_reason(crossing.verdict, made.decision) and not (made.note or "").strip():
        raise InvalidInput.one("note", "missing", "Say why: this decision goes against the verdict.")


def _record(session: Session, crossing: Crossing, made: Made, when: datetime, actor: Actor, at: datetime) -> None:
    row_id = made.decision_id or new_id()
    row = {
        "id": row_id,
        "crossing_id": crossing.id,
        "decision": made.decision,
        "note_sealed": seal(keyring(), made.note, "crossing_decision", "note", row_id) if made.note else None,
        "actor": actor.key,
        "decided_at": when,
        "received_at": at,
        "shift_id": made.shift_id,
    }
    crossing.decision, crossing.decided_at = made.decision, when
    session.flush()
    insert_rows(CrossingDecision, [row])


def _tell_against_rules(crossing: Crossing, when: datetime, at: datetime) -> None:
    """Somebody was let in off line whom the register would have held or refused: once for each crossing."""
    cause = f"against:{crossing.id}"
    if _is_raised(cause):
        return
    registration = db.session.get(Registration, crossing.registration_id) if crossing.registration_id else None
    if registration is not None:
        division = registration.destination_code
    else:
        division = db.session.get_one(Checkpoint, crossing.checkpoint_id).division_code
    params: dict[str, Any] = {
        "rules": [reason["rule"] for reason in crossing.reasons],
        "checkpoint": str(crossing.checkpoint_id),
        "verdict": crossing.verdict,
        "problem": crossing.problem,
        "shown": (crossing.shown or {}).get("verdict"),
        "entered_at": when.isoformat(),
    }
    alert = NewAlert(
        kind=AGAINST_RULES.name,
        cause=cause,
        division_code=division,
        tier=Tier.RED.value if crossing.tier == Tier.RED.value or registration is None else Tier.YELLOW.value,
        needs_answer=True,
        subject_type="registration" if registration is not None else "crossing",
        subject_id=registration.id if registration is not None else crossing.id,
        params=params,
    )
    raise_alerts([alert], current_state(at).policy, at)


def _take_effect(crossing: Crossing, decision: str, is_first: bool, actor: Actor, when: datetime, at: datetime) -> None:
    """What a decision does to the trip: let in, sent back, or only told to the destination."""
    registration = locked(crossing.registration_id) if crossing.registration_id else None
    if registration is None:
        return
    if decision == Decision.ADMITTED.value:
        _admit(registration, crossing, is_first, actor, when, at)
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


def _admit(
    registration: Registration, crossing: Crossing, is_first: bool, actor: Actor, when: datetime, at: datetime
) -> None:
    policy = current_state(at).policy
    assessment = db.session.get_one(Assessment, registration.assessment_id)
    standing, overridden = is_standing(registration.id), is_override(crossing.verdict, Decision.ADMITTED.value)
    # A commuter comes every day: the village hears of the first time, and of whoever was let in against the verdict.
    is_news = not standing or registration.entered_at is None or overridden
    is_planned = not standing or (policy.commuter_follow_ups and registration.entered_at is None)
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
            "overridden": overridden,
        },
    )
    if is_news and (is_first or not _is_raised(alert.cause)):
        registration.alert_id = alert.id
        db.session.flush()
        retract_for(registration.id, actor=actor, at=at, kinds=_SAID_BEFORE, wave=None)
        raise_alerts([alert], policy, at)
    let_in(registration, policy=policy, actor=actor, at=at)
    if is_planned:
        plan_for(
            registration.id,
            division_code=registration.destination_code,
            measures=assessment.measures,
            entered_at=when,
            timezone=current_app.extensions["settings"].timezone,
            arrival_hours=policy.arrival_hours,
        )


def _is_raised(cause: str) -> bool:
    return db.session.scalar(select(Alert.id).where(Alert.cause == cause)) is not None
