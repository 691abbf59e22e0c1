"""Companies seen from outside and from the town: the public form and its link, the review, and who is not registered."""

import csv
import io
import uuid
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.companies import queries, service
from checkpoint.companies.models import Company, CompanyState
from checkpoint.companies.service import NewCompany
from checkpoint.config import Settings
from checkpoint.database import new_id
from checkpoint.disclosure.service import exported
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.extensions import limiter
from checkpoint.inquiries.wording import harmless
from checkpoint.privacy import mask_name, mask_phone
from checkpoint.web.auth import current_actor, optional_actor, public, requires
from checkpoint.web.company_words import MEMBER_KINDS, STATES, STEPS
from checkpoint.web.errors import field_errors
from checkpoint.web.forms.chosen import chosen_division
from checkpoint.web.forms.identity import stored_id
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.web.inbox_words import word
from checkpoint.web.purpose_words import choices_of
from checkpoint.web.qr import qr_svg
from checkpoint.words import _

blueprint = Blueprint("companies", __name__, url_prefix="/companies")
Answer = str | Response | BaseResponse | tuple[str, int]
_FIELDS = ("name", "credit_code", "address", "contact_name", "contact_phone")
_BOM = b"\xef\xbb\xbf"  # spreadsheets take a file without it for GBK


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _limit() -> str:
    return _settings().registration_limit


def _visitor() -> Actor:
    """Somebody without an account, or the worker at whose desk the form is filled in."""
    return optional_actor() or Actor("traveller", None, None, _settings().site_division, frozenset())


def uuid_of(raw: str) -> uuid.UUID:
    """The form's own UUID; a new one when it is missing or broken."""
    try:
        return uuid.UUID(raw)
    except ValueError:
        return new_id()


@blueprint.get("/register")
@public
def form() -> Answer:
    """The form of a company that wants to register."""
    return _form_page({}, {})


def _form_page(values: dict[str, str], errors: dict[str, str]) -> str:
    return render_template("companies/register.html", values={"client_id": str(new_id()), **values}, errors=errors)


@blueprint.post("/register")
@public
@limiter.limit(_limit)
def register() -> Answer:
    """Register a company; it is led to its own link, which it must keep."""
    given = request.form
    code, wrong = "", {}
    try:
        code = chosen_division()
    except InvalidInput as error:
        wrong = field_errors(error)
    new = NewCompany(
        id=stored_id("company", uuid_of(given.get("client_id", ""))),
        division_code=code or _settings().site_division,
        **{field: given.get(field, "") for field in _FIELDS},
    )
    try:
        if wrong:
            service.check(new, actor=_visitor())
            raise InvalidInput([FieldError("division", "unknown", wrong["division"])])
        company = service.apply(new, actor=_visitor(), at=clock.now())
    except InvalidInput as error:
        return _form_page(given.to_dict(), {**field_errors(error), **wrong}), 422
    return redirect(url_for("companies.application", handle=service.handle_of(company)), 303)


@blueprint.get("/application/<handle>")
@public
def application(handle: str) -> Answer:
    """How a company's registration stands, for whoever has its link; the invitation to choose a password once it is accepted."""
    return _application_page(handle, {})


def _application_page(handle: str, errors: dict[str, str], status: int = 200) -> Answer:
    company = queries.by_link(handle)
    address = f"{_settings().public_url}{url_for('companies.application', handle=handle)}"
    page = render_template(
        "companies/application.html",
        company=company,
        handle=handle,
        address=address,
        code=qr_svg(address, address),
        login=service.login_of(company),
        invited_until=service.invited_until(company, clock.now()),
        place=place_names([company.division_code])[company.division_code],
        steps=queries.steps(company.id),
        step_words=STEPS,
        states=STATES,
        word=word,
        values=request.form,
        errors=errors,
    )
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/application/<handle>/reply")
@public
@limiter.limit(_limit)
def reply(handle: str) -> Answer:
    """The company answers what it was asked."""
    try:
        service.reply(handle, request.form.get("text", ""), actor=_visitor(), at=clock.now())
    except InvalidInput as error:
        return _application_page(handle, field_errors(error), 422)
    flash(_("Your answer is sent. You read here how it goes on."), "success")
    return redirect(url_for("companies.application", handle=handle), 303)


@blueprint.post("/application/<handle>/password")
@public
@limiter.limit(_limit)
def choose_password(handle: str) -> Answer:
    """The liaison chooses a password and goes on to sign in."""
    given = request.form.get("password", "")
    try:
        if given != request.form.get("again", ""):
            raise InvalidInput.one("again", "differs", _("The two new passwords differ."))
        service.choose_password(handle, given, at=clock.now())
    except InvalidInput as error:
        return _application_page(handle, field_errors(error), 422)
    flash(_("Your password is set. Sign in with the login that stands on your company's page."), "success")
    return redirect(url_for("auth.login"), 303)


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMPANIES_REVIEW)
def index() -> Answer:
    """The companies of the jurisdiction: those that wait, then how far each list is registered."""
    found = queries.reviewed(current_actor())
    live = [one.id for one in found if one.state == CompanyState.ACTIVE.value]
    return render_template(
        "companies/index.html",
        companies=found,
        coverage=queries.coverage(live),
        none=queries.Coverage(),
        places=place_names({one.division_code for one in found}),
        states=STATES,
        word=word,
    )


@blueprint.get("/<uuid:company_id>")
@requires(Permission.COMPANIES_REVIEW)
def one(company_id: uuid.UUID) -> Answer:
    """One company: what it said, what happened, and what the town may do."""
    return _page(company_id)


def _page(company_id: uuid.UUID, errors: dict[str, str] | None = None, status: int = 200, **more: Any) -> Answer:
    actor = current_actor()
    company = queries.one(actor, company_id)
    steps = queries.steps(company.id)
    absent = (
        [queries.masked(member) for _company, member in queries.absent(actor, company.id)]
        if company.state == CompanyState.ACTIVE.value
        else []
    )
    page = render_template(
        "companies/company.html",
        company=company,
        place=place_names([company.division_code])[company.division_code],
        contact=mask_name(company.contact_name or ""),
        phone=mask_phone(company.contact_phone or ""),
        clear=more.get("clear"),
        link=more.get("link"),
        code=more.get("code"),
        login=service.login_of(company),
        coverage=queries.coverage([company.id]).get(company.id, queries.Coverage()),
        absent=absent,
        kinds=MEMBER_KINDS,
        steps=steps,
        step_words=STEPS,
        actors=actor_names(step.actor for step in steps if step.actor.startswith("user:")),
        states=STATES,
        word=word,
        purposes=choices_of("company"),
        values=request.form,
        errors=errors or {},
    )
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/<uuid:company_id>/accept")
@requires(Permission.COMPANIES_REVIEW)
def accept(company_id: uuid.UUID) -> Answer:
    """Accept a company."""
    service.accept(company_id, actor=current_actor(), at=clock.now())
    flash(_("Accepted. By its own link the company's liaison now chooses a password."), "success")
    return redirect(url_for("companies.one", company_id=company_id), 303)


def _decide(company_id: uuid.UUID, act: Any, done: str) -> Answer:
    try:
        act(company_id, request.form.get("why", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _page(company_id, field_errors(error), 422)
    flash(done, "success")
    return redirect(url_for("companies.one", company_id=company_id), 303)


@blueprint.post("/<uuid:company_id>/ask")
@requires(Permission.COMPANIES_REVIEW)
def ask(company_id: uuid.UUID) -> Answer:
    """Ask a company back."""
    return _decide(company_id, service.ask, _("Sent. The company reads it by its link."))


@blueprint.post("/<uuid:company_id>/refuse")
@requires(Permission.COMPANIES_REVIEW)
def refuse(company_id: uuid.UUID) -> Answer:
    """Refuse a company."""
    return _decide(company_id, service.refuse, _("Refused. The company reads your reason."))


@blueprint.post("/<uuid:company_id>/close")
@requires(Permission.COMPANIES_REVIEW)
def close(company_id: uuid.UUID) -> Answer:
    """Close a company."""
    return _decide(company_id, service.close, _("Closed. What was granted has ended and the staff list is destroyed."))


@blueprint.post("/<uuid:company_id>/invite")
@requires(Permission.COMPANIES_REVIEW)
def invite(company_id: uuid.UUID) -> Answer:
    """Give a company a new link; it is shown once, on the page that answers."""
    company = service.invite(company_id, actor=current_actor(), at=clock.now())
    link = _link(company)
    return _page(company_id, link=link, code=qr_svg(link, link))


def _link(company: Company) -> str:
    return f"{_settings().public_url}{url_for('companies.application', handle=service.handle_of(company))}"


@blueprint.post("/<uuid:company_id>/unmask")
@requires(Permission.COMPANIES_REVIEW)
def unmask(company_id: uuid.UUID) -> Answer:
    """Show the contact and the address in clear, for a purpose; who looked is written down."""
    try:
        clear = service.unmask(company_id, request.form.get("purpose", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _page(company_id, field_errors(error), 422)
    return _page(company_id, clear=clear)


@blueprint.get("/not-registered.csv")
@requires(Permission.COMPANIES_REVIEW)
def not_registered() -> Answer:
    """Who stands on a company's list and is not registered, masked, as a table."""
    actor = current_actor()
    raw = request.args.get("company", "")
    found = queries.absent(actor, uuid_of(raw) if raw else None)
    exported("company_member", len(found), actor=actor, at=clock.now())
    places = place_names({company.division_code for company, _member in found})
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(
        [
            _("Company"),
            _("Credit code"),
            _("Place"),
            _("Kind"),
            _("Name or plate"),
            _("Document"),
            _("On the list since"),
        ]
    )
    for company, member in found:
        shown = queries.masked(member)
        line = (
            company.name,
            company.credit_code,
            places[company.division_code],
            str(word(MEMBER_KINDS, shown.kind)),
            shown.label,
            shown.document,
            clock.local_date(member.added_at, _settings().timezone).isoformat(),
        )
        writer.writerow([harmless(cell) for cell in line])
    answer = Response(_BOM + buffer.getvalue().encode(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="not-registered.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
