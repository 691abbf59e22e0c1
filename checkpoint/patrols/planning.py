"""When rounds are due and which visit counts for which. Pure: minutes, instants and dates in, the same out.

Timetables speak the site's own time; windows are instants. A window that starts at 23:30 and lasts two hours belongs to the
day on which it starts. Its length is time that passes: where a zone changes its clock at night, the window does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

GRACE = timedelta(minutes=20)  # how long a tablet without network may take to tell of a visit before anybody is alarmed
AHEAD = timedelta(hours=36)  # rounds are made so far ahead, that a tablet knows tomorrow's before it loses the network
LONGEST_WINDOW = 12 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Window:
    """When a round may be walked: from `opens_at` to `closes_at`, both included; `day` is the date at which it opens."""

    day: date
    opens_at: datetime
    closes_at: datetime

    def holds(self, at: datetime) -> bool:
        return self.opens_at <= at <= self.closes_at


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point of a round, as far as choosing among several needs it."""

    opens_at: datetime
    closes_at: datetime
    is_done: bool


def walks_on(weekdays: int, day: date) -> bool:
    """Whether a timetable line with this mask (bit 0 Monday) is walked on a date."""
    return bool(weekdays >> day.weekday() & 1)


def window(day: date, starts_minute: int, window_minutes: int, timezone: str) -> Window:
    """The window of a timetable line on a date, in UTC."""
    hour, minute = divmod(starts_minute, 60)
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(timezone))
    opens_at = local.astimezone(UTC)
    return Window(day, opens_at, opens_at + timedelta(minutes=window_minutes))


def windows(
    starts_minute: int,
    window_minutes: int,
    weekdays: int,
    *,
    since: datetime,
    at: datetime,
    timezone: str,
    ahead: timedelta = AHEAD,
) -> Iterator[Window]:
    """The windows of a timetable line that are open at `at` or open within `ahead`, in their order.

    One that had opened before `since`, when the line was written, was nobody's duty; one that is over is not made up for.
    """
    zone = ZoneInfo(timezone)
    day = (at - timedelta(minutes=window_minutes)).astimezone(zone).date()
    last = (at + ahead).astimezone(zone).date()
    while day <= last:
        found = window(day, starts_minute, window_minutes, timezone)
        if walks_on(weekdays, day) and found.closes_at > at and since <= found.opens_at <= at + ahead:
            yield found
        day += timedelta(days=1)


def counted(visited_at: datetime, received_at: datetime, skew_seconds: float) -> datetime:
    """The moment of a visit by the server's clock: the tablet's, put right by its measured error, and never in the future."""
    return min(visited_at - timedelta(seconds=skew_seconds), received_at)


def choose(due: Sequence[Candidate], counted_at: datetime) -> int | None:
    """Which of a point's rounds a visit counts for: of those open then the one not yet done that ends first.

    When all that were open are done already, the visit is one more of the first of them; None outside every window.
    """
    fitting = [
        (one.is_done, one.closes_at, number)
        for number, one in enumerate(due)
        if one.opens_at <= counted_at <= one.closes_at
    ]
    return min(fitting)[2] if fitting else None


def is_missed(closes_at: datetime, at: datetime) -> bool:
    """Whether a point that nobody has told of is missed by now: its window and the grace are over."""
    return at > closes_at + GRACE


def clashes(starts_minute: int, window_minutes: int, weekdays: int, others: Sequence[tuple[int, int, int]]) -> bool:
    """Whether a timetable line overlaps another of the same route, given as (start, length, weekdays), in any week."""
    week = 7 * 24 * 60

    def spans(start: int, length: int, mask: int) -> list[tuple[int, int]]:
        return [(day * 1440 + start, day * 1440 + start + length) for day in range(7) if mask >> day & 1]

    mine = spans(starts_minute, window_minutes, weekdays)
    theirs = [span for other in others for span in spans(*other)]
    return any(
        begin + shift < other_end and other_begin < end + shift
        for begin, end in mine
        for other_begin, other_end in theirs
        for shift in (-week, 0, week)
    )
