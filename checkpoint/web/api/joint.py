"""Where other instances bring what they ask and answer. The signature inside of the message is the only credential."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from checkpoint import clock
from checkpoint.extensions import limiter
from checkpoint.joint import envelope, taking
from checkpoint.web.api.documents import describe
from checkpoint.web.auth import public

blueprint = Blueprint("api_joint", __name__)
LIMIT = "300 per minute"
MIMETYPE = "application/cose"


@blueprint.post("/joint/messages")
@public
@limiter.limit(LIMIT)
@describe(answers={200: None}, problems=(403, 413), tag="joint inquiries", public=True)
def receive() -> ResponseReturnValue:
    """Take a signed and sealed message of another instance; answers with a receipt, signed and sealed as well.

    The same message again is answered alike and changes nothing. Whatever is not accepted is answered 403 without a cause.
    """
    request.max_content_length = envelope.LARGEST
    try:
        raw = request.get_data()
    except RequestEntityTooLarge:
        taking.refuse("too_large", at=clock.now())
        raise
    receipt = taking.take(raw, method=request.method, path=request.path, at=clock.now())
    return Response(receipt, mimetype=MIMETYPE)
