"""Appeals (申诉): a traveller says that the tier is wrong; the community answers the same day."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, deferred, mapped_column

from checkpoint.database import Base, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class AppealState(enum.StrEnum):
    """Open until somebody answers; void when the trip is over before that."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    VOID = "void"


class Appeal(Base):
    """One appeal against one assessment. `id` is the phone's own UUID, so that a repeat is the same row.

    `picture_sealed` is a JPEG that was made anew from what was sent; `tier_before` and `tier_after` are what granting changed.
    """

    __tablename__ = "appeal"
    __table_args__ = (
        Index("ix_appeal_registration", "registration_id", "made_at"),
        Index("ix_appeal_division", "division_code", "state", "due_at"),
        Index("ix_appeal_made", "made_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    assessment_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    division_code: Mapped[str] = mapped_column(String(12))
    alert_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    state: Mapped[str] = mapped_column(String(12))
    tier_before: Mapped[str] = mapped_column(String(8))
    tier_after: Mapped[str | None] = mapped_column(String(8))
    text_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    picture_sealed: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    picture_bytes: Mapped[int | None] = mapped_column()
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[str | None] = mapped_column(String(60))
    answer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    text = Sealed()
    answer = Sealed()
