"""The figures of command as plain values, and how they follow from counts. Pure: no clock, no database.

What each means is said once, here; the page, the wall and the reports show these values and reckon nothing themselves.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from checkpoint.followups.tallies import Closing

TIERS = ("red", "yellow", "green")
LONGEST_TENTHS = 36_000  # an hour: whoever forgot to tap must not stretch every figure
TESTS = ("landing_test", "test")
ARRIVAL = "arrival_visit"
Key = TypeVar("Key", str, int)
_NOBODY = Closing()


@dataclass(frozen=True, slots=True)
class ByTier:
    """People by tier."""

    red: int = 0
    yellow: int = 0
    green: int = 0

    @property
    def total(self) -> int:
        return self.red + self.yellow + self.green

    def __add__(self, other: "ByTier") -> "ByTier":
        return ByTier(self.red + other.red, self.yellow + other.yellow, self.green + other.green)


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts that nobody has closed yet: `live`; of these red, not acknowledged, past their deadline, gone up a level."""

    live: int = 0
    red: int = 0
    open: int = 0
    overdue: int = 0
    escalated: int = 0

    def __add__(self, other: "Alerts") -> "Alerts":
        return Alerts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Alerts)))


@dataclass(frozen=True, slots=True)
class Mismatches:
    """What does not fit together and needs a person.

    `not_arrived`: let in, and the visit at the door is past its time (the policy's hours) without a result. `not_found`: named on an
    inquiry list, and the alert about it is not closed. `tests`: a test of the plan is past its time without a result.
    """

    not_arrived: int = 0
    not_found: int = 0
    tests: int = 0

    @property
    def total(self) -> int:
        return self.not_arrived + self.not_found + self.tests

    def __add__(self, other: "Mismatches") -> "Mismatches":
        return Mismatches(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Mismatches)))


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in seconds: of `number` times half took at most `median`, nine in ten at most `p90`."""

    number: int = 0
    median: float | None = None
    p90: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A town of the city, or a village of the town that is looked at; `code` has 12 digits.

    `inside` are people let in and neither released nor gone; `coming` those declared for the day who have not been let in; `door` and
    `door_week` who entered on the day, and in the seven days up to it, and was at their door in time.
    """

    code: str
    name: str
    inside: ByTier = ByTier()
    coming: ByTier = ByTier()
    alerts: Alerts = Alerts()
    mismatches: Mismatches = Mismatches()
    door: Closing = _NOBODY
    door_week: Closing = _NOBODY

    @property
    def state(self) -> str:
        """The colour on the map: red when something is past its time, yellow when something waits, else green."""
        if self.alerts.overdue or self.mismatches.not_arrived or self.mismatches.tests:
            return "red"
        return "yellow" if self.alerts.open or self.mismatches.not_found else "green"


@dataclass(frozen=True, slots=True)
class Post:
    """A checkpoint on one day: crossings by hour of the day, by when the code was scanned; of all those how many ended let in.

    `earlier` are crossings whose people's data is no longer kept: they count, without an hour.
    """

    code: str
    name: str
    hours: tuple[int, ...]
    admitted: int
    earlier: int = 0
    decision: Spread = Spread()

    @property
    def scans(self) -> int:
        return sum(self.hours) + self.earlier


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the day at all checkpoints: `label` is its beginning at the site (08:00)."""

    label: str
    scans: int
    decision: Spread


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the database counts: crossings at a checkpoint in an hour (from 0) with one answer to `was let in`."""

    post: str
    hour: int
    admitted: bool
    number: int


@dataclass(frozen=True, slots=True)
class Took:
    """What the database counts: crossings at a checkpoint in an hour whose first decision came so many tenths of a second later."""

    post: str
    hour: int
    tenths: int
    number: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a division stands at a moment, and what happened there on one day of the site.

    Stocks (`inside`, `alerts`, `mismatches`) are as of `at`; what happened (`posts`, `hours`, `door`, `raised`) belongs to `day`.
    `expected` are people declared for `day` and the days after it who have not been let in. `raised` and `closed` are the alerts of the day
    that need an answer, and those of them that have one by now; `appeals` (in time, due) those made in the seven days up to `day`.
    """

    at: datetime
    day: date
    division: str
    name: str
    is_city: bool
    places: Sequence[Place]
    posts: Sequence[Post]
    hours: Sequence[Hour]
    decision: Spread
    expected: Sequence[tuple[date, ByTier]]
    declared: ByTier
    raised: int
    closed: int
    appeals: tuple[int, int]
    seq: int = field(default=0, compare=False)

    @property
    def inside(self) -> ByTier:
        return sum((one.inside for one in self.places), ByTier())

    @property
    def coming(self) -> ByTier:
        return sum((one.coming for one in self.places), ByTier())

    @property
    def alerts(self) -> Alerts:
        return sum((one.alerts for one in self.places), Alerts())

    @property
    def mismatches(self) -> Mismatches:
        return sum((one.mismatches for one in self.places), Mismatches())

    @property
    def door(self) -> Closing:
        return sum((one.door for one in self.places), Closing())

    @property
    def door_week(self) -> Closing:
        return sum((one.door_week for one in self.places), Closing())

    @property
    def scans(self) -> int:
        return sum(post.scans for post in self.posts)

    @property
    def admitted(self) -> int:
        return sum(post.admitted for post in self.posts)


def spread(tenths: Mapping[int, int]) -> Spread:
    """Median and 90th percentile by nearest rank of times counted by tenths of a second; a negative one (two clocks) is 0."""
    number = sum(tenths.values())
    if not number:
        return Spread()
    ranks = {"median": math.ceil(number * 0.5), "p90": math.ceil(number * 0.9)}
    found: dict[str, float] = {}
    passed = 0
    for value in sorted(tenths):
        passed += tenths[value]
        for name, rank in ranks.items():
            if name not in found and passed >= rank:
                found[name] = min(max(value, 0), LONGEST_TENTHS) / 10
    return Spread(number, found["median"], found["p90"])


def hour_labels(start: datetime, end: datetime, timezone: str) -> list[str]:
    """How each hour between two instants begins at the site: 24 on most days, 23 or 25 when the clocks change."""
    zone = ZoneInfo(timezone)
    hours = round((end - start) / timedelta(hours=1))
    return [f"{(start + timedelta(hours=hour)).astimezone(zone):%H:%M}" for hour in range(hours)]


def spreads(took: Iterable[Took], key: Callable[[Took], Key]) -> dict[Key, Spread]:
    """Spreads of the times that share a key."""
    counted: dict[Key, Counter[int]] = {}
    for one in took:
        counted.setdefault(key(one), Counter())[one.tenths] += one.number
    return {found: spread(counts) for found, counts in counted.items()}


def shape_posts(
    names: Sequence[tuple[str, str]],
    scanned: Iterable[Scanned],
    took: Iterable[Took],
    gone: Mapping[str, tuple[int, int]],
    hours: int,
) -> list[Post]:
    """The checkpoints (code, name) of a scope in their order, quiet ones included. `gone`: crossings no longer kept, and let in of them."""
    counts = {code: [0] * hours for code, _name in names}
    admitted = dict.fromkeys(counts, 0)
    for one in scanned:
        counts[one.post][min(max(one.hour, 0), hours - 1)] += one.number
        admitted[one.post] += one.number if one.admitted else 0
    times = spreads(took, lambda one: one.post)
    found = []
    for code, name in names:
        earlier, let_in = gone.get(code, (0, 0))
        found.append(Post(code, name, tuple(counts[code]), admitted[code] + let_in, earlier, times.get(code, Spread())))
    return found


def shape_hours(labels: Sequence[str], posts: Sequence[Post], took: Iterable[Took]) -> list[Hour]:
    """The day at all checkpoints together, hour by hour."""
    times = spreads(took, lambda one: one.hour)
    return [
        Hour(label, sum(post.hours[number] for post in posts), times.get(number, Spread()))
        for number, label in enumerate(labels)
    ]


def worst_first(places: Iterable[Place]) -> list[Place]:
    """Places in the order in which somebody should look at them."""
    return sorted(
        places,
        key=lambda one: (
            -one.alerts.overdue,
            -one.mismatches.total,
            -one.alerts.red,
            -one.alerts.live,
            -one.inside.total,
            one.code,
        ),
    )
