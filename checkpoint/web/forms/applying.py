"""The form of an application as a page holds it: what was typed, what is asked back, what is wrong; and the application it makes."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from werkzeug.datastructures import MultiDict

from checkpoint.approvals.application import Holder, NewApplication
from checkpoint.approvals.models import ApprovalKind
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.regions import default_index
from checkpoint.web.forms.declaring import asked_words
from checkpoint.web.forms.identity import stored_id
from checkpoint.web.forms.places import PlaceField, Question, settle, settle_destination
from checkpoint.words import _

MOST_PEOPLE, MOST_STOPS, MOST_TYPED = 20, 8, 300
LIMITS = {"people": MOST_PEOPLE, "stops": MOST_STOPS}
PERSON = ("name", "id_type", "id_number", "phone")
SCALARS = ("purpose", "from", "until", "hours_from", "hours_to", "plate", "trailer")
ASKED = "yellow"  # whether red people come in is for the offices to say
_ROW = re.compile(r"(people|stops)\.(\d{1,4})[._]\w+")

Values = dict[str, str]


@dataclass(slots=True)
class ApplyForm:
    """All that the page shows. `errors` is field → sentence; `questions` field → what is asked back about a place."""

    kind: ApprovalKind
    client_id: str
    values: Values
    origin: PlaceField = field(default_factory=PlaceField)
    destination: PlaceField = field(default_factory=PlaceField)
    people: list[Values] = field(default_factory=list)
    stops: list[PlaceField] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)

    def places(self) -> Iterable[tuple[str, PlaceField]]:
        """The places by field name, without the destination."""
        yield "origin", self.origin
        for number, stop in enumerate(self.stops):
            yield f"stops.{number}", stop


def new_person() -> Values:
    """An empty row."""
    return {"id_type": "resident_id"}


def blank(kind: ApprovalKind, today: str) -> ApplyForm:
    """A new form with an identifier of its own, so that sending it twice makes one application."""
    return ApplyForm(kind, str(uuid.uuid4()), {"from": today}, people=[new_person()])


def read(kind: ApprovalKind, form: "MultiDict[str, str]", act: str) -> ApplyForm:
    """What a request carries, after its button: `send`, `add people`, `remove stops 0`. Empty rows go when it is sent."""
    given = ApplyForm(
        kind,
        _identifier(form.get("client_id", "")),
        {name: _typed(form, name) for name in SCALARS},
        PlaceField.read(form, "origin"),
        PlaceField.read(form, "destination"),
        days=[day for day in form.getlist("days") if day in "1234567"][:7],
        posts=[code[:40] for code in form.getlist("posts")][:50],
    )
    given.values["purpose"] = form.get("purpose", "").strip()[:2000]
    numbers: dict[str, set[int]] = {"people": set(), "stops": set()}
    for name in form:
        match = _ROW.fullmatch(name)
        if match:
            numbers[match[1]].add(int(match[2]))
    sent = act == "send"
    for number in sorted(numbers["people"])[: MOST_PEOPLE + 1]:
        person = {name: _typed(form, f"people.{number}.{name}") for name in PERSON}
        filled = any(value for name, value in person.items() if name != "id_type")
        if act != f"remove people {number}" and (filled or not sent):
            given.people.append(person)
    for number in sorted(numbers["stops"])[: MOST_STOPS + 1]:
        stop = PlaceField.read(form, f"stops.{number}")
        if act != f"remove stops {number}" and (not stop.empty or not sent):
            given.stops.append(stop)
    if not given.people or (act == "add people" and len(given.people) < MOST_PEOPLE):
        given.people.append(new_person())
    if act == "add stops" and len(given.stops) < MOST_STOPS:
        given.stops.append(PlaceField())
    return given


def _typed(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()[:MOST_TYPED]


def _identifier(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())


def application_of(form: ApplyForm, *, on_paper: bool = False, pictures: Iterable[bytes] = ()) -> NewApplication | None:
    """The application, or None with the reasons in `form.errors`. What the words alone cannot show is for the service to find."""
    _resolve_places(form)
    lorry = form.kind is ApprovalKind.LORRY
    first = form.people[0]
    conditions = _conditions(form)
    if lorry and not form.values.get("plate"):
        form.errors["plate"] = _("This is needed.")
    if not form.destination.code:
        form.errors.setdefault("destination", _("Please choose the town or the village where you will stay."))
    if form.origin.empty:
        form.errors.setdefault("origin", _("Say where: choose a place or write it."))
    if not first.get("phone") and not on_paper:
        form.errors["people.0.phone"] = _("This is needed.")
    if form.errors or conditions is None:
        return None
    holders = [Holder(*(person.get(name) or None for name in PERSON)) for person in form.people]
    if lorry:
        holders += [Holder(plate=plate) for name in ("plate", "trailer") if (plate := form.values.get(name))]
    return NewApplication(
        id=stored_id("approval", uuid.UUID(form.client_id)),
        kind=form.kind,
        division_code=form.destination.code,
        origin_code=form.origin.code or None,
        contact_name=first.get("name", ""),
        contact_phone=first.get("phone") or None,
        purpose=form.values["purpose"],
        conditions=conditions,
        holders=holders,
        on_paper=on_paper,
        pictures=tuple(pictures),
    )


def _resolve_places(form: ApplyForm) -> None:
    index = default_index()
    for name, place in form.places():
        asked = settle(place, index)
        if asked is not None:
            form.questions[name] = asked
    site = current_app.extensions["settings"].site_division
    _rest, asked = settle_destination(form.destination, site, index)
    if asked is not None:
        form.questions["destination"] = asked
    form.errors.update((name, asked_words(question.doubt)) for name, question in form.questions.items())


def _conditions(form: ApplyForm) -> dict[str, Any] | None:
    """Conditions as they are stored; None with the errors noted when a time cannot be read."""
    since, until = _instant(form, "from"), _instant(form, "until", end=True)
    if since is None or until is None:
        return None
    if until <= since:
        form.errors["until"] = _("The last day is before the first.")
        return None
    hours = _hours(form)
    route = None
    if form.kind is ApprovalKind.LORRY:
        stops = [stop.code for stop in form.stops if stop.code]
        route = {"from": form.origin.code or None, "to": [form.destination.code], "stops": stops}
    return {
        "from": since.isoformat(),
        "until": until.isoformat(),
        "days": [int(day) for day in form.days],
        "hours": hours,
        "checkpoints": form.posts,
        "route": route,
        "covers": ASKED,
        "binding": form.kind is ApprovalKind.LORRY,
    }


def _hours(form: ApplyForm) -> list[str] | None:
    first, last = form.values.get("hours_from", ""), form.values.get("hours_to", "")
    if not first and not last:
        return None
    if not first or not last:
        form.errors["hours_to"] = _("Give both hours, or none.")
    return [first, last]


def _instant(form: ApplyForm, name: str, *, end: bool = False) -> datetime | None:
    """A day or a moment at the site; a day alone begins at midnight, and ends with the next."""
    raw = form.values.get(name, "")
    found = local_instant(raw, end=end)
    if found is None:
        form.errors[name] = _("This is not a date that exists.") if raw else _("This is needed.")
    return found


def local_instant(raw: str, *, end: bool = False) -> datetime | None:
    """What a date or time field holds, at the site; with `end` a day alone is over when the next begins. None if it is no time."""
    zone = ZoneInfo(current_app.extensions["settings"].timezone)
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        return None
    if len(raw) == len("2022-04-12"):
        found = datetime.combine(found.date() + timedelta(days=1 if end else 0), time())
    return found if found.tzinfo else found.replace(tzinfo=zone)


_NAMES = {"division": "destination", "contact_name": "people.0.name", "contact_phone": "people.0.phone"}
_CONDITIONS = {"hours": "hours_from", "checkpoints": "posts", "route": "stops"}


def refuse(form: ApplyForm, error: InvalidInput) -> None:
    """Show what the service found wrong beside its field."""
    for one in error.errors:
        form.errors.setdefault(_beside(form, one), one.message)


def _beside(form: ApplyForm, error: FieldError) -> str:
    group, _dot, rest = error.field.partition(".")
    if group == "conditions":
        name = rest.partition(".")[0]
        return _CONDITIONS.get(name, name or "until")
    if group == "holders":
        number = int(rest.partition(".")[0]) if rest[:1].isdecimal() else 0
        if number < len(form.people):
            return f"people.{rest}" if rest else "people"
        return ("plate", "trailer")[min(number - len(form.people), 1)]
    return _NAMES.get(error.field, error.field)
