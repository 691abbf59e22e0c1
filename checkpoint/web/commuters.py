"""Commuters: the form at `/apply/commuter`, giving up from the pass page, and the office's list with withdrawal in one act."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.approvals import commuters, commuters_office
from checkpoint.approvals.commuters_office import Chosen, Commuter
from checkpoint.companies import queries as companies
from checkpoint.config import Settings
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.extensions import limiter
from checkpoint.regions import default_index
from checkpoint.registrations.queries import place_name
from checkpoint.risk.service import current_state
from checkpoint.web import approval_words as say
from checkpoint.web.applying import posts
from checkpoint.web.auth import current_actor, public, requires
from checkpoint.web.errors import answer
from checkpoint.web.forms import commuting, words
from checkpoint.web.forms.commuting import CommuterForm
from checkpoint.web.pass_reports import holder, record_of
from checkpoint.words import _

blueprint = Blueprint("commuters", __name__)
Answer = str | Response | BaseResponse | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A commuter in the list, in words."""

    one: Commuter
    origin: str
    destination: str


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _limit() -> str:
    return _settings().registration_limit


def _today() -> date:
    return clock.local_date(clock.now(), _settings().timezone)


@blueprint.route("/apply/commuter", methods=["GET", "POST"])
@public
@limiter.limit(_limit, methods=["POST"])
def apply() -> Answer:
    """The form; sent, it becomes an application and leads to its page."""
    if request.method == "GET":
        return _form_page(commuting.blank(_today()))
    form = commuting.read(request.form, _today())
    company_id = _company(form)
    new = commuting.application_of(form, company_id)
    if new is None:
        return _form_page(form, 422)
    actor = Actor("traveller", None, None, _settings().site_division, frozenset())
    try:
        done = commuters.apply(new, actor=actor, at=clock.now())
    except InvalidInput as error:
        commuting.refuse(form, error.errors)
    except Conflict as error:
        commuting.renew(form)
        form.errors[""] = str(error)
    else:
        return redirect(url_for("applying.show", key=done.key), 303)
    return _form_page(form, 422)


def _company(form: CommuterForm) -> uuid.UUID | None:
    """The company whose credit code was written, if one was."""
    written = form.values["credit_code"]
    found = companies.active_id(written) if written else None
    if written and found is None:
        form.errors["credit_code"] = _(
            "No company of this city is registered with this code. Leave it empty if you do not know it."
        )
    return found


def _form_page(form: CommuterForm, status: int = 200) -> Answer:
    page = render_template(
        "commuters/apply.html",
        form=form,
        person=form.trip,
        words=words,
        days=say.DAYS,
        posts=posts(),
        index=default_index(),
        first=_today(),
        longest=current_state(clock.now()).policy.longest_days_of("commuter"),
        longest_work=commuting.LONGEST_WORK,
    )
    return page, status


@blueprint.errorhandler(CSRFError)
@blueprint.errorhandler(RateLimitExceeded)
def keep_what_was_typed(error: Exception) -> Answer:
    """A form that could not be taken comes back with everything in it, to be sent again: its identifier makes that safe."""
    status = 429 if isinstance(error, RateLimitExceeded) else 400
    if request.method != "POST" or request.endpoint != "commuters.apply":
        return answer(status, "too_many" if status == 429 else "csrf")
    form = commuting.read(request.form, _today())
    form.errors[""] = _("Everything you wrote is still here: please send it again.")
    response = make_response(_form_page(form, status))
    if status == 429:
        response.headers["Retry-After"] = "5"
    return response


@blueprint.route("/p/<handle>/commuting/end", methods=["GET", "POST"])
@public
def give_up(handle: str) -> Answer:
    """Ask, then end the approval and its pass."""
    try:
        record = record_of(handle)
    except NotFound:
        return render_template("traveller/no_pass.html"), 404
    own = record.registration.id
    onward = redirect(url_for("traveller.show_pass", handle=handle), 303)
    if request.method == "POST":
        commuters.give_up(own, actor=holder(own), at=clock.now())
        return onward
    approval = commuters.of_trip(own)
    if approval is None or approval.state != "granted":
        return onward
    return render_template(
        "commuters/give_up.html",
        handle=handle,
        approval=approval,
        destination=place_name(approval.division_code),
    )


@blueprint.get("/approvals/commuters")
@requires(Permission.APPROVALS_ANSWER)
def index() -> Answer:
    """The commuters of the jurisdiction, the worst colour first, with a choice by county or company."""
    return _list_page(_chosen())


def _list_page(chosen: Chosen, status: int = 200, **more: Any) -> Answer:
    actor, at = current_actor(), clock.now()
    page = max(request.args.get("page", 1, type=int), 1)
    number = commuters_office.number_of(chosen, actor=actor, at=at)
    rows = [
        Row(one, place_name(one.origin_code), place_name(one.division_code))
        for one in commuters_office.listed(chosen, actor=actor, at=at, page=page)
    ]
    values: dict[str, Any] = {
        "rows": rows,
        "number": number,
        "chosen": chosen,
        "counties": [
            (code, f"{place_name(code)} · {count}") for code, count in commuters_office.counties(actor=actor, at=at)
        ],
        "companies": _companies(actor),
        "page": page,
        "pages": max(1, -(-number // commuters_office.PAGE)),
        "errors": {},
    }
    return render_template("commuters/index.html", **values | more), status


def _companies(actor: Actor) -> list[tuple[str, str]]:
    """The companies that have named commuters of the jurisdiction, by name."""
    counts = commuters_office.companies(actor=actor, at=clock.now())
    names = companies.names([one for one, _count in counts])
    return [(str(one), f"{names.get(one, str(one)[:8])} · {count}") for one, count in counts]


def _chosen() -> Chosen:
    """The choice of the address or the form; what is not one chooses nobody out."""
    county = request.values.get("county", "")
    try:
        company = uuid.UUID(request.values.get("company", ""))
    except ValueError:
        company = None
    return Chosen(county if county.isdigit() and len(county) == 12 else None, company)


@blueprint.route("/approvals/commuters/withdraw", methods=["GET", "POST"])
@requires(Permission.APPROVALS_ANSWER)
def withdraw() -> Answer:
    """Show how many a choice would end, then end them all with one reason."""
    chosen = _chosen()
    if chosen.is_everybody:
        return redirect(url_for("commuters.index"), 303)
    if request.method == "GET":
        return _withdraw_page(chosen)
    try:
        number = commuters_office.withdraw_all(
            chosen,
            request.form.get("why", ""),
            expected=request.form.get("expected", -1, type=int),
            actor=current_actor(),
            at=clock.now(),
        )
    except InvalidInput as error:
        return _withdraw_page(chosen, 422, {one.field: one.message for one in error.errors})
    except Conflict:
        return _withdraw_page(chosen, 409, {"": _("The number has changed meanwhile. Please look again.")})
    flash(_("Withdrawn: %(number)d. Each of them must apply again to come.", number=number), "success")
    return redirect(url_for("commuters.index"), 303)


def _withdraw_page(chosen: Chosen, status: int = 200, errors: dict[str, str] | None = None) -> Answer:
    actor, at = current_actor(), clock.now()
    number = commuters_office.number_in_reach(chosen, actor=actor, at=at)
    names = companies.names([chosen.company_id]) if chosen.company_id else {}
    page = render_template(
        "commuters/withdraw.html",
        chosen=chosen,
        county=place_name(chosen.county),
        company=names.get(chosen.company_id, "") if chosen.company_id else "",
        number=number,
        higher=commuters_office.number_of(chosen, actor=actor, at=at) - number,
        why=request.form.get("why", ""),
        longest=commuters_office.LONGEST_WHY,
        errors=errors or {},
    )
    return page, status
