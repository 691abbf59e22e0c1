"""That the report of a day is to go to command's channels, and what became of it: each once, whatever stops in between."""

import uuid
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, SmallInteger, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime


class ReportRound(Base):
    """The report of a day (日报) was laid out for the channels that command had at `planned_at`; whoever inserts the row does so."""

    __tablename__ = "report_round"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    targets: Mapped[int] = mapped_column(Integer)


class ReportDelivery(Base):
    """That one channel is to get the report of one day. `state` is that of a message (`channels.models.DeliveryState`).

    `lease` and `leased_until` say which scheduler is sending it now; one that dies leaves a lease that runs out.
    """

    __tablename__ = "report_delivery"
    __table_args__ = (
        Index("ix_report_delivery_state", "state", "day"),
        Index("ix_report_delivery_target", "target_id"),
    )

    day: Mapped[date] = mapped_column(ForeignKey("report_round.day", ondelete="CASCADE"), primary_key=True)
    target_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel_target.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(40))
