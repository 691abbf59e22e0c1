"""The alerts of inquiries: for a person whom a list names, and for reviews that nobody does."""

from collections.abc import Mapping, Sequence
from typing import Any

from checkpoint.accounts.permissions import Permission
from checkpoint.alerts.kinds import Kind, register
from checkpoint.words import _, lazy, plural


def explain(params: Mapping[str, Any]) -> Sequence[str]:
    """Why the person was found, in the reader's language; nothing personal."""
    told = [_("Somebody asks about this person: %(source)s.", source=params.get("source", ""))]
    told.append(_REASONS.get(str(params.get("rule")), _REASONS["weighed"])())
    return told


def _whole() -> str:
    return _("The document on the list is this person's.")


def _holder() -> str:
    return _("The phone number on the list is held by this person alone.")


def _reviewed() -> str:
    return _("A reviewer confirmed that it is the same person.")


def _weighed() -> str:
    return _("What the list says of the person agrees with the registration; check the person's document.")


_REASONS = {"whole_document": _whole, "sole_holder": _holder, "reviewed": _reviewed, "weighed": _weighed}


def explain_reviews(params: Mapping[str, Any]) -> Sequence[str]:
    """How many people wait for a reviewer, and for how long."""
    number = int(params.get("waiting", 0))
    return [
        _("List of %(source)s.", source=params.get("source", "")),
        plural(
            "%(num)d person may be named by it, and nobody has said whether it is them.",
            "%(num)d people may be named by it, and nobody has said whether it is them.",
            number,
        ),
    ]


INQUIRY = register(Kind("inquiry", lazy("Named on an inquiry list"), explain=explain))
REVIEWS = register(
    Kind(
        "inquiry_review",
        lazy("People of an inquiry list wait for a reviewer"),
        permission=Permission.INQUIRIES_REVIEW,
        explain=explain_reviews,
    )
)
