"""Mending a declaration that came with no network and was found wrong on arrival: open it, correct it, store it."""

import uuid

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.regions import default_index
from checkpoint.registrations import carried
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.problems import field_error
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.forms import declaring, trip, words
from checkpoint.web.forms.carried import from_body
from checkpoint.web.forms.trip import TripForm
from checkpoint.web.purpose_words import choices_of
from checkpoint.words import _

blueprint = Blueprint("carried", __name__, url_prefix="/inbox/carried")
Answer = str | Response | BaseResponse | tuple[str, int]


def _errors(kept: CarriedRefusal) -> list[FieldError]:
    return [field_error(one["field"], one["code"]) for one in kept.problems]


def _page(alert_id: uuid.UUID, kept: CarriedRefusal, form: TripForm | None, purpose_error: str = "") -> str:
    return render_template(
        "inbox/carried.html",
        alert_id=alert_id,
        kept=kept,
        problems=[(words.field_label(one.field) or one.field, one.message) for one in _errors(kept)],
        registration_id=carried.meanwhile(kept),
        form=form,
        purposes=choices_of("carried"),
        purpose_error=purpose_error,
        words=words,
        index=default_index(),
    )


@blueprint.get("/<uuid:alert_id>")
@requires(Permission.PEOPLE_READ)
def show(alert_id: uuid.UUID) -> Answer:
    """What was found wrong; the declaration itself stays sealed."""
    return _page(alert_id, carried.visible(current_actor(), alert_id), None)


@blueprint.post("/<uuid:alert_id>/open")
@requires(Permission.PEOPLE_UNMASK)
def open_form(alert_id: uuid.UUID) -> Answer:
    """The form filled with what was declared; who opened it, and what for, is written down."""
    actor = current_actor()
    kept = carried.visible(actor, alert_id)
    try:
        body = carried.reveal(alert_id, request.form.get("purpose", ""), actor=actor, at=clock.now())
    except InvalidInput as error:
        return _page(alert_id, kept, None, str(field_errors(error)["purpose"])), 422
    form = from_body(body, str(kept.client_id))
    declaring.note(form, _errors(kept))
    declaring.in_page_order(form)
    return _page(alert_id, kept, form)


@blueprint.post("/<uuid:alert_id>/mend")
@requires(Permission.PEOPLE_UNMASK)
def mend(alert_id: uuid.UUID) -> Answer:
    """Store the corrected declaration; the alert is closed with it."""
    actor, at = current_actor(), clock.now()
    kept = carried.visible(actor, alert_id)
    form = trip.read(request.form, request.form.getlist("symptoms"), request.form.get("act", "send"))

    def deliver(declaration: Declaration) -> str:
        receipt = carried.mend(kept, declaration, alert_id, actor=actor, at=at)
        return url_for("inbox.person", registration_id=receipt.registration.id)

    onward = declaring.send(form, deliver)
    if onward is None:
        return _page(alert_id, kept, form), 422
    flash(_("The declaration is stored."), "success")
    return redirect(onward, 303)
