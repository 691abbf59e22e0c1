"""City command: where we stand, and the risk lists: upload, look at what would change, publish, take back, ask why."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import Conflict
from checkpoint.risk import queries as lists
from checkpoint.risk.explaining import Explainer, Explanation
from checkpoint.risk.importing import WrongRows, import_list, without_wrong_rows
from checkpoint.risk.levels import Level
from checkpoint.risk.list_wording import unreadable_text, wrong_row_text
from checkpoint.risk.lists import MAX_BYTES, UnreadableList, WrongRow, parse, published
from checkpoint.risk.models import ListState, RiskList
from checkpoint.risk.publishing import publish, withdraw
from checkpoint.risk.service import current_state
from checkpoint.surveillance.impact import impact_of
from checkpoint.web.auth import current_actor, optional_actor, requires
from checkpoint.web.command_board import board, here, list_in_force
from checkpoint.web.command_words import DEPTHS, LEVELS, LIST_STATES
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.web.inbox_words import word

blueprint = Blueprint("command", __name__, url_prefix="/command")

Answer = str | Response | BaseResponse
TIERS = ("red", "yellow", "green")
WRONG_ROWS_SHOWN = 50
VILLAGES_SHOWN = 15  # the rest is told once the list is in force
MAX_TEXT = 500
UPLOAD_ROOM = 1_048_576  # what a form may hold beside the file


@blueprint.url_value_preprocessor
def _allow_large_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A risk list may be larger than any other body; nobody else's upload may."""
    if endpoint == "command.upload":
        actor = optional_actor()
        if actor is not None and actor.may(Permission.LISTS_WRITE):
            request.max_content_length = MAX_BYTES + UPLOAD_ROOM


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """Where the city stands; to the page's script only the figures."""
    return board(here(current_actor()), "/command")


@blueprint.get("/lists")
@requires(Permission.COMMAND_READ)
def versions() -> Answer:
    """The versions of the risk list, and the form to upload one."""
    return _versions_page()


def _versions_page(problems: Sequence[str] = (), may_skip: bool = False) -> str:
    at = clock.now()
    return render_template(
        "command/lists.html",
        versions=lists.lists(),
        in_force=list_in_force(current_state(at), at),
        problems=problems,
        may_skip=may_skip,
        states=LIST_STATES,
        word=word,
        page="lists",
    )


@blueprint.post("/lists")
@requires(Permission.LISTS_WRITE)
def upload() -> Answer:
    """Read an uploaded list and store it as a draft; what is wrong with the file or its rows is said, and nothing stored."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return make_response(_versions_page([_("Choose a file first.")]), 422)
    try:
        found = _read(file)
    except UnreadableList as error:
        return make_response(_versions_page([unreadable_text(error)]), 422)
    except WrongRows as error:
        return make_response(_versions_page(_wrong(error.rows), may_skip=True), 422)
    if found.state == ListState.PUBLISHED:
        flash(_("This is the list in force. It is now confirmed as of this moment."), "success")
    elif found.state != ListState.DRAFT:
        flash(_("This list was uploaded before."), "info")
    return redirect(url_for("command.version", list_id=found.id), 303)


def _read(file: FileStorage) -> RiskList:
    parsed = parse(file.stream.read(MAX_BYTES + 1), file.filename or "list")
    told = published(request.form.get("published_at", "").replace("T", " "))
    if parsed.published_at is None and told is not None:
        parsed = replace(parsed, published_at=told)
    if request.form.get("skip_bad_rows"):
        parsed = without_wrong_rows(parsed)
    return import_list(parsed, actor=current_actor(), at=clock.now())


def _wrong(rows: Sequence[WrongRow]) -> list[str]:
    said = [wrong_row_text(row) for row in rows[:WRONG_ROWS_SHOWN]]
    rest = len(rows) - len(said)
    return [*said, _("and %(number)s more rows", number=rest)] if rest else said


@blueprint.get("/lists/<int:list_id>")
@requires(Permission.COMMAND_READ)
def version(list_id: int) -> Answer:
    """One version: what publishing it would change, or what it holds."""
    found = lists.get(list_id)
    is_draft = found.state in (ListState.DRAFT, ListState.WITHDRAWN)
    impact = impact_of(list_id, at=clock.now()) if is_draft else None
    names = place_names(impact.villages) if impact else {}
    return render_template(
        "command/list.html",
        version=found,
        preview=lists.preview(list_id),
        impact=impact,
        villages=sorted(((names[code], *counts) for code, counts in impact.villages.items()), key=_most_raised)[
            :VILLAGES_SHOWN
        ]
        if impact
        else [],
        tiers=TIERS,
        may_publish=is_draft,
        may_withdraw=lists.was_published(found),
        importer=actor_names([found.imported_by]).get(found.imported_by or "", ""),
        states=LIST_STATES,
        levels=LEVELS,
        word=word,
        page="lists",
    )


def _most_raised(row: tuple[str, int, int]) -> tuple[int, int, str]:
    name, raised, lowered = row
    return -raised, -lowered, name


@blueprint.post("/lists/<int:list_id>/publish")
@requires(Permission.LISTS_WRITE)
def publish_version(list_id: int) -> Answer:
    """Put a version in force. A collapsed list is published only by somebody who has said so."""
    if lists.preview(list_id).collapsed and not request.form.get("collapsed_is_right"):
        raise Conflict(
            _("This list has less than half of the areas in force. Confirm that this is right, then publish.")
        )
    publish(list_id, actor=current_actor(), at=clock.now())
    flash(_("The list is in force. Those whom it touches are being assessed again."), "success")
    return redirect(url_for("work.index"), 303)


@blueprint.get("/lists/<int:list_id>/withdraw")
@requires(Permission.LISTS_WRITE)
def ask_withdraw(list_id: int) -> Answer:
    """Ask before a version is taken back."""
    return render_template("command/withdraw.html", version=lists.get(list_id), page="lists")


@blueprint.post("/lists/<int:list_id>/withdraw")
@requires(Permission.LISTS_WRITE)
def withdraw_version(list_id: int) -> Answer:
    """Take a version back, as if it had never been."""
    current = withdraw(list_id, actor=current_actor(), at=clock.now())
    if current is None:
        flash(_("The list is taken back. No list is in force: everybody is yellow until one is published."), "error")
    else:
        flash(_("The list is taken back. In force again: %(source)s.", source=current.source), "success")
    return redirect(url_for("work.index"), 303)


@blueprint.get("/explain")
@requires(Permission.COMMAND_READ)
def explain() -> Answer:
    """Why is this address flagged? Any text against what is in force on a day."""
    text = request.args.get("text", "").strip()[:MAX_TEXT]
    on = _day(request.args.get("on", ""))
    found: Explanation | None = None
    if text:
        found = next(iter(Explainer(at=clock.now(), on=on).explain([text])))
    levels = {level.value: LEVELS[level.value] for level in Level}
    return render_template(
        "command/explain.html", text=text, on=on, found=found, levels=levels, depths=DEPTHS, word=word, page="explain"
    )


def _day(raw: str) -> date | None:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        return None
