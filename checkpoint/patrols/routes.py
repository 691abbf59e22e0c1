"""Routes and their timetables. A change counts from the next round that has not opened yet; what is under way stays as it is."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update

from checkpoint.accounts import queries as accounts
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.service import check_division
from checkpoint.audit.service import record
from checkpoint.database import insert_rows, new_id, transaction
from checkpoint.errors import FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.patrols import queries
from checkpoint.patrols.models import PatrolRoute, PatrolSlot, PatrolStop
from checkpoint.patrols.planning import LONGEST_WINDOW, clashes
from checkpoint.patrols.rounds import replan
from checkpoint.words import _

MOST_STOPS = 60
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
SHORTEST_WINDOW = 15  # minutes


@dataclass(frozen=True, slots=True)
class RouteForm:
    """A route as an administrator types it. `checkpoint` is the code of the post whose tablets walk it, or empty."""

    name: str
    division: str
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class SlotForm:
    """A line of the timetable as typed: `starts` is HH:MM at the site, `weekdays` are the numbers 0 (Monday) to 6."""

    starts: str
    window: str
    weekdays: Sequence[str]


def create_route(form: RouteForm, *, actor: Actor, at: datetime) -> PatrolRoute:
    """Make a route without points and times. InvalidInput names every wrong field."""
    values = _values(form, actor)
    route = PatrolRoute(id=new_id(), active=True, created_at=at, **values)
    with transaction() as session:
        session.add(route)
        _audit(actor, at, "patrol_route.create", route.id)
    return route


def set_stops(route_id: uuid.UUID, point_ids: Sequence[uuid.UUID], *, actor: Actor, at: datetime) -> PatrolRoute:
    """Say which points a route has, in the order in which they are walked."""
    _may_write(actor)
    with transaction() as session:
        route = queries.route(actor, route_id)
        if len(set(point_ids)) != len(point_ids):
            raise InvalidInput.one("points", "twice", _("A point can stand on a route once."))
        if len(point_ids) > MOST_STOPS:
            raise InvalidInput.one("points", "too_many", _("A route has at most %(most)d points.", most=MOST_STOPS))
        known = {point.id for point in queries.points(actor)}
        if not known.issuperset(point_ids):
            raise InvalidInput.one("points", "unknown", _("One of these points does not exist."))
        session.execute(delete(PatrolStop).where(PatrolStop.route_id == route.id))
        insert_rows(
            PatrolStop,
            [
                {"route_id": route.id, "position": position, "point_id": point_id}
                for position, point_id in enumerate(point_ids, 1)
            ],
        )
        replan([route.id], at)
        _audit(actor, at, "patrol_route.stops", route.id)
    return route


def set_route_active(route_id: uuid.UUID, active: bool, *, actor: Actor, at: datetime) -> PatrolRoute:
    """Stop walking a route after the rounds under way, or walk it again from the next round that opens."""
    _may_write(actor)
    with transaction() as session:
        route = queries.route(actor, route_id)
        if route.active != active:
            route.active = active
            if active:
                session.execute(update(PatrolSlot).where(PatrolSlot.route_id == route.id).values(since=at))
            replan([route.id], at)
            _audit(actor, at, "patrol_route.open" if active else "patrol_route.close", route.id)
    return route


def add_slot(route_id: uuid.UUID, form: SlotForm, *, actor: Actor, at: datetime) -> PatrolSlot:
    """Add a line to a route's timetable; windows that have opened already do not count. InvalidInput names every wrong field."""
    _may_write(actor)
    starts_minute, window_minutes, weekdays = _times(form)
    with transaction() as session:
        route = queries.route(actor, route_id)
        others = [(slot.starts_minute, slot.window_minutes, slot.weekdays) for slot in queries.slots(route.id)]
        if clashes(starts_minute, window_minutes, weekdays, others):
            raise InvalidInput.one("starts", "clash", _("This time overlaps another round of the route."))
        slot = PatrolSlot(
            id=new_id(),
            route_id=route.id,
            starts_minute=starts_minute,
            window_minutes=window_minutes,
            weekdays=weekdays,
            active=True,
            since=at,
        )
        session.add(slot)
        replan([route.id], at)
        _audit(actor, at, "patrol_slot.create", slot.id)
    return slot


def remove_slot(slot_id: uuid.UUID, *, actor: Actor, at: datetime) -> PatrolRoute:
    """Take a line off the timetable. Rounds of the past keep it; returns its route."""
    _may_write(actor)
    with transaction() as session:
        slot = session.get(PatrolSlot, slot_id)
        if slot is None:
            raise NotFound
        route = queries.route(actor, slot.route_id)
        if slot.active:
            slot.active = False
            replan([route.id], at)
            _audit(actor, at, "patrol_slot.remove", slot.id)
    return route


def _values(form: RouteForm, actor: Actor) -> dict[str, object]:
    _may_write(actor)
    name = form.name.strip()
    errors = check_division(actor, form.division)
    if not 1 <= len(name) <= 64 or not name.isprintable():
        errors.append(FieldError("name", "length", _("1 to 64 characters.")))
    checkpoint_id = None
    if form.checkpoint:
        try:
            checkpoint_id = accounts.checkpoint(actor, form.checkpoint).id
        except NotFound:
            errors.append(FieldError("checkpoint", "unknown", _("Choose a checkpoint.")))
    if errors:
        raise InvalidInput(errors)
    return {"name": name, "division_code": form.division, "checkpoint_id": checkpoint_id}


def _times(form: SlotForm) -> tuple[int, int, int]:
    errors = []
    time = _TIME.fullmatch(form.starts.strip())
    if time is None:
        errors.append(FieldError("starts", "format", _("A time like 06:30.")))
    window = int(form.window) if re.fullmatch(r"[0-9]{1,4}", form.window.strip()) else 0
    if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
        message = _("From %(low)d to %(high)d minutes.", low=SHORTEST_WINDOW, high=LONGEST_WINDOW)
        errors.append(FieldError("window", "range", message))
    weekdays = 0
    for day in form.weekdays:
        if day in tuple("0123456"):
            weekdays |= 1 << int(day)
    if not weekdays:
        errors.append(FieldError("weekdays", "missing", _("Choose at least one day.")))
    if errors or time is None:
        raise InvalidInput(errors)
    return int(time[1]) * 60 + int(time[2]), window, weekdays


def _may_write(actor: Actor) -> None:
    if not actor.may(Permission.PATROLS_WRITE):
        raise NotAllowed


def _audit(actor: Actor, at: datetime, act: str, object_id: uuid.UUID) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type=act.partition(".")[0],
        object_id=object_id,
    )
