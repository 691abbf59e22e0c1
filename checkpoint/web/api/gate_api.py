"""What a tablet asks about itself: the snapshot by which it judges with no network, and a new token."""

from flask import Blueprint, Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.permissions import Permission
from checkpoint.crossings.snapshot import Version, snapshot_at, version_at
from checkpoint.web.api import gate_bodies as bodies
from checkpoint.web.api.documents import describe, read_query
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("api_gate", __name__)


@blueprint.get("/gate/snapshot")
@requires(Permission.GATE_SNAPSHOT)
@describe(
    query=bodies.SnapshotQuery,
    answers={200: bodies.SnapshotOut, 304: None},
    problems=(401, 403, 422),
    tag="gate",
)
def snapshot() -> ResponseReturnValue:
    """What a verdict with no network needs. Parts that are absent from an answer to `since` are as they were."""
    since = Version.parse(read_query(bodies.SnapshotQuery).since)
    actor, at = current_actor(), clock.now()
    version = version_at(actor, at)
    # Compression adds its name to the tag, behind a colon.
    if any(tag.partition(":")[0] == str(version) for tag in request.if_none_match.as_set()):
        return _tagged(make_response("", 304), version)
    return _tagged(jsonify(snapshot_at(version, since, actor=actor, at=at)), version)


@blueprint.post("/gate/token/roll")
@requires(Permission.GATE_SNAPSHOT)
@describe(answers={200: bodies.TokenOut}, problems=(401, 403, 404), tag="gate")
def roll_token() -> ResponseReturnValue:
    """A new token for this tablet, shown this once. The old one works until the new one is used for the first time."""
    token = posts.roll_token(actor=current_actor(), at=clock.now())
    return jsonify(bodies.TokenOut(token=token).model_dump())


def _tagged(response: Response, version: Version) -> Response:
    response.set_etag(str(version))
    response.headers["Cache-Control"] = "private, no-cache"
    return response
