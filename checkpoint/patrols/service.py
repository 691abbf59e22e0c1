"""A visit to a point: recorded once, counted for its round, and told to the town when the barrier does not stand as it should."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import NewAlert, note_change, raise_alerts, retract_for
from checkpoint.database import db, transaction
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.patrols.codes import read_code
from checkpoint.patrols.models import (
    Found,
    PatrolPhoto,
    PatrolPoint,
    PatrolRound,
    PatrolTask,
    PatrolVisit,
    TaskState,
)
from checkpoint.patrols.photos import checked
from checkpoint.patrols.planning import Candidate, choose, counted
from checkpoint.patrols.rounds import TOWN
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import seal_picture
from checkpoint.regions.models import at_level
from checkpoint.risk.policy import PolicyData, Tier
from checkpoint.risk.service import current_state
from checkpoint.words import _

OPEN_BARRIER = "barrier_open"
# How bad what was found is: a barrier that is damaged still stands, one that is open does not.
_TIERS = {
    Found.DAMAGED.value: Tier.YELLOW.value,
    Found.OPEN.value: Tier.RED.value,
    Found.CROSSING.value: Tier.RED.value,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """What a tablet tells of a visit. `visited_at` is its own clock, `skew_seconds` how far that is ahead of the server's."""

    visit_id: uuid.UUID
    token: str
    visited_at: datetime
    found: str
    note: str | None = None
    photo: bytes | None = None
    skew_seconds: float = 0.0
    shift_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored visit with its point. `counts` is `round` for the first in a round, `again` for one more, `outside` of all rounds."""

    visit: PatrolVisit
    point: PatrolPoint
    round_id: uuid.UUID | None
    counts: str


def record_visit(visit: Visit, *, actor: Actor, at: datetime) -> Recorded:
    """Store a visit and let it count; the same visit_id again returns the first result and changes nothing.

    InvalidInput names `token` for a code that this system has not issued, and `photo` for what cannot be kept.
    """
    if not actor.may(Permission.SCANS_WRITE) or actor.checkpoint_id is None or actor.id is None:
        raise NotAllowed
    known = db.session.get(PatrolVisit, visit.visit_id)
    if known is not None:
        return _first_result(known, actor)
    if visit.found not in tuple(Found):
        raise InvalidInput.one("found", "literal_error", f"found must be one of {', '.join(Found)}")
    point_id = read_code(keyring(), visit.token)
    if point_id is None:
        raise InvalidInput.one("token", "forged", _("This is not the code of a patrol point of this system."))
    photo = None if visit.photo is None else checked(visit.photo)
    policy = current_state(
        at
    ).policy  # before the transaction: the first who asks of all makes the state, in one of its own
    with transaction() as session:
        # The point's row is the gate for all who tell of it: a repeat waits here, then finds the first one stored.
        point = session.scalar(select(PatrolPoint).where(PatrolPoint.id == point_id).with_for_update())
        if point is None or not actor.sees(point.division_code):
            raise InvalidInput.one("token", "unknown", _("This patrol point does not exist any more."))
        known = session.scalar(select(PatrolVisit).where(PatrolVisit.id == visit.visit_id))
        if known is not None:
            return _first_result(known, actor)
        counted_at = counted(visit.visited_at, at, visit.skew_seconds)
        task = _task(point.id, counted_at)
        row = _row(visit, point, task, counted_at, actor, at)
        session.add(row)
        session.flush()
        if photo is not None:
            session.add(_photo_row(row.id, photo))
        if task is not None:
            _count(task, counted_at, actor, at)
        _weigh(row, point, task, policy, actor, at)
        session.flush()
    return _result(row, point)


def _first_result(known: PatrolVisit, actor: Actor) -> Recorded:
    if known.checkpoint_id != actor.checkpoint_id:
        raise NotFound
    return _result(known, db.session.get_one(PatrolPoint, known.point_id))


def _result(visit: PatrolVisit, point: PatrolPoint) -> Recorded:
    if visit.task_id is None:
        return Recorded(visit, point, None, "outside")
    task = db.session.get_one(PatrolTask, visit.task_id)
    first = db.session.scalar(
        select(PatrolVisit.id)
        .where(PatrolVisit.task_id == task.id)
        .order_by(PatrolVisit.received_at, PatrolVisit.id)
        .limit(1)
    )
    return Recorded(visit, point, task.round_id, "round" if first == visit.id else "again")


def _task(point_id: uuid.UUID, counted_at: datetime) -> PatrolTask | None:
    rows = db.session.execute(
        select(PatrolTask, PatrolRound.opens_at, PatrolRound.closes_at)
        .join(PatrolRound, PatrolRound.id == PatrolTask.round_id)
        .where(
            PatrolTask.point_id == point_id,
            PatrolTask.state != TaskState.DROPPED.value,
            PatrolRound.opens_at <= counted_at,
            PatrolRound.closes_at >= counted_at,
        )
        .with_for_update(of=PatrolTask)
    ).all()
    chosen = choose(
        [Candidate(opens_at, closes_at, task.state == TaskState.DONE.value) for task, opens_at, closes_at in rows],
        counted_at,
    )
    return None if chosen is None else rows[chosen][0]


def _row(
    visit: Visit, point: PatrolPoint, task: PatrolTask | None, counted_at: datetime, actor: Actor, at: datetime
) -> PatrolVisit:
    row = PatrolVisit(
        id=visit.visit_id,
        point_id=point.id,
        task_id=None if task is None else task.id,
        device_id=actor.id,
        checkpoint_id=actor.checkpoint_id,
        shift_id=visit.shift_id,
        found=visit.found,
        has_photo=visit.photo is not None,
        visited_at=visit.visited_at,
        counted_at=counted_at,
        received_at=at,
    )
    row.note = (visit.note or "").strip() or None
    return row


def _photo_row(visit_id: uuid.UUID, jpeg: bytes) -> PatrolPhoto:
    return PatrolPhoto(
        id=visit_id, image_sealed=seal_picture(keyring(), jpeg, PatrolPhoto.__tablename__, "image", visit_id)
    )


def _count(task: PatrolTask, counted_at: datetime, actor: Actor, at: datetime) -> None:
    if task.state == TaskState.DONE.value:
        return
    if task.state == TaskState.MISSED.value:
        retract_for(task.id, actor=actor, at=at)  # it was visited in time; the tablet could not tell of it
    task.state = TaskState.DONE.value
    task.done_at = counted_at


def _weigh(
    visit: PatrolVisit, point: PatrolPoint, task: PatrolTask | None, policy: PolicyData, actor: Actor, at: datetime
) -> None:
    """Raise an alert for a barrier that does not stand as it should; one that stands already for this round hears of it."""
    tier = _TIERS.get(visit.found)
    standing = _standing(point.id)
    if tier is None:
        for alert in standing:
            note_change(alert.id, alert.division_code, "found_closed", actor, at)
        return
    same_round = [alert for alert in standing if task is None or alert.params.get("task") == str(task.id)]
    if max((Tier(alert.tier).rank for alert in same_round), default=0) >= Tier(tier).rank:
        for alert in same_round:
            note_change(alert.id, alert.division_code, "found_again", actor, at, {"found": visit.found})
        return
    if same_round:  # damaged before, open now: the worse one takes the milder one's place
        retract_for(point.id, actor=actor, at=at)
    new = NewAlert(
        kind=OPEN_BARRIER,
        cause=f"{OPEN_BARRIER}:{visit.id}",
        division_code=at_level(point.division_code, TOWN),
        tier=tier,
        needs_answer=True,
        subject_type="patrol_point",
        subject_id=point.id,
        params={
            "point": str(point.id),
            "name": point.name,
            "found": visit.found,
            "found_at": visit.counted_at.isoformat(),
            "visit": str(visit.id),
            "photo": visit.has_photo,
            "task": None if task is None else str(task.id),
        },
    )
    raise_alerts([new], policy, at)


def _standing(point_id: uuid.UUID) -> list[Alert]:
    return list(
        db.session.scalars(
            select(Alert).where(Alert.subject_id == point_id, Alert.kind == OPEN_BARRIER, Alert.state.in_(LIVE_STATES))
        )
    )
