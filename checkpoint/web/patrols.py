"""Patrols of closed crossings for people: today's rounds, a point with its visits and photos; for command the points, routes, times."""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import queries as accounts
from checkpoint.accounts.permissions import Permission
from checkpoint.audit.service import record
from checkpoint.config import Settings
from checkpoint.database import transaction
from checkpoint.errors import FieldError, InvalidInput, NotFound
from checkpoint.patrols import points, queries, routes
from checkpoint.patrols.codes import code_of
from checkpoint.patrols.models import PatrolPoint
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import MIMETYPE
from checkpoint.regions import queries as divisions
from checkpoint.web import patrol_words as words
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.forms.chosen import chosen_division
from checkpoint.web.inbox_cards import place_names
from checkpoint.web.inbox_words import word
from checkpoint.web.qr import qr_svg

blueprint = Blueprint("patrols", __name__, url_prefix="/patrols")
Answer = str | Response | BaseResponse | tuple[str, int]
Values = dict[str, Any]
PHOTO_SECONDS = 600  # how long a browser keeps a photo, so that a page that repaints does not ask, and audit, again


@blueprint.get("")
@requires(Permission.PATROLS_READ)
def today() -> Answer:
    """The rounds of a day (today unless `day` says another): what is done, due and missed, with the last photo of each point."""
    settings: Settings = current_app.extensions["settings"]
    at = clock.now()
    now_day = clock.local_date(at, settings.timezone)
    shown = _day(request.args.get("day", ""), now_day)
    since = clock.start_of_day(shown, settings.timezone)
    rounds = queries.rounds(current_actor(), since, clock.start_of_day(shown + timedelta(days=1), settings.timezone))
    return render_template(
        "patrols/today.html",
        rounds=rounds,
        places=place_names({one.point.division_code for view in rounds for one in view.tasks}),
        at=at,
        shown=shown,
        is_today=shown == now_day,
        before=shown - timedelta(days=1),
        after=shown + timedelta(days=1) if shown < now_day else None,
        words=words,
        word=word,
        page="today",
    )


@blueprint.get("/points/<uuid:point_id>")
@requires(Permission.PATROLS_READ)
def point(point_id: uuid.UUID) -> Answer:
    """One point: where it is, and its last visits with what was found, photo and note."""
    found = queries.point(current_actor(), point_id)
    return render_template(
        "patrols/point.html",
        point=found,
        place=divisions.full_names([found.division_code]).get(found.division_code, found.division_code),
        visits=queries.visits(found.id),
        words=words,
        word=word,
        page="point",
    )


@blueprint.get("/photos/<uuid:visit_id>")
@requires(Permission.PATROLS_READ)
def photo(visit_id: uuid.UUID) -> Answer:
    """The photo of a visit, to those who may see its point. That somebody looked is audited."""
    actor = current_actor()
    visit, jpeg = queries.photo(actor, visit_id)
    with transaction():
        record(
            at=clock.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="patrol_photo.open",
            object_type="patrol_visit",
            object_id=visit.id,
        )
    response = make_response(jpeg)
    response.mimetype = MIMETYPE
    response.headers["Cache-Control"] = f"private, max-age={PHOTO_SECONDS}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.get("/points")
@requires(Permission.PATROLS_WRITE)
def all_points() -> Answer:
    """The points, and the form for a new one."""
    return _points_page()


@blueprint.post("/points")
@requires(Permission.PATROLS_WRITE)
def add_point() -> Answer:
    """Put up a point."""
    try:
        made = points.create_point(_point_form(), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _points_page(request.form.to_dict(), field_errors(error)), 422
    flash(_("%(name)s is added. Print its sheet and put it up at the barrier.", name=made.name), "success")
    return redirect(url_for("patrols.all_points"))


@blueprint.get("/points/<uuid:point_id>/edit")
@requires(Permission.PATROLS_WRITE)
def edit_point(point_id: uuid.UUID) -> Answer:
    """The form of a point."""
    return _point_page(point_id)


@blueprint.post("/points/<uuid:point_id>/edit")
@requires(Permission.PATROLS_WRITE)
def change_point(point_id: uuid.UUID) -> Answer:
    """Correct a point."""
    try:
        changed = points.change_point(point_id, _point_form(), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _point_page(point_id, request.form.to_dict(), field_errors(error)), 422
    flash(_("%(name)s is saved.", name=changed.name), "success")
    return redirect(url_for("patrols.all_points"))


@blueprint.post("/points/<uuid:point_id>/<act>")
@requires(Permission.PATROLS_WRITE)
def switch_point(point_id: uuid.UUID, act: str) -> Answer:
    """Take a point out of the rounds, or put it back."""
    changed = points.set_point_active(point_id, _opens(act), actor=current_actor(), at=clock.now())
    text = _("%(name)s is walked again.") if changed.active else _("%(name)s is taken out of the rounds.")
    flash(text % {"name": changed.name}, "success")
    return redirect(url_for("patrols.all_points"))


@blueprint.get("/points/sheet")
@requires(Permission.PATROLS_WRITE)
def sheet() -> Answer:
    """Pages of A6 to print: each point's code, or that of the one that `point` names."""
    ring = keyring()
    wanted = request.args.get("point", "")
    chosen = [one for one in queries.points(current_actor()) if one.active and wanted in ("", str(one.id))]
    return render_template(
        "patrols/sheet.html",
        sheets=[(one, qr_svg(code_of(ring, one.id), one.name)) for one in chosen],
        places=place_names({one.division_code for one in chosen}),
    )


@blueprint.get("/routes")
@requires(Permission.PATROLS_WRITE)
def all_routes() -> Answer:
    """The routes, and the form for a new one."""
    return _routes_page()


@blueprint.post("/routes")
@requires(Permission.PATROLS_WRITE)
def add_route() -> Answer:
    """Make a route; its points and times come next."""
    form = request.form
    try:
        made = routes.create_route(
            routes.RouteForm(form.get("name", ""), chosen_division(), form.get("checkpoint", "")),
            actor=current_actor(),
            at=clock.now(),
        )
    except InvalidInput as error:
        return _routes_page(form.to_dict(), field_errors(error)), 422
    flash(_("The route is made. Now choose its points and times."), "success")
    return redirect(url_for("patrols.route", route_id=made.id))


@blueprint.get("/routes/<uuid:route_id>")
@requires(Permission.PATROLS_WRITE)
def route(route_id: uuid.UUID) -> Answer:
    """A route: its points in order, and its timetable."""
    return _route_page(route_id)


@blueprint.post("/routes/<uuid:route_id>/points")
@requires(Permission.PATROLS_WRITE)
def set_stops(route_id: uuid.UUID) -> Answer:
    """Say which points the route has; each is given the number at which it is walked, or none."""
    try:
        routes.set_stops(route_id, _order(), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _route_page(route_id, request.form.to_dict(), field_errors(error)), 422
    flash(_("The points are saved. They count from the next round that opens."), "success")
    return redirect(url_for("patrols.route", route_id=route_id))


@blueprint.post("/routes/<uuid:route_id>/times")
@requires(Permission.PATROLS_WRITE)
def add_time(route_id: uuid.UUID) -> Answer:
    """Add a line to the timetable."""
    form = request.form
    days = form.getlist("weekdays")
    try:
        typed = routes.SlotForm(form.get("starts", ""), form.get("window", ""), days)
        routes.add_slot(route_id, typed, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _route_page(route_id, {**form.to_dict(), "weekdays": days}, field_errors(error)), 422
    flash(_("The time is added."), "success")
    return redirect(url_for("patrols.route", route_id=route_id))


@blueprint.post("/times/<uuid:slot_id>/remove")
@requires(Permission.PATROLS_WRITE)
def remove_time(slot_id: uuid.UUID) -> Answer:
    """Take a line off the timetable."""
    changed = routes.remove_slot(slot_id, actor=current_actor(), at=clock.now())
    flash(_("The time is removed."), "success")
    return redirect(url_for("patrols.route", route_id=changed.id))


@blueprint.post("/routes/<uuid:route_id>/<act>")
@requires(Permission.PATROLS_WRITE)
def switch_route(route_id: uuid.UUID, act: str) -> Answer:
    """Stop walking a route, or walk it again."""
    changed = routes.set_route_active(route_id, _opens(act), actor=current_actor(), at=clock.now())
    text = _("%(name)s is walked again.") if changed.active else _("%(name)s is no longer walked.")
    flash(text % {"name": changed.name}, "success")
    return redirect(url_for("patrols.all_routes"))


def _opens(act: str) -> bool:
    if act not in ("close", "open"):
        raise NotFound
    return act == "open"


def _day(raw: str, latest: date) -> date:
    try:
        return min(date.fromisoformat(raw), latest)
    except ValueError:
        return latest


def _point_form() -> points.PointForm:
    form = request.form
    return points.PointForm(
        name=form.get("name", ""),
        division=chosen_division(),
        checkpoint=form.get("checkpoint", ""),
        latitude=form.get("latitude", ""),
        longitude=form.get("longitude", ""),
    )


def _order() -> list[uuid.UUID]:
    """The points by the numbers beside them; those without a number are not on the route."""
    numbered: list[tuple[int, int, uuid.UUID]] = []
    for field, typed in request.form.items():
        if not field.startswith("order-") or not typed.strip():
            continue
        if not typed.strip().isdecimal() or len(typed.strip()) > 3:
            raise InvalidInput([FieldError(field, "format", _("A whole number, or nothing."))])
        try:
            numbered.append((int(typed), len(numbered), uuid.UUID(field.removeprefix("order-"))))
        except ValueError as error:
            raise InvalidInput.one("points", "unknown", _("One of these points does not exist.")) from error
    return [point_id for _number, _place, point_id in sorted(numbered)]


def _posts() -> list[tuple[str, str]]:
    return [(post.code, f"{post.name} ({post.code})") for post in accounts.checkpoints(current_actor())]


def _post_names(wanted: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    ids = set(wanted)
    return {post.id: post.name for post in accounts.checkpoints(current_actor()) if post.id in ids}


def _points_page(values: Values | None = None, errors: dict[str, str] | None = None) -> str:
    found = queries.points(current_actor())
    return render_template(
        "patrols/points.html",
        points=found,
        last=queries.last_visits([one.id for one in found]),
        places=place_names({one.division_code for one in found}),
        post_names=_post_names(one.checkpoint_id for one in found),
        checkpoints=_posts(),
        values=values or {},
        errors=errors or {},
        words=words,
        word=word,
        page="points",
    )


def _point_page(point_id: uuid.UUID, values: Values | None = None, errors: dict[str, str] | None = None) -> str:
    found = queries.point(current_actor(), point_id)
    return render_template(
        "patrols/edit.html",
        point=found,
        checkpoints=_posts(),
        values=values or _typed(found),
        errors=errors or {},
        page="points",
    )


def _typed(found: PatrolPoint) -> Values:
    codes = {post.id: post.code for post in accounts.checkpoints(current_actor())}
    return {
        "name": found.name,
        "division_code": found.division_code,
        "division_text": divisions.full_names([found.division_code]).get(found.division_code, ""),
        "checkpoint": codes.get(found.checkpoint_id) if found.checkpoint_id else "",
        "latitude": found.latitude,
        "longitude": found.longitude,
    }


def _routes_page(values: Values | None = None, errors: dict[str, str] | None = None) -> str:
    found = queries.routes(current_actor())
    return render_template(
        "patrols/routes.html",
        routes=[(one, queries.slots(one.id)) for one in found],
        counts=queries.stop_counts([one.id for one in found]),
        places=place_names({one.division_code for one in found}),
        post_names=_post_names(one.checkpoint_id for one in found),
        checkpoints=_posts(),
        values=values or {},
        errors=errors or {},
        words=words,
        page="routes",
    )


def _route_page(route_id: uuid.UUID, values: Values | None = None, errors: dict[str, str] | None = None) -> str:
    actor = current_actor()
    found = queries.route(actor, route_id)
    stops = queries.stops(found.id)
    on_route = {one.id: number for number, one in enumerate(stops, 1)}
    others = [one for one in queries.points(actor) if one.active and one.id not in on_route]
    return render_template(
        "patrols/route.html",
        route=found,
        stops=[*stops, *others],
        numbers=on_route,
        slots=queries.slots(found.id),
        places=place_names({one.division_code for one in [*stops, *others]} | {found.division_code}),
        post_names=_post_names([found.checkpoint_id]),
        values=values or {},
        errors=errors or {},
        words=words,
        page="routes",
    )
