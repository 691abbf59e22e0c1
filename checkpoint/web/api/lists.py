"""Risk lists: upload with preview, publish, withdraw."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.risk import importing, publishing, queries
from checkpoint.risk.lists import parse
from checkpoint.risk.models import RiskList
from checkpoint.web.api import bodies, views
from checkpoint.web.api.documents import describe
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("api_lists", __name__)
MAX_UPLOAD = 64 * 1024 * 1024


def _shown(stored: RiskList) -> ResponseReturnValue:
    return jsonify(bodies.ListOut(**views.risk_list(stored)).model_dump(mode="json"))


@blueprint.post("/risk-lists")
@requires(Permission.LISTS_WRITE)
@describe(answers={201: bodies.ListUploadOut}, problems=(400, 401, 403, 413, 422), tag="risk lists")
def upload() -> ResponseReturnValue:
    """Upload a list as the body, or as the `file` of a form: the national JSON, CSV or XLSX. Answers what publishing would change.

    Nothing is stored unless every row is right.
    """
    request.max_content_length = MAX_UPLOAD
    sent = request.files.get("file")
    data, name = (sent.read(), sent.filename or "upload") if sent else (request.get_data(), "upload")
    if not data:
        raise InvalidInput.one("file", "missing", "Send the list as the body, or as the file of a form.")
    stored = importing.import_list(parse(data, name), actor=current_actor(), at=clock.now())
    body = bodies.ListUploadOut(**views.risk_list(stored), preview=views.preview(queries.preview(stored.id)))
    return jsonify(body.model_dump(mode="json")), 201


@blueprint.post("/risk-lists/<int(max=9223372036854775807):list_id>/publish")
@requires(Permission.LISTS_WRITE)
@describe(answers={200: bodies.ListOut}, problems=(400, 401, 403, 404, 409), tag="risk lists")
def publish(list_id: int) -> ResponseReturnValue:
    """Put a list in force. One that is in force already is confirmed."""
    return _shown(publishing.publish(list_id, actor=current_actor(), at=clock.now()))


@blueprint.post("/risk-lists/<int(max=9223372036854775807):list_id>/withdraw")
@requires(Permission.LISTS_WRITE)
@describe(answers={200: bodies.ListOut}, problems=(400, 401, 403, 404, 409), tag="risk lists")
def withdraw(list_id: int) -> ResponseReturnValue:
    """Take a published list back, as if it had never been."""
    publishing.withdraw(list_id, actor=current_actor(), at=clock.now())
    return _shown(queries.get(list_id))
