"""Work on an admitted person: the visit at the door, tests on their days, the release."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class FollowUpState(enum.StrEnum):
    """Open until somebody enters a result; cancelled when its reason is gone."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class FollowUp(Base):
    """One scheduled piece of work (随访任务): `kind` is arrival_visit, landing_test, test, health_check or release.

    `because` says why it was cancelled, by which rule a release came about by itself, or that a
    visit is a late second one; `overdue_at` when its alert was raised.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_due", "division_code", "state", "due_at"),
        Index("ix_follow_up_registration", "registration_id"),
        Index("ix_follow_up_day", "due_at", "kind"),
        Index("ix_follow_up_overdue", "state", "overdue_at", "due_at"),
        Index(
            "ix_follow_up_release",
            "from_at",
            postgresql_where=text("kind = 'release' AND state = 'open'"),
            sqlite_where=text("kind = 'release' AND state = 'open'"),
        ),
        Index(  # begins with the state, though that is always the same: else SQLite takes one that does
            "ix_follow_up_open",
            *("state", "due_at", "division_code", "kind"),
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
        Index(  # holds all that the share at the door in time is counted from, so that no row is read for it
            "ix_follow_up_arrival",
            *("kind", "from_at", "division_code", "state", "result", "because", "due_at", "done_at"),
            postgresql_where=text("kind = 'arrival_visit'"),
            sqlite_where=text("kind = 'arrival_visit'"),
        ),
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
    because: Mapped[str | None] = mapped_column(String(16))
    overdue_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    note = Sealed()


class ReportState(enum.StrEnum):
    """`taken` needs nobody; `waiting` for a worker to confirm it; then confirmed or refused."""

    TAKEN = "taken"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class TravellerReport(Base):
    """What a traveller told from the pass page: `kind` is arrival, health or test. Its id is the phone's own UUID.

    `temperature` is in tenths of a degree Celsius. `place_code` is the division of the poster that was scanned at the door;
    without it an arrival is a claim that waits for the worker, as a test is.
    """

    __tablename__ = "traveller_report"
    __table_args__ = (Index("ix_traveller_report_registration", "registration_id", "reported_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    follow_up_id: Mapped[uuid.UUID | None] = mapped_column(Uuid, index=True)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    place_code: Mapped[str | None] = mapped_column(String(12))
    temperature: Mapped[int | None] = mapped_column(SmallInteger)
    symptoms: Mapped[list[str]] = mapped_column(Document)
    test_kind: Mapped[str | None] = mapped_column(String(12))
    test_result: Mapped[str | None] = mapped_column(String(12))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by: Mapped[str | None] = mapped_column(String(60))
