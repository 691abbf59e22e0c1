"""What changes among passes, as a snapshot counts it: cheap to ask, whatever the size of the city."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, TextClause, func, select, text, true
from sqlalchemy.orm import InstrumentedAttribute

from checkpoint.database import db
from checkpoint.registrations.models import Pass

LATE_COMMIT = timedelta(minutes=10)  # a change may be committed this much later than the instant that it carries
LONGEST_PASS = timedelta(days=75)  # from the declaration, at most 60 days ahead, to the end of the pass
# The words of the partial indexes themselves: neither database uses such an index for a condition with parameters.
REVOKED = Pass.revoked_at.is_not(None)
AFTERWARDS = text("assessment.cause NOT IN ('submit', 'amend')")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def newest(
    column: InstrumentedAttribute[Any], condition: ColumnElement[bool] | TextClause | None = None
) -> tuple[int, int]:
    """When the newest change was made (milliseconds) and how many were in the ten minutes before it: a late commit alters the count."""
    where = true() if condition is None else condition
    found: datetime | None = db.session.scalar(select(column).where(where).order_by(column.desc()).limit(1))
    if found is None:
        return 0, 0
    count = db.session.scalar(select(func.count()).where(where, column > found - LATE_COMMIT))
    return milliseconds(found), int(count or 0)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def instant(after: int) -> datetime:
    """The instant so many milliseconds after 1970."""
    return _EPOCH + timedelta(milliseconds=after)
