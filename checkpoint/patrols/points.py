"""Points of closed crossings: putting one up, changing it, taking it down. Each verb is one transaction with an audit entry."""

import math
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from checkpoint.accounts import queries as accounts
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.service import check_division
from checkpoint.audit.service import record
from checkpoint.database import new_id, transaction
from checkpoint.errors import FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.patrols import queries
from checkpoint.patrols.models import PatrolPoint, PatrolTask, TaskState
from checkpoint.patrols.rounds import replan
from checkpoint.words import _


@dataclass(frozen=True, slots=True)
class PointForm:
    """A point as an administrator types it. `checkpoint` is the code of a post or empty; a position has both numbers or none."""

    name: str
    division: str
    checkpoint: str = ""
    latitude: str = ""
    longitude: str = ""


def create_point(form: PointForm, *, actor: Actor, at: datetime) -> PatrolPoint:
    """Put up a point. InvalidInput names every wrong field."""
    point = PatrolPoint(id=new_id(), active=True, created_at=at, **_values(form, actor))
    with transaction() as session:
        session.add(point)
        _audit(actor, at, "patrol_point.create", point.id)
    return point


def change_point(point_id: uuid.UUID, form: PointForm, *, actor: Actor, at: datetime) -> PatrolPoint:
    """Correct a point; its code stays as it was printed."""
    values = _values(form, actor)
    with transaction():
        point = queries.point(actor, point_id)
        for name, value in values.items():
            setattr(point, name, value)
        _audit(actor, at, "patrol_point.change", point.id)
    return point


def set_point_active(point_id: uuid.UUID, active: bool, *, actor: Actor, at: datetime) -> PatrolPoint:
    """Take a point out of the rounds, those under way included, or put it back into those to come."""
    _may_write(actor)
    with transaction() as session:
        point = queries.point(actor, point_id)
        if point.active == active:
            return point
        point.active = active
        if not active:
            session.execute(
                update(PatrolTask)
                .where(PatrolTask.point_id == point.id, PatrolTask.state == TaskState.DUE.value)
                .values(state=TaskState.DROPPED.value)
            )
        replan(queries.routes_through(point.id), at)
        _audit(actor, at, "patrol_point.open" if active else "patrol_point.close", point.id)
    return point


def _values(form: PointForm, actor: Actor) -> dict[str, object]:
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
    latitude, longitude = _degrees(form.latitude, 90), _degrees(form.longitude, 180)
    for field, typed, number, limit in (
        ("latitude", form.latitude, latitude, 90),
        ("longitude", form.longitude, longitude, 180),
    ):
        if typed.strip() and number is None:
            errors.append(FieldError(field, "range", _("Degrees from -%(limit)d to %(limit)d.", limit=limit)))
    if bool(form.latitude.strip()) != bool(form.longitude.strip()):
        missing = "longitude" if form.latitude.strip() else "latitude"
        errors.append(FieldError(missing, "missing", _("A position has both numbers, or none.")))
    if errors:
        raise InvalidInput(errors)
    return {
        "name": name,
        "division_code": form.division,
        "checkpoint_id": checkpoint_id,
        "latitude": latitude,
        "longitude": longitude,
    }


def _degrees(typed: str, limit: int) -> float | None:
    try:
        number = float(typed)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= limit else None


def _may_write(actor: Actor) -> None:
    if not actor.may(Permission.PATROLS_WRITE):
        raise NotAllowed


def _audit(actor: Actor, at: datetime, act: str, point_id: uuid.UUID) -> None:
    record(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="patrol_point", object_id=point_id)
