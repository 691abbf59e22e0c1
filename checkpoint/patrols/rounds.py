"""Rounds by the clock: made from the timetables ahead of time, and those points told of that nobody has visited."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.config import Settings
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.patrols.models import (
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolSlot,
    PatrolStop,
    PatrolTask,
    TaskState,
)
from checkpoint.patrols.planning import AHEAD, GRACE, Window, is_missed, windows
from checkpoint.regions.models import at_level
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import current_state

MISSED = "patrol_missed"
TOWN = 4
_LIMIT = 500  # how many missed points one run tells of, so that its transaction stays short


def plan_rounds(at: datetime) -> int:
    """Make the rounds that are open now or open within the next 36 hours; returns how many were new.

    Two processes may do this at once: a line of a timetable has one round a day.
    """
    missing = _missing(at)
    if not missing:
        return 0
    with transaction():
        return sum(_make(slot, found) for slot, found in missing)


def _missing(at: datetime) -> list[tuple[PatrolSlot, Window]]:
    settings: Settings = current_app.extensions["settings"]
    slots = db.session.scalars(
        select(PatrolSlot)
        .join(PatrolRoute, PatrolRoute.id == PatrolSlot.route_id)
        .where(PatrolSlot.active, PatrolRoute.active)
    ).all()
    wanted = [
        (slot, found)
        for slot in slots
        for found in windows(
            slot.starts_minute,
            slot.window_minutes,
            slot.weekdays,
            since=slot.since,
            at=at,
            timezone=settings.timezone,
        )
    ]
    made = {
        (slot_id, day)
        for slot_id, day in db.session.execute(
            select(PatrolRound.slot_id, PatrolRound.day).where(
                PatrolRound.closes_at > at, PatrolRound.opens_at <= at + AHEAD
            )
        )
    }
    return [(slot, found) for slot, found in wanted if (slot.id, found.day) not in made]


def _make(slot: PatrolSlot, found: Window) -> int:
    points = db.session.execute(
        select(PatrolStop.position, PatrolStop.point_id)
        .join(PatrolPoint, PatrolPoint.id == PatrolStop.point_id)
        .where(PatrolStop.route_id == slot.route_id, PatrolPoint.active)
        .order_by(PatrolStop.position)
    ).all()
    if not points:
        return 0  # a route without points is not walked yet; it gets its rounds when it has some
    round_id = new_id()
    row = {
        "id": round_id,
        "route_id": slot.route_id,
        "slot_id": slot.id,
        "day": found.day,
        "opens_at": found.opens_at,
        "closes_at": found.closes_at,
    }
    if not _inserted(row):
        return 0
    insert_rows(
        PatrolTask,
        [
            {
                "id": new_id(),
                "round_id": round_id,
                "point_id": point_id,
                "position": position,
                "state": TaskState.DUE.value,
                "done_at": None,
            }
            for position, point_id in points
        ],
    )
    return 1


def _inserted(row: dict[str, Any]) -> bool:
    connection = db.session.connection()
    maker: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[connection.dialect.name]
    statement = maker(cast(Table, PatrolRound.__table__)).values(row)
    return connection.execute(statement.on_conflict_do_nothing().returning(PatrolRound.id)).first() is not None


def replan(route_ids: Sequence[uuid.UUID], at: datetime) -> None:
    """Make the rounds of some routes anew that have not opened yet, after a change of points or times. Joins a transaction."""
    with transaction() as session:
        session.flush()
        session.execute(
            delete(PatrolRound).where(PatrolRound.route_id.in_(route_ids), PatrolRound.opens_at > at)
        )  # nobody can have visited a point in a round that is still to come
        plan_rounds(at)


def tell_missed(at: datetime) -> int:
    """Raise an alert to the town of each point whose window and grace are over without a visit; returns how many."""
    overdue = (
        select(PatrolTask.id)
        .join(PatrolRound, PatrolRound.id == PatrolTask.round_id)
        .where(PatrolTask.state == TaskState.DUE.value, PatrolRound.closes_at < at - GRACE)
        .limit(_LIMIT)
    )
    ids = db.session.scalars(overdue).all()
    if not ids:
        return 0
    policy = current_state(at).policy
    with transaction() as session:
        rows = session.execute(
            select(PatrolTask, PatrolRound, PatrolPoint)
            .join(PatrolRound, PatrolRound.id == PatrolTask.round_id)
            .join(PatrolPoint, PatrolPoint.id == PatrolTask.point_id)
            .where(PatrolTask.id.in_(ids), PatrolTask.state == TaskState.DUE.value)
            .with_for_update(of=PatrolTask, skip_locked=True)
        ).all()
        missed = [(task, found, point) for task, found, point in rows if is_missed(found.closes_at, at)]
        for task, _found, _point in missed:
            task.state = TaskState.MISSED.value
        session.flush()
        raise_alerts([_missed_alert(task, found, point) for task, found, point in missed], policy, at)
    return len(missed)


def _missed_alert(task: PatrolTask, found: PatrolRound, point: PatrolPoint) -> NewAlert:
    return NewAlert(
        kind=MISSED,
        cause=f"{MISSED}:{task.id}",
        division_code=at_level(point.division_code, TOWN),
        tier=Tier.YELLOW.value,
        needs_answer=True,
        subject_type="patrol_task",
        subject_id=task.id,
        params={
            "point": str(point.id),
            "name": point.name,
            "round": str(found.id),
            "opens_at": found.opens_at.isoformat(),
            "closes_at": found.closes_at.isoformat(),
        },
    )
