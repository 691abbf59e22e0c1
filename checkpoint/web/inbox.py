"""The inbox of villages and towns: what to do now, in one column. Every act is a plain form that works without scripts.

With scripts the same forms are sent by fetch (header `X-Fragment: 1`) and answered with the same partial that painted the
page first; new alerts arrive by /api/v1/stream and are fetched one by one.
"""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts import feed, groups, queries, receipts, service, tallies
from checkpoint.alerts.kinds import explained
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.appeals.queries import of_registration as appeals_of
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput
from checkpoint.followups import queries as followups
from checkpoint.followups import service as followup_service
from checkpoint.followups.tallies import count_due
from checkpoint.registrations import queries as registrations
from checkpoint.registrations.disclosure import reveal
from checkpoint.retention.holds import keeping
from checkpoint.retention.requests import hold_of
from checkpoint.risk.service import current_state
from checkpoint.risk.wording import SYMPTOMS, measure_text, reason_text
from checkpoint.web import inbox_sift, retention_words
from checkpoint.web import inbox_words as words
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.inbox_cards import Card, Task, card, cards, origin_of, place_names, tasks
from checkpoint.web.inbox_timeline import timeline
from checkpoint.web.purpose_words import choices_of

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")

Answer = str | Response | BaseResponse
VIEWS = ("now", "followups", "notices", "done")
# The states of the alerts that a view holds: the page's script takes a card out when it has moved on.
STATES = {"now": queries.LIVE_STATES, "notices": (AlertState.NOTICE.value,), "done": (AlertState.RESOLVED.value,)}
NOTICE_DAYS = 3
MAX_NOTE = 500
FEED_PAGE = 500
ASIDE = 6  # follow-ups that stand beside the alerts; the rest is one touch away


@dataclass(frozen=True, slots=True)
class Counts:
    """What the tabs show; `open`, those that nobody has acknowledged, stands in the title."""

    now: int
    open: int
    followups: int
    notices: int
    done: int


def _today(at: datetime) -> tuple[datetime, datetime]:
    """The first instant of today at the site, and of tomorrow."""
    settings: Settings = current_app.extensions["settings"]
    day = clock.local_date(at, settings.timezone)
    return clock.start_of_day(day, settings.timezone), clock.start_of_day(day + timedelta(days=1), settings.timezone)


def _counts(actor: Actor, at: datetime) -> Counts:
    today, tomorrow = _today(at)
    found = tallies.tally(actor, notices_since=at - timedelta(days=NOTICE_DAYS), closed_since=today)
    work = count_due(actor, tomorrow) if actor.may(Permission.PEOPLE_READ) else 0
    return Counts(found.live, found.open, work, found.notices, found.closed)


@dataclass(frozen=True, slots=True)
class GroupCard:
    """Many alerts that one act raised in one village, shown as one; `said` are the sentences that hold for all of them."""

    key: str
    division_code: str
    tier: str
    title: str
    place: str
    number: int
    open: int
    red: int
    said: tuple[str, ...]


def _group_cards(found: list[groups.Group]) -> list[GroupCard]:
    places = place_names(one.division_code for one in found)
    return [
        GroupCard(
            one.key,
            one.division_code,
            one.tier,
            words.word(words.KINDS, one.kind),
            places[one.division_code],
            one.number,
            one.open,
            one.red,
            explained(one.kind, {key: value for key, value in one.params.items() if key != "why"}),
        )
        for one in found
    ]


def _alerts(actor: Actor, view: str, at: datetime, together: list[groups.Group], limit: int) -> list[Alert]:
    group = request.args.get("group", "")
    if view == "now" and group:
        return groups.members(actor, group[:40], request.args.get("division", "")[:12], limit=limit)
    if view == "now":
        return groups.apart_from(actor, together, limit=limit)
    if view == "notices":
        since = at - timedelta(days=NOTICE_DAYS)
        return queries.recent(actor, since=since, states=(AlertState.NOTICE.value,), limit=limit)
    return tallies.closed_since(actor, _today(at)[0])


def _cards(actor: Actor, view: str, at: datetime, together: list[groups.Group], asked: inbox_sift.Sift) -> list[Card]:
    if asked.is_asked:
        found = _alerts(actor, view, at, together, inbox_sift.MOST)
        alerts = inbox_sift.sifted(actor, found, asked, at)[: queries.PAGE]
    else:
        alerts = _alerts(actor, view, at, together, queries.PAGE)
    receipts.delivered_to(actor, [one.id for one in alerts], at)
    return cards(actor, alerts, at)


def _tasks(actor: Actor, at: datetime, limit: int = queries.PAGE) -> list[Task]:
    if not actor.may(Permission.PEOPLE_READ):
        return []
    return tasks(actor, followups.due(actor, _today(at)[1], limit=limit), at)


def _list(actor: Actor, view: str, at: datetime) -> dict[str, Any]:
    """What the list of a view needs; `seq` is read first, so that nothing that is raised meanwhile is missed."""
    seq = feed.newest()
    asked = inbox_sift.Sift() if view == "followups" else inbox_sift.read(request.args)
    values: dict[str, Any] = {"view": view, "seq": seq, "words": words, "states": STATES.get(view, ()), "sift": asked}
    if view == "followups":
        return values | {"cards": [], "tasks": _tasks(actor, at)}
    group = request.args.get("group", "") if view == "now" else ""
    together = groups.groups(actor) if view == "now" and not group and not asked.is_asked else []
    found = _cards(actor, view, at, together, asked)
    return values | {
        "sifting": inbox_sift,
        "bunches": inbox_sift.bunches(found, asked.by),
        "group_key": group,
        "division": request.args.get("division", ""),
        "groups": _group_cards(together),
        "grouped": sum(one.number for one in together),
        "cards": found,
        "tasks": _tasks(actor, at, ASIDE) if view == "now" and not group and not asked.is_asked else [],
    }


def _view() -> str:
    asked = request.values.get("view", "")
    return asked if asked in VIEWS else "now"


def wants_fragment() -> bool:
    """Whether the page's script asks, and wants a part instead of a page."""
    return "X-Fragment" in request.headers


@blueprint.get("", strict_slashes=False)
@requires(Permission.ALERTS_READ)
def index() -> Answer:
    """The inbox; to the page's script only its list."""
    actor, at = current_actor(), clock.now()
    values = _list(actor, _view(), at)
    if wants_fragment():
        return render_template("inbox/_list.html", counts=_counts(actor, at), **values)
    return render_template("inbox/index.html", counts=_counts(actor, at), due_words=words.due_words(), **values)


@blueprint.get("/counts")
@requires(Permission.ALERTS_READ)
def counts() -> Answer:
    """How many stand behind each tab."""
    return jsonify(asdict(_counts(current_actor(), clock.now())))


@blueprint.get("/changes")
@requires(Permission.ALERTS_READ)
def changes() -> Answer:
    """`?after=` → `{seq, events: [{seq, event, alert}]}`: what the stream would have told, for a page that cannot have one."""
    actor = current_actor()
    feed.number()
    after = request.args.get("after", type=int)
    newest = feed.newest()
    items = [] if after is None or after > newest else feed.items_after(after, reach=actor.reach, limit=FEED_PAGE)
    seq = items[-1].seq if len(items) == FEED_PAGE else newest
    events = [{"seq": item.seq, "event": item.event, "alert": item.alert_id} for item in items]
    return jsonify({"seq": seq, "reset": after is not None and after > newest, "events": events})


@blueprint.get("/alerts/<uuid:alert_id>")
@requires(Permission.ALERTS_READ)
def alert(alert_id: uuid.UUID) -> Answer:
    """One alert: a page of its own, or the card for the list."""
    actor, at = current_actor(), clock.now()
    found = queries.one(actor, alert_id)
    if wants_fragment():
        receipts.delivered_to(actor, [alert_id], at)
    else:
        receipts.seen_by(actor, [alert_id], at)  # a page of its own is looked at
    return _one(found, actor, at)


@blueprint.post("/seen")
@requires(Permission.ALERTS_READ)
def seen() -> Answer:
    """Alerts (`alert`, several) that stood on this person's screen long enough to be looked at."""
    alerts = [_id(raw) for raw in request.form.getlist("alert")[: receipts.MOST]]
    return jsonify({"new": receipts.seen_by(current_actor(), alerts, clock.now())})


def _id(raw: str) -> uuid.UUID:
    try:
        return uuid.UUID(raw)
    except ValueError as error:
        raise InvalidInput.one("alert", "uuid_parsing", _("This is not the id of an alert.")) from error


def _one(found: Alert, actor: Actor, at: datetime) -> Answer:
    values = {"card": card(actor, found, at), "words": words, "view": _view()}
    if wants_fragment():
        return render_template("inbox/_card.html", **values)
    return render_template("inbox/alert.html", due_words=words.due_words(), **values)


def _acted(found: Alert, actor: Actor, at: datetime, message: str) -> Answer:
    """The answer to an act: the card as it is now, or back to the list."""
    if wants_fragment():
        return _one(found, actor, at)
    flash(message, "success")
    return redirect(url_for("inbox.index", view=_view(), _anchor=f"alert-{found.id}"), 303)


def _note() -> str | None:
    note = request.form.get("note", "").strip()
    if len(note) > MAX_NOTE:
        raise InvalidInput.one("note", "too_long", _("At most %(number)s characters.", number=MAX_NOTE))
    return note or None


@blueprint.post("/alerts/<uuid:alert_id>/acknowledge")
@requires(Permission.ALERTS_ACT)
def acknowledge(alert_id: uuid.UUID) -> Answer:
    """Take an alert on."""
    actor, at = current_actor(), clock.now()
    return _acted(service.acknowledge(alert_id, actor=actor, at=at), actor, at, _("Acknowledged."))


@blueprint.post("/alerts/<uuid:alert_id>/resolve")
@requires(Permission.ALERTS_ACT)
def resolve(alert_id: uuid.UUID) -> Answer:
    """Close an alert with a result."""
    actor, at = current_actor(), clock.now()
    found = service.resolve(alert_id, request.form.get("result", ""), _note(), actor=actor, at=at)
    return _acted(found, actor, at, _("Alert closed."))


@blueprint.post("/alerts/<uuid:alert_id>/note")
@requires(Permission.ALERTS_ACT)
def note(alert_id: uuid.UUID) -> Answer:
    """Write something down."""
    actor, at = current_actor(), clock.now()
    text = _note()
    if text is None:
        raise InvalidInput.one("note", "missing", _("Write what was said or done."))
    return _acted(service.add_note(alert_id, text, actor=actor, at=at), actor, at, _("Note saved."))


@blueprint.post("/followups/<uuid:followup_id>")
@requires(Permission.FOLLOWUPS_ACT)
def complete(followup_id: uuid.UUID) -> Answer:
    """Enter the result of a piece of follow-up work."""
    actor, at = current_actor(), clock.now()
    from_card = request.form.get("alert", "")
    shown = queries.one(actor, _id(from_card)) if from_card else None
    done = followup_service.complete(followup_id, request.form.get("result", ""), _note(), actor=actor, at=at)
    if shown is not None:
        return _acted(queries.one(actor, shown.id), actor, at, _("Saved."))
    if wants_fragment():
        return render_template("inbox/_task.html", task=tasks(actor, [done], at)[0], view=_view())
    flash(_("Saved: %(work)s.", work=words.word(words.FOLLOWUPS, done.kind)), "success")
    if request.form.get("back") == "person":
        return redirect(url_for("inbox.person", registration_id=done.registration_id), 303)
    return redirect(url_for("inbox.index", view=_view()), 303)


@blueprint.get("/people/<uuid:registration_id>")
@requires(Permission.PEOPLE_READ)
def person(registration_id: uuid.UUID) -> Answer:
    """A person's page: the record, masked, and everything that happened in one line of time."""
    actor, at = current_actor(), clock.now()
    record = registrations.visible(actor, registration_id)
    about = tallies.about(actor, registration_id)
    live = [one for one in about if one.state in queries.LIVE_STATES]
    place = record.registration.destination_code
    return render_template(
        "inbox/person.html",
        record=record,
        masked=registrations.masked(record.traveller),
        plate=registrations.masked_plate(record.registration),
        origin=origin_of(record.registration),
        destination=place_names([place])[place],
        stays=[(stay, registrations.place_name(stay.code) or stay.text) for stay in record.stays if not stay.is_origin],
        reasons=[reason_text(reason) for reason in record.assessment.reasons],
        measures=[measure_text(measure) for measure in record.assessment.measures],
        symptoms=[str(SYMPTOMS.get(one, one)) for one in record.registration.symptoms],
        steps=timeline(record, about, actor),
        appeals=appeals_of(registration_id),
        told=[one for one in followups.reports_of(registration_id) if one.state == "waiting" and not one.follow_up_id],
        cards=cards(actor, live, at),
        tasks=tasks(actor, [one for one in followups.of_registration(registration_id) if one.state == "open"], at),
        kept=keeping(registration_id, current_state(at).policy, at),
        hold=hold_of(registration_id),
        keep_words=retention_words,
        words=words,
        view="now",
        due_words=words.due_words(),
        purposes=choices_of("registration"),
    )


@blueprint.post("/people/<uuid:registration_id>/reveal")
@requires(Permission.PEOPLE_UNMASK)
def unmask(registration_id: uuid.UUID) -> Answer:
    """Show a phone, an address or a document in full, for a purpose; who did is written down."""
    raw = request.form.get("alert", "")
    try:
        alert_id = uuid.UUID(raw) if raw else None
    except ValueError as error:
        raise InvalidInput.one("alert", "uuid_parsing", _("This is not the id of an alert.")) from error
    what, purpose = request.form.get("what", ""), request.form.get("purpose", "")
    found = reveal(registration_id, what, purpose, actor=current_actor(), at=clock.now(), alert_id=alert_id)
    template = "inbox/_revealed.html" if wants_fragment() else "inbox/revealed.html"
    return render_template(template, revealed=found, registration_id=registration_id, words=words, view=_view())
