"""The gate: the page of the tablet at the checkpoint, its enrolment, and what it asks about itself.

The page is a shell without anything personal; what a scan shows comes over the API with the tablet's own token.
"""

from typing import Any

from flask import Blueprint, Response, current_app, json, jsonify, render_template, request
from flask_babel import gettext as _

from checkpoint import clock
from checkpoint.accounts import posts, queries
from checkpoint.accounts.permissions import Permission
from checkpoint.accounts.posts import Enrolment
from checkpoint.config import Settings
from checkpoint.crossings.verdict import Decision, Verdict, needs_reason
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.risk.service import current_state
from checkpoint.web.auth import current_actor, public, requires
from checkpoint.web.forms import words as form_words
from checkpoint.web.gate_words import gate_words
from checkpoint.web.lane_words import lane_settings

blueprint = Blueprint("gate", __name__)

_LONGEST_CODE = 64
# The decision that each verdict asks for stands first and largest; the others keep their places, for hands in gloves.
_ASKED_FOR = {
    Verdict.ADMIT: Decision.ADMITTED,
    Verdict.TEST: Decision.TESTED,
    Verdict.HOLD: Decision.HELD,
    Verdict.REFUSE: Decision.TURNED_BACK,
}


@blueprint.get("/gate")
@public
def shell() -> str:
    """The tablet's page; the browser decides what to show by whether it holds a device token."""
    return render_template(
        "gate/gate.html",
        configuration=_configuration(),
        form_words=form_words,
        antigen_minutes=current_state(clock.now()).policy.antigen_minutes,
    )


@blueprint.get("/gate/enroll")
@public
def enrolment() -> str:
    """The same page, for a link or code that was opened on a tablet to enrol it."""
    return shell()


@blueprint.post("/gate/enroll")
@public
def enrol() -> Response:
    """Turn a one-time code into the tablet's token, answered this once. 404 for a wrong, used or expired code."""
    done = posts.enrol_device(_enrolment_code(), request.remote_addr or "", at=clock.now())
    return jsonify(_about(done) | {"token": done.token})


@blueprint.get("/gate/device")
@requires(Permission.SCANS_WRITE)
def device() -> Response:
    """Where this tablet stands, and the server's time; the tablet asks now and then whether it is still trusted."""
    actor = current_actor()
    if actor.kind != "device" or actor.id is None:
        raise NotFound
    placed = queries.device(actor, actor.id)
    return jsonify(
        {
            "label": placed.device.label,
            "checkpoint": {"code": placed.checkpoint.code, "name": placed.checkpoint.name},
            "now": clock.now().isoformat(),
        }
    )


def _enrolment_code() -> str:
    try:
        body = json.loads(request.get_data(cache=False) or b"{}")
    except ValueError:
        body = None
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str) or not code.strip() or len(code) > _LONGEST_CODE:
        raise InvalidInput.one("code", "missing", _("Type the enrolment code."))
    return code.strip()


def _about(done: Enrolment) -> dict[str, Any]:
    return {
        "label": done.device.label,
        "checkpoint": {"code": done.checkpoint.code, "name": done.checkpoint.name},
    }


def _configuration() -> dict[str, Any]:
    """What the scripts need: words in the page's language, and the rules by which the decisions are laid out."""
    settings: Settings = current_app.extensions["settings"]
    return {
        "words": gate_words(),
        "timezone": settings.timezone,
        "lane": lane_settings(),
        "asked_for": {verdict.value: decision.value for verdict, decision in _ASKED_FOR.items()},
        "needs_reason": {
            verdict.value: [decision.value for decision in Decision if needs_reason(verdict.value, decision.value)]
            for verdict in Verdict
        },
    }
