"""The office's face of applications: what waits, one application with what its stage needs to see, the answers; and papers."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.alerts.duty import level_of
from checkpoint.approvals import disclosure, queries, service
from checkpoint.approvals.application import MOST_PAGES
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.kinds import may_answer, next_stage
from checkpoint.approvals.models import Approval
from checkpoint.approvals.origin import judged
from checkpoint.disclosure.queries import is_open
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.privacy import mask_name, mask_phone
from checkpoint.privacy.pictures import MAX_BYTES, MIMETYPE
from checkpoint.regions import queries as divisions
from checkpoint.risk.service import current_state
from checkpoint.risk.wording import reason_text
from checkpoint.web import approval_words as say
from checkpoint.web import inbox_words
from checkpoint.web.applying import FORM_ROOM, KINDS, as_seen, form_values, own_id, pictures_sent, posts, today
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.forms import applying
from checkpoint.web.forms import conditions as editing
from checkpoint.web.forms.applying import ApplyForm
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.words import _

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")
Answer = str | Response | BaseResponse | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """An application in a list: whose (masked), where, how it stands."""

    approval: Approval
    kind: str
    name: str
    place: str
    state: str
    stage: str
    overdue: bool


@blueprint.url_value_preprocessor
def _allow_pages(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """The pages of a paper may be larger than any other body."""
    if endpoint == "approvals.paper":
        request.max_content_length = MOST_PAGES * MAX_BYTES + FORM_ROOM


def _rows(found: list[Approval], at: datetime) -> list[Row]:
    places = place_names(one.division_code for one in found)
    return [
        Row(
            one,
            say.kind_word(one.kind),
            mask_name(one.contact_name or ""),
            places[one.division_code],
            say.state_word(one, at),
            say.level_word(one.stage) if one.state in queries.UNANSWERED else "",
            queries.overdue(one, at),
        )
        for one in found
    ]


@blueprint.get("")
@requires(Permission.APPROVALS_ANSWER)
def index() -> Answer:
    """What the actor must answer, what stands elsewhere, and what was decided lately."""
    actor, at = current_actor(), clock.now()
    waiting = queries.waiting(actor)
    return render_template(
        "approvals/index.html",
        mine=_rows(waiting.mine, at),
        others=_rows(waiting.others, at),
        decided=_rows(queries.decided(actor, limit=50), at),
    )


@blueprint.get("/<uuid:approval_id>")
@requires(Permission.APPROVALS_ANSWER)
def show(approval_id: uuid.UUID) -> Answer:
    """One application: who, where, when, what the lists say of the origin, what happened, and the answers."""
    return _page(approval_id)


def _page(approval_id: uuid.UUID, status: int = 200, **more: Any) -> Answer:
    actor, at = current_actor(), clock.now()
    approval = queries.one(actor, approval_id)
    steps = queries.steps(approval_id)
    proposed = queries.proposed(approval)
    policy = current_state(at).policy
    mine = approval.state in queries.UNANSWERED and may_answer(actor, approval, queries.escalated_to(approval))
    after = next_stage(approval, actor, covers_red=proposed.covers == "red", policy=policy)
    standing = approval.state == "granted" and approval.valid_until > at
    values: dict[str, Any] = {
        "row": _rows([approval], at)[0],
        "approval": approval,
        "phone": mask_phone(approval.contact_phone or ""),
        "holders": [say.holder_name(one) for one in queries.holders(approval_id)],
        "opened": None,
        "pages": queries.pages(approval_id),
        "pages_open": is_open("approval", approval_id, actor=actor, at=at),
        "asked": say.condition_lines(Conditions.from_json(approval.asked_conditions)),
        "proposed": say.condition_lines(proposed),
        "origin": _origin(approval, at),
        "earlier": _rows(queries.same_people(actor, approval), at),
        "items": say.lines(steps, for_applicant=False, names=actor_names(step.actor for step in steps)),
        "mine": mine,
        "next_office": say.level_word(after),
        "may_revoke": standing and level_of(actor.division) <= approval.stage,
        "editor": editing.editor_of(proposed),
        "days": say.DAYS,
        "posts": posts(),
        "covers": say.COVERS,
        "purposes": say.PURPOSES,
        "errors": {},
        "values": request.form,
        "once": uuid.uuid4(),
        "words": inbox_words,
    }
    return render_template("approvals/one.html", **values | more), status


def _origin(approval: Approval, at: datetime) -> dict[str, Any] | None:
    """Where they come from and what the lists in force say of it, in words; None where the origin could not be placed."""
    found = judged(approval, at)
    if found is None or approval.origin_code is None:
        return None
    return {
        "place": divisions.full_names([approval.origin_code]).get(approval.origin_code, approval.origin_code),
        "tier": found.tier.value,
        "reasons": [reason_text(reason.as_dict()) for reason in found.reasons],
    }


@blueprint.get("/<uuid:approval_id>/pages/<uuid:page_id>.jpg")
@requires(Permission.APPROVALS_ANSWER)
def picture(approval_id: uuid.UUID, page_id: uuid.UUID) -> Answer:
    """A page or picture, to those who have opened the application for a purpose."""
    content = disclosure.page_picture(approval_id, page_id, actor=current_actor(), at=clock.now())
    response = make_response(content)
    response.mimetype = MIMETYPE
    response.headers["Content-Disposition"] = 'inline; filename="page.jpg"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/<uuid:approval_id>/reveal")
@requires(Permission.PEOPLE_UNMASK)
def reveal(approval_id: uuid.UUID) -> Answer:
    """The page with names, documents, phones and plates in full; it is written down who looked, and what for."""
    try:
        opened = disclosure.reveal(approval_id, request.form.get("purpose", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _page(approval_id, 422, errors=_said(error))
    return _page(approval_id, opened=opened)


def _said(error: InvalidInput) -> dict[str, str]:
    """Errors by the field of the page: those of conditions stand under their own names."""
    names = {"hours": "hours_from", "checkpoints": "posts", "route": "route_from"}
    found: dict[str, str] = {}
    for one in error.errors:
        group, _dot, rest = one.field.partition(".")
        name = rest.partition(".")[0] if group == "conditions" else one.field
        found.setdefault(names.get(name, name) or "until", one.message)
    return found


def _acted(approval_id: uuid.UUID, act: Callable[[], Approval], **shown: Any) -> Answer:
    """Do it and go back to the page; what is wrong is shown there, and who came second is told."""
    try:
        done = act()
    except InvalidInput as error:
        return _page(approval_id, 422, errors=_said(error), **shown)
    except (Conflict, NotAllowed) as error:
        queries.one(current_actor(), approval_id)  # 404 for somebody of another place
        flash(str(error), "error")
        return redirect(url_for("approvals.show", approval_id=approval_id), 303)
    flash(_("Done: %(state)s.", state=say.state_word(done, clock.now())), "success")
    return redirect(url_for("approvals.show", approval_id=approval_id), 303)


@blueprint.post("/<uuid:approval_id>/ask")
@requires(Permission.APPROVALS_ANSWER)
def ask(approval_id: uuid.UUID) -> Answer:
    """Ask the applicant something."""
    text = request.form.get("text", "")
    return _acted(
        approval_id,
        lambda: service.ask(approval_id, text, actor=current_actor(), at=clock.now(), once=own_id(), seen=as_seen()),
    )


@blueprint.post("/<uuid:approval_id>/approve")
@requires(Permission.APPROVALS_ANSWER)
def approve(approval_id: uuid.UUID) -> Answer:
    """Say yes under the conditions of the editor: it goes to the next level, or is granted."""
    editor = editing.read(request.form)

    def act() -> Approval:
        return service.approve(
            approval_id,
            editing.conditions_of(editor),
            request.form.get("text", ""),
            actor=current_actor(),
            at=clock.now(),
            once=own_id(),
            seen=as_seen(),
        )

    return _acted(approval_id, act, editor=editor)


@blueprint.post("/<uuid:approval_id>/refuse")
@requires(Permission.APPROVALS_ANSWER)
def refuse(approval_id: uuid.UUID) -> Answer:
    """Say no, with the reason that the applicant reads."""
    why = request.form.get("why", "")
    return _acted(
        approval_id,
        lambda: service.refuse(approval_id, why, actor=current_actor(), at=clock.now(), once=own_id(), seen=as_seen()),
    )


@blueprint.post("/<uuid:approval_id>/revoke")
@requires(Permission.APPROVALS_ANSWER)
def revoke(approval_id: uuid.UUID) -> Answer:
    """Take back what was granted, with the reason that the applicant reads."""
    why = request.form.get("why", "")
    return _acted(
        approval_id,
        lambda: service.revoke(approval_id, why, actor=current_actor(), at=clock.now(), once=own_id()),
    )


@blueprint.route("/paper", methods=["GET", "POST"])
@blueprint.route("/paper/<kind>", methods=["GET", "POST"])
@requires(Permission.APPROVALS_PAPER)
def paper(kind: str = "person") -> Answer:
    """A paper application, typed in with its pages; it leads to a slip for the applicant."""
    if kind not in KINDS:
        raise NotFound
    if request.method == "GET":
        return _paper_page(applying.blank(KINDS[kind], today()))
    act = request.form.get("act", "send")
    form = applying.read(KINDS[kind], request.form, act)
    if act != "send":
        return _paper_page(form)
    pictures = pictures_sent()
    if not pictures:
        form.errors["pictures"] = _("Add the pages of the paper.")
    new = applying.application_of(form, on_paper=True, pictures=pictures)
    if new is not None:
        try:
            done = service.apply(new, actor=current_actor(), at=clock.now())
        except InvalidInput as error:
            applying.refuse(form, error)
        except Conflict as error:
            form.client_id = str(uuid.uuid4())
            form.errors[""] = str(error)
        else:
            return redirect(url_for("applying.slip", key=done.key), 303)
    return _paper_page(form, 422)


def _paper_page(form: ApplyForm, status: int = 200) -> Answer:
    return render_template("approvals/paper.html", **form_values(form, on_paper=True)), status
