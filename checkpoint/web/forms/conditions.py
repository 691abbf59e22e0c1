"""The editor of conditions: from what stands to the fields of a page, and from these to the form that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from werkzeug.datastructures import MultiDict

from checkpoint.approvals.conditions import Conditions
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.regions import default_index
from checkpoint.web.forms.applying import local_instant
from checkpoint.web.forms.places import PlaceField, settle
from checkpoint.words import _

SPARE = 2  # empty places to write another one
_PLACES = {"route_from": 1, "route_to": 20, "route_stops": 20}


@dataclass(slots=True)
class Editor:
    """What the page shows; `places` are the fields of the route by name."""

    values: dict[str, str]
    days: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    places: dict[str, list[PlaceField]] = field(default_factory=dict)


def editor_of(conditions: Conditions) -> Editor:
    """The fields filled with what stands."""
    zone = ZoneInfo(current_app.extensions["settings"].timezone)

    def local(at: datetime) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")

    hours = conditions.hours or ("", "")
    route = conditions.route
    found = {
        "route_from": [route.start] if route and route.start else [],
        "route_to": list(route.to) if route else [],
        "route_stops": list(route.stops) if route else [],
    }
    return Editor(
        {
            "from": local(conditions.valid_from),
            "until": local(conditions.valid_until),
            "hours_from": hours[0],
            "hours_to": hours[1],
            "test_hours": str(conditions.test_hours or ""),
            "covers": conditions.covers,
            "binding": "1" if conditions.binding else "",
            "note": conditions.note,
        },
        [str(day) for day in conditions.days],
        list(conditions.checkpoints),
        {name: _filled(codes, _PLACES[name]) for name, codes in found.items()},
    )


def _filled(codes: list[str], most: int) -> list[PlaceField]:
    index = default_index()
    places = [PlaceField(index.full_name(code) if index.exists(code) else code, code) for code in codes]
    return places + [PlaceField() for _number in range(min(SPARE, most - len(places)) if most > 1 else 1 - len(places))]


def read(form: "MultiDict[str, str]") -> Editor:
    """The fields as they were sent."""
    names = ("from", "until", "hours_from", "hours_to", "test_hours", "covers", "binding", "note")
    places = {
        name: [PlaceField.read(form, f"{name}.{number}") for number in range(most) if f"{name}.{number}_text" in form]
        for name, most in _PLACES.items()
    }
    return Editor(
        {name: form.get(name, "").strip()[:300] for name in names},
        form.getlist("days")[:7],
        form.getlist("posts")[:50],
        places,
    )


def conditions_of(editor: Editor) -> dict[str, Any]:
    """The conditions in the form that is stored; raises InvalidInput for what cannot be read."""
    wrong: list[FieldError] = []
    values = editor.values
    since, until = local_instant(values["from"]), local_instant(values["until"], end=True)
    for name, found in (("from", since), ("until", until)):
        if found is None:
            wrong.append(FieldError(f"conditions.{name}", "date", _("This is not a date that exists.")))
    hours = [values["hours_from"], values["hours_to"]]
    if bool(hours[0]) != bool(hours[1]):
        wrong.append(FieldError("conditions.hours", "missing", _("Give both hours, or none.")))
    raw_test = values["test_hours"]
    if raw_test and not (raw_test.isdecimal() and len(raw_test) <= 3):
        wrong.append(FieldError("conditions.test_hours", "number", _("A number of hours.")))
    route = _route(editor, wrong)
    if wrong or since is None or until is None:
        raise InvalidInput(wrong)
    return {
        "from": since.isoformat(),
        "until": until.isoformat(),
        "days": [int(day) for day in editor.days if day in "1234567"],
        "hours": hours if all(hours) else None,
        "checkpoints": editor.posts,
        "route": route,
        "test_hours": int(raw_test) if raw_test else None,
        "covers": values["covers"],
        "binding": values["binding"] == "1",
        "note": values["note"],
    }


def _route(editor: Editor, wrong: list[FieldError]) -> Mapping[str, Any] | None:
    index = default_index()
    codes: dict[str, list[str]] = {}
    for name, places in editor.places.items():
        for place in places:
            settle(place, index)
            if place.text and not place.code:
                message = _("We do not know this place: choose it from the list.")
                wrong.append(FieldError("conditions.route", "unknown_division", message))
        codes[name] = [place.code for place in places if place.code]
    start, to, stops = (codes.get(name, []) for name in _PLACES)
    if not (start or to or stops):
        return None
    return {"from": start[0] if start else None, "to": to, "stops": stops}
