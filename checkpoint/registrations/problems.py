"""Validation errors as the house speaks of them: a dotted field, a stable code, a sentence in the reader's language."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from checkpoint.errors import FieldError, InvalidInput
from checkpoint.words import _

_ALIASES = {"since": "from", "until": "to"}


def _sentence(code: str, context: dict[str, Any]) -> str:
    """The sentence for a code; limits come from the context pydantic gives."""
    sentences = {
        "missing": _("This is needed."),
        "name": _("Write the name as it stands in the document."),
        "phone": _("This is not a phone number."),
        "check_digit": _("This is not a valid resident ID number: please check each digit."),
        "birth_date": _("The birth date inside this number does not exist."),
        "document": _("This is not a valid number for this kind of document."),
        "place": _("Say where: choose a place or write it."),
        "dates": _("The last day is before the first."),
        "plate": _("This is not a number plate."),
        "same_person": _("The same document stands here twice."),
        "arrival_past": _("This day is over: choose the day you arrive."),
        "arrival_far": _("You can register up to 60 days ahead."),
        "stay_past": _("This is too long ago: please check the year."),
        "stay_after_arrival": _("This stay ends after the day of arrival."),
        "test_future": _("This test would be in the future."),
        "test_old": _("This test is too long ago: please check the year."),
        "unknown_division": _("There is no such place in the official register."),
        "outside_site": _("The destination must be in this city."),
        "destination_level": _("Choose the town or the village where you will stay."),
        "unknown_checkpoint": _("There is no such checkpoint."),
        "uuid_parsing": _("This is not a valid identifier."),
        "unreadable": _("What the tablet carried cannot be read."),
        "extra_forbidden": _("This field is not known."),
        "string_too_long": _("This is too long."),
        "string_too_short": _("This is needed."),
        "too_long": _("Too many: at most %(max)s.", max=context.get("max_length", "")),
        "literal_error": _("Choose one of the listed values."),
        "timezone_aware": _("Give the time with its time zone."),
    }
    if code in sentences:
        return sentences[code]
    if code.startswith(("date", "time")):
        return _("This is not a date that exists.")
    return _("This value is not valid.")


def field_error(field: str, code: str, context: dict[str, Any] | None = None) -> FieldError:
    """One wrong field with its sentence."""
    return FieldError(field, code, _sentence(code, context or {}))


def from_pydantic(error: ValidationError, more: Iterable[tuple[str, str]] = ()) -> InvalidInput:
    """Every wrong field of a pydantic error, each named once; `more` are (field, code) pairs found otherwise."""
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        path = [str(part) for part in item["loc"]]
        code = str(item["type"])
        field = ".".join(_ALIASES.get(part, part) for part in path) or "body"
        found.setdefault(field, field_error(field, code, dict(item.get("ctx") or {})))
    for field, code in more:
        found.setdefault(field, field_error(field, code))
    return InvalidInput(tuple(found.values()))


def invalid(wrong: Iterable[tuple[str, str]] | Sequence[tuple[str, str]]) -> InvalidInput:
    """An error for some (field, code) pairs."""
    return InvalidInput([field_error(field, code) for field, code in wrong])
