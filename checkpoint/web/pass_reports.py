"""The pass page after the barrier: what the traveller can tell and appeal, the same truth live, and the poster at the door."""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, traveller_actor
from checkpoint.appeals import queries as appeals
from checkpoint.appeals import service as appealing
from checkpoint.config import Settings
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.extensions import limiter
from checkpoint.followups import reports
from checkpoint.followups.doors import open_door
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import MAX_BYTES
from checkpoint.registrations import queries
from checkpoint.registrations.models import RegistrationState
from checkpoint.registrations.passes import open_link
from checkpoint.registrations.queries import Record
from checkpoint.risk.service import current_state
from checkpoint.risk.wording import SYMPTOMS
from checkpoint.surveillance.commuting import tell_test
from checkpoint.web import approval_line, pass_page
from checkpoint.web.auth import public
from checkpoint.web.errors import answer
from checkpoint.web.forms import words
from checkpoint.web.inbox_cards import place_names
from checkpoint.web.pass_care import care
from checkpoint.words import _

blueprint = Blueprint("pass_reports", __name__)
Answer = str | Response | BaseResponse | tuple[str, int]
FORM_ROOM = 262_144  # what the form of an appeal may hold beside the picture
_TEMPERATURE = re.compile(r"\d{2}(?:[.,]\d)?")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _limit() -> str:
    return _settings().registration_limit


@blueprint.url_value_preprocessor
def _allow_picture(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A picture may be larger than any other body."""
    if endpoint == "pass_reports.appeal":
        request.max_content_length = MAX_BYTES + FORM_ROOM


def record_of(handle: str) -> Record:
    """The record that a link stands for; NotFound when the link is not ours."""
    registration_id = open_link(keyring(), handle)
    if registration_id is None:
        raise NotFound
    return queries.visible(holder(registration_id), registration_id)


def holder(registration_id: uuid.UUID) -> Actor:
    """Whoever has the link of a registration."""
    return traveller_actor(registration_id, _settings().site_division)


def page_values(handle: str, record: Record, at: datetime) -> dict[str, Any]:
    """What the templates of a pass page need."""
    registration = record.registration
    return {
        "view": pass_page.view(record, current_state(at).policy, at),
        "care": care(record, at),
        "approvals": approval_line.lines_of(registration.id),
        "registration": registration,
        "tier": record.assessment.tier,
        "issued": record.issued,
        "who": queries.masked(record.traveller),
        "plate": queries.masked_plate(registration),
        "destination": queries.place_name(registration.destination_code),
        "transport": dict(words.TRANSPORTS).get(registration.transport, ""),
        "handle": handle,
        "stamp": pass_page.etag_of(record.issued) if record.issued else "",
        "live_tag": _tag(registration.id, at),
    }


def show(handle: str, record: Record, at: datetime, status: int = 200, **more: Any) -> Answer:
    """The whole pass page; `errors`, `values` and `opened` belong to a form that is shown again."""
    told: dict[str, Any] = {"errors": {}, "values": MultiDict(), "opened": "", "again": False}
    page = render_template(
        "traveller/pass.html",
        symptoms=[(name, str(word)) for name, word in SYMPTOMS.items()],
        test_kinds=words.TEST_KINDS,
        test_results=words.TEST_RESULTS,
        now_local=at.astimezone(ZoneInfo(_settings().timezone)).strftime("%Y-%m-%dT%H:%M"),
        longest_text=appealing.LONGEST_TEXT,
        new_id=uuid.uuid4,
        **page_values(handle, record, at),
        **told | more,
    )
    return page, status


def _tag(registration_id: uuid.UUID, at: datetime) -> str:
    """The version of the live part: it changes with the facts, the language, and the hour."""
    hour = at.astimezone(ZoneInfo(_settings().timezone)).strftime("%Y-%m-%dT%H")
    facts = f"{appeals.stamp(registration_id)}|{get_locale()}|{hour}"
    return blake2b(facts.encode(), digest_size=12).hexdigest()


@blueprint.get("/p/<handle>/live")
@public
def live(handle: str) -> Answer:
    """The part of the pass page that changes by itself. A phone asks every 20 seconds; nothing new is one query and 304."""
    registration_id = open_link(keyring(), handle)
    if registration_id is None:
        raise NotFound
    at = clock.now()
    tag = _tag(registration_id, at)
    if tag in request.if_none_match:
        response = make_response("", 304)
    else:
        values = page_values(handle, record_of(handle), at)
        response = make_response(render_template("traveller/_pass_live.html", again=False, **values))
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _report(handle: str, kind: str, tell: Callable[[Record, datetime], str]) -> Answer:
    """One form of the pass page: told, and back to the page; what is wrong stands beside its field."""
    record = record_of(handle)
    at = clock.now()
    try:
        said = tell(record, at)
    except InvalidInput as error:
        wrong = {f"{kind}.{item.field}": _wrong(kind, item.field, item.code) for item in error.errors}
        return show(handle, record, at, 422, errors=wrong, values=request.form, opened=kind)
    except Conflict:
        flash(_("This cannot be told any more. The page shows how things stand now."), "error")
        return redirect(url_for("traveller.show_pass", handle=handle), 303)
    flash(said, "success")
    return redirect(url_for("traveller.show_pass", handle=handle), 303)


def _wrong(kind: str, field: str, code: str) -> str:
    known = {
        ("arrival", "place"): _(
            "This poster belongs to another village or community than the one you are going to. Please call."
        ),
        ("health", "temperature"): _("Write the temperature in degrees, for example 36.5."),
        ("test", "taken_at"): _("Within the last 14 days, and not in the future."),
        ("appeal", "text"): _("Write in a few words what is not right, at most 1000 characters."),
    }
    if field == "picture":
        return {
            "too_large": _("The picture is larger than 8 MB."),
            "too_many_pixels": _("The picture is too large."),
        }.get(code, _("This is not a picture that can be read. Send a JPEG or PNG, or none."))
    return known.get((kind, field), _("Please choose one."))


def _own_id() -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get("report_id", ""))
    except ValueError:
        return uuid.uuid4()


@blueprint.post("/p/<handle>/arrival")
@public
@limiter.limit(_limit)
def arrival(handle: str) -> Answer:
    """The traveller is at the door. With the poster's handle it is confirmed at once, also for those who travel along."""

    def tell(record: Record, at: datetime) -> str:
        raw = request.form.get("door", "")
        code = open_door(keyring(), raw) if raw else None
        if raw and code is None:
            raise InvalidInput.one("place", "unknown", "unknown poster")
        own = record.registration.id
        report_id = _own_id()
        reports.report_arrival(own, report_id, place_code=code, actor=holder(own), at=at)
        if request.form.get("together") and record.registration.lead_id is None:
            for one in record.companions:
                if one.state == RegistrationState.INSIDE.value:
                    derived = uuid.uuid5(report_id, str(one.registration_id))
                    reports.report_arrival(one.registration_id, derived, place_code=code, actor=holder(own), at=at)
        if code is None:
            return _("Thank you. Your village or community will confirm that you have arrived.")
        return _("Your arrival is confirmed. Thank you.")

    return _report(handle, "arrival", tell)


@blueprint.post("/p/<handle>/health")
@public
@limiter.limit(_limit)
def health(handle: str) -> Answer:
    """The daily report."""

    def tell(record: Record, at: datetime) -> str:
        own = record.registration.id
        reports.report_health(
            own,
            _own_id(),
            temperature=_tenths(request.form.get("temperature", "")),
            symptoms=request.form.getlist("symptoms"),
            actor=holder(own),
            at=at,
        )
        return _("Thank you. Your report is stored.")

    return _report(handle, "health", tell)


def _tenths(raw: str) -> int | None:
    """36.5 → 365; empty is not told; anything else is out of range, so that it is said beside the field."""
    text = raw.strip().replace(",", ".")
    if not text:
        return None
    return round(float(text) * 10) if _TEMPERATURE.fullmatch(text) else 0


@blueprint.post("/p/<handle>/test")
@public
@limiter.limit(_limit)
def test(handle: str) -> Answer:
    """A test that was done."""

    def tell(record: Record, at: datetime) -> str:
        own = record.registration.id
        standing = queries.is_standing(own)
        deliver = tell_test if standing else reports.report_test
        deliver(
            own,
            _own_id(),
            kind=request.form.get("kind", ""),
            result=request.form.get("result", ""),
            taken_at=_local(request.form.get("taken_at", "")),
            actor=holder(own),
            at=at,
        )
        if standing:
            return _("Thank you. The test is in your code now: show this page at the checkpoint.")
        return _("Thank you. Your village or community will confirm the test.")

    return _report(handle, "test", tell)


def _local(raw: str) -> datetime:
    """A moment as a phone's form writes it, at the site's time zone."""
    try:
        found = datetime.fromisoformat(raw)
    except ValueError as error:
        raise InvalidInput.one("taken_at", "datetime_parsing", "not a date and time") from error
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(_settings().timezone))


@blueprint.post("/p/<handle>/appeal")
@public
@limiter.limit(_limit)
def appeal(handle: str) -> Answer:
    """The tier is wrong: why, and a picture if there is one."""

    def tell(record: Record, at: datetime) -> str:
        own = record.registration.id
        file = request.files.get("picture")
        picture = None
        if file is not None and file.filename:
            picture = file.stream.read(MAX_BYTES + 1)
            file.close()
        appealing.submit(own, _own_id(), request.form.get("text", ""), picture, actor=holder(own), at=at)
        return _("Your appeal has been sent. You will have an answer the same day, on this page.")

    return _report(handle, "appeal", tell)


@blueprint.get("/a/<door>")
@public
def arrive(door: str) -> Answer:
    """The poster of a village: the codes that this phone keeps, each with a button. Nothing is stored by looking."""
    code = open_door(keyring(), door)
    if code is None:
        return render_template("traveller/unknown_post.html"), 404
    return render_template("traveller/arrive.html", place=place_names([code])[code], door=door, report_id=uuid.uuid4())


@blueprint.errorhandler(NotFound)
def _no_pass(_error: NotFound) -> Answer:
    return render_template("traveller/no_pass.html"), 404


@blueprint.errorhandler(CSRFError)
@blueprint.errorhandler(RateLimitExceeded)
def _send_again(error: Exception) -> Answer:
    """The page was open for long, or many tell at once: back to it, with a fresh form."""
    where: Mapping[str, Any] = request.view_args or {}
    if request.method != "POST" or "handle" not in where:
        return answer(429 if isinstance(error, RateLimitExceeded) else 400, "csrf")
    g.pop("csrf_token", None)
    flash(_("Please send it once more: the page had been open for a long time, or many people write at once."), "error")
    return redirect(url_for("traveller.show_pass", handle=where["handle"]), 303)
