"""The work of looking at people again, in batches that processes share; what it found; and the feeds that bring lists."""

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime


class ReassessJob(Base):
    """The work that one change of what is in force has made; `total` people were found.

    `swept_at`: when those were looked for that were being stored while it was planned.
    """

    __tablename__ = "reassess_job"
    __table_args__ = (Index("ix_reassess_job_open", "finished_at"),)

    version: Mapped[int] = mapped_column(ForeignKey("risk_change.version"), primary_key=True, autoincrement=False)
    total: Mapped[int] = mapped_column(Integer)
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    swept_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReassessBatch(Base):
    """Some people of a job, done in one transaction or not at all: `done_at` is set by it."""

    __tablename__ = "reassess_batch"
    __table_args__ = (Index("ix_reassess_batch_open", "done_at", "version", "number"),)

    version: Mapped[int] = mapped_column(ForeignKey("reassess_job.version", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(Integer)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    raised: Mapped[int] = mapped_column(Integer)
    lowered: Mapped[int] = mapped_column(Integer)
    alerts: Mapped[int] = mapped_column(Integer)
    retracted: Mapped[int] = mapped_column(Integer)


class ReassessItem(Base):
    """One person of a job. `tier_after` is null until it was done, and then what stood in the register when its batch was."""

    __tablename__ = "reassess_item"
    __table_args__ = (Index("ix_reassess_item_number", "version", "number"),)

    version: Mapped[int] = mapped_column(ForeignKey("reassess_job.version", ondelete="CASCADE"), primary_key=True)
    registration_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    division_code: Mapped[str] = mapped_column(String(12))
    tier_before: Mapped[str] = mapped_column(String(8))
    tier_after: Mapped[str | None] = mapped_column(String(8))


class FindingKind(enum.StrEnum):
    """What somebody had decided while a list or policy was in force that is now taken back."""

    CROSSING = "crossing"
    ALERT = "alert"
    FOLLOW_UP = "follow_up"


class WithdrawalFinding(Base):
    """A decision that stood in between and was left as it is, for a person to look at. `object_id` is the crossing, alert or work."""

    __tablename__ = "withdrawal_finding"
    __table_args__ = (
        Index("ix_withdrawal_finding_object", "version", "kind", "object_id", unique=True),
        Index("ix_withdrawal_finding_open", "looked_at", "version"),
        Index("ix_withdrawal_finding_registration", "registration_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    version: Mapped[int] = mapped_column(ForeignKey("risk_change.version"))
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    division_code: Mapped[str] = mapped_column(String(12))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str | None] = mapped_column(String(60))
    decision: Mapped[str | None] = mapped_column(String(32))
    tier_before: Mapped[str] = mapped_column(String(8))
    tier_after: Mapped[str] = mapped_column(String(8))
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    looked_by: Mapped[str | None] = mapped_column(String(60))


class RiskFeed(Base):
    """An address from which lists are fetched by the clock. `heard_at`: the last time it gave a list; `problem`: why it did not.

    What it brings is a draft that a person publishes; with `publishes` it is put in force at once, unless it has collapsed.
    """

    __tablename__ = "risk_feed"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(80))
    url: Mapped[str] = mapped_column(String(500))
    interval_minutes: Mapped[int] = mapped_column(Integer)
    silent_hours: Mapped[int] = mapped_column(Integer)
    publishes: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(String(60))
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(40))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("risk_list.id"))


class ListImpact(Base):
    """Whom publishing a draft would touch, counted while `state_version` was in force; `data` holds counts by tier and village."""

    __tablename__ = "list_impact"

    list_id: Mapped[int] = mapped_column(ForeignKey("risk_list.id", ondelete="CASCADE"), primary_key=True)
    state_version: Mapped[int] = mapped_column(Integer)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    people: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)


class PolicyImpact(Base):
    """Whose tier publishing a draft of the policy would change, counted while `state_version` was in force.

    `data` holds counts by village and tiers, and the trips of some of those who would change, for the names on screen; it goes with
    the draft.
    """

    __tablename__ = "policy_impact"

    draft_id: Mapped[int] = mapped_column(ForeignKey("policy_draft.id", ondelete="CASCADE"), primary_key=True)
    state_version: Mapped[int] = mapped_column(Integer)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    people: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)
