"""How long data is kept: city command's page of what is due, what is held and why; holding one person's data, from their page."""

import uuid

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.registrations.queries import masked
from checkpoint.retention import overview, requests
from checkpoint.web import retention_words as words
from checkpoint.web.auth import current_actor, requires
from checkpoint.words import _

blueprint = Blueprint("retention", __name__)
Answer = str | Response | BaseResponse


@blueprint.get("/command/retention")
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """What would go now, what is held and why, what the last runs took, and how many days each kind is kept."""
    found = overview.overview(current_actor(), clock.now())
    return render_template(
        "command/retention.html",
        found=found,
        held=[(one, masked(one.traveller)) for one in found.people],
        words=words,
        page="retention",
    )


@blueprint.post("/inbox/people/<uuid:registration_id>/hold")
@requires(Permission.RETENTION_HOLD)
def hold(registration_id: uuid.UUID) -> Answer:
    """Keep a person's data until somebody ends the hold."""
    try:
        requests.hold(registration_id, request.form.get("why", ""), actor=current_actor(), at=clock.now())
    except InvalidInput:
        flash(_("Say in a few words why it must be kept."), "error")
    else:
        flash(_("The data is held."), "success")
    return redirect(url_for("inbox.person", registration_id=registration_id, _anchor="kept"), 303)


@blueprint.post("/inbox/people/<uuid:registration_id>/hold/end")
@requires(Permission.RETENTION_HOLD)
def end_hold(registration_id: uuid.UUID) -> Answer:
    """Let go of a person's data."""
    requests.end_hold(registration_id, actor=current_actor(), at=clock.now())
    flash(_("The hold is ended. The data goes when its time is over."), "success")
    return redirect(url_for("inbox.person", registration_id=registration_id, _anchor="kept"), 303)
