"""Registrations that a tablet read from a phone with no network, delivered when the tablet is on line again."""

import binascii
import uuid
from base64 import urlsafe_b64decode
from typing import Literal

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.registrations import carried, queries
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.registrations.problems import field_error
from checkpoint.web.api import bodies, views
from checkpoint.web.api.documents import describe, read_body
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("api_carried", __name__)
LONGEST = 24_000  # characters of base64: the longest declaration that the form can make, four times over


class CarriedIn(bodies._In):
    """A declaration sealed to the `seal_key` of the snapshot; `read_at` is when the tablet read it from the phone."""

    client_id: uuid.UUID
    kid: str = Field(pattern=r"^[0-9a-f]{2,64}$")
    sealed: str = Field(max_length=LONGEST, pattern=r"^[A-Za-z0-9_-]+$")
    read_at: bodies.Instant | None = None


class CarriedProblem(BaseModel):
    """One wrong field of a declaration that was kept to be mended."""

    field: str
    code: str
    message: str


class CarriedKeptOut(BaseModel):
    """The declaration arrived and was found wrong. It is kept, and a person has been told."""

    id: uuid.UUID
    state: Literal["kept"] = "kept"
    problems: list[CarriedProblem]


@blueprint.post("/registrations/carried")
@requires(Permission.SCANS_WRITE)
@describe(
    body=CarriedIn,
    answers={201: bodies.RegistrationOut, 200: bodies.RegistrationOut, 202: CarriedKeptOut},
    problems=(400, 401, 403, 413, 415, 422),
    tag="gate",
)
def receive() -> ResponseReturnValue:
    """Deliver a carried registration. The same client_id again, from here or from the phone, gets the first result.

    202: it was found wrong on arrival and is kept to be mended; nothing needs to be sent again.
    """
    body, at = read_body(CarriedIn), clock.now()
    given = carried.Carried(body.client_id, _bytes(body.kid), _envelope(body.sealed), body.read_at or at)
    found = carried.receive(given, actor=current_actor(), at=at)
    if isinstance(found, CarriedRefusal):
        return jsonify(_kept(found).model_dump(mode="json")), 202
    names = queries.masked_names([one.registration.traveller_id for one in found.companions])
    answer = views.receipt(found, names).model_dump(mode="json", by_alias=True)
    return jsonify(answer), 201 if found.created else 200


def _kept(found: CarriedRefusal) -> CarriedKeptOut:
    said = [field_error(one["field"], one["code"]) for one in found.problems]
    return CarriedKeptOut(
        id=found.id, problems=[CarriedProblem(field=one.field, code=one.code, message=one.message) for one in said]
    )


def _bytes(digits: str) -> bytes:
    """A key id; one of an odd number of digits names no key."""
    return bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")


def _envelope(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as error:
        raise InvalidInput.one("sealed", "invalid", str(field_error("sealed", "invalid").message)) from error
