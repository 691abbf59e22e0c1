"""Companies (企业), their staff lists, what is told to their liaisons, and up to when the registry was looked through for them."""

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed

_LIVE = "state IN ('applied', 'asked', 'active')"
_LISTED_PERSON = "removed_at IS NULL AND id_number_hash IS NOT NULL"
_LISTED_LORRY = "removed_at IS NULL AND plate_hash IS NOT NULL"


class CompanyState(enum.StrEnum):
    """Applied until the town answers; asked while the company owes an answer; active; refused; closed, with its list destroyed."""

    APPLIED = "applied"
    ASKED = "asked"
    ACTIVE = "active"
    REFUSED = "refused"
    CLOSED = "closed"


class MemberKind(enum.StrEnum):
    """Somebody who works there, or a lorry that drives for it."""

    PERSON = "person"
    LORRY = "lorry"


class Standing(enum.StrEnum):
    """All that a company learns of a member: not registered, may come, must be tested first, may not come now. Never why."""

    ABSENT = "absent"
    MAY_COME = "may_come"
    NEEDS_TEST = "needs_test"
    MAY_NOT_COME = "may_not_come"


class Company(Base):
    """A company that registered. `id` is the form's own UUID, so that a repeat is the same row.

    `credit_code` is the unified social credit code (GB 32100-2015, 18 characters). `liaison_id` is the account of its liaison,
    made when the town accepts; while its invitation is open the company's own link lets them choose a password, once. `link_epoch`
    counts the links that were given out: the newest alone opens.
    """

    __tablename__ = "company"
    __table_args__ = (
        Index("ix_company_division", "division_code", "state"),
        Index("ix_company_liaison", "liaison_id", unique=True),
        Index("ix_company_credit", "credit_code", unique=True, postgresql_where=text(_LIVE), sqlite_where=text(_LIVE)),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    credit_code: Mapped[str] = mapped_column(String(18))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    state: Mapped[str] = mapped_column(String(8))
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    contact_name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    contact_phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    liaison_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    link_epoch: Mapped[int] = mapped_column(SmallInteger)
    alert_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(60))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    address = Sealed()
    contact_name = Sealed()
    contact_phone = Sealed()


class CompanyStep(Base):
    """What happened to a company's registration: applied, asked, replied, accepted, refused, invited, closed; never edited."""

    __tablename__ = "company_step"
    __table_args__ = (Index("ix_company_step_company", "company_id", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    act: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(60))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    text = Sealed()


class CompanyMember(Base):
    """A person or a lorry on a company's list, found by the keyed hash of document or plate. Taken off with `removed_at`.

    `standing` is what was last worked out from the registry, since `standing_since`; it holds until `standing_until` at most
    (the end of a pass), or with no end.
    """

    __tablename__ = "company_member"
    __table_args__ = (
        Index("ix_company_member_company", "company_id", "removed_at"),
        Index(
            "ix_company_member_person",
            "id_number_hash",
            "company_id",
            unique=True,
            postgresql_where=text(_LISTED_PERSON),
            sqlite_where=text(_LISTED_PERSON),
        ),
        Index(
            "ix_company_member_lorry",
            "plate_hash",
            "company_id",
            unique=True,
            postgresql_where=text(_LISTED_LORRY),
            sqlite_where=text(_LISTED_LORRY),
        ),
        Index(
            "ix_company_member_until",
            "standing_until",
            postgresql_where=text("standing_until IS NOT NULL"),
            sqlite_where=text("standing_until IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_type: Mapped[str | None] = mapped_column(String(16))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    plate_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    plate_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    standing: Mapped[str] = mapped_column(String(12))
    standing_since: Mapped[datetime] = mapped_column(UtcDateTime)
    standing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    name = Sealed()
    id_number = Sealed()
    phone = Sealed()
    plate = Sealed()


class CompanyImport(Base):
    """A staff list that was read and waits to be confirmed, sealed as JSON (`rows.py`); the wrong rows stay for a day.

    `done` is what confirming it changed: {"new", "changed", "gone"}; a repeat finds it and changes nothing.
    """

    __tablename__ = "company_import"
    __table_args__ = (Index("ix_company_import_company", "company_id"), Index("ix_company_import_made", "made_at"))

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    good_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    bad_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    bad_rows: Mapped[int] = mapped_column()
    done: Mapped[dict[str, Any] | None] = mapped_column(Document)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    good = Sealed()
    bad = Sealed()


class CompanyNotice(Base):
    """That a member may not come now, or may again: what the liaison is told, without a reason."""

    __tablename__ = "company_notice"
    __table_args__ = (Index("ix_company_notice_company", "company_id", "made_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"))
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company_member.id", ondelete="CASCADE"), index=True)
    standing: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CompanyDelivery(Base):
    """That one channel of the liaison is to hear of one notice. States as of `Delivery`."""

    __tablename__ = "company_delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "target_id"),
        Index("ix_company_delivery_state", "state", "target_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    notice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company_notice.id", ondelete="CASCADE"))
    target_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel_target.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CompanyLook(Base):
    """Up to when changes in the registry were carried to the staff lists (a single row)."""

    __tablename__ = "company_look"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
