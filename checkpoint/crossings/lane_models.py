"""What belongs to a lane besides its scans: who is on duty, which vehicles came, and the tests taken on the spot."""

import uuid
from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime
from checkpoint.privacy import Sealed


class Shift(Base):
    """An officer's time at one tablet (班次). Its id is the tablet's own UUID and stands on each crossing and decision.

    `proven` is false when the tablet opened it off line for somebody who had not signed in there within twelve hours: what
    happened is kept, and that nobody vouches for it as well.
    """

    __tablename__ = "officer_shift"
    __table_args__ = (
        Index("ix_officer_shift_checkpoint", "checkpoint_id", "started_at"),
        Index("ix_officer_shift_device", "device_id", "started_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"))
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("device.id"))
    officer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    offline: Mapped[bool] = mapped_column(Boolean)
    proven: Mapped[bool] = mapped_column(Boolean)


class VehicleCrossing(Base):
    """One vehicle at the barrier, by the tablet's own UUID; the crossings of those in it carry it as `vehicle_id`."""

    __tablename__ = "vehicle_crossing"
    __table_args__ = (
        Index("ix_vehicle_crossing_checkpoint", "checkpoint_id", "opened_at"),
        Index("ix_vehicle_crossing_plate", "plate_hash"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"))
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("device.id"))
    shift_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(16))
    plate_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    plate_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    plate = Sealed()


class VehiclePassenger(Base):
    """Somebody who registered by the vehicle's own code, before any scan."""

    __tablename__ = "vehicle_passenger"

    vehicle_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("vehicle_crossing.id", ondelete="CASCADE"), primary_key=True
    )
    registration_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SpotTest(Base):
    """The result of an antigen test taken at the barrier, by the tablet's own UUID.

    With somebody behind the crossing it is a `test_result` of the same id as well; without, it stands here alone.
    """

    __test__ = False  # not a pytest class
    __tablename__ = "spot_test"
    __table_args__ = (Index("ix_spot_test_crossing", "crossing_id"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    crossing_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crossing.id", ondelete="CASCADE"))
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("device.id"))
    shift_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result: Mapped[str] = mapped_column(String(12))
