"""Patrols to walk: points, a route with a timetable, photos, and visits as a tablet tells of them."""

import io
import uuid
from datetime import datetime
from typing import Any

from PIL import Image, ImageDraw

from checkpoint.patrols import points, routes
from checkpoint.patrols.codes import code_of
from checkpoint.patrols.models import PatrolPoint, PatrolRoute
from checkpoint.patrols.rounds import plan_rounds
from checkpoint.patrols.service import Recorded, Visit, record_visit
from checkpoint.privacy import keyring
from tests.factories import NOW, people
from tests.factories.divisions import TOWN, VILLAGE

ALL_DAYS = tuple("0123456")


def point(name: str = "白沙湾路口", division: str = VILLAGE, *, at: datetime = NOW) -> PatrolPoint:
    """A stored point."""
    return points.create_point(points.PointForm(name, division), actor=people.operator(), at=at)


def route(
    *stops: PatrolPoint, times: tuple[tuple[str, str], ...] = (("10:30", "60"),), at: datetime = NOW, **more: str
) -> PatrolRoute:
    """A stored route through the points, walked every day at `times` (start at the site, minutes), with its rounds made."""
    made = routes.create_route(
        routes.RouteForm(more.get("name", "北线"), more.get("division", TOWN), more.get("checkpoint", "")),
        actor=people.operator(),
        at=at,
    )
    routes.set_stops(made.id, [stop.id for stop in stops], actor=people.operator(), at=at)
    for starts, minutes in times:
        routes.add_slot(made.id, routes.SlotForm(starts, minutes, ALL_DAYS), actor=people.operator(), at=at)
    plan_rounds(at)
    return made


def code(of: PatrolPoint) -> str:
    """The text of a point's QR code."""
    return code_of(keyring(), of.id)


def photo(width: int = 640, height: int = 480, **more: Any) -> bytes:
    """A JPEG of a barrier across a road."""
    picture = Image.new("RGB", (width, height), (120, 130, 120))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height // 2, width, height // 2 + 30), fill=(200, 40, 30))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80, **more)
    return buffer.getvalue()


def visit(to: PatrolPoint, tablet: people.Tablet, visited_at: datetime, found: str = "closed", **more: Any) -> Recorded:
    """A visit that is told of at once, or at `received_at`."""
    received_at = more.pop("received_at", visited_at)
    told = Visit(more.pop("visit_id", uuid.uuid4()), code(to), visited_at, found, **more)
    return record_visit(told, actor=tablet.actor, at=received_at)
