"""The sealing keys as command and auditors see them: numbers, dates and progress, never a key.

Keys are changed by commands on the host alone. A new key must lie on every host before it seals, what seals it may be known to no
running process (CHECKPOINT_KEY), and retiring one cannot be undone: whoever has stolen a session shall be able to do none of it.
"""

from flask import Blueprint, Response, render_template, request

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.upkeep import keys
from checkpoint.web.auth import requires

blueprint = Blueprint("keys", __name__, url_prefix="/admin/keys")
Answer = str | Response


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """Every sealing key, how far a change is; with `count=1` what still waits for it, for which every sealed row is looked at."""
    at, since = clock.now(), keys.sealing_since()
    counts = request.args.get("count") == "1"
    return render_template(
        "admin/keys.html",
        state=keys.state(count=counts),
        waiting=keys.waiting() if counts else None,
        since=since,
        is_due=keys.is_due(since, at),
        due_days=keys.DUE_AFTER.days,
        retire_from=keys.retire_from(),
        at=at,
    )
