"""Closed crossings (封闭卡口) and who walks past them: points with their own code, routes, timetables, rounds, visits."""

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import Boolean, Date, Float, ForeignKey, Index, LargeBinary, SmallInteger, String, Uuid
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class Found(enum.StrEnum):
    """What somebody found at a point."""

    CLOSED = "closed"
    DAMAGED = "damaged"
    OPEN = "open"
    CROSSING = "crossing"


class TaskState(enum.StrEnum):
    """Where a point of a round stands. `dropped`: the point was taken out while the round was under way."""

    DUE = "due"
    DONE = "done"
    MISSED = "missed"
    DROPPED = "dropped"


class PatrolPoint(Base):
    """A barrier that must stay shut, with a code of its own on it. It lies in a division, perhaps at a closed checkpoint."""

    __tablename__ = "patrol_point"
    __table_args__ = (Index("ix_patrol_point_division", "division_code"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(64))
    checkpoint_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("checkpoint.id"))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    latitude: Mapped[float | None] = mapped_column(Float)  # degrees north, WGS 84
    longitude: Mapped[float | None] = mapped_column(Float)  # degrees east
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PatrolRoute(Base):
    """Points in the order in which they are walked, and who walks them.

    With a checkpoint its tablets do; without one, the tablets of all checkpoints in the division (a town or village).
    """

    __tablename__ = "patrol_route"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(64))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"), index=True)
    checkpoint_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("checkpoint.id"))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PatrolStop(Base):
    """One point of a route; `position` counts from 1."""

    __tablename__ = "patrol_stop"

    route_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_route.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    point_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_point.id"))


class PatrolSlot(Base):
    """A line of a route's timetable, in the site's own time: `starts_minute` counts from midnight, `weekdays` has bit 0 for Monday.

    A window may reach past midnight: its round belongs to the day on which it starts. Windows that opened before `since`
    were nobody's duty.
    """

    __tablename__ = "patrol_slot"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    route_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_route.id", ondelete="CASCADE"), index=True)
    starts_minute: Mapped[int] = mapped_column(SmallInteger)
    window_minutes: Mapped[int] = mapped_column(SmallInteger)
    weekdays: Mapped[int] = mapped_column(SmallInteger)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class PatrolRound(Base):
    """One walk that is due: a line of a timetable on one day. Made once, however often the timetable is looked at."""

    __tablename__ = "patrol_round"
    __table_args__ = (
        Unique("slot_id", "day", name="uq_patrol_round_slot_id_day"),
        Index("ix_patrol_round_window", "closes_at", "opens_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    route_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_route.id"), index=True)
    slot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_slot.id"))
    day: Mapped[date] = mapped_column(Date)
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PatrolTask(Base):
    """One point of one round."""

    __tablename__ = "patrol_task"
    __table_args__ = (
        Unique("round_id", "point_id", name="uq_patrol_task_round_id_point_id"),
        Index("ix_patrol_task_point", "point_id"),
        Index("ix_patrol_task_state", "state"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_round.id", ondelete="CASCADE"))
    point_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_point.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(String(8))
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PatrolVisit(Base):
    """Somebody stood at a point and said what they found. Its id is the tablet's own, so that a repeat is the same row.

    `visited_at` is the tablet's clock; `counted_at` the same moment by the server's clock, never later than `received_at`.
    """

    __tablename__ = "patrol_visit"
    __table_args__ = (Index("ix_patrol_visit_point", "point_id", "counted_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    point_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_point.id"))
    task_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("patrol_task.id"), index=True)
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("device.id"))
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"))
    shift_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    found: Mapped[str] = mapped_column(String(8))
    has_photo: Mapped[bool] = mapped_column(Boolean)
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    visited_at: Mapped[datetime] = mapped_column(UtcDateTime)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    note = Sealed()


class PatrolPhoto(Base):
    """The picture taken at a visit: a JPEG made anew by the server, sealed, apart from the rows that lists read."""

    __tablename__ = "patrol_photo"

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol_visit.id", ondelete="CASCADE"), primary_key=True)
    image_sealed: Mapped[bytes] = mapped_column(LargeBinary)
