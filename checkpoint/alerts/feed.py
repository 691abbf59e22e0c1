"""The numbered feed. A sequence is not a commit order: a slow transaction that took number 83 may commit after 84, and a
reader whose cursor stands at 84 has then lost 83 for good. So entries are written without a number and numbered after their
commit, by one numberer at a time, in the order in which it finds them; readers see numbered entries only. SQLite has one writer:
there a writer of many may number before its commit, and readers need not queue behind the next one for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from checkpoint.alerts.models import FeedEntry
from checkpoint.database import db, transaction

_ADVISORY_LOCK = 0x43500001  # "CP" 1: the numberer's, held to the commit

_NUMBER = text(
    """
    UPDATE feed_entry SET seq = numbered.seq
    FROM (
        SELECT id, (SELECT coalesce(max(seq), 0) FROM feed_entry) + row_number() OVER (ORDER BY id) AS seq
        FROM feed_entry WHERE seq IS NULL
    ) AS numbered
    WHERE feed_entry.id = numbered.id
    """
)


@dataclass(frozen=True, slots=True)
class Item:
    """One numbered event: `event` is alert or change; `alert` carries what a screen needs to decide, nothing personal."""

    seq: int
    division_code: str
    event: str
    alert_id: str
    at: datetime


def pending() -> bool:
    """Whether something waits for its number."""
    return db.session.scalar(select(FeedEntry.id).where(FeedEntry.seq.is_(None)).limit(1)) is not None


def number() -> int:
    """Give numbers to all committed entries that have none; returns how many. Safe to call from any process at any time."""
    if not pending():
        return 0
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        result: Any = session.execute(_NUMBER)
        return int(result.rowcount)


def newest() -> int:
    """The highest number given so far, 0 if none."""
    return int(db.session.scalar(select(func.coalesce(func.max(FeedEntry.seq), 0))) or 0)


def items_after(
    seq: int, *, reach: tuple[str, str] | None = None, upto: int | None = None, limit: int = 1000
) -> Sequence[Item]:
    """Numbered events after `seq`, ascending; `reach` narrows to a range of division codes."""
    query = select(FeedEntry.seq, FeedEntry.division_code, FeedEntry.event, FeedEntry.alert_id, FeedEntry.at).where(
        FeedEntry.seq > seq
    )
    if reach is not None:
        query = query.where(FeedEntry.division_code.between(*reach))
    if upto is not None:
        query = query.where(FeedEntry.seq <= upto)
    rows = db.session.execute(query.order_by(FeedEntry.seq).limit(limit))
    return [Item(int(row.seq), row.division_code, row.event, str(row.alert_id), row.at) for row in rows]
