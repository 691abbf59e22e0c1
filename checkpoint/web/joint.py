"""City command, joint inquiries: what we ask of other places and they of us, each with its people and its course."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.inquiries import queries as inquiries
from checkpoint.joint import asking, queries
from checkpoint.joint.answering import listed_of
from checkpoint.joint.models import JointPerson
from checkpoint.joint.records import today
from checkpoint.privacy import mask_document, mask_name, mask_phone, mask_plate
from checkpoint.regions.queries import full_names
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.inbox_cards import actor_names
from checkpoint.web.inbox_words import RESULTS, word
from checkpoint.web.joint_words import PRESENCE, STATES, TONES, error_text, state_of, step_text
from checkpoint.words import _

blueprint = Blueprint("joint", __name__, url_prefix="/command/joint")

Answer = str | Response | BaseResponse
VALID_DAYS = 14
_TYPED = ("level", "legal_basis", "case", "question", "typed", "rows", "registration", "inquiry")


@dataclass(frozen=True, slots=True)
class Row:
    """A person as a screen may show them, with what is known of them."""

    person: JointPerson
    shown: str
    place: str
    since: datetime | None
    presence: str
    result: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the course, for the timeline."""

    at: datetime
    title: str
    text: str
    tone: str


@blueprint.get("", strict_slashes=False)
@requires(Permission.INQUIRIES_JOINT)
def index() -> Answer:
    """The joint inquiries of both directions."""
    return render_template(
        "command/joint.html",
        records=queries.records(),
        peers=queries.trusted(),
        states=STATES,
        state_of=state_of,
        word=word,
        page="joint",
    )


@blueprint.get("/new")
@requires(Permission.INQUIRIES_JOINT)
def new() -> Answer:
    """The form; a registration or an inquiry list in the address is where the people come from."""
    values = {name: request.args.get(name, "") for name in ("registration", "inquiry", "peer")}
    day = today(clock.now()) + timedelta(days=VALID_DAYS)
    return _form({"level": "red", "valid_until": day.isoformat(), "request_id": str(uuid.uuid4()), **values}, {})


def _form(values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    registration, inquiry = _id(values.get("registration")), _id(values.get("inquiry"))
    source = inquiries.get(inquiry) if inquiry else None
    person = asking.registered(registration, actor=current_actor()) if registration else None
    page: str = render_template(
        "command/joint_new.html",
        peers=[(str(one.id), one.name) for one in queries.trusted()],
        inquiry=source,
        person=mask_name(person.name) if person else None,
        values=values,
        errors=errors,
        page="joint",
    )
    return page


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


@blueprint.post("", strict_slashes=False)
@requires(Permission.INQUIRIES_JOINT)
def ask() -> Answer:
    """Send a request. The form carries its own number, so that it is sent once however often it comes."""
    values = {name: request.form.get(name, "") for name in (*_TYPED, "peer", "valid_until", "request_id")}
    try:
        record = asking.ask(_request(values), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return make_response(_form(values, field_errors(error)), 422)
    return redirect(url_for("joint.one", record_id=record.id), 303)


def _request(values: Mapping[str, str]) -> asking.Request:
    peer, number = _id(values["peer"]), _id(values["request_id"])
    if peer is None or number is None:
        raise InvalidInput.one("peer", "missing", _("Choose the place that you want to ask."))
    try:
        day = date.fromisoformat(values["valid_until"])
    except ValueError as error:
        raise InvalidInput.one("valid_until", "date", _("Write a day.")) from error
    return asking.Request(
        request_id=number,
        peer_id=peer,
        level=values["level"],
        legal_basis=values["legal_basis"],
        case=values["case"],
        question=values["question"],
        valid_until=day,
        typed=values["typed"],
        registration_id=_id(values["registration"]),
        inquiry_id=_id(values["inquiry"]),
        rows=values["rows"],
    )


@blueprint.get("/<uuid:record_id>")
@requires(Permission.INQUIRIES_JOINT)
def one(record_id: uuid.UUID) -> Answer:
    """One joint inquiry: what is asked, how far it is, its people, its course."""
    found = queries.whole(record_id)
    record, waiting = found.record, found.waiting
    names = actor_names([record.asked_by])
    return render_template(
        "command/joint_record.html",
        record=record,
        peer=found.peer,
        rows=_rows(found.people),
        steps=_steps(found),
        states=STATES,
        state=state_of(record),
        tones=TONES,
        asked_by=names.get(record.asked_by or "", ""),
        waiting=waiting,
        problem=error_text(waiting.error) if waiting else "",
        word=word,
        page="joint",
    )


def _rows(people: Sequence[JointPerson]) -> list[Row]:
    answers = {person.id: person.answer or {} for person in people}
    places = full_names({answer["town"] for answer in answers.values() if answer.get("town")})
    rows = []
    for person in people:
        answer = answers[person.id]
        since, town = answer.get("since"), answer.get("town", "")
        rows.append(
            Row(
                person=person,
                shown=_shown(person),
                place=places.get(town, town),
                since=datetime.fromisoformat(since) if since else None,
                presence=word(PRESENCE, answer.get("presence")),
                result=word(RESULTS, answer.get("result")),
            )
        )
    return rows


def _shown(person: JointPerson) -> str:
    """A person masked; once what was asked by is destroyed, the number alone."""
    one = listed_of(person)
    parts = (
        mask_name(one.name),
        mask_document(one.document) if one.document else "",
        mask_phone(one.phone) if one.phone else "",
        mask_plate(one.plate) if one.plate else "",
    )
    return " ".join(filter(None, parts)) or _("Person %(number)s", number=person.number + 1)


def _steps(found: queries.Whole) -> list[Step]:
    steps = []
    for step in found.steps:
        title = word(STATES, step.step)
        if step.is_theirs:
            title = _("%(peer)s: %(step)s", peer=found.peer.name, step=title)
        steps.append(Step(step.at, title, step_text(step), TONES.get(step.step, "")))
    return steps


@blueprint.get("/<uuid:record_id>/finish")
@requires(Permission.INQUIRIES_JOINT)
def ask_finish(record_id: uuid.UUID) -> Answer:
    """Ask before our own request is closed."""
    found = queries.whole(record_id)
    return render_template("command/joint_finish.html", record=found.record, peer=found.peer, page="joint")


@blueprint.post("/<uuid:record_id>/finish")
@requires(Permission.INQUIRIES_JOINT)
def finish(record_id: uuid.UUID) -> Answer:
    """Close our own request."""
    asking.finish(record_id, actor=current_actor(), at=clock.now())
    return redirect(url_for("joint.one", record_id=record_id), 303)
