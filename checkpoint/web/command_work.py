"""City command, what changed lists and policies do to people: progress, what was decided in between, sources."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.registrations import queries as registrations
from checkpoint.surveillance import feeds, findings, queries
from checkpoint.surveillance.wording import FEED_PROBLEMS
from checkpoint.web import inbox_words as words
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.command_words import CAUSES, FINDINGS
from checkpoint.web.inbox import wants_fragment
from checkpoint.web.inbox_cards import actor_names, people_of, place_names
from checkpoint.web.inbox_words import word

blueprint = Blueprint("work", __name__, url_prefix="/command")

Answer = str | Response | BaseResponse
VILLAGES_SHOWN = 200


@blueprint.get("/changes")
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """The changes of what is in force and how far their work is; to the page's script only the table."""
    values = {"works": queries.works(current_actor()), "causes": CAUSES, "word": word, "page": "lists"}
    return render_template("command/_works.html" if wants_fragment() else "command/works.html", **values)


@blueprint.get("/changes/<int:version>")
@requires(Permission.COMMAND_READ)
def one(version: int) -> Answer:
    """Whose tier one change has moved, by village."""
    rows = queries.by_village(current_actor(), version)
    names = place_names(code for code, *_rest in rows)
    shown = [(names[code], before, after, number) for code, before, after, number in rows[:VILLAGES_SHOWN]]
    return render_template("command/work.html", version=version, rows=shown, more=len(rows) - len(shown), page="lists")


@blueprint.get("/findings")
@requires(Permission.COMMAND_READ)
def decisions() -> Answer:
    """What officers and communities decided while something was in force that was taken back since."""
    actor = current_actor()
    looked = request.args.get("looked") == "1"
    found = findings.findings(actor, looked=looked)
    people = people_of(actor, (one.registration_id for one in found))
    masked = {key: registrations.masked(traveller) for key, (_registration, traveller) in people.items()}
    return render_template(
        "command/findings.html",
        found=found,
        masked=masked,
        places=place_names(one.division_code for one in found),
        actors=actor_names([one.actor for one in found] + [one.looked_by for one in found]),
        waiting=findings.waiting(actor),
        looked=looked,
        kinds=FINDINGS,
        results={**words.FOLLOWUP_RESULTS, **words.RESULTS, **words.DECISIONS},
        word=word,
        page="findings",
    )


@blueprint.post("/findings/<int:finding_id>")
@requires(Permission.LISTS_WRITE)
def look_at(finding_id: int) -> Answer:
    """Somebody has looked at a decision."""
    findings.look_at(finding_id, actor=current_actor(), at=clock.now())
    return redirect(url_for("work.decisions"), 303)


@blueprint.get("/feeds")
@requires(Permission.COMMAND_READ)
def sources() -> Answer:
    """The addresses from which lists are fetched, and the form to add one."""
    return _sources_page({}, {})


def _sources_page(values: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "command/feeds.html",
        feeds=[(one, feeds.shown_address(one), feeds.next_fetch(one)) for one in feeds.feeds()],
        silent={one.id: feeds.silent_since(one) for one in feeds.feeds() if feeds.is_silent(one, clock.now())},
        last_round=feeds.last_round(),
        problems=FEED_PROBLEMS,
        values=values,
        errors=errors,
        word=word,
        page="lists",
    )


def _number(name: str) -> int:
    raw = request.form.get(name, "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 6 else -1


@blueprint.post("/feeds")
@requires(Permission.LISTS_WRITE)
def add_source() -> Answer:
    """Add a source."""
    new = feeds.NewFeed(
        name=request.form.get("name", "").strip(),
        url=request.form.get("url", "").strip(),
        interval_minutes=_number("interval_minutes"),
        silent_hours=_number("silent_hours"),
        publishes=bool(request.form.get("publishes")),
    )
    try:
        feeds.add_feed(new, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        wrong = {one.field: one.message for one in error.errors}
        return make_response(_sources_page(request.form.to_dict(), wrong), 422)
    flash(_("The source is added and will be fetched within a minute."), "success")
    return redirect(url_for("work.sources"), 303)


@blueprint.post("/feeds/<int:feed_id>/fetch")
@requires(Permission.LISTS_WRITE)
def fetch_source(feed_id: int) -> Answer:
    """Let a source be fetched now."""
    feed = feeds.fetch_soon(feed_id, actor=current_actor(), at=clock.now())
    flash(_("%(name)s is fetched within a minute. Look at this page again then.", name=feed.name), "success")
    return redirect(url_for("work.sources"), 303)


@blueprint.post("/feeds/<int:feed_id>/remove")
@requires(Permission.LISTS_WRITE)
def remove_source(feed_id: int) -> Answer:
    """Take a source away."""
    name = feeds.remove_feed(feed_id, actor=current_actor(), at=clock.now())
    flash(_("%(name)s is removed. The lists that it brought stay.", name=name), "success")
    return redirect(url_for("work.sources"), 303)


@blueprint.post("/feeds/<int:feed_id>")
@requires(Permission.LISTS_WRITE)
def switch_source(feed_id: int) -> Answer:
    """Stop fetching a source, or begin again."""
    active = request.form.get("active") == "1"
    feeds.set_feed_active(feed_id, active, actor=current_actor(), at=clock.now())
    flash(_("The source is fetched again.") if active else _("The source is no longer fetched."), "success")
    return redirect(url_for("work.sources"), 303)
