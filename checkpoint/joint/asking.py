"""The asking side: ask another place about people, take its answers in, and close when no more is needed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import FieldError, InvalidInput, NotFound
from checkpoint.inquiries import queries as inquiries
from checkpoint.inquiries.listfile import Listed, ListFile
from checkpoint.inquiries.models import InquiryState
from checkpoint.inquiries.service import data_folder, seal_key
from checkpoint.joint.answering import GRACE, LONGEST, add_people
from checkpoint.joint.contents import BASIS, CASE, QUESTION, Answer, Ask, AskedPerson, Close
from checkpoint.joint.envelope import Refused
from checkpoint.joint.kinds import ANSWERED, FOUND, alarm
from checkpoint.joint.models import Direction, JointRecord, Peer, PersonState
from checkpoint.joint.peers import locked as locked_peer
from checkpoint.joint.people import MOST, WrongLine, clean, distinct, ranges, read_lines
from checkpoint.joint.records import (
    add_step,
    locked,
    locked_request,
    note,
    owe,
    peer_actor,
    people_of,
    shut,
    take_in,
    today,
)
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.registrations.queries import scoped
from checkpoint.risk.policy import PolicyData, Tier
from checkpoint.words import _


@dataclass(frozen=True, slots=True)
class Request:
    """What command wants to ask. `request_id` is the form's own UUID; people are typed, or taken from a registration, or are rows of an
    inquiry list in force (`rows`: `1-20, 35`)."""

    request_id: uuid.UUID
    peer_id: uuid.UUID
    level: str
    legal_basis: str
    case: str
    question: str
    valid_until: date
    typed: str = ""
    registration_id: uuid.UUID | None = None
    inquiry_id: uuid.UUID | None = None
    rows: str = ""


def ask(request: Request, *, actor: Actor, at: datetime) -> JointRecord:
    """Ask another place. The request is committed before it is sent; the same `request_id` again returns the first record.

    Raises InvalidInput with every wrong field, NotFound for a peer, registration or list that is not there.
    """
    known = _known(request.request_id)
    if known is not None:
        return known
    people = _checked(request, actor, at)
    with transaction() as session:
        peer = locked_peer(request.peer_id)  # two copies of one form wait for each other here
        known = _known(request.request_id)
        if known is not None:
            return known
        if peer.revoked_at is not None:
            raise InvalidInput.one("peer", "revoked", _("This place is no longer trusted."))
        record = _store(request, peer, people, actor, at)
        content = Ask(
            id=new_id(),
            request=record.request_id,
            asked_at=at,
            level=Tier(record.level),
            legal_basis=record.legal_basis,
            case=clean(request.case),
            question=request.question.strip(),
            valid_until=record.valid_until,
            people=[_asked(one) for one in people],
        )
        owe(session, record, content, at)
    return record


def _known(request_id: uuid.UUID) -> JointRecord | None:
    query = select(JointRecord).where(
        JointRecord.request_id == request_id, JointRecord.direction == Direction.OUT.value
    )
    return db.session.scalars(query.execution_options(populate_existing=True)).first()


def _asked(one: Listed) -> AskedPerson:
    return AskedPerson(name=one.name, document=one.document, phone=one.phone, born=one.born, plate=one.plate)


def _store(request: Request, peer: Peer, people: Sequence[Listed], actor: Actor, at: datetime) -> JointRecord:
    record = JointRecord(
        id=new_id(),
        direction=Direction.OUT.value,
        peer_id=peer.id,
        request_id=request.request_id,
        level=request.level,
        legal_basis=clean(request.legal_basis),
        valid_until=request.valid_until,
        people=len(people),
        serial=0,
        asked_at=at,
        asked_by=actor.key,
        changed_at=at,
    )
    record.case, record.question = clean(request.case) or None, request.question.strip()
    db.session.add(record)
    db.session.flush()
    add_people(record, people, PersonState.ASKED)
    add_step(record, "asked", at, actor=actor, data={"people": len(people)})
    sources = {
        "registration": str(request.registration_id) if request.registration_id else None,
        "inquiry": str(request.inquiry_id) if request.inquiry_id else None,
    }
    told = {"people": len(people), "peer": str(peer.id), **{name: one for name, one in sources.items() if one}}
    note("joint.ask", "joint_record", record.id, actor=actor, at=at, data=told)
    return record


def _checked(request: Request, actor: Actor, at: datetime) -> list[Listed]:
    errors = [
        FieldError(
            field, "missing" if not text.strip() else "too_long", _("Write 1 to %(most)s characters.", most=most)
        )
        for field, text, most in (
            ("legal_basis", request.legal_basis, BASIS),
            ("question", request.question, QUESTION),
        )
        if not 1 <= len(text.strip()) <= most
    ]
    if len(request.case) > CASE:
        errors.append(FieldError("case", "too_long", _("This is too long.")))
    if request.level not in set(Tier):
        errors.append(FieldError("level", "literal_error", _("This is not one of the choices.")))
    if not today(at) <= request.valid_until <= today(at) + LONGEST:
        days = LONGEST.days
        errors.append(
            FieldError("valid_until", "dates", _("Choose a day from today to %(days)s days ahead.", days=days))
        )
    try:
        people = gather(request, actor=actor)
    except InvalidInput as error:
        errors += error.errors
        people = []
    if errors:
        raise InvalidInput(errors)
    return people


def gather(request: Request, *, actor: Actor) -> list[Listed]:
    """The people that a request names, each once. Raises InvalidInput when there are none or too many, or a line cannot be read."""
    try:
        people = read_lines(request.typed)
    except WrongLine as error:
        said = _(
            "Line %(number)s: write a document, a phone, a plate, or a name with a birth date.", number=error.number
        )
        raise InvalidInput.one("typed", "unreadable", said) from error
    if request.registration_id is not None:
        people.append(registered(request.registration_id, actor=actor))
    if request.inquiry_id is not None:
        people += listed(request.inquiry_id, request.rows)
    people = distinct(people)
    if not people:
        raise InvalidInput.one("typed", "missing", _("Say whom you ask about."))
    if len(people) > MOST:
        raise InvalidInput.one("typed", "too_many", _("Ask about at most %(most)s people at once.", most=MOST))
    return people


def registered(registration_id: uuid.UUID, *, actor: Actor) -> Listed:
    """Somebody registered here, as far as the actor may see them. Raises NotFound."""
    registration = db.session.scalar(scoped(actor).where(Registration.id == registration_id))
    if registration is None:
        raise NotFound
    person = db.session.get_one(Traveller, registration.traveller_id)
    return Listed(
        name=clean(person.name or ""),
        document=clean(person.id_number or ""),
        phone=clean((person.phone or "").removeprefix("+86")),
        plate=clean(registration.plate or ""),
    )


def listed(inquiry_id: uuid.UUID, rows: str) -> list[Listed]:
    """Some rows of an inquiry list in force. Raises NotFound for a list that is not, InvalidInput for rows that it has not."""
    inquiry = inquiries.get(inquiry_id)
    if inquiry.state != InquiryState.IN_FORCE.value:
        raise NotFound
    try:
        numbers = ranges(rows, inquiry.rows)
    except ValueError as error:
        said = _("Write row numbers from 1 to %(rows)s, such as 1-20, 35.", rows=inquiry.rows)
        raise InvalidInput.one("rows", "unreadable", said) from error
    if len(numbers) > MOST:
        raise InvalidInput.one("rows", "too_many", _("Ask about at most %(most)s people at once.", most=MOST))
    file = ListFile(data_folder(), inquiry.id.hex, seal_key(inquiry))
    return [_readable(file.row(number), number) for number in numbers]


def _readable(row: Listed, number: int) -> Listed:
    one = Listed(*(clean(field) for field in (row.name, row.document, row.phone, row.born, row.plate)))
    try:
        _asked(one)
    except ValueError as error:
        said = _("Nobody can be looked for by row %(number)s. Leave it out.", number=number + 1)
        raise InvalidInput.one("rows", "unreadable", said) from error
    return one


def take_answer(peer: Peer, answer: Answer, policy: PolicyData, at: datetime) -> None:
    """Put an answer on our record, in the transaction under way. An older one, or one to a closed record, changes nothing."""
    session = db.session()
    record = locked_request(session, peer, Direction.OUT, answer.request)
    if record is None:
        raise Refused("unknown_record", peer.kid)
    people = people_of(session, record)
    if not set(answer.people) <= {person.number for person in people}:
        raise Refused("malformed", peer.kid)
    if record.closed_at is not None or answer.serial <= record.serial:
        return
    record.serial, record.received_at = answer.serial, record.received_at or at
    counts = take_in(record, people, answer.people, at, theirs=True)
    session.flush()
    note("joint.answered", "joint_record", record.id, actor=peer_actor(peer), at=at, data=counts)
    raise_alerts(_alarms(record, peer, answer, counts), policy, at)


def _alarms(record: JointRecord, peer: Peer, answer: Answer, counts: dict[str, int]) -> list[NewAlert]:
    found, rest = counts.get("found", 0), {name: number for name, number in counts.items() if name != "found"}
    alarms = []
    if found:
        alarms.append(alarm(FOUND, record, peer, answer.id, record.level, people=found))
    if rest:
        alarms.append(alarm(ANSWERED, record, peer, answer.id, "green", **rest))
    return alarms


def take_close(peer: Peer, close: Close, policy: PolicyData, at: datetime) -> None:
    """The other side has closed; in the transaction under way. On a record that is closed already this changes nothing."""
    session = db.session()
    direction = Direction.IN if close.asker else Direction.OUT
    record = locked_request(session, peer, direction, close.request)
    if record is None:
        raise Refused("unknown_record", peer.kid)
    if record.closed_at is not None:
        return
    shut(session, record, close.reason, actor=peer_actor(peer), at=at, theirs=True)
    raise_alerts([alarm(ANSWERED, record, peer, close.id, "green", closed=1)], policy, at)


def finish(record_id: uuid.UUID, *, actor: Actor, at: datetime) -> JointRecord:
    """Close our own request: no more is needed, and the other place ends its search. A second time is harmless.

    Raises NotFound also for a request of somebody else's.
    """
    with transaction() as session:
        record = locked(session, record_id)
        if record.direction != Direction.OUT.value:
            raise NotFound
        if record.closed_at is not None:
            return record
        shut(session, record, "finished", actor=actor, at=at)
        owe(session, record, Close(id=new_id(), request=record.request_id, asker=True, at=at, reason="finished"), at)
    return record


def expire(*, actor: Actor, at: datetime) -> int:
    """Close our own requests of which nothing more can come, should the other place never have said so; returns how many."""
    over = today(at) - GRACE - timedelta(days=1)  # the other place closes first
    query = select(JointRecord.id).where(
        JointRecord.direction == Direction.OUT.value, JointRecord.closed_at.is_(None), JointRecord.valid_until < over
    )
    ids = db.session.scalars(query).all()
    for record_id in ids:
        with transaction() as session:
            record = locked(session, record_id)
            if record.closed_at is None:
                shut(session, record, "expired", actor=actor, at=at)
    return len(ids)
