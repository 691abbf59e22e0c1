"""The words of joint inquiries: steps, states, results, why a message waits or was refused."""

from collections.abc import Mapping
from typing import Any

from flask_babel.speaklater import LazyString

from checkpoint.joint.models import JointRecord, JointStep
from checkpoint.words import _, lazy

STATES: dict[str, LazyString] = {
    "asked": lazy("Asked"),
    "received": lazy("Received"),
    "found": lazy("Person found"),
    "not_found": lazy("Not found so far"),
    "handled": lazy("Handled"),
    "answered": lazy("All answered"),
    "closed": lazy("Closed"),
}
TONES = {"found": "red", "handled": "green", "closed": "green"}
REASONS: dict[str, LazyString] = {
    "finished": lazy("the asker needs no more"),
    "ended": lazy("the answering place has taken its list back"),
    "expired": lazy("the last day has passed"),
    "revoked": lazy("the place is no longer trusted"),
}
PRESENCE: dict[str, LazyString] = {
    "declared": lazy("On the way there"),
    "inside": lazy("Is there"),
    "withdrawn": lazy("Does not come"),
    "turned_back": lazy("Was turned back"),
    "left": lazy("Has left"),
}
ERRORS: dict[str, LazyString] = {
    "unreachable": lazy("The other place does not answer."),
    "forbidden_address": lazy("Its address may not be called. See ALLOW_PRIVATE_TARGETS in the operations guide."),
    "no_receipt": lazy("Something answers there, but not the place that we know."),
    "status_403": lazy("The other place refuses our messages. Does it know our newest introduction?"),
    "status_413": lazy("The other place finds the message too large."),
    "status_429": lazy("The other place is busy."),
    "status_503": lazy("The other place is busy."),
}
CAUSES: dict[str, LazyString] = {
    "unreadable": lazy("not a message, or damaged"),
    "unknown_peer": lazy("from somebody whom we do not know"),
    "revoked": lazy("from a place that is no longer trusted"),
    "forged": lazy("with a wrong signature"),
    "wrong_recipient": lazy("meant for somebody else"),
    "wrong_address": lazy("meant for another use"),
    "stale": lazy("too old, or a clock is wrong"),
    "replayed": lazy("sent a second time"),
    "malformed": lazy("genuine, but not understood"),
    "contradiction": lazy("a second request under one number"),
    "unknown_record": lazy("about a request that does not exist"),
    "too_large": lazy("too large"),
}


def error_text(code: str | None) -> str:
    """Why a message waits, in a sentence; empty if nothing went wrong yet."""
    if not code:
        return ""
    return str(ERRORS[code]) if code in ERRORS else _("The other place answered with an error (%(code)s).", code=code)


def state_of(record: JointRecord) -> str:
    """How far a record is, as one word."""
    for state in ("closed", "handled", "answered", "received"):
        if getattr(record, f"{state}_at") is not None:
            return state
    return "asked"


def step_text(step: JointStep) -> str:
    """What more there is to say of a step."""
    data: Mapping[str, Any] = step.data or {}
    if "reason" in data:
        return str(REASONS.get(str(data["reason"]), data["reason"]))
    return _("People: %(number)s", number=data["people"]) if "people" in data else ""
