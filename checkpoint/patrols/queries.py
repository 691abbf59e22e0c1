"""Reading points, routes, rounds and visits, within the reader's jurisdiction; and what a tablet walks today."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.patrols.models import (
    PatrolPhoto,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolSlot,
    PatrolStop,
    PatrolTask,
    PatrolVisit,
    TaskState,
)
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import open_picture
from checkpoint.regions.models import contains


@dataclass(frozen=True, slots=True)
class TaskView:
    """A point of a round, with the last visit that counted for it."""

    task: PatrolTask
    point: PatrolPoint
    visit: PatrolVisit | None


@dataclass(frozen=True, slots=True)
class RoundView:
    """A round with those of its points that the reader may see, in their order."""

    round: PatrolRound
    route: PatrolRoute
    tasks: tuple[TaskView, ...]

    def count(self, state: str) -> int:
        """How many points are due, done or missed."""
        return sum(one.task.state == state for one in self.tasks)

    @property
    def total(self) -> int:
        """How many points have to be walked."""
        return sum(one.task.state != TaskState.DROPPED.value for one in self.tasks)


def _scoped(actor: Actor) -> Select[PatrolPoint]:
    if not actor.may(Permission.PATROLS_READ):
        raise NotAllowed
    return select(PatrolPoint).where(in_reach(actor, PatrolPoint.division_code))


def points(actor: Actor) -> list[PatrolPoint]:
    """The points of the actor's jurisdiction: those in use first, by division and name."""
    query = _scoped(actor).order_by(PatrolPoint.active.desc(), PatrolPoint.division_code, PatrolPoint.name)
    return list(db.session.scalars(query))


def point(actor: Actor, point_id: uuid.UUID) -> PatrolPoint:
    """One point; NotFound outside the jurisdiction."""
    found = db.session.scalar(_scoped(actor).where(PatrolPoint.id == point_id))
    if found is None:
        raise NotFound
    return found


def routes(actor: Actor) -> list[PatrolRoute]:
    """The routes of the actor's jurisdiction: those in use first, by name."""
    if not actor.may(Permission.PATROLS_READ):
        raise NotAllowed
    query = select(PatrolRoute).where(in_reach(actor, PatrolRoute.division_code))
    return list(db.session.scalars(query.order_by(PatrolRoute.active.desc(), PatrolRoute.name)))


def route(actor: Actor, route_id: uuid.UUID) -> PatrolRoute:
    """One route; NotFound outside the jurisdiction."""
    found = db.session.get(PatrolRoute, route_id)
    if found is None or not actor.sees(found.division_code):
        raise NotFound
    return found


def stops(route_id: uuid.UUID) -> list[PatrolPoint]:
    """The points of a route in their order; the caller has scoped the route."""
    query = select(PatrolPoint).join(PatrolStop, PatrolStop.point_id == PatrolPoint.id)
    return list(db.session.scalars(query.where(PatrolStop.route_id == route_id).order_by(PatrolStop.position)))


def stop_counts(route_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many points in use each route has."""
    rows = db.session.execute(
        select(PatrolStop.route_id, func.count())
        .join(PatrolPoint, PatrolPoint.id == PatrolStop.point_id)
        .where(PatrolStop.route_id.in_(route_ids), PatrolPoint.active)
        .group_by(PatrolStop.route_id)
    )
    return {route_id: count for route_id, count in rows}


def slots(route_id: uuid.UUID) -> list[PatrolSlot]:
    """The timetable of a route as it is in force, earliest first."""
    query = select(PatrolSlot).where(PatrolSlot.route_id == route_id, PatrolSlot.active)
    return list(db.session.scalars(query.order_by(PatrolSlot.starts_minute)))


def routes_through(point_id: uuid.UUID) -> list[uuid.UUID]:
    """The routes that a point stands on."""
    return list(db.session.scalars(select(PatrolStop.route_id).where(PatrolStop.point_id == point_id)))


def rounds(actor: Actor, since: datetime, until: datetime) -> list[RoundView]:
    """The rounds that are open at some time in [since, until), with the points of the actor's jurisdiction; the next to end first."""
    visible = {one.id for one in points(actor)}
    found = _rounds(since, until, None)
    views = [
        RoundView(one.round, one.route, tuple(task for task in one.tasks if task.point.id in visible)) for one in found
    ]
    return [one for one in views if one.tasks]


def tablet_rounds(actor: Actor, since: datetime, until: datetime) -> list[RoundView]:
    """The rounds that the tablets of the actor's checkpoint walk: its own, and those of the town or village it stands in."""
    post = db.session.get(Checkpoint, actor.checkpoint_id) if actor.checkpoint_id else None
    if post is None:
        raise NotFound
    walked = [
        one.id
        for one in db.session.scalars(select(PatrolRoute))
        if one.checkpoint_id == post.id
        or (one.checkpoint_id is None and contains(one.division_code, post.division_code))
    ]
    return _rounds(since, until, walked)


def known_points(actor: Actor) -> list[PatrolPoint]:
    """The points in use that a tablet of this city may meet."""
    return list(
        db.session.scalars(select(PatrolPoint).where(in_reach(actor, PatrolPoint.division_code), PatrolPoint.active))
    )


def _rounds(since: datetime, until: datetime, route_ids: Sequence[uuid.UUID] | None) -> list[RoundView]:
    query = (
        select(PatrolRound, PatrolRoute)
        .join(PatrolRoute, PatrolRoute.id == PatrolRound.route_id)
        .where(PatrolRound.closes_at > since, PatrolRound.opens_at < until)
        .order_by(PatrolRound.closes_at, PatrolRoute.name)
    )
    if route_ids is not None:
        query = query.where(PatrolRound.route_id.in_(route_ids))
    found = [(one, walked) for one, walked in db.session.execute(query)]
    tasks = _tasks([one.id for one, _route in found])
    return [RoundView(one, walked, tuple(tasks.get(one.id, ()))) for one, walked in found]


def _tasks(round_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[TaskView]]:
    if not round_ids:
        return {}
    rows = db.session.execute(
        select(PatrolTask, PatrolPoint)
        .join(PatrolPoint, PatrolPoint.id == PatrolTask.point_id)
        .where(PatrolTask.round_id.in_(round_ids))
        .order_by(PatrolTask.position)
    ).all()
    visits: dict[uuid.UUID, PatrolVisit] = {}
    done = [task.id for task, _point in rows if task.state == TaskState.DONE.value]
    if done:
        query = select(PatrolVisit).where(PatrolVisit.task_id.in_(done)).order_by(PatrolVisit.counted_at)
        for visit in db.session.scalars(query):
            if visit.task_id is not None:
                visits[visit.task_id] = visit  # the last one stands
    grouped: dict[uuid.UUID, list[TaskView]] = {}
    for task, found in rows:
        grouped.setdefault(task.round_id, []).append(TaskView(task, found, visits.get(task.id)))
    return grouped


def visits(point_id: uuid.UUID, *, limit: int = 30) -> list[tuple[PatrolVisit, str]]:
    """The last visits to a point with the names of the posts whose tablets made them; the caller has scoped the point."""
    rows = db.session.execute(
        select(PatrolVisit, Checkpoint.name)
        .join(Checkpoint, Checkpoint.id == PatrolVisit.checkpoint_id)
        .where(PatrolVisit.point_id == point_id)
        .order_by(PatrolVisit.counted_at.desc())
        .limit(limit)
    )
    return [(visit, name) for visit, name in rows]


def last_visits(point_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, PatrolVisit]:
    """The last visit to each of some points."""
    newest = (
        select(PatrolVisit.point_id, func.max(PatrolVisit.counted_at).label("at"))
        .where(PatrolVisit.point_id.in_(point_ids))
        .group_by(PatrolVisit.point_id)
        .subquery()
    )
    query = select(PatrolVisit).join(
        newest, (PatrolVisit.point_id == newest.c.point_id) & (PatrolVisit.counted_at == newest.c.at)
    )
    return {visit.point_id: visit for visit in db.session.scalars(query)}


def photo(actor: Actor, visit_id: uuid.UUID) -> tuple[PatrolVisit, bytes]:
    """The photo of a visit as JPEG; NotFound when there is none or its point lies outside the jurisdiction."""
    visit = db.session.get(PatrolVisit, visit_id)
    kept = db.session.get(PatrolPhoto, visit_id)
    if visit is None or kept is None:
        raise NotFound
    point(actor, visit.point_id)
    return visit, open_picture(keyring(), kept.image_sealed, PatrolPhoto.__tablename__, "image", visit_id)
