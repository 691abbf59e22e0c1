"""From the form to a declaration: every doubt and every error beside its field."""

from collections.abc import Callable, Iterable
from datetime import date
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext as _
from pydantic import ValidationError

from checkpoint import clock
from checkpoint.config import Settings
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.regions import default_index
from checkpoint.registrations import queries
from checkpoint.registrations.declaration import Declaration, Outline
from checkpoint.registrations.models import RegistrationState
from checkpoint.registrations.problems import field_error
from checkpoint.registrations.queries import Record
from checkpoint.registrations.service import refusal
from checkpoint.web.forms.places import Doubt, PlaceField, settle, settle_destination
from checkpoint.web.forms.trip import StayRow, TripForm, body

_TOO_SHORT = {"phone": "phone", "id_number": "document"}


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def asked_words(doubt: Doubt) -> str:
    """What is asked back about a place."""
    sentences: dict[Doubt, str] = {
        Doubt.WHICH: _("Several places have this name. Please choose the right one below."),
        Doubt.CONFLICT: _("These words name two places that do not fit together. Please look again."),
        Doubt.WIDE: _(
            "Please add the county, district or town. If you leave it so, the officers will have to ask you."
        ),
        Doubt.UNKNOWN: _(
            "We do not know this place. Please check the words, or send it as it is: the officers will ask you."
        ),
        Doubt.TOWN: _("Please choose the town or the village where you will stay."),
    }
    return sentences[doubt]


def resolve_places(trip: TripForm) -> None:
    """Find every place that was written in words; what is not clear becomes a question."""
    index = default_index()
    for name, place in trip.places():
        asked = settle(place, index)
        if asked is not None:
            trip.questions[name] = asked
    rest, asked = settle_destination(trip.destination, _settings().site_division, index)
    if asked is not None:
        trip.questions["destination"] = asked
    if rest and not trip.values.get("address"):
        trip.values["address"] = rest
    trip.errors.update((name, asked_words(doubt.doubt)) for name, doubt in trip.questions.items())


def declaration_of(trip: TripForm) -> Declaration | None:
    """The declaration, or None with the reasons in `trip.errors`."""
    resolve_places(trip)
    given = body(trip, _settings().timezone)
    try:
        declaration = Declaration.model_validate(given)
    except ValidationError as error:
        note(trip, refusal(error, Outline.model_validate(given), clock.now()).errors)
        for number, stay in enumerate(trip.stays):
            if stay.place.empty:
                trip.errors.setdefault(f"stays.{number}", _("Say where: choose a place or write it."))
        declaration = None
    in_page_order(trip)
    return None if trip.errors else declaration


def note(trip: TripForm, errors: Iterable[FieldError]) -> None:
    """Put errors beside the fields of the page; the first of a field stands."""
    for error in errors:
        shown = _precise(error)
        trip.errors.setdefault(beside(shown), shown.message)


def _precise(error: FieldError) -> FieldError:
    """An empty field is left out of the declaration, so one that is too short was written, and is wrong rather than missing."""
    leaf = error.field.rpartition(".")[2]
    if error.code == "string_too_short" and leaf in _TOO_SHORT:
        return field_error(error.field, _TOO_SHORT[leaf])
    return error


def refuse(trip: TripForm, error: InvalidInput) -> None:
    """Show what the service found wrong."""
    note(trip, error.errors)
    in_page_order(trip)


def beside(error: FieldError) -> str:
    """The field of the page that an error of the declaration belongs to; empty for what no field shows."""
    name = error.field
    if name.startswith("stays.") and error.code == "dates":
        return f"{name}.to"
    if name.startswith(("origin", "destination.code")) or name == "destination":
        return name.partition(".")[0]
    if name.startswith("stays."):
        return name.removesuffix(".code").removesuffix(".text")
    if name.startswith("symptoms"):
        return "symptoms"
    return "" if name in ("client_id", "checkpoint", "body") else name


_ORDER = ("name", "id_type", "id_number", "phone", "origin", "stays", "destination", "destination.address", "arriving_on",
          "transport", "plate", "companions", "symptoms", "tests")  # fmt: skip


def in_page_order(trip: TripForm) -> None:
    """Sort the errors as the fields stand on the page, so that the summary reads from top to bottom."""

    def place(item: tuple[str, str]) -> tuple[int, int]:
        name = item[0]
        group, _dot, rest = name.partition(".")
        known = name if name in _ORDER else group
        row = rest.partition(".")[0]
        return (_ORDER.index(known) if known in _ORDER else -1, int(row) if row.isdigit() else 0)

    trip.errors = dict(sorted(trip.errors.items(), key=place))


def from_record(record: Record, client_id: str, checkpoint: str) -> TripForm:
    """The form as it was declared, for the holder of the pass; sealed values in full."""
    registration, traveller = record.registration, record.traveller
    values = {
        "name": traveller.name or "",
        "id_type": traveller.id_type,
        "id_number": traveller.id_number or "",
        "phone": (traveller.phone or "").removeprefix("+86"),
        "arriving_on": registration.arriving_on.isoformat(),
        "transport": registration.transport,
        "plate": registration.plate or "",
        "address": registration.address or "",
        "checkpoint": checkpoint,
    }
    zone = ZoneInfo(_settings().timezone)
    trip = TripForm(
        client_id,
        values,
        _place(registration.origin_code, registration.origin_text),
        _place(registration.destination_code, None),
        symptoms=list(registration.symptoms),
        stays=[_stay(stay.code, stay.text, stay.since, stay.until) for stay in record.stays if not stay.is_origin],
        tests=[
            {"kind": test.kind, "taken_at": f"{test.taken_at.astimezone(zone):%Y-%m-%dT%H:%M}", "result": test.result}
            for test in record.tests
            if test.source == "declared"
        ],
    )
    # Only who declared for the others may read what was declared of them; who withdrew alone does not come back by a change.
    named = [
        one for one in record.companions if registration.lead_id is None and one.state != RegistrationState.WITHDRAWN
    ]
    people = queries.people([one.registration_id for one in named])
    for one in named:
        person = people[one.registration_id][1]
        trip.companions.append(
            {
                "name": person.name or "",
                "id_type": person.id_type,
                "id_number": person.id_number or "",
                "phone": (person.phone or "").removeprefix("+86"),
            }
        )
    return trip


def _place(code: str | None, text: str | None) -> PlaceField:
    return PlaceField(text or queries.place_name(code), code or "", agreed=code is None)


def _stay(code: str | None, text: str | None, since: date, until: date) -> StayRow:
    return StayRow(_place(code, text), {"from": since.isoformat(), "to": until.isoformat()})


Sender = Callable[[Declaration], str]


def send(trip: TripForm, deliver: Sender) -> str | None:
    """Deliver the declaration; the address to go on to, or None with the reasons in `trip.errors`."""
    declaration = declaration_of(trip)
    if declaration is None:
        return None
    try:
        return deliver(declaration)
    except InvalidInput as error:
        refuse(trip, error)
        return None
