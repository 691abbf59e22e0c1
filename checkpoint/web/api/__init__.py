"""The contract that outside clients use: /api/v1."""

from flask import Blueprint, Flask, current_app, jsonify
from flask.typing import ResponseReturnValue

from checkpoint.web.auth import public

PREFIX = "/api/v1"
blueprint = Blueprint("api", __name__)


@blueprint.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 document of this API."""
    from checkpoint.web.api.documents import document

    return jsonify(document(current_app._get_current_object()))  # type: ignore[attr-defined]


def init_app(app: Flask) -> None:
    """Register the calls of the contract."""
    from checkpoint.web.api import alerts, carried, gate_api, joint, lane, lists, patrols, registrations, scans

    app.register_blueprint(blueprint, url_prefix=PREFIX)
    for module in (registrations, carried, scans, gate_api, lane, alerts, lists, patrols, joint):
        app.register_blueprint(module.blueprint, url_prefix=PREFIX)
