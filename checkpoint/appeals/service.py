"""Appealing, granting and refusing. Granting corrects the assessment and everything that had followed from it, in one act."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, note_change, raise_alerts, retract_for
from checkpoint.appeals.models import Appeal, AppealState
from checkpoint.appeals.queries import one
from checkpoint.audit.service import record
from checkpoint.clock import local_date, start_of_day
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.followups.service import replan
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import UnfitPicture, clean_picture, seal_picture
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.registrations.overrides import NEVER, RULE, AssessmentOverride, mark_of
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.registrations.reissue import reissue
from checkpoint.risk.models import Assessment
from checkpoint.risk.policy import PolicyData, Tier
from checkpoint.risk.service import current_state
from checkpoint.words import lazy

KIND = "appeal"
# What the tier alone has raised: it goes with the tier. Overdue work, reported symptoms and inquiries stand for themselves.
TIER_KINDS = ("registration", "arrival", "reassessment")
OPEN_TRIPS = (RegistrationState.DECLARED.value, RegistrationState.TURNED_BACK.value, RegistrationState.INSIDE.value)
SHORTEST_TEXT, LONGEST_TEXT = 5, 1000
MAX_APPEALS = 5  # of one registration
LEAST_TIME = timedelta(hours=2)
SET_ASIDE_DAYS = 14

register(Kind(KIND, lazy("Appeal against the colour"), permission=Permission.PEOPLE_READ))


def deadline(at: datetime, timezone: str) -> datetime:
    """The end of the day on which an appeal is made, but never less than two hours."""
    end = start_of_day(local_date(at, timezone) + timedelta(days=1), timezone)
    return max(end, at + LEAST_TIME)


def submit(
    registration_id: uuid.UUID,
    appeal_id: uuid.UUID,
    text: str,
    picture: bytes | None,
    *,
    actor: Actor,
    at: datetime,
) -> Appeal:
    """A traveller says that the tier is wrong, with a picture (JPEG, PNG, WebP) if there is one. A repeat changes nothing.

    Raises InvalidInput, Conflict (green, over, one is open already, too many), NotFound.
    """
    text = text.strip()
    if not SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
        raise InvalidInput.one("text", "length", f"between {SHORTEST_TEXT} and {LONGEST_TEXT} characters")
    shown = _cleaned(picture)
    state = current_state(at)
    with transaction() as session:
        known = session.get(Appeal, appeal_id)
        registration = session.get(Registration, registration_id)
        if registration is None or actor.id not in (registration.id, registration.lead_id):
            raise NotFound
        if known is not None:
            if known.registration_id != registration_id:
                raise NotFound
            return known
        registration = locked(registration_id)
        _check_open(registration)
        due = deadline(at, current_app.extensions["settings"].timezone)
        appeal = Appeal(
            id=appeal_id,
            registration_id=registration_id,
            assessment_id=registration.assessment_id,
            division_code=registration.destination_code,
            state=AppealState.OPEN.value,
            tier_before=registration.tier,
            made_at=at,
            due_at=due,
        )
        appeal.text = text
        if shown is not None:
            appeal.picture_sealed = seal_picture(keyring(), shown, "appeal", "picture", appeal_id)
            appeal.picture_bytes = len(shown)
        appeal.alert_id = tell(appeal, f"{KIND}:{appeal_id}", state.policy, at)
        session.add(appeal)
        session.flush()
    return appeal


def _cleaned(picture: bytes | None) -> bytes | None:
    if not picture:
        return None
    try:
        return clean_picture(picture)
    except UnfitPicture as error:
        raise InvalidInput.one("picture", error.problem, "This is not a picture that can be read.") from error


def _check_open(registration: Registration) -> None:
    if registration.state not in OPEN_TRIPS or registration.tier == Tier.GREEN.value:
        raise Conflict("There is nothing to appeal against.")
    states = list(db.session.scalars(select(Appeal.state).where(Appeal.registration_id == registration.id)))
    if AppealState.OPEN.value in states:
        raise Conflict("An appeal is being looked into already.")
    if len(states) >= MAX_APPEALS:
        raise Conflict("No more appeals can be taken here: please call.")


def tell(appeal: Appeal, cause: str, policy: PolicyData, at: datetime) -> uuid.UUID:
    """Raise the alert of an appeal, with the deadline of the day; returns its id."""
    limit = max(appeal.due_at, at + LEAST_TIME)
    minutes = policy.deadlines[Tier(appeal.tier_before)].acknowledge_minutes
    alert = NewAlert(
        kind=KIND,
        cause=cause,
        division_code=appeal.division_code,
        tier=appeal.tier_before,
        needs_answer=True,
        subject_id=appeal.registration_id,
        params={"appeal": str(appeal.id), "due_at": appeal.due_at.isoformat()},
        ack_due=min(at + timedelta(minutes=minutes), limit),
        resolve_due=limit,
    )
    raise_alerts([alert], policy, at)
    return alert.id


def grant(
    appeal_id: uuid.UUID,
    why: str,
    *,
    set_aside: Sequence[int] | None = None,
    days: int = SET_ASIDE_DAYS,
    actor: Actor,
    at: datetime,
) -> Appeal:
    """The traveller is right: chosen reasons no longer count for `days` days. A second time is harmless.

    `set_aside` are positions in the reasons of the newest assessment; those that make the tier, unless given. A new assessment,
    a new pass, wrong alerts taken back and the work planned anew, all in one transaction.
    """
    why = _reason(why, actor)
    if not 1 <= days <= 60:
        raise InvalidInput.one("days", "out_of_range", "between 1 and 60")
    with transaction() as session:
        appeal = _locked(appeal_id, actor)
        if appeal.state == AppealState.GRANTED.value:
            return appeal
        _still_open(appeal)
        registration = locked(appeal.registration_id)
        before = session.get_one(Assessment, registration.assessment_id)
        state = current_state(at)
        override = AssessmentOverride(
            id=new_id(),
            registration_id=registration.id,
            reasons=_marks(before, set_aside, state.policy),
            made_by=actor.key,
            made_at=at,
            until=at + timedelta(days=days),
        )
        override.why = why
        session.add(override)
        session.flush()
        after = assess_again(registration, state=state, cause=KIND, actor=actor, at=at)
        if Tier(after.tier).rank < Tier(before.tier).rank:
            _undo_alerts(registration, after, appeal, state.policy, actor, at)
        reissue(registration, after, [mark.get("stay") for mark in override.reasons], state=state, at=at)
        replan(registration.id, after.measures, actor=actor, at=at)
        _answer(appeal, AppealState.GRANTED, why, actor, at)
        appeal.tier_after = after.tier
        session.flush()
        _audit("appeal.grant", appeal, actor, at, {"override": str(override.id), "tier": after.tier})
    return appeal


def refuse(appeal_id: uuid.UUID, why: str, *, actor: Actor, at: datetime) -> Appeal:
    """The tier stands; the traveller reads why. A second time is harmless."""
    why = _reason(why, actor)
    with transaction():
        appeal = _locked(appeal_id, actor)
        if appeal.state == AppealState.REFUSED.value:
            return appeal
        _still_open(appeal)
        _answer(appeal, AppealState.REFUSED, why, actor, at)
        appeal.tier_after = appeal.tier_before
        db.session.flush()
        _audit("appeal.refuse", appeal, actor, at, {})
    return appeal


def _reason(why: str, actor: Actor) -> str:
    if not actor.may(Permission.APPEALS_ANSWER):
        raise NotAllowed
    why = why.strip()
    if not why:
        raise InvalidInput.one("why", "missing", "Say why: the traveller reads it.")
    if len(why) > LONGEST_TEXT:
        raise InvalidInput.one("why", "length", f"at most {LONGEST_TEXT} characters")
    return why


def _locked(appeal_id: uuid.UUID, actor: Actor) -> Appeal:
    one(actor, appeal_id)
    query = select(Appeal).where(Appeal.id == appeal_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _still_open(appeal: Appeal) -> None:
    if appeal.state != AppealState.OPEN.value:
        raise Conflict("This appeal was answered before.")


def _marks(assessment: Assessment, positions: Sequence[int] | None, policy: PolicyData) -> list[dict[str, Any]]:
    """The marks of the chosen reasons; unless chosen, of those that make the tier."""
    reasons = list(assessment.reasons)
    heavy = [at for at, reason in enumerate(reasons) if reason["points"] >= policy.yellow_from]
    chosen = [reasons[at] for at in (heavy if positions is None else positions) if 0 <= at < len(reasons)]
    marks = [mark_of(reason) for reason in chosen if reason["rule"] not in NEVER and reason["rule"] != RULE]
    if not marks:
        raise InvalidInput.one("set_aside", "missing", "Choose at least one reason that does not hold.")
    return marks


def _undo_alerts(
    registration: Registration, after: Assessment, appeal: Appeal, policy: PolicyData, actor: Actor, at: datetime
) -> None:
    """Take back what the wrong tier had raised, and say once how the person stands now."""
    retract_for(registration.id, actor=actor, at=at, kinds=TIER_KINDS)
    inside = registration.state == RegistrationState.INSIDE.value
    new = NewAlert(
        kind="arrival" if inside else "registration",
        cause=f"appeal_granted:{appeal.id}",
        division_code=registration.destination_code,
        tier=after.tier,
        needs_answer=after.tier != Tier.GREEN.value,
        subject_id=registration.id,
        params={
            "rules": [reason["rule"] for reason in after.reasons],
            "arriving_on": registration.arriving_on.isoformat(),
        },
    )
    registration.alert_id = new.id
    db.session.flush()
    raise_alerts([new], policy, at)


def _answer(appeal: Appeal, state: AppealState, why: str, actor: Actor, at: datetime) -> None:
    appeal.state = state.value
    appeal.answered_at, appeal.answered_by = at, actor.key
    appeal.answer = why
    db.session.flush()
    close_alert(appeal, AlertState.RESOLVED, actor, at)


def close_alert(appeal: Appeal, state: AlertState, actor: Actor, at: datetime) -> None:
    """Close the alert of an appeal, if it still stands, in the transaction under way."""
    values: dict[str, Any] = {"state": state.value}
    if state is AlertState.RESOLVED:
        values |= {"resolved_at": at, "resolved_by": actor.key, "result": "handled"}
        values |= {
            "acknowledged_at": func.coalesce(Alert.acknowledged_at, at),
            "acknowledged_by": func.coalesce(Alert.acknowledged_by, actor.key),
        }
    moved: Any = db.session.execute(
        update(Alert).where(Alert.id == appeal.alert_id, Alert.state.in_(LIVE_STATES)).values(values)
    )
    if moved.rowcount:
        data = {"result": "handled"} if state is AlertState.RESOLVED else None
        wave = None if data else TAKEN_BACK
        note_change(appeal.alert_id, appeal.division_code, state.value, actor, at, data, wave=wave)


def _audit(act: str, appeal: Appeal, actor: Actor, at: datetime, data: dict[str, Any]) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="registration",
        object_id=appeal.registration_id,
        data={"appeal": str(appeal.id), **data},
    )
