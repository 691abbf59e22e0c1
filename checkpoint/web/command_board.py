"""Where we stand: the live page of a division, its wall, and the report of a day. City command sees the city, a town itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template
from flask_babel import get_locale
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.config import Settings
from checkpoint.errors import NotFound
from checkpoint.risk import queries as lists
from checkpoint.risk.lists import SAMPLE_SOURCE
from checkpoint.risk.models import RiskList
from checkpoint.risk.service import State, current_state
from checkpoint.standing import mailing, reports
from checkpoint.standing.figures import TIERS
from checkpoint.standing.service import Board, narrowed, standing
from checkpoint.standing.tiles import lay_out
from checkpoint.standing.wording import percent, seconds
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.inbox import wants_fragment

blueprint = Blueprint("board", __name__, url_prefix="/command")

Answer = str | Response | BaseResponse


@dataclass(frozen=True, slots=True)
class ListInForce:
    """The list that assessments are made under; `stale` when nobody has confirmed it for longer than the policy allows."""

    row: RiskList | None
    confirmed_at: datetime | None
    stale: bool
    sample: bool


def settings() -> Settings:
    """The settings of this site."""
    found: Settings = current_app.extensions["settings"]
    return found


def list_in_force(state: State, at: datetime) -> ListInForce:
    """The list in force, and whether it can be trusted."""
    row = lists.in_force()
    age = None if state.confirmed_at is None else (at - state.confirmed_at).total_seconds() / 3600
    stale = row is not None and (age is None or age > state.policy.list_stale_hours)
    return ListInForce(row, state.confirmed_at, stale, row is not None and row.source == SAMPLE_SOURCE)


def here(actor: Actor) -> Actor:
    """The actor, looking at the site at most: somebody of the province above it looks at this city all the same."""
    site = settings().site_division
    return narrowed(actor, site) if actor.sees(site) else actor


def _board(app: Flask) -> Board:
    """The figures of this process."""
    found: Board = app.extensions.setdefault("standing", Board())
    return found


def values(actor: Actor) -> Mapping[str, Any]:
    """What the page and the wall show. A page is counted for itself; a script, of which many may ask at once, may get what another got."""
    at, timezone = clock.now(), settings().timezone
    today = clock.local_date(at, timezone)
    if wants_fragment():
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        found = _board(app).look(actor, today, at, timezone=timezone)
    else:
        found = standing(actor, today, at, timezone=timezone)
    state = current_state(at)
    yesterday = today - timedelta(days=1)
    return {
        "standing": found,
        "map": lay_out(found.places, found.division),
        "in_force": list_in_force(state, at),
        "arrival_hours": state.policy.arrival_hours,
        "percent": percent,
        "seconds": seconds,
        "tiers": TIERS,
        "timezone": timezone,
        "yesterday": yesterday,
        "undelivered": mailing.undelivered(yesterday) if found.division == settings().site_division else 0,
        "page": "index",
    }


def board(actor: Actor, address: str) -> str:
    """The page of a division, or to its script only the figures; `address` is the page's own."""
    template = "command/_standing.html" if wants_fragment() else "command/index.html"
    return render_template(template, address=address, **values(actor))


@blueprint.get("/here")
@requires(Permission.STANDING_READ)
def own() -> Answer:
    """Where the reader's own division stands: for a town, whom command's pages are not meant for."""
    return board(here(current_actor()), "/command/here")


@blueprint.get("/places/<code>")
@requires(Permission.STANDING_READ)
def place(code: str) -> Answer:
    """Where a town stands, by village; 404 outside the reader's jurisdiction."""
    actor = here(current_actor())
    if len(code) != len(settings().site_division) or not code.isascii() or not code.isdigit():
        raise NotFound
    return board(narrowed(actor, code), f"/command/places/{code}")


@blueprint.get("/screen")
@requires(Permission.STANDING_READ)
def screen() -> Answer:
    """The figures of the reader's division for a wall: everything on one screen, nothing to touch."""
    template = "command/_wall.html" if wants_fragment() else "command/wall.html"
    return render_template(template, address="/command/screen", **values(here(current_actor())))


@blueprint.get("/report/<day>.<kind>")
@requires(Permission.STANDING_READ)
def report(day: str, kind: str) -> Answer:
    """The report of a day of the reader's division, as pdf or xlsx. What is still running is told as of now."""
    at, timezone = clock.now(), settings().timezone
    try:
        asked = date.fromisoformat(day)
    except ValueError as error:
        raise NotFound from error
    if kind not in reports.KINDS or asked > clock.local_date(at, timezone):
        raise NotFound
    locale = get_locale()
    made = reports.make(
        here(current_actor()), asked, kind, at, timezone=timezone, language="zh" if locale is None else locale.language
    )
    response = Response(made.data, mimetype=made.mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response
