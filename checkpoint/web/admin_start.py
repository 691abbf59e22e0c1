"""The first page of administration: what needs somebody now, and the way to each part."""

from flask import Blueprint, Response, render_template

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.surveillance.attention import matters
from checkpoint.web.admin_words import parts, said
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("admin_start", __name__, url_prefix="/admin")
Answer = str | Response


@blueprint.get("", strict_slashes=False)
@requires(Permission.USERS_WRITE)
def index() -> Answer:
    """What needs somebody, what is down first, and every part of administration that they may open."""
    actor = current_actor()
    found = [said(one) for one in matters(actor, clock.now())]
    return render_template("admin/start.html", matters=found, parts=parts(actor))
