"""City command, the review queue: two people side by side, masked, and one question. Made for the keyboard and for the thumb."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.crossmatch import reviews
from checkpoint.errors import Conflict, InvalidInput
from checkpoint.inquiries import reviewing
from checkpoint.inquiries.listfile import Listed
from checkpoint.inquiries.models import HitDecision, InquiryHit
from checkpoint.inquiries.reviewing import Order
from checkpoint.privacy import mask_document, mask_name, mask_phone, mask_plate
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.web.inbox_words import word
from checkpoint.web.inquiry_words import RULES
from checkpoint.web.review_words import DECISIONS, FIELDS, ORDERS, PURPOSES, level_text, rarity_text, tone, weight_text
from checkpoint.words import _

blueprint = Blueprint("reviews", __name__, url_prefix="/command/reviews")

Answer = str | Response | BaseResponse
_UNDO = "review_undo"


@dataclass(frozen=True, slots=True)
class Line:
    """One detail of both sides, how the two agree, and what that says."""

    label: str
    listed: str
    registered: str
    agreement: str
    tone: str
    weight: str


@dataclass(frozen=True, slots=True)
class View:
    """How somebody walks through the queue: the order, and of one inquiry or all."""

    order: Order
    inquiry_id: uuid.UUID | None

    @property
    def query(self) -> dict[str, Any]:
        """What keeps the view in an address."""
        found: dict[str, Any] = {} if self.order is Order.OLDEST else {"order": self.order.value}
        return found | ({"inquiry": str(self.inquiry_id)} if self.inquiry_id else {})


def _view() -> View:
    raw = request.values.get("inquiry", "")
    try:
        inquiry_id = uuid.UUID(raw) if raw else None
    except ValueError:
        inquiry_id = None  # a shortened address shows all inquiries
    order = request.values.get("order", "")
    return View(Order(order) if order in set(Order) else Order.OLDEST, inquiry_id)


def _masked(side: Listed) -> Listed:
    return Listed(
        mask_name(side.name),
        mask_document(side.document) if side.document else "",
        mask_phone(side.phone) if side.phone else "",
        f"{side.born[:4]}-**-**" if side.born else "",
        mask_plate(side.plate) if side.plate else "",
    )


def lines(hit: InquiryHit, sides: reviews.Opened, *, opened: bool) -> list[Line]:
    """What the two sides say, field by field; masked unless `opened`."""
    listed, registered = (sides.listed, sides.registered) if opened else map(_masked, (sides.listed, sides.registered))
    weights: dict[str, float] = dict(hit.weights)
    found = []
    for field, label in FIELDS.items():
        level = str(hit.levels[field])
        attribute = "born" if field == "birth" else field
        weight = weights.get(f"{field}:{level}")
        found.append(
            Line(
                str(label),
                getattr(listed, attribute),
                getattr(registered, attribute),
                level_text(field, level, bool(getattr(listed, attribute)) + bool(getattr(registered, attribute))),
                tone(level),
                weight_text(weight) if weight is not None else "",
            )
        )
    if "rarity" in weights:
        rare = rarity_text(float(hit.levels["rarity"]))
        found.insert(1, Line(_("How rare the name is"), "", "", rare, "near", weight_text(weights["rarity"])))
    return found


@blueprint.get("", strict_slashes=False)
@requires(Permission.INQUIRIES_REVIEW)
def index() -> Answer:
    """The first of the queue, or that nobody waits."""
    view = _view()
    first = reviewing.first(current_actor(), view.order, view.inquiry_id)
    if first is None:
        return render_template("command/reviews.html", **_frame(view))
    return _page(first, view)


@blueprint.get("/<uuid:hit_id>")
@requires(Permission.INQUIRIES_REVIEW)
def one(hit_id: uuid.UUID) -> Answer:
    """One pair, whether it still waits or somebody has answered."""
    return _page(hit_id, _view())


def _frame(view: View) -> dict[str, Any]:
    """What stands around a pair: counts, filters, and the last answer, which can be taken back."""
    waiting = reviewing.waiting(current_actor())
    return {
        "view": view,
        "number": sum(one.number for one in waiting if view.inquiry_id in (None, one.inquiry_id)),
        "inquiries": [(str(one.inquiry_id), f"{one.source} ({one.number})") for one in waiting],
        "orders": list(ORDERS.items()),
        "last": session.get(_UNDO),
        "decisions": DECISIONS,
        "word": word,
        "page": "reviews",
    }


def _page(hit_id: uuid.UUID, view: View, *, opened: bool = False) -> str:
    actor = current_actor()
    hit, inquiry = reviewing.one(actor, hit_id)
    previous, following = reviewing.beside(actor, hit, view.order, view.inquiry_id)
    whole: str = render_template(
        "command/reviews.html",
        **_frame(view),
        hit=hit,
        inquiry=inquiry,
        lines=lines(hit, reviews.sides(hit), opened=opened),
        opened=opened,
        rule=RULES.get(hit.rule or ""),
        village=place_names([hit.division_code])[hit.division_code],
        place=reviewing.place(actor, hit, view.order, view.inquiry_id) + 1,
        previous=previous,
        following=following,
        is_open=hit.decision is None and hit.outcome == "review" and inquiry.state == "in_force",
        answered_by=actor_names([hit.decided_by]).get(hit.decided_by or "", ""),
        purposes=[(key, str(text)) for key, text in PURPOSES.items()],
    )
    return whole


@blueprint.post("/<uuid:hit_id>")
@requires(Permission.INQUIRIES_REVIEW)
def decide(hit_id: uuid.UUID) -> Answer:
    """Say whether the two are the same, and go on to the next pair."""
    view, actor = _view(), current_actor()
    raw = request.form.get("row", "")
    decision = request.form.get("decision", "")
    if decision not in set(HitDecision) or not (raw.isascii() and raw.isdigit() and len(raw) < 10):
        raise InvalidInput.one("decision", "literal_error", _("Choose one of the two answers."))
    hit, _inquiry = reviewing.one(actor, hit_id)
    previous, following = reviewing.beside(actor, hit, view.order, view.inquiry_id)
    try:
        said = reviews.decide(hit_id, int(raw), HitDecision(decision), actor=actor, at=clock.now())
    except Conflict:
        flash(_("This pair needs no answer any more."), "info")
    else:
        if said.is_mine and said.decided_by == actor.key:
            session[_UNDO] = {"hit": str(hit_id), "at": said.decided_at.isoformat(), "said": said.decision}
        elif not said.is_mine:
            name = actor_names([said.decided_by]).get(said.decided_by or "", "")
            answer = str(DECISIONS[said.decision])
            flash(_("%(name)s was faster and has said: %(answer)s. That stands.", name=name, answer=answer), "info")
    after = following or previous
    if after is None:
        return redirect(url_for("reviews.index", **view.query), 303)
    return redirect(url_for("reviews.one", hit_id=after, **view.query), 303)


@blueprint.post("/undo")
@requires(Permission.INQUIRIES_REVIEW)
def undo() -> Answer:
    """Take the last answer of this session back and show its pair again."""
    view = _view()
    last = session.pop(_UNDO, None)
    if last is None:
        return redirect(url_for("reviews.index", **view.query), 303)
    hit_id = uuid.UUID(last["hit"])
    undone = reviews.undo(hit_id, datetime.fromisoformat(last["at"]), actor=current_actor(), at=clock.now())
    if undone:
        flash(_("Your answer is taken back. What it had told the village is retracted."), "success")
    else:
        flash(_("That answer does not stand any more: nothing was changed."), "info")
    return redirect(url_for("reviews.one", hit_id=hit_id, **view.query), 303)


@blueprint.post("/<uuid:hit_id>/reveal")
@requires(Permission.PEOPLE_UNMASK)
def reveal(hit_id: uuid.UUID) -> Answer:
    """Show both sides in full, for a purpose; who did is written down."""
    reviews.reveal(hit_id, request.form.get("purpose", ""), actor=current_actor(), at=clock.now())
    answer = make_response(_page(hit_id, _view(), opened=True))
    answer.headers["Cache-Control"] = "no-store"
    return answer
