"""Builders of test data: plain functions that return plain values or stored rows. Nobody in here exists."""

from datetime import UTC, date, datetime

# A spring day of 2022, ten in the morning at the site. Tests pass it on; nothing reads the wall clock.
NOW = datetime(2022, 4, 12, 2, 0, tzinfo=UTC)
TODAY = date(2022, 4, 12)

__all__ = ["NOW", "TODAY"]
