"""What a village answers besides alerts: appeals, what travellers told without planned work, and its poster for the door."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import force_locale
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.scope import in_reach
from checkpoint.alerts.service import VILLAGE, level_of
from checkpoint.appeals import queries, service
from checkpoint.appeals.models import Appeal
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.followups import reports
from checkpoint.followups.doors import door_handle
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import MIMETYPE
from checkpoint.regions.models import Division
from checkpoint.registrations import queries as registrations
from checkpoint.registrations.overrides import NEVER, RULE
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state
from checkpoint.risk.wording import reason_text
from checkpoint.web import inbox_words as words
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.filters import tier_word
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.web.qr import qr_svg
from checkpoint.words import _

blueprint = Blueprint("care", __name__, url_prefix="/inbox")
Answer = str | Response | BaseResponse | tuple[str, int]
CODE_DIGITS, TOWN_LEVEL = 12, 4


@dataclass(frozen=True, slots=True)
class Asked:
    """An appeal in a list: whose (masked), where, and until when."""

    appeal: Appeal
    person: dict[str, str]
    place: str
    overdue: bool


def _asked(found: list[Appeal], at: datetime) -> list[Asked]:
    people = registrations.people([one.registration_id for one in found])
    places = place_names(one.division_code for one in found)
    return [
        Asked(
            one,
            registrations.masked(people[one.registration_id][1]),
            places[one.division_code],
            one.state == "open" and one.due_at <= at,
        )
        for one in found
    ]


@blueprint.get("/appeals")
@requires(Permission.PEOPLE_READ)
def appeals() -> Answer:
    """The appeals that wait for an answer, the nearest deadline first."""
    actor, at = current_actor(), clock.now()
    return render_template(
        "inbox/appeals.html", appeals=_asked(queries.waiting(actor), at), due_words=words.due_words()
    )


@blueprint.get("/appeals/<uuid:appeal_id>")
@requires(Permission.PEOPLE_READ)
def appeal(appeal_id: uuid.UUID) -> Answer:
    """One appeal: what is said, the picture, the reasons as they stand, and the two answers."""
    return _appeal_page(appeal_id)


def _appeal_page(appeal_id: uuid.UUID, errors: dict[str, str] | None = None, status: int = 200) -> Answer:
    actor, at = current_actor(), clock.now()
    found = queries.one(actor, appeal_id)
    record = registrations.visible(actor, found.registration_id)
    judged = record.assessment if found.state == "open" else db.session.get_one(Assessment, found.assessment_id)
    policy = current_state(at).policy
    reasons = [
        {
            "position": position,
            "text": reason_text(reason),
            "fixed": reason["rule"] in NEVER or reason["rule"] == RULE,
            "heavy": reason["points"] >= policy.yellow_from,
        }
        for position, reason in enumerate(judged.reasons)
    ]
    page = render_template(
        "inbox/appeal.html",
        one=_asked([found], at)[0],
        record=record,
        reasons=reasons,
        answered_by=actor_names([found.answered_by]).get(found.answered_by or "", ""),
        values=request.form,
        errors=errors or {},
        days=service.SET_ASIDE_DAYS,
        due_words=words.due_words(),
    )
    return page, status


@blueprint.get("/appeals/<uuid:appeal_id>/picture.jpg")
@requires(Permission.PEOPLE_READ)
def picture(appeal_id: uuid.UUID) -> Answer:
    """The picture of an appeal, to those who may see the person."""
    response = make_response(queries.picture(current_actor(), appeal_id))
    response.mimetype = MIMETYPE
    response.headers["Content-Disposition"] = 'inline; filename="appeal.jpg"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/appeals/<uuid:appeal_id>/grant")
@requires(Permission.APPEALS_ANSWER)
def grant(appeal_id: uuid.UUID) -> Answer:
    """The traveller is right."""
    chosen = [int(raw) for raw in request.form.getlist("set_aside") if raw.isdecimal() and len(raw) < 4]
    raw_days = request.form.get("days", "")
    try:
        done = service.grant(
            appeal_id,
            request.form.get("why", ""),
            set_aside=chosen,
            days=int(raw_days) if raw_days.isdecimal() and len(raw_days) < 4 else 0,
            actor=current_actor(),
            at=clock.now(),
        )
    except InvalidInput as error:
        return _appeal_page(appeal_id, _said(error), 422)
    flash(
        _("Granted. The colour is now %(tier)s; pass, alerts and follow-ups are corrected.", tier=_tier(done)),
        "success",
    )
    return redirect(url_for("inbox.person", registration_id=done.registration_id), 303)


@blueprint.post("/appeals/<uuid:appeal_id>/refuse")
@requires(Permission.APPEALS_ANSWER)
def refuse(appeal_id: uuid.UUID) -> Answer:
    """The tier stands."""
    try:
        done = service.refuse(appeal_id, request.form.get("why", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _appeal_page(appeal_id, _said(error), 422)
    flash(_("Not granted. The traveller reads your reason."), "success")
    return redirect(url_for("inbox.person", registration_id=done.registration_id), 303)


def _tier(done: Appeal) -> str:
    return tier_word(done.tier_after or done.tier_before)


def _said(error: InvalidInput) -> dict[str, str]:
    known = {
        "why": _("Say why: the traveller reads it."),
        "set_aside": _("Choose at least one reason that does not hold."),
        "days": _("From 1 to 60 days."),
    }
    return {item.field: known.get(item.field, item.message) for item in error.errors}


@blueprint.post("/reports/<uuid:report_id>")
@requires(Permission.FOLLOWUPS_ACT)
def settle(report_id: uuid.UUID) -> Answer:
    """Confirm a test that a traveller told and that no planned work asks for, or say that it was not so."""
    confirmed = request.form.get("confirmed") == "1"
    report = reports.settle(report_id, confirmed=confirmed, actor=current_actor(), at=clock.now())
    flash(_("Confirmed.") if confirmed else _("Not confirmed."), "success")
    return redirect(url_for("inbox.person", registration_id=report.registration_id), 303)


@blueprint.get("/door")
@requires(Permission.FOLLOWUPS_ACT)
def doors() -> Answer:
    """The villages and communities whose poster may be printed; a worker of one is led to it at once."""
    actor = current_actor()
    if level_of(actor.division) == VILLAGE:
        return redirect(url_for("care.door", code=actor.division), 303)
    query = select(Division).where(in_reach(actor, Division.code), Division.level >= TOWN_LEVEL)
    return render_template(
        "inbox/doors.html", places=list(db.session.scalars(query.order_by(Division.code))), due_words=words.due_words()
    )


@blueprint.get("/door/<code>")
@requires(Permission.FOLLOWUPS_ACT)
def door(code: str) -> Answer:
    """The poster of one village: an A4 page whose code confirms an arrival."""
    actor: Actor = current_actor()
    division = db.session.get(Division, code) if code.isdecimal() and len(code) == CODE_DIGITS else None
    if division is None or division.level < TOWN_LEVEL or not actor.sees(code):
        raise NotFound
    address = f"{current_app.extensions['settings'].public_url}/a/{door_handle(keyring(), code)}"
    texts: dict[str, dict[str, Any]] = {}
    for language in ("zh", "en"):
        with force_locale(language):
            texts[language] = {
                "title": _("Arrived? Scan here"),
                "steps": (
                    _("Scan the code with the phone that shows your pass."),
                    _("Touch “I have arrived”."),
                    _("Go to your address. Your village or community will be in touch."),
                ),
                "help": _("No phone, or it does not work? Tell the worker here. Questions:"),
            }
    return render_template(
        "inbox/door.html",
        place=place_names([code])[code],
        address=address,
        code=qr_svg(address, address),
        words=texts,
        steps=list(zip(texts["zh"]["steps"], texts["en"]["steps"], strict=True)),
    )
