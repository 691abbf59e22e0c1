"""The review queue (待复核): whom lists may name, and nobody has said yet whether it is them. Reads only; scoped like all people.

A queue is walked in one of two orders, each a pair of columns that names a place in it: what was found first, or what is most likely.
"""

import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.inquiries.evidence import Outcome
from checkpoint.inquiries.models import Inquiry, InquiryHit, InquiryState


class Order(enum.StrEnum):
    """What comes first."""

    OLDEST = "oldest"
    STRONGEST = "strongest"


@dataclass(frozen=True, slots=True)
class Waiting:
    """People of one inquiry who wait for a reviewer: how many, and since when the first one."""

    inquiry_id: uuid.UUID
    source: str
    level: str
    number: int
    since: datetime


def _undecided() -> tuple[ColumnElement[bool], ...]:
    """The conditions of the queue, on hits joined with their inquiries: of an inquiry that has ended nothing waits."""
    return (
        InquiryHit.outcome == Outcome.REVIEW.value,
        InquiryHit.decision.is_(None),
        Inquiry.state == InquiryState.IN_FORCE.value,
    )


def _scoped(actor: Actor, *columns: Any) -> Select[Any]:
    if not actor.may(Permission.INQUIRIES_REVIEW):
        raise NotAllowed
    return (
        select(*columns)
        .select_from(InquiryHit)
        .join(Inquiry, Inquiry.id == InquiryHit.inquiry_id)
        .where(in_reach(actor, InquiryHit.division_code))
    )


def _queue(actor: Actor, inquiry_id: uuid.UUID | None, *columns: Any) -> Select[Any]:
    query = _scoped(actor, *columns).where(*_undecided())
    return query.where(InquiryHit.inquiry_id == inquiry_id) if inquiry_id is not None else query


def waiting(actor: Actor) -> Sequence[Waiting]:
    """The inquiries with people in the queue, the one that has waited longest first."""
    since = func.min(InquiryHit.found_at)
    query = _queue(actor, None, Inquiry.id, Inquiry.source, Inquiry.level, func.count(), since)
    rows = db.session.execute(query.group_by(Inquiry.id, Inquiry.source, Inquiry.level).order_by(since, Inquiry.id))
    return [Waiting(*row) for row in rows]


def one(actor: Actor, hit_id: uuid.UUID) -> tuple[InquiryHit, Inquiry]:
    """One hit with its inquiry, decided or not. Raises NotFound, also outside the actor's jurisdiction."""
    row = db.session.execute(
        _scoped(actor, InquiryHit, Inquiry).where(InquiryHit.id == hit_id).execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def _before(order: Order, hit: InquiryHit) -> ColumnElement[bool]:
    """What stands before a hit in the queue."""
    if order is Order.STRONGEST:
        return or_(InquiryHit.score > hit.score, and_(InquiryHit.score == hit.score, InquiryHit.id < hit.id))
    return or_(InquiryHit.found_at < hit.found_at, and_(InquiryHit.found_at == hit.found_at, InquiryHit.id < hit.id))


def _after(order: Order, hit: InquiryHit) -> ColumnElement[bool]:
    if order is Order.STRONGEST:
        return or_(InquiryHit.score < hit.score, and_(InquiryHit.score == hit.score, InquiryHit.id > hit.id))
    return or_(InquiryHit.found_at > hit.found_at, and_(InquiryHit.found_at == hit.found_at, InquiryHit.id > hit.id))


def first(actor: Actor, order: Order, inquiry_id: uuid.UUID | None = None) -> uuid.UUID | None:
    """The first of the queue."""
    query = _queue(actor, inquiry_id, InquiryHit.id)
    if order is Order.STRONGEST:
        query = query.order_by(InquiryHit.score.desc(), InquiryHit.id)
    else:
        query = query.order_by(InquiryHit.found_at, InquiryHit.id)
    found: uuid.UUID | None = db.session.scalar(query.limit(1))
    return found


def beside(
    actor: Actor, hit: InquiryHit, order: Order, inquiry_id: uuid.UUID | None = None
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """What waits before and behind a hit, whether or not the hit itself still waits."""
    query = _queue(actor, inquiry_id, InquiryHit.id)
    by_score = order is Order.STRONGEST
    forward = (InquiryHit.score.desc(), InquiryHit.id) if by_score else (InquiryHit.found_at, InquiryHit.id)
    backward = (
        (InquiryHit.score, InquiryHit.id.desc()) if by_score else (InquiryHit.found_at.desc(), InquiryHit.id.desc())
    )
    previous = db.session.scalar(query.where(_before(order, hit)).order_by(*backward).limit(1))
    following = db.session.scalar(query.where(_after(order, hit)).order_by(*forward).limit(1))
    return previous, following


def place(actor: Actor, hit: InquiryHit, order: Order, inquiry_id: uuid.UUID | None = None) -> int:
    """How many wait before a hit."""
    query = _queue(actor, inquiry_id, func.count()).where(_before(order, hit))
    return db.session.scalar(query) or 0
