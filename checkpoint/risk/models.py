"""Published risk lists, what they name and since when; policies; and the assessments made under them.

A list, a policy and an assessment are never edited (DESIGN.md rule 6): a new version replaces them.
"""

import enum
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime, new_id


class ListState(enum.StrEnum):
    """A list is a draft until somebody publishes it; the one published last is in force until the next, or its withdrawal."""

    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class RiskList(Base):
    """One version of the list of risk areas. `checksum` is the SHA-256 of its content in canonical order."""

    __tablename__ = "risk_list"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(String(200))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checksum: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    high_count: Mapped[int] = mapped_column(Integer)
    middle_count: Mapped[int] = mapped_column(Integer)
    low_count: Mapped[int] = mapped_column(Integer)
    county_count: Mapped[int] = mapped_column(Integer)
    town_count: Mapped[int] = mapped_column(Integer)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    imported_by: Mapped[str | None] = mapped_column(String(60))
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def total(self) -> int:
        """Communities named by this version, all levels."""
        return self.high_count + self.middle_count + self.low_count

    @property
    def unresolved_count(self) -> int:
        """Entries that could not be placed in a county; kept, at the deepest level that could be."""
        return self.total - self.county_count


class RiskArea(Base):
    """A place as lists name it, shared by all versions that name it: the words, and the division they resolve to."""

    __tablename__ = "risk_area"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    province: Mapped[str] = mapped_column(String(64))
    city: Mapped[str] = mapped_column(String(64))
    county: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(String(12))
    county_code: Mapped[str | None] = mapped_column(String(12), index=True)
    depth: Mapped[int] = mapped_column(SmallInteger)


class RiskListEntry(Base):
    """That a version names an area, and at which level (high, middle, low)."""

    __tablename__ = "risk_list_entry"

    list_id: Mapped[int] = mapped_column(ForeignKey("risk_list.id", ondelete="CASCADE"), primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("risk_area.id"), primary_key=True)
    level: Mapped[str] = mapped_column(String(8), primary_key=True)


class RiskListing(Base):
    """An unbroken time during which published lists named an area at one level; open while `delisted_at` is null.

    Derived from the chain of published lists, and made again when one of them is withdrawn.
    """

    __tablename__ = "risk_listing"
    __table_args__ = (Index("ix_risk_listing_county", "county_code", "delisted_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("risk_area.id"))
    county_code: Mapped[str | None] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(8))
    listed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delisted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_list_id: Mapped[int] = mapped_column(ForeignKey("risk_list.id"))


class Policy(Base):
    """A version of the rules, points, tiers, measures and deadlines (管控政策)."""

    __tablename__ = "policy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    version: Mapped[int] = mapped_column(Integer, unique=True)
    data: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(String(60))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(String(300))


class PolicyDraft(Base):
    """A policy that somebody has written and nobody has published. `base_id`: the version in force from which they started.

    A draft is not edited either: going on with one makes another.
    """

    __tablename__ = "policy_draft"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - a number is never given to another draft

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    base_id: Mapped[int] = mapped_column(ForeignKey("policy.id"))
    data: Mapped[dict[str, Any]] = mapped_column(Document)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(60))


class RiskState(Base):
    """The single row that says what is in force. `version` grows with each change, so that caches can tell."""

    __tablename__ = "risk_state"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("risk_list.id"))
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChangeCause(enum.StrEnum):
    """Why what is in force has changed."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    POLICY = "policy"
    POLICY_WITHDRAW = "policy_withdraw"
    PLACE = "place"
    CONFIRM = "confirm"


class RiskChange(Base):
    """One change of what is in force, by the state version that it made: what re-assessment starts from.

    `list_id` and `policy_id` name what was put in force or taken back; with `everyone` nobody's assessment can stand unseen.
    `judged_from`: who was assessed since then was so under a list fresher than the one that is in force now.
    """

    __tablename__ = "risk_change"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(16))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("risk_list.id"))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policy.id"))
    everyone: Mapped[bool] = mapped_column(Boolean)
    judged_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str | None] = mapped_column(String(60))


class RiskChangeCounty(Base):
    """A county in which listings changed. `opened_on`: the first day listed of those that came (or had come, when taken back);
    `closed_on`: the earliest last day of those that ended, or are open again."""

    __tablename__ = "risk_change_county"

    version: Mapped[int] = mapped_column(ForeignKey("risk_change.version", ondelete="CASCADE"), primary_key=True)
    county_code: Mapped[str] = mapped_column(String(12), primary_key=True)
    opened_on: Mapped[date | None] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)


class Assessment(Base):
    """The result of scoring one registration under one list version and one policy version (研判)."""

    __tablename__ = "assessment"
    __table_args__ = (
        Index("ix_assessment_registration", "registration_id", "made_at"),
        Index(
            "ix_assessment_afterwards",  # what tablets are told: only a few are made after the declaration
            "made_at",
            postgresql_where=text("cause NOT IN ('submit', 'amend')"),
            sqlite_where=text("cause NOT IN ('submit', 'amend')"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("risk_list.id"))
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"))
    state_version: Mapped[int] = mapped_column(Integer)
    cause: Mapped[str] = mapped_column(String(16))
    tier: Mapped[str] = mapped_column(String(8))
    score: Mapped[int] = mapped_column(SmallInteger)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    measures: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
