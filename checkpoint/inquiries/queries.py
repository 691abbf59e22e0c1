"""Reading inquiries. Command sees all of them; the people they found are seen within the reader's jurisdiction."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.scope import in_reach
from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.inquiries.evidence import Outcome
from checkpoint.inquiries.models import ENDED, HitDecision, Inquiry, InquiryChunk, InquiryHit, InquiryState


@dataclass(frozen=True, slots=True)
class Tally:
    """Of an inquiry: people alerted, and people to be reviewed who have not been."""

    alerts: int = 0
    reviews: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a list is read: parts and bytes done, of how many."""

    parts_done: int
    parts: int
    rows: int
    bad_rows: int

    @property
    def percent(self) -> int:
        return 100 * self.parts_done // self.parts if self.parts else 0


def get(inquiry_id: uuid.UUID) -> Inquiry:
    """One inquiry; NotFound if there is none."""
    found = db.session.get(Inquiry, inquiry_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def newest(limit: int = 100) -> Sequence[Inquiry]:
    """Inquiries, the newest first."""
    return db.session.scalars(select(Inquiry).order_by(Inquiry.created_at.desc()).limit(limit)).all()


def waiting() -> Sequence[uuid.UUID]:
    """What is to be read, or was being read when somebody was interrupted; the oldest first."""
    states = (InquiryState.WAITING.value, InquiryState.MATCHING.value)
    return db.session.scalars(select(Inquiry.id).where(Inquiry.state.in_(states)).order_by(Inquiry.created_at)).all()


def in_force(today: date) -> Sequence[Inquiry]:
    """The inquiries that everybody new is held against on a day."""
    return db.session.scalars(
        select(Inquiry)
        .where(Inquiry.state == InquiryState.IN_FORCE.value, Inquiry.valid_from <= today, Inquiry.valid_until >= today)
        .order_by(Inquiry.id)
    ).all()


def tallies(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Tally]:
    """Whom some inquiries found, by inquiry. Of one that has ended nobody is to be reviewed any more."""
    counted: dict[uuid.UUID, Tally] = {}
    rows = db.session.execute(
        select(InquiryHit.inquiry_id, Inquiry.state, InquiryHit.outcome, InquiryHit.decision, func.count())
        .join(Inquiry, Inquiry.id == InquiryHit.inquiry_id)
        .where(InquiryHit.inquiry_id.in_(ids))
        .group_by(InquiryHit.inquiry_id, Inquiry.state, InquiryHit.outcome, InquiryHit.decision)
    )
    for inquiry_id, state, outcome, decision, count in rows:
        known = counted.get(inquiry_id, Tally())
        is_alert = outcome == Outcome.ALERT.value if decision is None else decision == HitDecision.SAME.value
        waits = decision is None and not is_alert and state not in ENDED
        counted[inquiry_id] = Tally(known.alerts + count * is_alert, known.reviews + count * waits)
    return counted


def standing(inquiry_id: uuid.UUID) -> Standing:
    """How far a list is read."""
    row = db.session.execute(
        select(
            func.count(InquiryChunk.done_at),
            func.count(),
            func.coalesce(func.sum(InquiryChunk.rows), 0),
            func.coalesce(func.sum(InquiryChunk.bad_rows), 0),
        ).where(InquiryChunk.inquiry_id == inquiry_id)
    ).one()
    return Standing(*(int(value) for value in row))


def hits(actor: Actor, inquiry_id: uuid.UUID, limit: int = 200) -> Sequence[InquiryHit]:
    """Whom an inquiry found in the actor's jurisdiction, alerts first."""
    return db.session.scalars(
        select(InquiryHit)
        .where(InquiryHit.inquiry_id == inquiry_id, in_reach(actor, InquiryHit.division_code))
        .order_by(InquiryHit.outcome, InquiryHit.score.desc(), InquiryHit.row_number)
        .limit(limit)
    ).all()
