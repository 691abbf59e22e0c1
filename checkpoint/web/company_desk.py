"""The liaison's own room: what they are told, the staff list and its import, what the company applies for. Their company only."""

import csv
import io
import tempfile
import uuid
from datetime import date
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.queries import holders as holders_of
from checkpoint.approvals.queries import steps as steps_of
from checkpoint.companies import applying, members, queries, rows
from checkpoint.companies.granted import LIVE
from checkpoint.companies.models import MemberKind
from checkpoint.companies.notices import see
from checkpoint.companies.rows import Row, Wrong
from checkpoint.companies.wording import ADVICE, STANDINGS, bad_row_lines, bad_row_text, notice_text
from checkpoint.config import Settings
from checkpoint.database import new_id
from checkpoint.errors import InvalidInput
from checkpoint.inquiries.reading import Unreadable
from checkpoint.inquiries.wording import unreadable_text
from checkpoint.privacy import mask_document, mask_name, mask_plate
from checkpoint.web.auth import current_actor, optional_actor, requires
from checkpoint.web.companies import uuid_of
from checkpoint.web.company_words import APPLICATION_STATES, APPLICATION_STEPS, APPLICATIONS, MEMBER_KINDS
from checkpoint.web.errors import field_errors
from checkpoint.web.inbox_words import word
from checkpoint.web.patrol_words import WEEKDAYS
from checkpoint.words import _

blueprint = Blueprint("company", __name__, url_prefix="/company")
Answer = str | Response | BaseResponse | tuple[str, int]
MAX_UPLOAD = 10 << 20
PAGE = 100
_PREVIEWED = 50


@blueprint.url_value_preprocessor
def _allow_list(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A staff list may be larger than any other body of a liaison's."""
    if endpoint == "company.upload":
        actor = optional_actor()
        if actor is not None and actor.may(Permission.COMPANY_OWN):
            request.max_content_length = MAX_UPLOAD


def _render(template: str, page: str, **values: Any) -> str:
    company = queries.own(current_actor())
    return render_template(
        f"company/{template}.html", company=company, page=page, unread=queries.unread(company.id), word=word, **values
    )


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMPANY_OWN)
def index() -> Answer:
    """What the liaison is told, and how far the list is registered."""
    company = queries.own(current_actor())
    told = [
        (notice, notice_text(member.kind, queries.masked(member).label, notice.standing))
        for notice, member in queries.notices(company.id)
    ]
    return _render(
        "index",
        "index",
        told=told,
        coverage=queries.coverage([company.id]).get(company.id, queries.Coverage()),
    )


@blueprint.post("/seen")
@requires(Permission.COMPANY_OWN)
def seen() -> Answer:
    """The liaison has read what they were told."""
    see(actor=current_actor(), at=clock.now())
    return redirect(url_for("company.index"), 303)


@blueprint.get("/members")
@requires(Permission.COMPANY_OWN)
def staff() -> Answer:
    """The list, those who may not come first; a form for one more, and one for a file."""
    return _staff_page({}, {})


def _staff_page(values: dict[str, str], errors: dict[str, str]) -> str:
    company = queries.own(current_actor())
    number = max(1, int(raw)) if (raw := request.args.get("page", "1")).isdecimal() and len(raw) < 5 else 1
    found = queries.listed(company.id, limit=PAGE + 1, offset=(number - 1) * PAGE)
    return _render(
        "members",
        "members",
        members=[queries.masked(member) for member in found[:PAGE]],
        coverage=queries.coverage([company.id]).get(company.id, queries.Coverage()),
        number=number,
        more=len(found) > PAGE,
        standings=STANDINGS,
        advice=ADVICE,
        kinds=MEMBER_KINDS,
        values={"client_id": str(new_id()), "lorry_id": str(new_id()), "kind": "person", **values},
        errors=errors,
    )


@blueprint.post("/members")
@requires(Permission.COMPANY_OWN)
def add() -> Answer:
    """Take one employee or one lorry on."""
    form = request.form
    try:
        row = _typed(form.to_dict())
        members.add(uuid_of(form.get("client_id", "")), row, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _staff_page(form.to_dict(), field_errors(error)), 422
    flash(_("Added."), "success")
    return redirect(url_for("company.staff"), 303)


def _typed(form: dict[str, str]) -> Row:
    try:
        if form.get("kind") == MemberKind.LORRY.value:
            return rows.lorry(form.get("plate", ""))
        return rows.person(form.get("name", ""), form.get("id_number", ""), form.get("phone", ""))
    except Wrong as wrong:
        raise InvalidInput.one(wrong.field, wrong.cause, bad_row_text(wrong.cause)) from wrong


@blueprint.post("/members/<uuid:member_id>/remove")
@requires(Permission.COMPANY_OWN)
def remove(member_id: uuid.UUID) -> Answer:
    """Take one off the list."""
    if members.remove([member_id], actor=current_actor(), at=clock.now()):
        flash(_("Taken off. What the company was granted no longer holds for them."), "success")
    return redirect(url_for("company.staff"), 303)


@blueprint.post("/import")
@requires(Permission.COMPANY_OWN)
def upload() -> Answer:
    """Read a staff list and show what it would change; what is wrong with the file is said, and nothing kept."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _staff_page({}, {"file": _("Choose a file first.")}), 422
    settings: Settings = current_app.extensions["settings"]
    try:
        with tempfile.TemporaryDirectory(dir=settings.data) as folder:
            path = Path(folder) / "list"
            try:
                file.save(path)
            finally:
                file.close()
            draft = members.read_file(path, Path(folder), actor=current_actor(), at=clock.now())
    except Unreadable as error:
        return _staff_page({}, {"file": unreadable_text(error.cause, error.data)}), 422
    except InvalidInput as error:
        return _staff_page({}, field_errors(error)), 422
    return redirect(url_for("company.preview", import_id=draft.id), 303)


@blueprint.get("/import/<uuid:import_id>")
@requires(Permission.COMPANY_OWN)
def preview(import_id: uuid.UUID) -> Answer:
    """What a list that was read would change, or has changed."""
    draft = members.draft_of(import_id, current_actor())
    plan = members.plan_of(draft) if draft.done_at is None else None
    bad = members.wrong_rows(draft.id, actor=current_actor())
    shown = (
        {
            "new": [_masked_row(row) for row in plan.new[:_PREVIEWED]],
            "changed": [_masked_row(row) for _member, row in plan.changed[:_PREVIEWED]],
            "gone": [queries.masked(member) for member in plan.gone[:_PREVIEWED]],
        }
        if plan is not None
        else {}
    )
    causes = [(row["row"], bad_row_text(row["cause"])) for row in bad[:_PREVIEWED]]
    return _render("import", "members", draft=draft, plan=plan, shown=shown, causes=causes)


def _masked_row(row: Row) -> dict[str, str]:
    if row.is_lorry:
        return {"label": mask_plate(row.plate), "document": ""}
    return {"label": mask_name(row.name), "document": mask_document(row.id_number)}


@blueprint.post("/import/<uuid:import_id>/confirm")
@requires(Permission.COMPANY_OWN)
def confirm(import_id: uuid.UUID) -> Answer:
    """Let a list that was read count."""
    whole = request.form.get("whole") == "1"
    try:
        members.confirm(import_id, whole=whole, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        flash(error.errors[0].message, "error")
    else:
        flash(_("The list is taken over."), "success")
    return redirect(url_for("company.preview", import_id=import_id), 303)


def _table(lines: Any, name: str) -> Response:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(lines)
    answer = Response(b"\xef\xbb\xbf" + buffer.getvalue().encode(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/import/<uuid:import_id>/wrong-rows")
@requires(Permission.COMPANY_OWN)
def wrong_rows(import_id: uuid.UUID) -> Answer:
    """The wrong rows as a file, with their number and what is wrong with each."""
    bad = members.wrong_rows(import_id, actor=current_actor())
    return _table(bad_row_lines(bad), f"wrong-rows-{import_id.hex[-8:]}.csv")


@blueprint.get("/template.csv")
@requires(Permission.COMPANY_OWN)
def template() -> Answer:
    """An empty list with the headers that are known."""
    return _table([[_("Name"), _("Document number"), _("Phone"), _("Plate")]], "staff.csv")


@blueprint.get("/applications")
@requires(Permission.COMPANY_OWN)
def applications() -> Answer:
    """What the company applied for, and its commuters."""
    actor = current_actor()
    return _render(
        "applications",
        "applications",
        found=applying.mine(actor),
        commuters=applying.mine(actor, commuters=True),
        kinds=APPLICATIONS,
        states=APPLICATION_STATES,
    )


@blueprint.get("/applications/new")
@requires(Permission.COMPANY_OWN)
def new_application() -> Answer:
    """The form of an application."""
    return _application_form({"client_id": str(new_id()), "kind": "company"}, {})


def _application_form(values: dict[str, str], errors: dict[str, str]) -> str:
    company = queries.own(current_actor())
    settings: Settings = current_app.extensions["settings"]
    return _render(
        "apply",
        "applications",
        members=[queries.masked(member) for member in queries.listed(company.id, limit=applying.MOST_HOLDERS)],
        kinds=[(kind, APPLICATIONS[kind]) for kind in applying.KINDS],
        standings=STANDINGS,
        weekdays=[(str(number), name) for number, name in enumerate(WEEKDAYS, 1)],
        today=clock.local_date(clock.now(), settings.timezone).isoformat(),
        chosen=set(request.form.getlist("members")),
        days=request.form.getlist("days"),
        values=values,
        errors=errors,
    )


def _members() -> tuple[uuid.UUID, ...]:
    found = []
    for raw in request.form.getlist("members"):
        try:
            found.append(uuid.UUID(raw))
        except ValueError:
            continue
    return tuple(found)


def _day(raw: str) -> date | None:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        return None


@blueprint.post("/applications/new")
@requires(Permission.COMPANY_OWN)
def apply() -> Answer:
    """Apply for some members."""
    form = request.form
    since, until = form.get("hours_from", "").strip(), form.get("hours_until", "").strip()
    asked = applying.Asked(
        id=uuid_of(form.get("client_id", "")),
        kind=form.get("kind", ""),
        member_ids=_members(),
        plan=form.get("plan", ""),
        first_day=_day(form.get("first_day", "")),
        last_day=_day(form.get("last_day", "")),
        days=tuple(int(raw) for raw in form.getlist("days") if raw in set("1234567")),
        hours=(since, until) if since or until else None,
    )
    try:
        made = applying.apply(asked, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _application_form(form.to_dict(), field_errors(error)), 422
    flash(_("Applied for under number %(number)s. The town answers.", number=made.number), "success")
    return redirect(url_for("company.application", approval_id=made.id), 303)


@blueprint.get("/applications/<uuid:approval_id>")
@requires(Permission.COMPANY_OWN)
def application(approval_id: uuid.UUID) -> Answer:
    """One application: how it stands, whom it names, what was said; further members can be applied for."""
    return _application_page(approval_id, {})


def _application_page(approval_id: uuid.UUID, errors: dict[str, str]) -> str:
    approval = applying.one(approval_id, current_actor())
    named = holders_of(approval.id)
    held = {holder.id_number_hash or holder.plate_hash for holder in named}
    company = queries.own(current_actor())
    others = [
        queries.masked(member)
        for member in queries.listed(company.id, limit=applying.MOST_HOLDERS)
        if (member.id_number_hash or member.plate_hash) not in held
        and (approval.kind == "company" or (member.kind == MemberKind.LORRY.value) == (approval.kind == "lorry"))
    ]
    conditions = Conditions.from_json(approval.conditions or approval.asked_conditions)
    running = approval.state == "granted" and approval.valid_until > clock.now()
    return _render(
        "application",
        "applications",
        approval=approval,
        conditions=conditions,
        days=_(", ").join(str(WEEKDAYS[day - 1]) for day in conditions.days),
        named=[mask_plate(one.plate) if one.plate else mask_name(one.name or "") for one in named],
        others=others if running and approval.kind in applying.KINDS else [],
        steps=steps_of(approval.id),
        kinds=APPLICATIONS,
        states=APPLICATION_STATES,
        step_words=APPLICATION_STEPS,
        client_id=str(new_id()),
        live=approval.state in LIVE,
        values=request.form,
        errors=errors,
    )


def _back(approval_id: uuid.UUID) -> BaseResponse:
    return redirect(url_for("company.application", approval_id=approval_id), 303)


@blueprint.post("/applications/<uuid:approval_id>/more")
@requires(Permission.COMPANY_OWN)
def apply_too(approval_id: uuid.UUID) -> Answer:
    """Apply for further members under the same conditions."""
    new = uuid_of(request.form.get("client_id", ""))
    try:
        made = applying.apply_too(approval_id, new, _members(), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _application_page(approval_id, {"members": error.errors[0].message}), 422
    flash(_("Applied for under number %(number)s. The town answers.", number=made.number), "success")
    return _back(made.id)


@blueprint.post("/applications/<uuid:approval_id>/reply")
@requires(Permission.COMPANY_OWN)
def reply(approval_id: uuid.UUID) -> Answer:
    """Answer what the office asked."""
    try:
        applying.reply(approval_id, request.form.get("text", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _application_page(approval_id, field_errors(error)), 422
    flash(_("Your answer is sent."), "success")
    return _back(approval_id)


@blueprint.post("/applications/<uuid:approval_id>/withdraw")
@requires(Permission.COMPANY_OWN)
def withdraw(approval_id: uuid.UUID) -> Answer:
    """Take an application back, or give up what was granted."""
    applying.withdraw(approval_id, actor=current_actor(), at=clock.now())
    flash(_("Taken back."), "success")
    return _back(approval_id)


@blueprint.after_request
def _keep_nothing(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
