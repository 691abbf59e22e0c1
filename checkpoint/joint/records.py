"""What both sides do with a record: note a step, owe a message, take in what is known of people, close."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from checkpoint import clock
from checkpoint.accounts.permissions import Actor
from checkpoint.audit import service as audit
from checkpoint.config import Settings
from checkpoint.database import insert_rows
from checkpoint.errors import NotFound
from checkpoint.joint.contents import Content, Told, as_stored
from checkpoint.joint.models import (
    Direction,
    JointMessage,
    JointPerson,
    JointRecord,
    JointStep,
    MessageState,
    Peer,
    PersonState,
)


def settings() -> Settings:
    """The settings of the running application."""
    known: Settings = current_app.extensions["settings"]
    return known


def today(at: datetime) -> date:
    """The calendar day at the site."""
    return clock.local_date(at, settings().timezone)


def peer_actor(peer: Peer) -> Actor:
    """Another instance as somebody who acts; it may nothing but send messages."""
    return Actor("peer", peer.id, None, peer.division_code, frozenset())


def note(
    act: str,
    object_type: str,
    object_id: uuid.UUID | None,
    *,
    actor: Actor,
    at: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Write an act to the audit trail, in the transaction under way."""
    audit.record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type=object_type,
        object_id=object_id,
        data=data,
    )


def locked(session: Session, record_id: uuid.UUID) -> JointRecord:
    """A record as it is now, locked for the rest of the transaction. Raises NotFound."""
    query = select(JointRecord).where(JointRecord.id == record_id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    return found


def locked_request(session: Session, peer: Peer, direction: Direction, request_id: uuid.UUID) -> JointRecord | None:
    """The record that stands with a peer under a request's UUID, locked; None if there is none."""
    query = select(JointRecord).where(
        JointRecord.peer_id == peer.id,
        JointRecord.direction == direction.value,
        JointRecord.request_id == request_id,
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).first()


def people_of(session: Session, record: JointRecord) -> list[JointPerson]:
    """The people of a record, in the order asked."""
    query = select(JointPerson).where(JointPerson.record_id == record.id).order_by(JointPerson.number)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def add_step(
    record: JointRecord,
    step: str,
    at: datetime,
    *,
    theirs: bool = False,
    actor: Actor | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append a step to a record's history."""
    row = {
        "record_id": record.id,
        "at": at,
        "step": step,
        "is_theirs": theirs,
        "actor": actor.key if actor else None,
        "data": data,
    }
    insert_rows(JointStep, [row])


def owe(session: Session, record: JointRecord, content: Content, at: datetime) -> None:
    """Owe the other side a message; it goes after this transaction, behind those that the record owes already."""
    session.flush()
    last = session.scalar(select(func.max(JointMessage.number)).where(JointMessage.record_id == record.id)) or 0
    message = JointMessage(
        id=content.id,
        record_id=record.id,
        peer_id=record.peer_id,
        number=last + 1,
        kind=content.kind,
        state=MessageState.WAITING.value,
        made_at=at,
        next_at=at,
        attempts=0,
    )
    message.body = content.model_dump_json()
    session.add(message)
    session.flush()


def take_in(
    record: JointRecord, people: Sequence[JointPerson], told: Mapping[int, Told], at: datetime, *, theirs: bool
) -> dict[str, int]:
    """Put what is told of people on the record; returns how many became what (`found`, `not_found`, `handled`)."""
    counts: dict[str, int] = {}
    latest: dict[str, datetime] = {}
    for person in people:
        news = told.get(person.number)
        if news is None:
            continue
        if person.state != news.state:
            counts[news.state] = counts.get(news.state, 0) + 1
            latest[news.state] = max(news.at, latest.get(news.state, news.at))
        _tell(person, news)
    for state, number in counts.items():
        add_step(record, state, latest[state], theirs=theirs, data={"people": number})
    _sum_up(record, people, at)
    return counts


def _tell(person: JointPerson, news: Told) -> None:
    person.state = news.state
    person.answer = as_stored(news)
    person.answered_at = person.answered_at or news.at
    if news.state == PersonState.FOUND.value:
        person.found_at, person.handled_at = news.at, None
    elif news.state == PersonState.HANDLED.value:
        person.found_at, person.handled_at = person.found_at or news.at, news.at
    else:
        person.found_at = person.handled_at = None


def _sum_up(record: JointRecord, people: Sequence[JointPerson], at: datetime) -> None:
    """When something is known of everybody, and when everybody who was found is dealt with; a later find takes the second back."""
    if all(person.answer is not None for person in people):
        record.answered_at = record.answered_at or max(
            (one.answered_at for one in people if one.answered_at), default=at
        )
    found = [one for one in people if one.state in (PersonState.FOUND.value, PersonState.HANDLED.value)]
    done = bool(found) and all(one.handled_at is not None for one in found)
    record.handled_at = max(one.handled_at for one in found if one.handled_at) if done else None
    record.changed_at = at


def shut(
    session: Session, record: JointRecord, reason: str, *, actor: Actor, at: datetime, theirs: bool = False
) -> None:
    """Close a record. On the answering side what was asked by is destroyed; its list is ended by the next round (answering.py)."""
    record.closed_at, record.close_reason, record.changed_at = at, reason, at
    add_step(record, "closed", at, theirs=theirs, actor=actor, data={"reason": reason})
    if record.direction == Direction.IN.value:
        session.flush()
        session.execute(update(JointPerson).where(JointPerson.record_id == record.id).values(listed_sealed=None))
    note("joint.close", "joint_record", record.id, actor=actor, at=at, data={"reason": reason})
