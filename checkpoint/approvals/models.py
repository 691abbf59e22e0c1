"""Approvals (审批): an application to enter that a jurisdiction answers, and what was granted.

An application goes up the levels of its division; each answers, asks back, or hands on. Granted, it binds or opens the passes of
those it names, as `conditions.py` says; what it says is never edited: it is withdrawn, and another is applied for.
"""

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, LargeBinary, SmallInteger, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class ApprovalKind(enum.StrEnum):
    """What is applied for: one person's entry, a company's staff, a closed-loop lorry, daily commuting, a return to work."""

    PERSON = "person"
    STAFF = "staff"
    LORRY = "lorry"
    COMMUTER = "commuter"
    COMPANY = "company"


class ApprovalState(enum.StrEnum):
    """Open at a stage; asked while the applicant owes an answer; granted or refused; taken back by the applicant; revoked by us."""

    OPEN = "open"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


class Approval(Base):
    """One application and its answer. `id` is the client's own UUID, so that a repeat is the same row.

    `stage` is the level that answers now: 5 village, 4 town, 3 command. `key_hash` is the keyed hash of what the applicant's link
    carries. `asked_conditions` is what was applied for, `conditions` what was granted (the form is in `conditions.py`); both carry
    their validity, repeated in `valid_from` and `valid_until` for look-ups. `registration_id` is a commuter's standing trip.
    `changed_at` moves with everything that a tablet must hear of.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_division", "division_code", "state", "due_at"),
        Index("ix_approval_state", "state", "valid_until"),
        Index("ix_approval_changed", "changed_at"),
        Index("ix_approval_company", "company_id"),
        Index("ix_approval_registration", "registration_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    stage: Mapped[int] = mapped_column(SmallInteger)
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    origin_code: Mapped[str | None] = mapped_column(String(12))
    company_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    registration_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("registration.id", ondelete="SET NULL"))
    on_paper: Mapped[bool] = mapped_column(Boolean)
    made_by: Mapped[str | None] = mapped_column(String(60))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    contact_name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    contact_phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    purpose_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    asked_conditions: Mapped[dict[str, Any]] = mapped_column(Document)
    conditions: Mapped[dict[str, Any] | None] = mapped_column(Document)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    alert_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(60))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    contact_name = Sealed()
    contact_phone = Sealed()
    purpose = Sealed()


class ApprovalHolder(Base):
    """A person or a vehicle that an application names; found by the keyed hash of document or plate. Taken off with `removed_at`."""

    __tablename__ = "approval_holder"
    __table_args__ = (
        Index("ix_approval_holder_approval", "approval_id"),
        Index(
            "ix_approval_holder_document",
            "id_number_hash",
            postgresql_where=text("id_number_hash IS NOT NULL"),
            sqlite_where=text("id_number_hash IS NOT NULL"),
        ),
        Index(
            "ix_approval_holder_plate",
            "plate_hash",
            postgresql_where=text("plate_hash IS NOT NULL"),
            sqlite_where=text("plate_hash IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    approval_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("approval.id", ondelete="CASCADE"))
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_type: Mapped[str | None] = mapped_column(String(16))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    plate_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    plate_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    name = Sealed()
    id_number = Sealed()
    phone = Sealed()
    plate = Sealed()


class ApprovalStep(Base):
    """What happened to an application: applied, asked, replied, forwarded, granted, refused, withdrawn, revoked; never edited."""

    __tablename__ = "approval_step"
    __table_args__ = (Index("ix_approval_step_approval", "approval_id", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    approval_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("approval.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    act: Mapped[str] = mapped_column(String(12))
    stage: Mapped[int | None] = mapped_column(SmallInteger)
    actor: Mapped[str] = mapped_column(String(60))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)

    text = Sealed()


class ApprovalPage(Base):
    """A scanned page of a paper application, or a picture the applicant sent: a JPEG that was made anew from what came."""

    __tablename__ = "approval_page"
    __table_args__ = (Index("ix_approval_page_approval", "approval_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    approval_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("approval.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    picture_sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    picture_bytes: Mapped[int] = mapped_column()
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[str] = mapped_column(String(60))
