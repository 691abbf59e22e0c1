"""The national division tree and the aliases that administrators add."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, UtcDateTime

CODE_LENGTH = 12
_WIDTH = {1: 2, 2: 4, 3: 6, 4: 9, 5: 12}


def significant(code: str) -> str:
    """The digits of a 12-digit code that are not padding: 330482000000 → 330482, 330482101000 → 330482101."""
    for width in (2, 4, 6, 9):
        if not code[width:].strip("0"):
            return code[:width]
    return code


def code_range(code: str) -> tuple[str, str]:
    """The lowest and the highest code inside a division: both ends belong to it."""
    prefix = significant(code)
    return prefix.ljust(CODE_LENGTH, "0"), prefix.ljust(CODE_LENGTH, "9")


def contains(outer: str, inner: str) -> bool:
    """Whether division `outer` holds division `inner` (or is it): a prefix test."""
    return inner.startswith(significant(outer))


def at_level(code: str, level: int) -> str:
    """The ancestor of a code at a level (1 province … 5 village), zero-padded."""
    return code[: _WIDTH[level]].ljust(CODE_LENGTH, "0")


class Division(Base):
    """A node of the national tree (行政区划). Retired divisions stay, since stays and people point at them."""

    __tablename__ = "division"
    __table_args__ = (Index("ix_division_parent_name", "parent_code", "name"),)

    code: Mapped[str] = mapped_column(String(CODE_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    level: Mapped[int] = mapped_column(SmallInteger)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    full_name: Mapped[str] = mapped_column(String(200))
    retired: Mapped[bool] = mapped_column(Boolean, default=False)

    def contains(self, other: "Division") -> bool:
        """Whether `other` lies in this division."""
        return contains(self.code, other.code)


class DivisionAlias(Base):
    """Another way to write a division, or a place that no national code covers (开发区, 兵团), added by an administrator."""

    __tablename__ = "division_alias"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    text: Mapped[str] = mapped_column(String(64), unique=True)
    code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
