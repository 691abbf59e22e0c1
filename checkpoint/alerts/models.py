"""Alerts (预警), what happened to each, and the numbered feed by which screens and integrations follow them."""

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class AlertState(enum.StrEnum):
    """`notice` needs no answer; `open` waits for an acknowledgement; `acknowledged` for a result."""

    NOTICE = "notice"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    RETRACTED = "retracted"


class Alert(Base):
    """Something a jurisdiction must acknowledge and resolve before a deadline.

    `division_code` is where the matter is; `responsible_level` who must answer now (5 village, 4 town, 3 city): silence
    lowers it. `cause` makes raising idempotent. `params` holds codes and counts for the words on screen, nothing personal.
    `group_key` is shared by alerts that one act raised: many of them in one village are shown, and told, as one.
    `wave` counts how often somebody new has had to be told (raised, escalated, handed over, reopened). `delivered_at` and
    `seen_at` repeat the first of all recipients; each recipient's own stand in `alert_receipt`.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_inbox", "division_code", "state"),
        Index("ix_alert_due", "state", "ack_due"),
        Index("ix_alert_resolve_due", "state", "resolve_due"),
        Index("ix_alert_subject", "subject_id"),
        Index("ix_alert_assigned", "assigned_to", "state"),
        Index("ix_alert_created", "created_at"),
        Index(
            "ix_alert_group",
            "group_key",
            "division_code",
            postgresql_where=text("group_key IS NOT NULL"),
            sqlite_where=text("group_key IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(24))
    cause: Mapped[str] = mapped_column(String(80), unique=True)
    subject_type: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    division_code: Mapped[str] = mapped_column(String(12))
    responsible_level: Mapped[int] = mapped_column(SmallInteger)
    tier: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    params: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ack_due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolve_due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[str | None] = mapped_column(String(60))
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None] = mapped_column(String(60))
    result: Mapped[str | None] = mapped_column(String(32))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    group_key: Mapped[str | None] = mapped_column(String(40))
    wave: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    assigned_to: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_by: Mapped[str | None] = mapped_column(String(60))

    note = Sealed()


class AlertEvent(Base):
    """One step in the life of an alert, with its time and actor. Append-only."""

    __tablename__ = "alert_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    alert_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str | None] = mapped_column(String(60))
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)


class FeedEntry(Base):
    """The outbox of screens: written with the change, numbered after its commit (`feed.py` says why).

    `event` is `alert` when an alert is raised, `change` when it moves on. `seq` is null until numbered; readers see numbered rows only.
    `wave` is set where messages must go out: the alert's wave, or -1 when those who were told are to hear that it was taken back.
    """

    __tablename__ = "feed_entry"
    __table_args__ = (Index("ix_feed_entry_division", "division_code", "seq"), Index("ix_feed_entry_alert", "alert_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    event: Mapped[str] = mapped_column(String(8))
    alert_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    division_code: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    wave: Mapped[int | None] = mapped_column(SmallInteger)


class AlertReceipt(Base):
    """That one person was told of an alert, by which channel first (`inbox`, or a kind of channel), and has seen it."""

    __tablename__ = "alert_receipt"

    alert_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    delivered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    channel: Mapped[str] = mapped_column(String(12))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DutyShift(Base):
    """Somebody of a division is on duty from `starts_at` to `ends_at` (值班)."""

    __tablename__ = "duty_shift"
    __table_args__ = (
        Index("ix_duty_shift_division", "division_code", "ends_at"),
        Index("ix_duty_shift_user", "user_id", "ends_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
