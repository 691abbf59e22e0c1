"""What happened at the barrier: each scan with its verdict, and each decision an officer made on it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class Crossing(Base):
    """One scan at a checkpoint (过卡记录). Its id is the tablet's own `scan_id`, so that a replay is the same row.

    A refusal is a stored result: `problem` says why a token was not accepted (forged, expired, withdrawn, unknown …).
    `verdict` is the server's own. `shown` is what a tablet with no network had told the officer: its verdict and rules, under the
    snapshot `snapshot_version`, by a clock that was `skew_seconds` ahead of the server's.
    """

    __tablename__ = "crossing"
    __table_args__ = (
        Index("ix_crossing_registration", "registration_id", "scanned_at"),
        Index("ix_crossing_checkpoint", "checkpoint_id", "scanned_at"),
        Index("ix_crossing_vehicle", "vehicle_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"))
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("device.id"))
    pass_serial: Mapped[bytes | None] = mapped_column(LargeBinary(8))
    registration_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("registration.id"))
    assessment_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    scanned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    offline: Mapped[bool] = mapped_column(Boolean)
    verdict: Mapped[str] = mapped_column(String(8))
    tier: Mapped[str | None] = mapped_column(String(8))
    problem: Mapped[str | None] = mapped_column(String(16))
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    measures: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    shown: Mapped[dict[str, Any] | None] = mapped_column(Document)
    snapshot_version: Mapped[str | None] = mapped_column(String(120))
    skew_seconds: Mapped[int | None] = mapped_column(Integer)
    decision: Mapped[str | None] = mapped_column(String(16))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Without foreign keys: a tablet off line may deliver a scan before the shift or the vehicle that it belongs to.
    shift_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    vehicle_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)


class CrossingDecision(Base):
    """A decision on a crossing. Append-only: a test on the spot and the admission after it are two rows."""

    __tablename__ = "crossing_decision"
    __table_args__ = (Index("ix_crossing_decision_crossing", "crossing_id", "decided_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    crossing_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crossing.id", ondelete="CASCADE"))
    decision: Mapped[str] = mapped_column(String(16))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    actor: Mapped[str] = mapped_column(String(60))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shift_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)

    note = Sealed()
