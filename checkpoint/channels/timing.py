"""When a message goes: storms settle first, quiet hours hold back all but red, failures wait longer each time. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SETTLE = timedelta(seconds=3)  # nothing new for so long: the storm is over
LONGEST_HOLD = timedelta(seconds=15)  # but nobody waits longer than this for the first word
BETWEEN = timedelta(seconds=60)  # between two messages to one target, unless something is red
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one target: when the first and the last of it was written, and whether any is red."""

    oldest: datetime
    newest: datetime
    red: bool


def clock_minutes(raw: str) -> int | None:
    """Minutes since midnight of HH:MM; None for anything else."""
    hours, colon, minutes = raw.strip().partition(":")
    if not colon or not (hours.isdecimal() and minutes.isdecimal() and len(hours) in (1, 2) and len(minutes) == 2):
        return None
    found = int(hours) * 60 + int(minutes)
    return found if int(hours) < 24 and int(minutes) < 60 else None


def is_quiet(at: datetime, quiet_from: str | None, quiet_to: str | None, timezone: str) -> bool:
    """Whether an instant lies in quiet hours, which may go past midnight. Equal or missing ends mean none."""
    start, end = clock_minutes(quiet_from or ""), clock_minutes(quiet_to or "")
    if start is None or end is None or start == end:
        return False
    local = at.astimezone(ZoneInfo(timezone))
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def is_ready(waiting: Waiting, at: datetime, *, sent_at: datetime | None, quiet: bool) -> bool:
    """Whether a message should go now. In quiet hours only something red sends one."""
    if quiet and not waiting.red:
        return False
    if not waiting.red and sent_at is not None and at - sent_at < BETWEEN:
        return False
    return at - waiting.newest >= SETTLE or at - waiting.oldest >= LONGEST_HOLD


def retry_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 30 s, 1 min, 2 min … at most an hour."""
    doublings = min(max(0, failures - 1), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)
