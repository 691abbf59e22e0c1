"""Duty rosters, handing alerts to colleagues, and opening closed ones again. Plain forms; reopening also answers the inbox's script."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.models import User
from checkpoint.accounts.permissions import Permission
from checkpoint.alerts import duty, handing, queries
from checkpoint.alerts.models import DutyShift
from checkpoint.config import Settings
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.risk.service import current_state
from checkpoint.web import inbox_words
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.inbox import wants_fragment
from checkpoint.web.inbox_cards import card, cards, place_names
from checkpoint.words import _

blueprint = Blueprint("duty", __name__, url_prefix="/duty")

Answer = str | Response | BaseResponse | tuple[str, int]
SHOWN_DAYS = 7
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Roster:
    """The roster of one division: its shifts, the times that nobody covers, and who is on duty now."""

    code: str
    place: str
    shifts: tuple[tuple[DutyShift, User], ...]
    gaps: tuple[tuple[datetime, datetime], ...]
    now: tuple[str, ...]


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _rosters(at: datetime) -> list[Roster]:
    actor = current_actor()
    until = at + timedelta(days=SHOWN_DAYS)
    by_division: dict[str, list[tuple[DutyShift, User]]] = defaultdict(list)
    for shift, user in duty.roster(actor, at, until):
        by_division[shift.division_code].append((shift, user))
    places = place_names(by_division)
    found = []
    for code, rows in by_division.items():
        covered = [(shift.starts_at, shift.ends_at) for shift, _user in rows]
        now = tuple(user.display_name for shift, user in rows if shift.starts_at <= at < shift.ends_at)
        gaps = tuple(duty.gaps(covered, at, until))
        found.append(Roster(code, places.get(code, code), tuple(rows), gaps, now))
    return found


def _roster_page(values: dict[str, str], errors: dict[str, str]) -> str:
    at = clock.now()
    people = duty.workers(current_actor())
    places = place_names({user.division_code for user in people})
    return render_template(
        "duty/roster.html",
        rosters=_rosters(at),
        people=[(str(user.id), f"{user.display_name} · {places.get(user.division_code, '')}") for user in people],
        values={"first": clock.local_date(at, _settings().timezone).isoformat(), "days": "7", **values},
        errors=errors,
        days=SHOWN_DAYS,
    )


@blueprint.get("", strict_slashes=False)
@requires(Permission.ROSTERS_WRITE)
def roster() -> Answer:
    """Who is on duty now and in the next days, and the form to enter shifts."""
    return _roster_page({}, {})


def _entered() -> duty.Shifts:
    form, errors = request.form, []
    try:
        user_id = uuid.UUID(form.get("user", ""))
    except ValueError:
        user_id = uuid.UUID(int=0)  # nobody: the service names the field
    try:
        first = date.fromisoformat(form.get("first", ""))
    except ValueError:
        first = date.min
        errors.append(FieldError("first", "format", _("Choose a date.")))
    raw = form.get("days", "")
    days = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) <= 3 else 0
    if errors:
        raise InvalidInput(errors)
    return duty.Shifts(user_id, first, days, form.get("begins", ""), form.get("ends", ""))


@blueprint.post("")
@requires(Permission.ROSTERS_WRITE)
def add() -> Answer:
    """Enter somebody for some days."""
    try:
        added = duty.add_shifts(_entered(), actor=current_actor(), at=clock.now(), timezone=_settings().timezone)
    except InvalidInput as error:
        return _roster_page(request.form.to_dict(), field_errors(error)), 422
    flash(_("%(number)s shifts entered.", number=added), "success")
    return redirect(url_for("duty.roster"), 303)


@blueprint.post("/shifts/<uuid:shift_id>/remove")
@requires(Permission.ROSTERS_WRITE)
def remove(shift_id: uuid.UUID) -> Answer:
    """Take a shift out."""
    duty.remove_shift(shift_id, actor=current_actor(), at=clock.now())
    flash(_("The shift is removed."), "success")
    return redirect(url_for("duty.roster"), 303)


def _choices(people: list[User]) -> list[tuple[str, str]]:
    places = place_names({user.division_code for user in people})
    return [(str(user.id), f"{user.display_name} · {places.get(user.division_code, '')}") for user in people]


def _receiver() -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get("to", ""))
    except ValueError as error:
        raise InvalidInput.one("to", "missing", _("Choose a colleague.")) from error


def _hand_page(alert_id: uuid.UUID, errors: dict[str, str]) -> str:
    actor, at = current_actor(), clock.now()
    alert = queries.one(actor, alert_id)
    return render_template(
        "duty/hand.html",
        card=card(actor, alert, at),
        people=_choices(handing.colleagues(actor, [alert])),
        errors=errors,
        words=inbox_words,
    )


@blueprint.get("/hand/<uuid:alert_id>")
@requires(Permission.ALERTS_ACT)
def hand(alert_id: uuid.UUID) -> Answer:
    """To whom one alert may be handed: those who may see the person, and nobody else."""
    return _hand_page(alert_id, {})


@blueprint.post("/hand/<uuid:alert_id>")
@requires(Permission.ALERTS_ACT)
def assign(alert_id: uuid.UUID) -> Answer:
    """Hand one alert to a colleague."""
    actor, at = current_actor(), clock.now()
    queries.one(actor, alert_id)
    try:
        handing.assign(alert_id, _receiver(), actor=actor, at=at, policy=current_state(at).policy)
    except InvalidInput as error:
        return _hand_page(alert_id, field_errors(error)), 422
    flash(_("Handed to your colleague, who is told at once."), "success")
    return redirect(url_for("inbox.index", _anchor=f"alert-{alert_id}"), 303)


def _hand_over_page(errors: dict[str, str]) -> str:
    actor, at = current_actor(), clock.now()
    mine = handing.in_hand(actor)
    return render_template(
        "duty/hand_over.html",
        cards=cards(actor, mine, at),
        people=_choices(handing.colleagues(actor, mine)),
        errors=errors,
        words=inbox_words,
    )


@blueprint.get("/hand-over")
@requires(Permission.ALERTS_ACT)
def hand_over() -> Answer:
    """Everything that this person has in hand, to be handed over at the end of a shift."""
    return _hand_over_page({})


@blueprint.post("/hand-over")
@requires(Permission.ALERTS_ACT)
def hand_all() -> Answer:
    """Hand over what is ticked."""
    actor, at = current_actor(), clock.now()
    try:
        ids = [uuid.UUID(raw) for raw in request.form.getlist("alert")[: handing.MOST]]
        if not ids:
            raise InvalidInput.one("alert", "missing", _("Choose what to hand over."))
        moved = handing.hand_over(ids, _receiver(), actor=actor, at=at, policy=current_state(at).policy)
    except ValueError as error:
        raise InvalidInput.one("alert", "uuid_parsing", _("This is not the id of an alert.")) from error
    except InvalidInput as error:
        return _hand_over_page(field_errors(error)), 422
    flash(_("%(number)s alerts handed over.", number=moved), "success")
    return redirect(url_for("inbox.index"), 303)


@blueprint.post("/reopen/<uuid:alert_id>")
@requires(Permission.ALERTS_ACT)
def reopen(alert_id: uuid.UUID) -> Answer:
    """Open a closed alert again, with a reason."""
    actor, at = current_actor(), clock.now()
    reason = request.form.get("note", "").strip()
    if len(reason) > MAX_REASON:
        raise InvalidInput.one("note", "too_long", _("At most %(number)s characters.", number=MAX_REASON))
    found = handing.reopen(alert_id, reason, actor=actor, at=at, policy=current_state(at).policy)
    if wants_fragment():
        view = request.form.get("view", "")
        return render_template("inbox/_card.html", card=card(actor, found, at), words=inbox_words, view=view)
    flash(_("Opened again."), "success")
    return redirect(url_for("inbox.index", _anchor=f"alert-{found.id}"), 303)
