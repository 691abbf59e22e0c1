"""Travellers and their trips: who, from where, by which places, to which village, with what evidence, and the pass for it."""

import enum
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class RegistrationState(enum.StrEnum):
    """Declared on a phone; inside once admitted; withdrawn by the traveller; turned back at the barrier; left or released.

    A commuter's standing trip is `applied` until its application is granted: it has no pass, and nobody waits for it.
    """

    APPLIED = "applied"
    DECLARED = "declared"
    INSIDE = "inside"
    WITHDRAWN = "withdrawn"
    TURNED_BACK = "turned_back"
    LEFT = "left"


class Traveller(Base):
    """A person (来平人员): name, document, phone, all sealed; found by the keyed hash of document or phone.

    One document may stand here more than once, with another name or phone: what a stranger types never overwrites what was
    known. The hash of the document is what makes two rows the same person.
    """

    __tablename__ = "traveller"
    __table_args__ = (
        Index("ix_traveller_phone_hash", "phone_hash"),
        Index("ix_traveller_id_number_hash", "id_number_hash"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    id_type: Mapped[str] = mapped_column(String(16))
    id_number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    id_number_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    name = Sealed()
    id_number = Sealed()
    phone = Sealed()


class Registration(Base):
    """One trip of one traveller (申报). Companions are registrations of their own that point at the `lead`.

    `client_id` is the phone's own UUID of the submission; `tier` and `assessment_id` repeat the newest assessment,
    `alert_id` the newest alert; `state_version` tells under which lists and policy it was assessed; `doubt` that the list was
    missing or stale then (list_missing, list_stale), so that the next one looks again.
    """

    __tablename__ = "registration"
    __table_args__ = (
        Index("ix_registration_destination", "destination_code", "state"),
        Index("ix_registration_created", "created_at"),
        Index("ix_registration_updated", "updated_at"),
        Index("ix_registration_lead", "lead_id"),
        Index("ix_registration_traveller", "traveller_id"),
        Index("ix_registration_plate", "plate_hash"),
        Index("ix_registration_tier", "state", "tier", "destination_code"),  # people are counted from it alone
        Index(  # begins with the state, though that is always the same: else SQLite takes one that does
            "ix_registration_arriving",
            *("state", "arriving_on", "destination_code", "tier"),
            postgresql_where=text("state = 'declared'"),
            sqlite_where=text("state = 'declared'"),
        ),
        Index(
            "ix_registration_doubt",
            "doubt",
            postgresql_where=text("doubt IS NOT NULL"),
            sqlite_where=text("doubt IS NOT NULL"),
        ),
        Index("ix_registration_checkpoint", "checkpoint_id", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    client_id: Mapped[uuid.UUID | None] = mapped_column(Uuid, unique=True)
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("registration.id"))
    traveller_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("traveller.id"))
    state: Mapped[str] = mapped_column(String(16))
    origin_code: Mapped[str | None] = mapped_column(String(12))
    origin_text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    destination_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    arriving_on: Mapped[date] = mapped_column(Date)
    checkpoint_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("checkpoint.id"))
    transport: Mapped[str] = mapped_column(String(16))
    plate_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    plate_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    symptoms: Mapped[list[str]] = mapped_column(Document)
    tier: Mapped[str] = mapped_column(String(8))
    assessment_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    state_version: Mapped[int] = mapped_column(Integer)
    alert_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    doubt: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    origin_text = Sealed()
    address = Sealed()
    plate = Sealed()


class Stay(Base):
    """A place and the dates spent there (旅居史). `code` is as deep as could be resolved, or null; `county_code` for re-assessment."""

    __tablename__ = "stay"
    __table_args__ = (Index("ix_stay_county", "county_code", "until"), Index("ix_stay_registration", "registration_id"))

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    is_origin: Mapped[bool] = mapped_column(Boolean)
    code: Mapped[str | None] = mapped_column(String(12))
    county_code: Mapped[str | None] = mapped_column(String(12))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date] = mapped_column(Date)

    text = Sealed()


class TestResult(Base):
    """A test as evidence: declared by the traveller, or taken on the spot or at a follow-up (`source`)."""

    __test__ = False  # not a pytest class
    __tablename__ = "test_result"
    __table_args__ = (Index("ix_test_result_registration", "registration_id", "taken_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(12))


class RegistrationAct(Base):
    """A submission, amendment or withdrawal by the client's own UUID: a replay finds it and returns its first result."""

    __tablename__ = "registration_act"

    client_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(String(12))
    assessment_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)


class Pass(Base):
    """The signed token that stands for a registration (通行码). `serial` is its CWT id, `short_code` what a person can type."""

    __tablename__ = "pass"
    __table_args__ = (
        Index("ix_pass_registration", "registration_id"),
        Index(
            "ix_pass_revoked",
            "expires_at",
            postgresql_where=text("revoked_at IS NOT NULL"),
            sqlite_where=text("revoked_at IS NOT NULL"),
        ),
    )

    serial: Mapped[bytes] = mapped_column(LargeBinary(8), primary_key=True)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    assessment_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    short_code: Mapped[str] = mapped_column(String(10), unique=True)
    token: Mapped[str] = mapped_column(String(200))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    revoked_because: Mapped[str | None] = mapped_column(String(16))
