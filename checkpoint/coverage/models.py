"""What was counted on a day, without persons: so that a share shown then can be checked at any later time."""

from datetime import date, datetime

from sqlalchemy import Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime


class CoverageCount(Base):
    """One question as it stood for one day of the site: of `asked`, `met` were there. Written once, never edited.

    `counted_at` says when. `seal` is the SHA-256 (hex) of the rows of its villages, which the audit trail holds as well.
    """

    __tablename__ = "coverage_count"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    question: Mapped[str] = mapped_column(String(16), primary_key=True)
    asked: Mapped[int] = mapped_column(Integer)
    met: Mapped[int] = mapped_column(Integer)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seal: Mapped[str] = mapped_column(String(64))


class CoverageVillage(Base):
    """The part of a count that belongs to one division; the parts of a count add up to it."""

    __tablename__ = "coverage_village"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    question: Mapped[str] = mapped_column(String(16), primary_key=True)
    division_code: Mapped[str] = mapped_column(String(12), primary_key=True)
    asked: Mapped[int] = mapped_column(Integer)
    met: Mapped[int] = mapped_column(Integer)
