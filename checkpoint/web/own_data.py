"""A traveller's own data, by the pass and the last four characters of the document: a copy of it, and its erasure."""

import json
import uuid
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.throttle import check_own_data, failed_own_data
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.extensions import limiter
from checkpoint.privacy import keyring
from checkpoint.registrations.passes import open_link
from checkpoint.registrations.queries import Record
from checkpoint.retention import own, requests
from checkpoint.retention.holds import keeping
from checkpoint.risk.service import current_state
from checkpoint.risk.wording import SYMPTOMS, measure_text, reason_text
from checkpoint.web import retention_words as words
from checkpoint.web.auth import public
from checkpoint.web.filters import day, tier_word, when
from checkpoint.web.pass_reports import holder, record_of
from checkpoint.words import _

blueprint = Blueprint("own_data", __name__)
Answer = str | Response | BaseResponse | tuple[str, int]
Lines = list[tuple[str, str]]


def _limit() -> str:
    limit: str = current_app.extensions["settings"].registration_limit
    return limit


def _no_pass() -> Answer:
    return render_template("traveller/no_pass.html"), 404


def _page(handle: str, record: Record, at: datetime, status: int = 200, **more: Any) -> Answer:
    kept = keeping(record.registration.id, current_state(at).policy, at)
    values: dict[str, Any] = {"errors": {}, "sections": None}
    page = render_template(
        "traveller/own_data.html",
        handle=handle,
        kept=kept,
        holds=[words.TOLD[name] for name in own.told(kept.holds if kept else ())],
        days=current_state(at).policy.retention.trips,
        new_id=uuid.uuid4,
        is_open=record.registration.state in ("declared", "turned_back"),
        has_companions=record.registration.lead_id is None and bool(record.companions),
        **values | more,
    )
    return page, status


def _proved(handle: str, record: Record, form: str, at: datetime) -> Answer | None:
    """Nothing when the last characters of the document were typed, else the page that asks again; wrong ones are counted."""
    check_own_data(handle)
    try:
        own.check_document(record.traveller, request.form.get("document", ""))
    except InvalidInput:
        failed_own_data(handle)
        wrong = _("These are not the last four characters of the document.")
        return _page(handle, record, at, 422, errors={form: wrong})
    return None


@blueprint.get("/p/<handle>/data")
@public
def index(handle: str) -> Answer:
    """What is kept until when, and the two forms."""
    try:
        return _page(handle, record_of(handle), clock.now())
    except NotFound:
        return _no_pass()


@blueprint.post("/p/<handle>/data")
@public
@limiter.limit(_limit)
def copy(handle: str) -> Answer:
    """The copy: on the page, or as a JSON file (`as` is json)."""
    at = clock.now()
    try:
        record = record_of(handle)
    except NotFound:
        return _no_pass()
    wrong = _proved(handle, record, "copy", at)
    if wrong is not None:
        return wrong
    registration_id = record.registration.id
    found = own.own_copy(registration_id, request.form.get("document", ""), actor=holder(registration_id), at=at)
    if request.form.get("as") == "json":
        response = make_response(json.dumps(found, ensure_ascii=False, indent=2))
        response.mimetype = "application/json"
        response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
        return response
    return _page(handle, record, at, sections=sections(found))


@blueprint.post("/p/<handle>/data/erase")
@public
@limiter.limit(_limit)
def erase(handle: str) -> Answer:
    """Ask for erasure: done at once, or it waits for what holds the data. Sent again after it was done it says so again."""
    registration_id = open_link(keyring(), handle)
    if registration_id is None:
        return _no_pass()
    at = clock.now()
    try:
        record = record_of(handle)
    except NotFound:
        return redirect(url_for("own_data.erased", handle=handle), 303)
    wrong = _proved(handle, record, "erase", at)
    if wrong is not None:
        return wrong
    try:
        request_id = uuid.UUID(request.form.get("client_id", ""))
    except ValueError:
        request_id = uuid.uuid4()
    if requests.ask_erasure(registration_id, request_id, actor=holder(registration_id), at=at):
        return redirect(url_for("own_data.erased", handle=handle), 303)
    flash(_("We have your request. Your data goes as soon as nothing holds it any more."), "success")
    return redirect(url_for("own_data.index", handle=handle), 303)


@blueprint.post("/p/<handle>/data/keep")
@public
@limiter.limit(_limit)
def keep(handle: str) -> Answer:
    """Take the request for erasure back."""
    try:
        registration_id = record_of(handle).registration.id
    except NotFound:
        return _no_pass()
    requests.take_back_erasure(registration_id, actor=holder(registration_id), at=clock.now())
    flash(_("Your request is taken back."), "success")
    return redirect(url_for("own_data.index", handle=handle), 303)


@blueprint.get("/p/<handle>/erased")
@public
def erased(handle: str) -> Answer:
    """That nothing is left; whoever's data is still there is shown it instead."""
    if open_link(keyring(), handle) is None:
        return _no_pass()
    try:
        record_of(handle)
    except NotFound:
        return render_template("traveller/erased.html")
    return redirect(url_for("own_data.index", handle=handle), 303)


def sections(copy: dict[str, Any]) -> list[tuple[str, list[Lines]]]:
    """The copy as the page reads: titles, and under each the entries, each some lines of a label and a value."""
    found: list[tuple[str, list[Lines]]] = []
    for name, title in words.SECTIONS.items():
        content = copy[name]
        entries = content if isinstance(content, list) else [content]
        shown = [_lines(one if isinstance(one, dict) else {"name": one}) for one in entries]
        found.append((str(title), [lines for lines in shown if lines]))
    return [(title, entries) for title, entries in found if entries]


def _lines(entry: dict[str, Any]) -> Lines:
    shown = ((words.FIELDS.get(name), _shown(name, value)) for name, value in entry.items())
    return [(str(label), text) for label, text in shown if label is not None and text]


def _shown(name: str, value: Any) -> str:
    """A value in the reader's language; nothing for one that is not there."""
    if value is None or value in ("", []):
        return ""
    if name == "tier":
        return tier_word(value)
    if name.endswith("_at"):
        return when(datetime.fromisoformat(value))
    if name in ("arriving_on", "from", "to"):
        return day(date.fromisoformat(value))
    if name == "temperature":
        return f"{value / 10:.1f} ℃"
    if isinstance(value, list):
        return "; ".join(_one_of(name, one) for one in value)
    return str(words.VALUES.get(name, {}).get(str(value), value))


def _one_of(name: str, one: Any) -> str:
    if name == "reasons":
        return reason_text(one)
    if name == "measures":
        return measure_text(one)
    if name == "decisions":
        return f"{words.VALUES['decision'].get(one['decision'], one['decision'])} {when(datetime.fromisoformat(one['decided_at']))}"
    return str(words.VALUES.get(name, {}).get(one) or SYMPTOMS.get(one, one))
