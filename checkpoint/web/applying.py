"""The applicant's face: apply at `/apply`, then see at `/approval/KEY` how it stands, reply, withdraw. Works without scripts."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import queries, service
from checkpoint.approvals.application import MOST_PAGES
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval, ApprovalKind
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotFound, TooBusy
from checkpoint.extensions import limiter
from checkpoint.privacy.pictures import MAX_BYTES
from checkpoint.regions import default_index
from checkpoint.registrations.queries import pass_path
from checkpoint.web import approval_words as say
from checkpoint.web.auth import public
from checkpoint.web.errors import answer
from checkpoint.web.forms import applying, words
from checkpoint.web.forms.applying import ApplyForm
from checkpoint.web.forms.places import PlaceField
from checkpoint.web.inbox_cards import place_names
from checkpoint.web.qr import qr_svg
from checkpoint.words import _

blueprint = Blueprint("applying", __name__)
Answer = str | Response | BaseResponse | tuple[str, int]
FORM_ROOM = 262_144  # what a form may hold beside its pictures
PICTURE_ROOM = 3 * MAX_BYTES
KINDS = {"person": ApprovalKind.PERSON, "lorry": ApprovalKind.LORRY}
_WITH_PICTURES = frozenset({"applying.apply", "applying.reply"})


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _limit() -> str:
    return _settings().registration_limit


@blueprint.url_value_preprocessor
def _allow_pictures(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Pictures may be larger than any other body."""
    if endpoint in _WITH_PICTURES:
        request.max_content_length = PICTURE_ROOM + FORM_ROOM


@blueprint.after_request
def _unlisted(response: Response) -> Response:
    """What a link shows is for its holder: no search engine keeps it."""
    if request.endpoint != "applying.choose":
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def posts() -> list[tuple[str, str]]:
    """The checkpoints that may be asked for, as code and name."""
    query = select(Checkpoint.code, Checkpoint.name).where(Checkpoint.active.is_(True), Checkpoint.kind != "closed")
    return [(code, name) for code, name in db.session.execute(query.order_by(Checkpoint.code))]


def pictures_sent(name: str = "pictures") -> list[bytes]:
    """The files of a form that hold anything; one more than may be kept is read, so that the service can say so."""
    files: Iterable[FileStorage] = request.files.getlist(name)[: MOST_PAGES + 1]
    return [raw for raw in (file.read(MAX_BYTES + 1) for file in files) if raw]


def form_values(form: ApplyForm, **more: Any) -> dict[str, Any]:
    """What the template of the form needs."""
    today = clock.local_date(clock.now(), _settings().timezone)
    return {
        "form": form,
        "kind": form.kind.value,
        "index": default_index(),
        "limits": applying.LIMITS,
        "days": say.DAYS,
        "posts": posts(),
        "words": words,
        "today": today,
        "blank_person": applying.new_person(),
        "blank_stop": PlaceField(),
        "blank_form": applying.blank(form.kind, today.isoformat()),
    } | more


def today() -> str:
    """The date at the site, as date fields write it."""
    return clock.local_date(clock.now(), _settings().timezone).isoformat()


@blueprint.get("/apply")
@public
def choose() -> Answer:
    """What can be applied for."""
    return render_template("approvals/choose.html")


@blueprint.route("/apply/<any(person, lorry):kind>", methods=["GET", "POST"])
@public
@limiter.limit(_limit, methods=["POST"])
def apply(kind: str) -> Answer:
    """The form; sent, it becomes an application and leads to its page."""
    if request.method == "GET":
        return _form_page(applying.blank(KINDS[kind], today()))
    act = request.form.get("act", "send")
    form = applying.read(KINDS[kind], request.form, act)
    if act != "send":
        return _form_page(form)
    new = applying.application_of(form, pictures=pictures_sent())
    if new is not None:
        actor = service.applicant_actor(new.id, _settings().site_division)
        try:
            done = service.apply(new, actor=actor, at=clock.now())
        except InvalidInput as error:
            applying.refuse(form, error)
        except Conflict as error:
            form.client_id = str(uuid.uuid4())
            form.errors[""] = str(error)
        else:
            return redirect(url_for("applying.show", key=done.key), 303)
    return _form_page(form, 422)


def _form_page(form: ApplyForm, status: int = 200) -> Answer:
    return render_template("approvals/form.html", **form_values(form, on_paper=False)), status


@blueprint.errorhandler(CSRFError)
@blueprint.errorhandler(RateLimitExceeded)
@blueprint.errorhandler(TooBusy)
@blueprint.errorhandler(OperationalError)
@blueprint.errorhandler(PoolTimeout)
def keep_what_was_typed(error: Exception) -> Answer:
    """A form that could not be taken comes back with everything in it, to be sent again: its identifier makes that safe."""
    db.session.rollback()
    status = {CSRFError: 400, RateLimitExceeded: 429}.get(type(error), 503)
    headers = {} if status == 400 else {"Retry-After": "5"}
    if request.method != "POST" or request.endpoint != "applying.apply" or status == 503:
        return answer(status, {400: "csrf", 429: "too_many"}.get(status, TooBusy.code), headers=headers)
    form = applying.read(KINDS[str((request.view_args or {})["kind"])], request.form, "keep")
    form.errors[""] = _("Everything you wrote is still here: please send it again. Pictures must be chosen once more.")
    response = make_response(_form_page(form, status))
    response.headers.update(headers)
    return response


def _known(key: str, render: Callable[[Approval], Answer]) -> Answer:
    """The page of an application, or a kind word for a link that is not ours."""
    try:
        approval = queries.by_key(key)
    except NotFound:
        return render_template("approvals/unknown.html"), 404
    return render(approval)


def _holder(approval: Approval) -> Actor:
    return service.applicant_actor(approval.id, _settings().site_division)


@blueprint.get("/approval/<key>")
@public
def show(key: str) -> Answer:
    """How it stands: what happened, what is asked, what is allowed."""
    return _known(key, lambda approval: _status_page(key, approval))


def _status_page(key: str, approval: Approval, errors: dict[str, str] | None = None, status: int = 200) -> Answer:
    at = clock.now()
    steps = queries.steps(approval.id)
    question = next((step.text for step in reversed(steps) if step.act == "asked"), "")
    ended = next((step for step in reversed(steps) if step.act in ("refused", "revoked")), None)
    conditions = Conditions.from_json(approval.conditions or approval.asked_conditions)
    page = render_template(
        "approvals/status.html",
        key=key,
        approval=approval,
        kind=say.kind_word(approval.kind),
        state=say.state_word(approval, at),
        tone=say.TONES.get(approval.state, "info"),
        over=approval.valid_until <= at,
        office=say.level_word(approval.stage),
        question=question if approval.state == "asked" else "",
        why=(ended.text or "") if ended is not None and approval.state in ("refused", "revoked") else "",
        people=[say.holder_name(one) for one in queries.holders(approval.id)[:50]],
        place=place_names([approval.division_code])[approval.division_code],
        conditions=say.condition_lines(conditions),
        items=say.lines(steps, for_applicant=True),
        own_pass=pass_path(approval.registration_id) if approval.registration_id is not None else "",
        new_id=uuid.uuid4(),
        values=request.form,
        errors=errors or {},
        most_pictures=MOST_PAGES,
    )
    return page, status


@blueprint.post("/approval/<key>/reply")
@public
@limiter.limit(_limit)
def reply(key: str) -> Answer:
    """The applicant answers what the office asked."""

    def send(approval: Approval) -> Answer:
        try:
            service.reply(
                approval.id,
                request.form.get("text", ""),
                pictures_sent(),
                actor=_holder(approval),
                at=clock.now(),
                once=own_id(),
            )
        except InvalidInput as error:
            return _status_page(key, approval, {one.field: one.message for one in error.errors}, 422)
        except Conflict as error:
            flash(str(error), "error")
        else:
            flash(_("Thank you. Your reply is with the office."), "success")
        return redirect(url_for("applying.show", key=key), 303)

    return _known(key, send)


@blueprint.route("/approval/<key>/withdraw", methods=["GET", "POST"])
@public
@limiter.limit(_limit, methods=["POST"])
def withdraw(key: str) -> Answer:
    """Ask, then take the application back."""

    def act(approval: Approval) -> Answer:
        if request.method == "GET":
            if approval.state not in ("open", "asked", "granted"):
                return redirect(url_for("applying.show", key=key), 303)
            return render_template("approvals/withdraw.html", key=key, approval=approval, new_id=uuid.uuid4())
        try:
            service.withdraw(approval.id, actor=_holder(approval), at=clock.now(), once=own_id())
        except Conflict as error:
            flash(str(error), "error")
        return redirect(url_for("applying.show", key=key), 303)

    return _known(key, act)


@blueprint.get("/approval/<key>/slip")
@public
def slip(key: str) -> Answer:
    """A slip to print and take along: the number, and the link as a code."""

    def render(approval: Approval) -> Answer:
        address = f"{_settings().public_url}{url_for('applying.show', key=key)}"
        return render_template(
            "approvals/slip.html",
            approval=approval,
            kind=say.kind_word(approval.kind),
            place=place_names([approval.division_code])[approval.division_code],
            code=qr_svg(address, _("Link of the application")),
            key=key,
        )

    return _known(key, render)


def own_id() -> uuid.UUID:
    """The client's own UUID of the act, so that a repeat changes nothing."""
    try:
        return uuid.UUID(request.form.get("once", ""))
    except ValueError:
        return uuid.uuid4()


def as_seen() -> datetime | None:
    """The `changed_at` of the page on which somebody decided."""
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError:
        return None
