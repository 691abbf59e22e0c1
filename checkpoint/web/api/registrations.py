"""POST and GET of registrations."""

import uuid

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor, traveller_actor
from checkpoint.errors import Unauthenticated
from checkpoint.extensions import limiter
from checkpoint.privacy import keyring
from checkpoint.registrations import passes, queries, service
from checkpoint.registrations.declaration import Declaration, outline_of
from checkpoint.web import limits
from checkpoint.web.api import bodies, views
from checkpoint.web.api.documents import describe, read_body
from checkpoint.web.auth import bearer_token, current_actor, public

blueprint = Blueprint("api_registrations", __name__)


def _limit() -> str:
    limit: str = current_app.extensions["settings"].registration_limit
    return limit


@blueprint.post("/registrations")
@public
@limiter.limit(_limit)
@describe(
    body=Declaration,
    answers={201: bodies.RegistrationOut, 200: bodies.RegistrationOut},
    problems=(400, 413, 415, 422),
    tag="registrations",
    public=True,
)
def submit() -> ResponseReturnValue:
    """Declare a trip. The same client_id again answers 200 with the first result."""
    at = clock.now()
    declaration = read_body(Declaration, lambda error, raw: service.refusal(error, outline_of(raw), at))
    actor = system_actor(current_app.extensions["settings"].site_division)
    receipt = limits.submit(declaration, actor=actor, at=at)
    names = queries.masked_names([one.registration.traveller_id for one in receipt.companions])
    body = views.receipt(receipt, names).model_dump(mode="json", by_alias=True)
    return jsonify(body), 201 if receipt.created else 200


@blueprint.get("/registrations/<uuid:registration_id>")
@public
@describe(answers={200: bodies.RecordOut}, problems=(401, 403, 404), tag="registrations")
def show(registration_id: uuid.UUID) -> ResponseReturnValue:
    """A registration, masked: for the holder of its pass (as bearer token), or a user of its jurisdiction."""
    found = queries.visible(_reader(), registration_id)
    return jsonify(views.record(found).model_dump(mode="json", by_alias=True))


def _reader() -> Actor:
    """The holder of a pass or of its link, else whoever is signed in."""
    token = bearer_token()
    if token is None or not (token.startswith(passes.PREFIX) or passes.open_link(keyring(), token)):
        return current_actor()
    holder = passes.open_link(keyring(), token) or service.holder_of(token, clock.now())
    if holder is None:
        raise Unauthenticated
    return traveller_actor(holder, current_app.extensions["settings"].site_division)
