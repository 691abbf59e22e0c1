"""The traveller's form: read from a request, shown again with everything typed, turned into a declaration."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from checkpoint.registrations.declaration import MAX_COMPANIONS, MAX_STAYS, MAX_TESTS
from checkpoint.web.forms.places import PlaceField, Question
from checkpoint.web.forms.words import WITH_PLATE

PERSON = ("name", "id_type", "id_number", "phone")
SCALARS = (*PERSON, "arriving_on", "transport", "plate", "address", "checkpoint")
COMPANION = PERSON
TEST = ("kind", "taken_at", "result")
STAY = ("from", "to")
LIMITS = {"stays": MAX_STAYS, "companions": MAX_COMPANIONS, "tests": MAX_TESTS}
DEFAULT_ID = "resident_id"
_ROW = re.compile(r"(stays|companions|tests)\.(\d{1,4})[._]\w+")
_SHOWN_ROWS = 60  # more than any limit: what is beyond is refused anyway, and a page must stay a page
_MAX_TYPED = 300

Values = dict[str, str]


@dataclass(slots=True)
class StayRow:
    """A place with its first and last day as typed (YYYY-MM-DD)."""

    place: PlaceField = field(default_factory=PlaceField)
    values: Values = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return self.place.empty and not any(self.values.values())


@dataclass(slots=True)
class TripForm:
    """All that the page shows. `errors` is field → sentence; `questions` field → what is asked back about a place."""

    client_id: str
    values: Values
    origin: PlaceField
    destination: PlaceField
    symptoms: list[str] = field(default_factory=list)
    stays: list[StayRow] = field(default_factory=list)
    companions: list[Values] = field(default_factory=list)
    tests: list[Values] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    opened: str = ""  # the row that a button has just added: its first field gets the focus

    def places(self) -> Iterable[tuple[str, PlaceField]]:
        """The origin and the stays by field name."""
        yield "origin", self.origin
        for number, stay in enumerate(self.stays):
            yield f"stays.{number}", stay.place


def blank(today: str, checkpoint: str = "") -> TripForm:
    """A new form with an identifier of its own, so that sending it twice gives one record."""
    values = {"id_type": DEFAULT_ID, "arriving_on": today, "checkpoint": checkpoint}
    return TripForm(str(uuid.uuid4()), values, PlaceField(), PlaceField())


def read(form: Mapping[str, str], symptoms: Iterable[str], act: str) -> TripForm:
    """What a request carries, after its button: `send`, `add stays`, `remove stays 0`. Empty rows go when it is sent."""
    trip = TripForm(
        client_id=_identifier(form.get("client_id", "")),
        values={name: _typed(form, name if name != "address" else "destination.address") for name in SCALARS},
        origin=PlaceField.read(form, "origin"),
        destination=PlaceField.read(form, "destination"),
        symptoms=list(symptoms)[:20],
    )
    rows: dict[str, set[int]] = {"stays": set(), "companions": set(), "tests": set()}
    for name in form:
        match = _ROW.fullmatch(name)
        if match:
            rows[match[1]].add(int(match[2]))
    for kind, numbers in rows.items():
        for number in sorted(numbers)[:_SHOWN_ROWS]:
            if act == f"remove {kind} {number}":
                continue
            _read_row(trip, form, kind, number, keep_empty=act != "send")
    if act.startswith("add "):
        add_row(trip, act.removeprefix("add "))
    return trip


def add_row(trip: TripForm, kind: str) -> None:
    """One more empty row, up to the limit of its kind."""
    if kind == "stays" and len(trip.stays) < LIMITS[kind]:
        trip.stays.append(StayRow())
        trip.opened = f"stays.{len(trip.stays) - 1}"
    elif kind == "companions" and len(trip.companions) < LIMITS[kind]:
        trip.companions.append({"id_type": DEFAULT_ID})
        trip.opened = f"companions.{len(trip.companions) - 1}"
    elif kind == "tests" and len(trip.tests) < LIMITS[kind]:
        trip.tests.append({"kind": "pcr", "result": "negative"})
        trip.opened = f"tests.{len(trip.tests) - 1}"


def _read_row(trip: TripForm, form: Mapping[str, str], kind: str, number: int, *, keep_empty: bool) -> None:
    prefix = f"{kind}.{number}"
    if kind == "stays":
        stay = StayRow(PlaceField.read(form, prefix), {name: _typed(form, f"{prefix}.{name}") for name in STAY})
        if keep_empty or not stay.empty:
            trip.stays.append(stay)
        return
    if kind == "companions":
        person = {name: _typed(form, f"{prefix}.{name}") for name in COMPANION}
        if keep_empty or any(value for name, value in person.items() if name != "id_type"):
            trip.companions.append(person)
        return
    test = {name: _typed(form, f"{prefix}.{name}") for name in TEST}
    if keep_empty or test["taken_at"]:
        trip.tests.append(test)


def _typed(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()[:_MAX_TYPED]


def _identifier(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())


def _filled(values: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name)}


def body(trip: TripForm, timezone: str) -> dict[str, Any]:
    """The declaration as the API takes it. What was left empty is left out, so that it is named as missing."""
    written = _filled(trip.values, (*PERSON, "arriving_on", "transport", "checkpoint"))
    written["client_id"] = trip.client_id
    if not trip.origin.empty:
        written["origin"] = trip.origin.body()
    destination = {"code": trip.destination.code, "address": trip.values.get("address", "")}
    written["destination"] = {key: value for key, value in destination.items() if value}
    if trip.values.get("plate") and trip.values.get("transport") in WITH_PLATE:
        written["plate"] = trip.values["plate"]
    written["stays"] = [stay.place.body() | _filled(stay.values, STAY) for stay in trip.stays]
    written["companions"] = [_filled(person, COMPANION) for person in trip.companions]
    written["symptoms"] = trip.symptoms
    written["tests"] = [_filled(test, TEST) | _instant(test, timezone) for test in trip.tests]
    return written


def _instant(test: Mapping[str, str], timezone: str) -> dict[str, str]:
    """The time of a test with the offset of the site; a time that cannot be read stays as it is, to be named as wrong."""
    try:
        local = datetime.fromisoformat(test.get("taken_at", ""))
    except ValueError:
        return {}
    aware = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(timezone))
    return {"taken_at": aware.isoformat()}
