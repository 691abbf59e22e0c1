"""What a person has set aside of an assessment: which reasons no longer count, who said so, why, and until when.

An assessment is never edited. An override is a fact of its own that every later assessment of the registration takes into
account, so that the next list or scan does not bring back what a worker has looked into; a new reason counts as ever.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Uuid, select, update
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, db, new_id
from checkpoint.privacy import Sealed
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.scoring import Reason, Result, measures_for, tier_of

RULE = "set_aside"
# Nobody can vouch for these: they say that we do not know, and unknown is never green.
NEVER = frozenset({"list_missing", "list_stale"})


class AssessmentOverride(Base):
    """Reasons of one registration that no longer count: `reasons` holds their marks (`mark_of`)."""

    __tablename__ = "assessment_override"
    __table_args__ = (
        Index("ix_assessment_override_registration", "registration_id"),
        Index("ix_assessment_override_until", "ended_at", "until"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    why_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    why = Sealed()


def mark_of(reason: Mapping[str, Any]) -> dict[str, Any]:
    """By what a stored reason is known again under another list: a listed area by its words and the stay, others by their rule.

    The level is left out: somebody who was never in an area was not there either when the area turns red.
    """
    if reason.get("area"):
        return {"stay": reason.get("stay"), "place": reason.get("place"), "area": reason["area"]}
    return {"rule": reason["rule"], "stay": reason.get("stay"), "detail": list(reason.get("detail") or ())}


def in_force(registration_ids: Sequence[uuid.UUID], at: datetime) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """The marks that are set aside at an instant, by registration; registrations without any are left out."""
    if not registration_ids:
        return {}
    rows = db.session.execute(
        select(AssessmentOverride.registration_id, AssessmentOverride.reasons).where(
            AssessmentOverride.registration_id.in_(registration_ids),
            AssessmentOverride.ended_at.is_(None),
            AssessmentOverride.until > at,
        )
    )
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for registration_id, marks in rows:
        found.setdefault(registration_id, []).extend(marks)
    return found


def end_overrides(registration_id: uuid.UUID, at: datetime) -> None:
    """Nothing is set aside of a registration any more. Joins the transaction under way."""
    db.session.execute(
        update(AssessmentOverride)
        .where(AssessmentOverride.registration_id == registration_id, AssessmentOverride.ended_at.is_(None))
        .values(ended_at=at)
    )


def set_aside(result: Result, marks: Iterable[Mapping[str, Any]], policy: PolicyData) -> Result:
    """The result without the marked reasons; a reason of no points says that some were set aside. Pure."""
    gone = [dict(mark) for mark in marks]
    if not gone:
        return result
    kept = tuple(reason for reason in result.reasons if reason.rule in NEVER or mark_of(reason.as_dict()) not in gone)
    taken = len(result.reasons) - len(kept)
    if not taken:
        return result
    score = kept[0].points if kept else 0
    tier = tier_of(score, policy)
    return Result(tier, score, (*kept, Reason(RULE, 0, detail=(str(taken),))), measures_for(tier, kept, policy))
