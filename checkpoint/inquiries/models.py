"""Inquiries (协查): lists of people that somebody asks about, the parts in which a list is read, and whom it found here.

The rows of a list never stand in the database: up to 20 million of them lie sealed in a folder of their own (`listfile.py`), which
is destroyed with its key when the inquiry ends. What stands here is the inquiry itself and the people it found.
"""

import enum
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class InquiryState(enum.StrEnum):
    """A list is uploaded (`draft`), its columns are confirmed (`waiting`), it is read and matched (`matching`), then it is in force
    until it expires or is withdrawn. `failed` says in `problem` why it could not be read."""

    DRAFT = "draft"
    WAITING = "waiting"
    MATCHING = "matching"
    IN_FORCE = "in_force"
    FAILED = "failed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


ENDED = (InquiryState.EXPIRED.value, InquiryState.WITHDRAWN.value)


class HitDecision(enum.StrEnum):
    """What a reviewer said of a pair."""

    SAME = "same"
    OTHER = "other"


class Inquiry(Base):
    """One list: who asks, for which case, on what legal basis, and between which days (both included).

    `level` is the tier of the alerts it raises. `case` may name people and is sealed. `key_sealed` opens the folder of rows and is
    forgotten with them. `mapping` says which column is what; `problem` is a stable word. `sha256` is of the file as it came.
    """

    __tablename__ = "inquiry"
    __table_args__ = (
        Index("ix_inquiry_state", "state", "valid_until"),
        Index("ix_inquiry_created", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    source: Mapped[str] = mapped_column(String(120))
    case_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    level: Mapped[str] = mapped_column(String(8))
    legal_basis: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12))
    problem: Mapped[str | None] = mapped_column(String(40))
    problem_data: Mapped[dict[str, Any] | None] = mapped_column(Document)
    file_format: Mapped[str] = mapped_column(String(8))
    encoding: Mapped[str | None] = mapped_column(String(12))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    mapping: Mapped[dict[str, Any] | None] = mapped_column(Document)
    key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    rows: Mapped[int] = mapped_column(Integer)
    bad_rows: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(String(60))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    matched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(60))

    case = Sealed()
    key = Sealed()


class InquiryChunk(Base):
    """A part of a list, from byte `start` to `end`; its first record has the number `first_row`, counted from 0 without the header.

    `done_at` is set in the transaction that stores what the part found: a run that was killed goes on behind the last one done.
    """

    __tablename__ = "inquiry_chunk"

    inquiry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    first_row: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(Integer)
    bad_rows: Mapped[int] = mapped_column(Integer)
    candidates: Mapped[int] = mapped_column(Integer)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InquiryHit(Base):
    """A person of the registry whom an inquiry names, or may name; at most one row for an inquiry and a person.

    `person_hash` is the look-up hash of the person's document. `row_number` is the listed row, counted from 0; `listed` that row as
    JSON (name, document, phone, born, plate), sealed; `listed_hash` says which listed person it is (`service.listed_hash`).
    `levels` and `weights` are the evidence; `rule` decided if one did. `found_by` is `list`, `registration` or `crossing`.
    """

    __tablename__ = "inquiry_hit"
    __table_args__ = (
        Index("ix_inquiry_hit_person", "inquiry_id", "person_hash", unique=True),
        Index("ix_inquiry_hit_queue", "outcome", "decision", "found_at"),
        Index("ix_inquiry_hit_registration", "registration_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    inquiry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("inquiry.id", ondelete="CASCADE"))
    person_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    division_code: Mapped[str] = mapped_column(String(12))
    row_number: Mapped[int] = mapped_column(Integer)
    listed_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    listed_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    outcome: Mapped[str] = mapped_column(String(8))
    score: Mapped[float] = mapped_column(Float)
    rule: Mapped[str | None] = mapped_column(String(32))
    holders: Mapped[int] = mapped_column(SmallInteger)
    levels: Mapped[dict[str, Any]] = mapped_column(Document)
    weights: Mapped[list[Any]] = mapped_column(Document)
    found_by: Mapped[str] = mapped_column(String(12))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    alert_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    decision: Mapped[str | None] = mapped_column(String(8))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(60))

    listed = Sealed()


class PairVerdict(Base):
    """What a reviewer said of a listed and a registered person, remembered for every later list. Hashes only."""

    __tablename__ = "pair_verdict"
    __table_args__ = (Index("ix_pair_verdict_person", "person_hash"),)

    listed_hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    person_hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    is_same: Mapped[bool] = mapped_column(Boolean)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(60))
