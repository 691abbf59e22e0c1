"""Where messages about alerts go (通知渠道), and each message that is owed, sent or given up."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class TargetKind(enum.StrEnum):
    """The kinds of channel. Whatever Apprise knows of chat, mail and SMS is three of them by name and `sms`."""

    WEBPUSH = "webpush"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


class DeliveryState(enum.StrEnum):
    """`waiting` is owed; `sent` was taken by the channel; `dead` was given up; `needless` had been answered before it went."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    NEEDLESS = "needless"


class ChannelTarget(Base):
    """One address: of a person (`user_id`) or of a jurisdiction (`division_code`), never both. The address is sealed.

    `lease` and `leased_until` say which sender works on it: one at a time, so that a storm becomes one message.
    """

    __tablename__ = "channel_target"
    __table_args__ = (
        Index("ix_channel_target_user", "user_id"),
        Index("ix_channel_target_division", "division_code"),
        Index("ix_channel_target_address", "address_hash"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    kind: Mapped[str] = mapped_column(String(12))
    label: Mapped[str] = mapped_column(String(64))
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    address_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    lowest_tier: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(2))
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(60))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    error: Mapped[str | None] = mapped_column(String(40))
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    address = Sealed()


class Delivery(Base):
    """That one target is to hear of one wave of one alert; `wave` -1 says that the alert was taken back."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("alert_id", "target_id", "wave"),
        Index("ix_delivery_state", "state", "target_id", "made_at"),
        Index("ix_delivery_target", "target_id", "made_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    alert_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    target_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel_target.id", ondelete="CASCADE"))
    wave: Mapped[int] = mapped_column(SmallInteger)
    tier: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(40))


class ChannelCursor(Base):
    """Up to which number the feed has been turned into deliveries."""

    __tablename__ = "channel_cursor"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
