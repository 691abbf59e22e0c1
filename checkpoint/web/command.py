"""City command: where we stand, and the risk lists: upload, look at what would change, publish, take back, ask why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts import feed, tallies
from checkpoint.config import Settings
from checkpoint.crossings import queries as crossings
from checkpoint.errors import Conflict
from checkpoint.registrations import queries as registrations
from checkpoint.risk import queries as lists
from checkpoint.risk.explaining import Explainer, Explanation
from checkpoint.risk.importing import WrongRows, import_list, without_wrong_rows
from checkpoint.risk.levels import Level
from checkpoint.risk.list_wording import unreadable_text, wrong_row_text
from checkpoint.risk.lists import MAX_BYTES, SAMPLE_SOURCE, UnreadableList, WrongRow, parse, published
from checkpoint.risk.models import ListState, RiskList
from checkpoint.risk.publishing import publish, withdraw
from checkpoint.risk.service import State, current_state
from checkpoint.surveillance.impact import impact_of
from checkpoint.web.auth import current_actor, optional_actor, requires
from checkpoint.web.command_closing import ClosingTable, closing_table, percent
from checkpoint.web.command_words import DEPTHS, LEVELS, LIST_STATES
from checkpoint.web.inbox import wants_fragment
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.web.inbox_words import word

blueprint = Blueprint("command", __name__, url_prefix="/command")

Answer = str | Response | BaseResponse
TIERS = ("red", "yellow", "green")
WRONG_ROWS_SHOWN = 50
VILLAGES_SHOWN = 15  # the rest is told once the list is in force
MAX_TEXT = 500
UPLOAD_ROOM = 1_048_576  # what a form may hold beside the file


@dataclass(frozen=True, slots=True)
class TownRow:
    """A row of the table of towns."""

    name: str
    tally: tallies.TownTally


@dataclass(frozen=True, slots=True)
class ListInForce:
    """The list that assessments are made under; `stale` when nobody has confirmed it for longer than the policy allows."""

    row: RiskList | None
    confirmed_at: datetime | None
    stale: bool
    sample: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where we stand: people by state and tier, alerts by town, crossings by checkpoint, the list in force, barrier to door."""

    people: dict[str, dict[str, int]]
    towns: Sequence[TownRow]
    crossings: Sequence[tuple[str, str, int, int]]
    in_force: ListInForce
    closing: ClosingTable

    @property
    def alerts(self) -> dict[str, int]:
        """Live, open, overdue and escalated alerts of all towns together."""
        names = ("live", "red", "open", "overdue", "escalated")
        return {name: sum(getattr(row.tally, name) for row in self.towns) for name in names}


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _in_force(state: State, at: datetime) -> ListInForce:
    row = lists.in_force()
    age = None if state.confirmed_at is None else (at - state.confirmed_at).total_seconds() / 3600
    stale = row is not None and (age is None or age > state.policy.list_stale_hours)
    return ListInForce(row, state.confirmed_at, stale, row is not None and row.source == SAMPLE_SOURCE)


def _standing(actor: Actor, at: datetime) -> Standing:
    timezone = _settings().timezone
    midnight = clock.start_of_day(clock.local_date(at, timezone), timezone)
    towns = tallies.by_town(actor, at)
    names = place_names(row.code for row in towns)
    return Standing(
        people=registrations.totals(actor),
        towns=[TownRow(names[row.code], row) for row in towns],
        crossings=crossings.by_checkpoint(actor, midnight),
        in_force=_in_force(current_state(at), at),
        closing=closing_table(actor, midnight, at),
    )


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
    """Where we stand; to the page's script only the numbers."""
    actor, at = current_actor(), clock.now()
    seq = feed.newest()  # before the numbers, so that nothing that happens meanwhile is missed
    template = "command/_standing.html" if wants_fragment() else "command/index.html"
    standing = _standing(actor, at)
    return render_template(template, standing=standing, percent=percent, tiers=TIERS, seq=seq, page="index")


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
        in_force=_in_force(current_state(at), at),
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
