"""The answering side: a request becomes an inquiry list in force, and what that finds goes back by itself.

The list is an ordinary one (checkpoint.inquiries): it is held against everybody registered and everybody new, its alerts go to the
village, and it is destroyed when it ends. Each round compares what is known of each person with what was told last; only news is sent.
"""

import csv
import logging
import tempfile
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import raise_alerts
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict
from checkpoint.inquiries import service as inquiries
from checkpoint.inquiries.columns import FIELDS
from checkpoint.inquiries.evidence import Outcome
from checkpoint.inquiries.listfile import Listed
from checkpoint.inquiries.models import ENDED, HitDecision, Inquiry, InquiryHit, InquiryState
from checkpoint.joint.contents import Answer, Ask, AskedPerson, Close, Result, Told, as_stored
from checkpoint.joint.envelope import Refused
from checkpoint.joint.kinds import ASKED, alarm
from checkpoint.joint.models import Direction, JointPerson, JointRecord, Peer, PersonState
from checkpoint.joint.people import numbered
from checkpoint.joint.records import add_step, locked, note, owe, peer_actor, people_of, shut, take_in, today
from checkpoint.joint.telling import Fact, told_of
from checkpoint.regions.models import at_level
from checkpoint.regions.queries import TOWN
from checkpoint.registrations.models import Registration
from checkpoint.risk.policy import PolicyData

LONGEST = timedelta(days=100)
"""How far ahead the last day of a request may lie."""
GRACE = timedelta(days=14)
"""How long after its last day a record waits for what was found to be dealt with."""
_HEADER = ("姓名", "证件号码", "联系电话", "出生日期", "车牌号")

_log = logging.getLogger(__name__)


def take_ask(peer: Peer, asked: Ask, policy: PolicyData, at: datetime) -> None:
    """Store a request in the transaction under way and tell command. Raises Refused for one that contradicts what stands."""
    known = select(JointRecord.id).where(
        JointRecord.peer_id == peer.id,
        JointRecord.direction == Direction.IN.value,
        JointRecord.request_id == asked.request,
    )
    if asked.valid_until > today(at) + LONGEST:
        raise Refused("malformed", peer.kid)
    if db.session.scalar(known) is not None:
        raise Refused("contradiction", peer.kid)
    record = JointRecord(
        id=new_id(),
        direction=Direction.IN.value,
        peer_id=peer.id,
        request_id=asked.request,
        level=asked.level.value,
        legal_basis=asked.legal_basis,
        valid_until=asked.valid_until,
        people=len(asked.people),
        serial=0,
        asked_at=asked.asked_at,
        asked_by=peer_actor(peer).key,
        received_at=at,
        changed_at=at,
    )
    record.case, record.question = asked.case or None, asked.question
    db.session.add(record)
    db.session.flush()
    add_people(record, [one.listed for one in asked.people], PersonState.RECEIVED)
    add_step(record, "asked", asked.asked_at, theirs=True)
    add_step(record, "received", at, data={"people": len(asked.people)})
    note("joint.received", "joint_record", record.id, actor=peer_actor(peer), at=at, data={"people": len(asked.people)})
    told = {"people": len(asked.people), "until": asked.valid_until.isoformat()}
    raise_alerts([alarm(ASKED, record, peer, asked.id, "yellow", **told)], policy, at)


def add_people(record: JointRecord, people: Sequence[Listed], state: PersonState) -> None:
    """Store the people of a new record, sealed, in the order asked."""
    for number, one in enumerate(people):
        row = JointPerson(id=new_id(), record_id=record.id, number=number, state=state.value)
        row.listed = AskedPerson(
            name=one.name, document=one.document, phone=one.phone, born=one.born, plate=one.plate
        ).model_dump_json()
        db.session.add(row)
    db.session.flush()


def listed_of(person: JointPerson) -> Listed:
    """What a person was asked by; empty when that was destroyed."""
    return AskedPerson.model_validate_json(person.listed).listed if person.listed else Listed()


def work(*, actor: Actor, at: datetime) -> int:
    """One round: put new requests in force, tell what is new, close what is over; returns how many messages are owed by it."""
    for record_id in _ids(JointRecord.inquiry_id.is_(None), JointRecord.valid_until >= today(at)):
        try:
            put_in_force(record_id, actor=actor, at=at)
        except Exception as error:  # one request that cannot be read must not hold up the others
            _log.error("joint record %s cannot be put in force: %s", record_id, type(error).__name__)
            db.session.rollback()
    told = sum(tell(record_id, at=at) for record_id in _ids(JointRecord.inquiry_id.is_not(None)))
    closed = sum(_close_if_over(record_id, actor=actor, at=at) for record_id in _ids())
    _end_lists(actor, at)
    return told + closed


def _ids(*conditions: object) -> Sequence[uuid.UUID]:
    query = select(JointRecord.id).where(
        JointRecord.direction == Direction.IN.value,
        JointRecord.closed_at.is_(None),
        *conditions,  # type: ignore[arg-type]
    )
    found = db.session.scalars(query.order_by(JointRecord.id)).all()
    db.session.rollback()
    return found


def put_in_force(record_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """Make a list of a request's people and let it be read; a second time is harmless."""
    with tempfile.TemporaryDirectory(dir=inquiries.data_folder()) as folder, transaction() as session:
        record = locked(session, record_id)
        if record.inquiry_id is not None or record.closed_at is not None:
            return
        peer = session.get_one(Peer, record.peer_id)
        path = Path(folder) / "list"
        _write(path, [listed_of(person) for person in people_of(session, record)])
        details = inquiries.Details(
            source=peer.name,
            case=record.case or "",
            level=record.level,
            legal_basis=record.legal_basis,
            valid_from=min(today(at), record.valid_until),
            valid_until=record.valid_until,
        )
        inquiry = inquiries.take_in(path, details, actor=actor, at=at)
        columns = {field: f"#{column}" for column, field in enumerate(FIELDS, 1)}
        inquiries.confirm(inquiry.id, columns, actor=actor, at=at)
        record.inquiry_id = inquiry.id
        session.flush()


def _write(path: Path, people: Sequence[Listed]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(_HEADER)
        writer.writerows(numbered(people))


def tell(record_id: uuid.UUID, *, at: datetime) -> int:
    """Owe the asker what is new about their people; returns how many messages that makes (none or one)."""
    if not _news(_told(record_id), record_id):
        db.session.rollback()
        return 0
    with transaction() as session:
        record = locked(session, record_id)
        if record.closed_at is not None:
            return 0
        news = _news(_told(record_id), record_id)
        if not news:
            return 0
        record.serial += 1
        take_in(record, people_of(session, record), news, at, theirs=False)
        owe(session, record, Answer(id=new_id(), request=record.request_id, serial=record.serial, people=news), at)
    return 1


def _told(record_id: uuid.UUID) -> dict[int, Told]:
    """What may be told of each person now, by number; nothing while the list is still being read."""
    row = db.session.execute(
        select(Inquiry.id, Inquiry.matched_at, JointRecord.people)
        .join(JointRecord, JointRecord.inquiry_id == Inquiry.id)
        .where(JointRecord.id == record_id)
    ).first()
    if row is None or row.matched_at is None:
        return {}
    inquiry_id, looked_at, people = row.id, row.matched_at, row.people
    facts: dict[int, list[Fact]] = {}
    rows = db.session.execute(
        select(InquiryHit, Registration, Alert)
        .join(Registration, Registration.id == InquiryHit.registration_id)
        .outerjoin(Alert, Alert.id == InquiryHit.alert_id)
        .where(InquiryHit.inquiry_id == inquiry_id)
        .execution_options(populate_existing=True)
    )
    for hit, registration, alert in rows:
        facts.setdefault(hit.row_number, []).append(_fact(hit, registration, alert))
    told = {number: told_of(facts.get(number, ()), looked_at) for number in range(people)}
    return {number: one for number, one in told.items() if one is not None}


def _fact(hit: InquiryHit, registration: Registration, alert: Alert | None) -> Fact:
    if hit.decision is not None:
        certain: bool | None = hit.decision == HitDecision.SAME.value
    else:
        certain = True if hit.outcome == Outcome.ALERT.value else None
    return Fact(
        certain=certain,
        found_at=hit.found_at,
        presence=registration.state,
        since=registration.entered_at or registration.created_at,
        changed_at=registration.updated_at,
        town=at_level(registration.destination_code, TOWN),
        alert=alert.state if alert is not None else None,
        resolved_at=alert.resolved_at if alert is not None else None,
        result=cast(Result | None, alert.result) if alert is not None else None,  # alerts.service.RESULTS
    )


def _news(told: dict[int, Told], record_id: uuid.UUID) -> dict[int, Told]:
    """What differs from what was told last, times aside."""
    if not told:
        return {}
    rows = db.session.execute(select(JointPerson.number, JointPerson.answer).where(JointPerson.record_id == record_id))
    last = {number: {**answer, "at": None} for number, answer in rows if answer is not None}
    return {number: one for number, one in told.items() if last.get(number) != {**as_stored(one), "at": None}}


def _close_if_over(record_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Close a record whose list was taken back, or whose last day has passed with everybody dealt with; returns whether it was."""
    with transaction() as session:
        record = locked(session, record_id)
        reason = None if record.closed_at is not None else _over(record, session.get(Inquiry, record.inquiry_id), at)
        if reason is None:
            return 0
        shut(session, record, reason, actor=actor, at=at)
        close = Close(id=new_id(), request=record.request_id, asker=False, at=at, reason=reason)  # type: ignore[arg-type]
        owe(session, record, close, at)
    return 1


def _over(record: JointRecord, inquiry: Inquiry | None, at: datetime) -> str | None:
    if inquiry is not None and inquiry.state in (InquiryState.WITHDRAWN.value, InquiryState.FAILED.value):
        return "ended"
    day = today(at)
    if day <= record.valid_until:
        return None
    pending = (
        any(person.state == PersonState.FOUND.value for person in people_of(db.session(), record))
        and day <= record.valid_until + GRACE
    )
    return None if pending else "expired"


def _end_lists(actor: Actor, at: datetime) -> None:
    """Take back the lists of records that were closed before their time: their rows are destroyed, their open alerts retracted."""
    query = (
        select(Inquiry.id)
        .join(JointRecord, JointRecord.inquiry_id == Inquiry.id)
        .where(JointRecord.closed_at.is_not(None), Inquiry.state.not_in((*ENDED, InquiryState.FAILED.value)))
    )
    ids = db.session.scalars(query).all()
    db.session.rollback()
    for inquiry_id in ids:
        try:
            inquiries.withdraw(inquiry_id, actor=actor, at=at)
        except Conflict:
            continue
