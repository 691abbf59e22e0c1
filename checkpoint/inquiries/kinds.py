"""The alert that an inquiry raises for a person it names."""

from collections.abc import Mapping, Sequence
from typing import Any

from checkpoint.alerts.kinds import Kind, register
from checkpoint.words import _, lazy


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

INQUIRY = register(Kind("inquiry", lazy("Named on an inquiry list"), explain=explain))
