"""The form of a commuter: a declaration without dates and companions, with the days, hours and posts of every week."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import current_app
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from checkpoint.approvals.commuters import NewCommuter
from checkpoint.approvals.conditions import Conditions
from checkpoint.clock import start_of_day
from checkpoint.errors import FieldError
from checkpoint.web.forms import declaring, trip
from checkpoint.web.forms.identity import stored_id
from checkpoint.web.forms.trip import TripForm
from checkpoint.words import _

FIRST_DAYS = 30  # how long is proposed
LONGEST_WORK = 200
_ORDER = ("name", "id_type", "id_number", "phone", "origin", "destination", "work", "credit_code", "first_day", "last_day",
          "days", "hours_from", "hours_to", "posts", "transport", "plate", "agreed")  # fmt: skip
_OWN = ("work", "credit_code", "first_day", "last_day", "hours_from", "hours_to")
_BESIDE = {
    "conditions": "last_day",
    "conditions.from": "first_day",
    "conditions.until": "last_day",
    "conditions.hours": "hours_from",
    "conditions.days": "days",
    "conditions.checkpoints": "posts",
    "purpose": "work",
    "contact_name": "name",
    "contact_phone": "phone",
}


@dataclass(slots=True)
class CommuterForm:
    """All that the page shows: the person and the places as in a declaration, and what is a commuter's own."""

    trip: TripForm
    values: dict[str, str]
    days: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    agreed: bool = False

    @property
    def errors(self) -> dict[str, str]:
        return self.trip.errors


def blank(today: date) -> CommuterForm:
    """A new form: the next weeks, from Monday to Friday, by car."""
    own = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=FIRST_DAYS - 1)).isoformat()}
    form = CommuterForm(trip.blank(today.isoformat()), own, days=list("12345"))
    form.trip.values["transport"] = "car"
    return form


def read(given: "MultiDict[str, str]", today: date) -> CommuterForm:
    """What a request carries."""
    person = trip.read(given, (), "send")
    person.stays, person.companions, person.tests = [], [], []
    person.values |= {"arriving_on": today.isoformat(), "address": "", "checkpoint": ""}
    return CommuterForm(
        person,
        {name: given.get(name, "").strip()[:LONGEST_WORK] for name in _OWN},
        days=[one for one in given.getlist("days") if one in tuple("1234567")][:7],
        posts=[one[:40] for one in given.getlist("posts")][:50],
        agreed=given.get("agreed") == "1",
    )


def application_of(form: CommuterForm, company_id: uuid.UUID | None) -> NewCommuter | None:
    """What is applied for, or None with the reasons in `form.errors`. `company_id` is the company that the commuter has named."""
    declaration = declaring.declaration_of(form.trip)
    conditions = _conditions(form)
    if not form.values["work"]:
        form.errors["work"] = _("Say where you work.")
    if not form.agreed:
        form.errors["agreed"] = _("Without your consent nothing is stored, and nothing can be granted.")
    in_page_order(form)
    if form.errors or declaration is None or conditions is None:
        return None
    address = form.values["work"][:LONGEST_WORK]
    placed = declaration.model_copy(
        update={
            "client_id": stored_id("commuter", declaration.client_id),
            "destination": declaration.destination.model_copy(update={"address": address}),
        }
    )
    return NewCommuter(placed, form.values["work"], conditions, company_id=company_id)


def _day(form: CommuterForm, name: str) -> date | None:
    try:
        return date.fromisoformat(form.values[name])
    except ValueError:
        form.errors[name] = _("This is not a date that exists.")
        return None


def _conditions(form: CommuterForm) -> Conditions | None:
    """From the first instant of the first day to the end of the last."""
    first, last = _day(form, "first_day"), _day(form, "last_day")
    hours = (form.values["hours_from"], form.values["hours_to"])
    if any(hours) and not all(hours):
        missing = "hours_to" if hours[0] else "hours_from"
        form.errors[missing] = _("Give both times, or none.")
    if first is None or last is None:
        return None
    if last < first:
        form.errors["last_day"] = _("The last day is before the first.")
        return None
    timezone: str = current_app.extensions["settings"].timezone
    given: dict[str, Any] = {
        "from": start_of_day(first, timezone),
        "until": start_of_day(last + timedelta(days=1), timezone),
        "days": [int(one) for one in form.days],
        "hours": hours if all(hours) else None,
        "checkpoints": form.posts,
        "covers": "yellow",
        "binding": True,
    }
    try:
        return Conditions.model_validate(given)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            place = str(item["loc"][0]) if item["loc"] else "hours"
            form.errors.setdefault(
                "days" if place == "days" else "hours_from", _("Please look at the days and times again.")
            )
        return None


def refuse(form: CommuterForm, errors: Iterable[FieldError]) -> None:
    """Show what the service found wrong, beside its field."""
    for error in errors:
        name = _BESIDE.get(error.field, error.field)
        if name.startswith("holders."):
            name = name.rpartition(".")[2]
        shown = {
            "inside_site": _("Who lives in the city needs no approval to come to work."),
            "unresolved": _("Choose the place where you live from the list, at least the county."),
        }.get(error.code, error.message)
        form.errors.setdefault(name if name in _ORDER else declaring.beside(error), shown)
    in_page_order(form)


def in_page_order(form: CommuterForm) -> None:
    """The errors as the fields stand on the page."""
    place = {name: number for number, name in enumerate(_ORDER)}
    form.trip.errors = dict(sorted(form.errors.items(), key=lambda item: place.get(item[0], -1)))


def renew(form: CommuterForm) -> None:
    """Give the form another identifier: the one it had stands for somebody else's application."""
    form.trip.client_id = str(uuid.uuid4())
