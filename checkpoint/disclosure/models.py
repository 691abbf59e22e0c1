"""How many people each account and token was shown, in spans of ten minutes. Counts alone: whom it was is in no row."""

from datetime import datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, UtcDateTime


class PeopleShown(Base):
    """One span of one reader. `reader` is the key of an actor (`user:<uuid>`), `people` those who were new to them that day."""

    __tablename__ = "people_shown"
    __table_args__ = (UniqueConstraint("reader", "starts_at"), Index("ix_people_shown_starts_at", "starts_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    reader: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(16))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    people: Mapped[int] = mapped_column(Integer)
