"""The traveller's face: declare at `/` or at a checkpoint's `/c/CODE`, then the pass at `/p/HANDLE`: show, amend, withdraw."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor, traveller_actor
from checkpoint.accounts.queries import checkpoint_by_code
from checkpoint.config import Settings
from checkpoint.crossings import vehicles
from checkpoint.database import db
from checkpoint.errors import NotFound, TooBusy
from checkpoint.extensions import limiter
from checkpoint.privacy import keyring
from checkpoint.regions import default_index
from checkpoint.registrations import queries, service
from checkpoint.registrations.declaration import ARRIVAL_AHEAD_DAYS, ARRIVAL_PAST_DAYS, Declaration
from checkpoint.registrations.passes import open_link
from checkpoint.registrations.queries import Record, pass_path
from checkpoint.risk.service import current_state
from checkpoint.web import limits, pass_page, pass_reports
from checkpoint.web.auth import public
from checkpoint.web.errors import answer
from checkpoint.web.forms import declaring, trip, words
from checkpoint.web.forms.trip import TripForm

blueprint = Blueprint("traveller", __name__)
Answer = str | Response | BaseResponse | tuple[str, int]
_FORMS = ("traveller.declare", "traveller.board", "traveller.amend")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _limit() -> str:
    return _settings().registration_limit


def _today(at: datetime) -> date:
    return clock.local_date(at, _settings().timezone)


def _declaring_actor() -> Actor:
    """Somebody who has no pass yet."""
    return Actor("traveller", None, None, _settings().site_division, frozenset())


def _post_of(code: str | None) -> Checkpoint | None:
    """The checkpoint of a poster; NotFound when it is unknown or closed. None at the front page."""
    if code is None:
        return None
    post = checkpoint_by_code(code)
    if post is None or not post.active:
        raise NotFound
    return post


def _form_page(
    form: TripForm,
    post: Checkpoint | None,
    status: int = 200,
    handle: str | None = None,
    vehicle: str = "",
    *,
    kept: bool = False,
) -> Answer:
    """The form; `kept` leaves out whatever is of one day or one visitor, for the copy that a phone keeps."""
    today = _today(clock.now())
    page = render_template(
        "traveller/form.html",
        form=form,
        blank_form=trip.blank(today.isoformat()),
        blank_stay=trip.StayRow(),
        words=words,
        post=post,
        handle=handle,
        vehicle=vehicle,
        index=default_index(),
        limits=trip.LIMITS,
        first_day="" if kept else today - timedelta(days=ARRIVAL_PAST_DAYS),
        last_day="" if kept else today + timedelta(days=ARRIVAL_AHEAD_DAYS),
        today="" if kept else today,
        kept=kept,
        offline_words=words.offline_words,
        site_timezone=_settings().timezone,
    )
    return page, status


def _typed(act: str) -> TripForm:
    return trip.read(request.form, request.form.getlist("symptoms"), act)


def _act() -> str:
    return request.form.get("act", "send")


@blueprint.route("/", methods=["GET", "POST"])
@blueprint.route("/c/<code>", methods=["GET", "POST"])
@public
@limiter.limit(_limit, methods=["POST"])
def declare(code: str | None = None) -> Answer:
    """The form; sent, it becomes a registration and leads to its pass."""
    try:
        post = _post_of(code)
    except NotFound:
        return render_template("traveller/unknown_post.html"), 404
    if request.method == "GET":
        kept = "shell" in request.args
        day = "" if kept else _today(clock.now()).isoformat()
        return _form_page(trip.blank(day, post.code if post else ""), post, kept=kept)
    form = _typed(_act())
    form.values["checkpoint"] = post.code if post else ""
    if _act() != "send":
        return _form_page(form, post)

    def deliver(declaration: Declaration) -> str:
        receipt = limits.submit(declaration, actor=_declaring_actor(), at=clock.now())
        path = pass_path(receipt.registration.id)
        return path if receipt.created else f"{path}?again=1"

    onward = declaring.send(form, deliver)
    return redirect(onward, 303) if onward else _form_page(form, post, 422)


@blueprint.route("/v/<handle>", methods=["GET", "POST"])
@public
@limiter.limit(_limit, methods=["POST"])
def board(handle: str) -> Answer:
    """The form for a passenger, opened by the vehicle's own code: its kind, plate and checkpoint are filled in."""
    try:
        vehicle, post = vehicles.boarding(handle, clock.now())
    except NotFound:
        return render_template("traveller/unknown_vehicle.html"), 404
    plate = vehicle.plate or ""
    if request.method == "GET":
        form = trip.blank(_today(clock.now()).isoformat(), post.code)
        form.values |= {"transport": vehicle.kind, "plate": plate}
        return _form_page(form, post, vehicle=plate or _("without a plate yet"))
    form = _typed(_act())
    form.values["checkpoint"] = post.code

    def deliver(declaration: Declaration) -> str:
        receipt = vehicles.board(vehicle, declaration, actor=_declaring_actor(), at=clock.now())
        path = pass_path(receipt.registration.id)
        return path if receipt.created else f"{path}?again=1"

    onward = declaring.send(form, deliver) if _act() == "send" else None
    status = 422 if _act() == "send" else 200
    return redirect(onward, 303) if onward else _form_page(form, post, status, vehicle=plate)


@blueprint.errorhandler(CSRFError)
@blueprint.errorhandler(RateLimitExceeded)
@blueprint.errorhandler(TooBusy)
@blueprint.errorhandler(OperationalError)
@blueprint.errorhandler(PoolTimeout)
def keep_what_was_typed(error: Exception) -> Answer:
    """A form that could not be taken comes back with everything in it, to be sent again: its identifier makes that safe."""
    db.session.rollback()
    status = {CSRFError: 400, RateLimitExceeded: 429}.get(type(error), 503)
    headers = {} if status == 400 else {"Retry-After": "5"}
    if request.method != "POST" or request.endpoint not in _FORMS:
        return answer(status, {400: "csrf", 429: "too_many"}.get(status, TooBusy.code), headers=headers)
    form = _typed("keep")
    form.errors[""] = (
        _("This page was open for a long time. Everything you wrote is still here: please send it again.")
        if status == 400
        else _(
            "The system is busy at the moment. Everything you wrote is still here: please send it again in a few seconds."
        )
    )
    where = request.view_args or {}
    post = None if status == 503 else _open_post(where.get("code"))
    handle = where.get("handle") if request.endpoint == "traveller.amend" else None
    response = make_response(_form_page(form, post, status, handle))
    response.headers.update(headers)
    return response


def _open_post(code: str | None) -> Checkpoint | None:
    try:
        return _post_of(code)
    except NotFound:
        return None


def _record_of(handle: str) -> Record:
    """The record that a link stands for; NotFound when the link is not ours."""
    registration_id = open_link(keyring(), handle)
    if registration_id is None:
        raise NotFound
    return queries.visible(_holder(registration_id), registration_id)


def _holder(registration_id: uuid.UUID) -> Actor:
    return traveller_actor(registration_id, _settings().site_division)


def _no_pass() -> Answer:
    return render_template("traveller/no_pass.html"), 404


@blueprint.get("/p/<handle>")
@public
def show_pass(handle: str) -> Answer:
    """The pass: the code, the tier, why, what comes next, whom to call."""
    try:
        record = _record_of(handle)
    except NotFound:
        return _no_pass()
    return pass_reports.show(handle, record, clock.now(), again="again" in request.args)


@blueprint.get("/p/<handle>/qr.svg")
@public
def pass_code(handle: str) -> Answer:
    """The code of the newest pass as a picture, asked for again only by its serial."""
    try:
        record = _record_of(handle)
    except NotFound:
        return _no_pass()
    at = clock.now()
    if record.issued is None or not pass_page.view(record, current_state(at).policy, at).shows_code:
        return _no_pass()
    response = make_response(pass_page.code_svg(record.issued.token))
    response.mimetype = "image/svg+xml"
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(pass_page.etag_of(record.issued))
    return response.make_conditional(request)


@blueprint.route("/p/<handle>/amend", methods=["GET", "POST"])
@public
@limiter.limit(_limit, methods=["POST"])
def amend(handle: str) -> Answer:
    """The same form filled with what was declared; sent, it replaces the declaration and the pass."""
    try:
        record = _record_of(handle)
    except NotFound:
        return _no_pass()
    at = clock.now()
    shown = pass_page.view(record, current_state(at).policy, at)
    registration = record.registration
    if not shown.can_change or not shown.is_lead:
        return redirect(pass_path(registration.id), 303)
    post = db.session.get(Checkpoint, registration.checkpoint_id) if registration.checkpoint_id else None
    if post is not None and not post.active:
        post = None
    if request.method == "GET":
        return _form_page(
            declaring.from_record(record, str(uuid.uuid4()), post.code if post else ""), post, handle=handle
        )
    form = _typed(_act())
    form.values["checkpoint"] = post.code if post else ""
    if _act() != "send":
        return _form_page(form, post, handle=handle)

    def deliver(declaration: Declaration) -> str:
        service.amend(registration.id, declaration, actor=_holder(registration.id), at=at)
        return f"{pass_path(registration.id)}?amended=1"

    onward = declaring.send(form, deliver)
    return redirect(onward, 303) if onward else _form_page(form, post, 422, handle)


@blueprint.route("/p/<handle>/withdraw", methods=["GET", "POST"])
@public
def withdraw(handle: str) -> Answer:
    """Ask, then withdraw the registration; companions go with the one who declared for them."""
    try:
        record = _record_of(handle)
    except NotFound:
        return _no_pass()
    at = clock.now()
    shown = pass_page.view(record, current_state(at).policy, at)
    path = pass_path(record.registration.id)
    if request.method == "POST":
        service.withdraw(record.registration.id, _own_id(), actor=_holder(record.registration.id), at=at)
        return redirect(path, 303)
    if not shown.can_change:
        return redirect(path, 303)
    return render_template(
        "traveller/withdraw.html", view=shown, handle=handle, client_id=uuid.uuid4(), **_trip_words(record)
    )


def _trip_words(record: Record) -> dict[str, Any]:
    registration = record.registration
    return {"destination": queries.place_name(registration.destination_code), "arriving_on": registration.arriving_on}


def _own_id() -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get("client_id", ""))
    except ValueError:
        return uuid.uuid4()
