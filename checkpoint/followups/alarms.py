"""The alerts that follow-up work raises: overdue, done without success, unwell. They close by themselves with the work."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, note_change
from checkpoint.database import db, transaction
from checkpoint.followups.models import FollowUp
from checkpoint.regions.models import at_level
from checkpoint.risk.policy import Tier
from checkpoint.words import _, lazy

OVERDUE, FAILED, UNWELL = "overdue_followup", "followup_failed", "health_report"
TOWN = 4
TASKS = {
    "arrival_visit": lazy("Visit at the door"),
    "landing_test": lazy("Landing test"),
    "test": lazy("Test"),
    "health_check": lazy("Health check"),
    "release": lazy("Release"),
}
RESULT_WORDS = {
    "arrived": lazy("Has arrived"),
    "not_here": lazy("Is not here"),
    "negative": lazy("Negative"),
    "positive": lazy("Positive"),
    "refused": lazy("Refused"),
    "well": lazy("Well"),
    "unwell": lazy("Unwell"),
    "no_answer": lazy("No answer"),
    "released": lazy("Release"),
    "extended": lazy("Extend"),
}


def task_words(kind: str, day: int) -> str:
    """A piece of work as a person calls it: Test, day 3."""
    name = str(TASKS.get(kind, kind))
    return _("%(work)s, day %(day)s", work=name, day=day) if day else name


def _explain(params: Mapping[str, Any]) -> tuple[str, ...]:
    work = task_words(str(params.get("task", "")), int(params.get("day", 0)))
    if "result" in params:
        return (_("%(work)s: %(result)s", work=work, result=RESULT_WORDS.get(params["result"], params["result"])),)
    return (_("Not done in time: %(work)s", work=work),)


register(Kind(OVERDUE, lazy("Follow-up work is overdue"), explain=_explain))
register(Kind(FAILED, lazy("Follow-up work without success"), explain=_explain))
register(Kind(UNWELL, lazy("Feels ill")))


def at_least_yellow(tier: str) -> str:
    """Work that was not done wants an answer whatever the tier."""
    return tier if Tier(tier).rank >= Tier.YELLOW.rank else Tier.YELLOW.value


def overdue_alert(task: FollowUp, tier: str, at: datetime) -> NewAlert:
    """Work that nobody has done in time, to the village; its own deadlines take it further up.

    The moment stands in the cause: work that was cancelled and is wanted again may become overdue a second time.
    """
    return NewAlert(
        kind=OVERDUE,
        cause=f"{_cause(OVERDUE, task.id)}:{int(at.timestamp())}",
        division_code=task.division_code,
        tier=at_least_yellow(tier),
        needs_answer=True,
        subject_id=task.registration_id,
        params={"followup": str(task.id), "task": task.kind, "day": task.day, "due_at": task.due_at.isoformat()},
    )


def failed_alert(task: FollowUp, tier: str) -> NewAlert:
    """Work that ended without success: not at the door, a test refused. The town hears of it at once."""
    return NewAlert(
        kind=FAILED,
        cause=_cause(FAILED, task.id),
        division_code=_town(task.division_code),
        tier=at_least_yellow(tier),
        needs_answer=True,
        subject_id=task.registration_id,
        params={"followup": str(task.id), "task": task.kind, "day": task.day, "result": task.result or ""},
    )


def unwell_alert(registration_id: uuid.UUID, division_code: str, tier: str, cause: uuid.UUID) -> NewAlert:
    """Somebody reports symptoms whose tier did not change by them."""
    return NewAlert(
        kind=UNWELL,
        cause=_cause(UNWELL, cause),
        division_code=division_code,
        tier=at_least_yellow(tier),
        needs_answer=True,
        subject_id=registration_id,
    )


def _cause(kind: str, about: uuid.UUID) -> str:
    return f"{kind}:{about}"


def _town(division_code: str) -> str:
    return at_level(division_code, TOWN)


def close_alarms(task_ids: Sequence[uuid.UUID], how: str, *, actor: Actor, at: datetime) -> int:
    """Close what stands about pieces of work: `resolved` when they were done, `retracted` when nobody needs them any more."""
    if not task_ids:
        return 0
    people = select(FollowUp.registration_id).where(FollowUp.id.in_(task_ids))
    about = select(Alert).where(Alert.subject_id.in_(people), Alert.kind.in_((OVERDUE, FAILED)))
    wanted = {str(one) for one in task_ids}
    return _close(about, how, actor, at, lambda params: params.get("followup") in wanted)


def close_failed(registration_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Somebody who was not at the door has been found: what the town was told is settled."""
    about = select(Alert).where(Alert.subject_id == registration_id, Alert.kind == FAILED)
    return _close(about, "resolved", actor, at, lambda params: params.get("task") == "arrival_visit")


def _close(about: Any, how: str, actor: Actor, at: datetime, fits: Callable[[Mapping[str, Any]], bool]) -> int:
    state = AlertState.RESOLVED if how == "resolved" else AlertState.RETRACTED
    values: dict[str, Any] = {"state": state.value}
    if state is AlertState.RESOLVED:
        values |= {"resolved_at": at, "resolved_by": actor.key, "result": "handled"}
    moved = 0
    with transaction() as session:
        session.flush()
        for alert in db.session.scalars(about.where(Alert.state.in_(LIVE_STATES))).all():
            if not fits(alert.params):
                continue
            done: Any = session.execute(
                update(Alert).where(Alert.id == alert.id, Alert.state.in_(LIVE_STATES)).values(values)
            )
            if done.rowcount:
                session.refresh(alert)
                data = {"result": "handled"} if state is AlertState.RESOLVED else None
                wave = None if data else TAKEN_BACK
                note_change(alert.id, alert.division_code, state.value, actor, at, data, wave=wave)
                moved += 1
    return moved
