"""Watch rules (重点事件无感监测) as command has set them. A rule without a row stands as the project ships it (rules.py)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime


class WatchRule(Base):
    """The switch, the tier and the limits of one rule; `looked_at` is the instant up to which it has looked."""

    __tablename__ = "watch_rule"

    name: Mapped[str] = mapped_column(String(18), primary_key=True)
    enabled: Mapped[bool] = mapped_column(Boolean)
    tier: Mapped[str] = mapped_column(String(8))
    params: Mapped[dict[str, Any]] = mapped_column(Document)
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_by: Mapped[str | None] = mapped_column(String(60))
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
