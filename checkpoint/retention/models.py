"""What stays when people's data goes: counts without persons; and what keeps it longer, or lets it go sooner."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, LargeBinary, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed

_IN_FORCE = "ended_at IS NULL"


class DayCount(Base):
    """How many crossings that are no longer kept there were: by the site's own day, checkpoint, verdict, decision, tier and transport.

    What was unknown is an empty word. Together with the crossings that are still kept they are all crossings there ever were.
    """

    __tablename__ = "day_count"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8), primary_key=True)
    decision: Mapped[str] = mapped_column(String(16), primary_key=True)
    tier: Mapped[str] = mapped_column(String(8), primary_key=True)
    transport: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class PurgeRun(Base):
    """One run of the purge: `counts` says how many of what went, `held` how many trips stayed for which reason.

    `by_clock` is true for the scheduler's own; a run without an end was killed, and the next one goes on where it stood.
    """

    __tablename__ = "purge_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    by_clock: Mapped[bool] = mapped_column(Boolean)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counts: Mapped[dict[str, Any]] = mapped_column(Document)
    held: Mapped[dict[str, Any]] = mapped_column(Document)


class LegalHold(Base):
    """City command has said that a trip's data must be kept, and why (sealed, it may name people). In force until somebody ends it."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        Index(
            "ix_legal_hold_registration",
            "registration_id",
            unique=True,
            postgresql_where=text(_IN_FORCE),
            sqlite_where=text(_IN_FORCE),
        ),
        Index("ix_legal_hold_trip", "registration_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    why_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(60))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(60))

    why = Sealed()


class ErasureRequest(Base):
    """A traveller has asked, by the pass, that a trip's data be erased; it waits for what still holds it, and goes with the data.

    `id` is the phone's own UUID. A trip has one at most: asking again finds it.
    """

    __tablename__ = "erasure_request"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"), unique=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
