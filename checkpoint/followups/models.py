"""Work on an admitted person: the visit at the door, tests on their days, the release."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class FollowUpState(enum.StrEnum):
    """Open until somebody enters a result; cancelled when its reason is gone."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class FollowUp(Base):
    """One scheduled piece of work (随访任务): `kind` is arrival_visit, landing_test, test, health_check or release."""

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_due", "division_code", "state", "due_at"),
        Index("ix_follow_up_registration", "registration_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    division_code: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(16))
    day: Mapped[int] = mapped_column(SmallInteger)
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    result: Mapped[str | None] = mapped_column(String(16))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_by: Mapped[str | None] = mapped_column(String(60))

    note = Sealed()
