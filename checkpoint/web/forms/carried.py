"""A declaration that a tablet carried and that was found wrong, as the form shows it to whoever mends it."""

from collections.abc import Mapping
from typing import Any

from checkpoint.web.forms.places import PlaceField
from checkpoint.web.forms.trip import PERSON, StayRow, TripForm, Values

_SCALARS = (*PERSON, "arriving_on", "transport", "plate")


def from_body(body: Mapping[str, Any], client_id: str) -> TripForm:
    """The form filled with whatever of a body can be read; nothing of it has been checked."""
    destination = _object(body.get("destination"))
    return TripForm(
        client_id,
        _texts(body, _SCALARS) | {"address": _text(destination.get("address")), "checkpoint": ""},
        _place(body.get("origin")),
        _place(destination),
        symptoms=[one for one in _list(body.get("symptoms")) if isinstance(one, str)],
        stays=[StayRow(_place(one), _texts(one, ("from", "to"))) for one in _objects(body.get("stays"))],
        companions=[_texts(one, PERSON) for one in _objects(body.get("companions"))],
        tests=[
            _texts(one, ("kind", "result")) | {"taken_at": _text(one.get("taken_at"))[:16]}
            for one in _objects(body.get("tests"))
        ],
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(given: Mapping[str, Any], names: tuple[str, ...]) -> Values:
    return {name: _text(given.get(name)) for name in names}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value)[:20] if isinstance(one, dict)]


def _place(value: Any) -> PlaceField:
    given = _object(value)
    return PlaceField(_text(given.get("text")), _text(given.get("code")))
