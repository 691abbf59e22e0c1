"""The watch rules as the project ships them: what each looks for, its limits, and how often it looks. Pure; the words are in wording.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that command may set, in the unit that its word names."""

    name: str
    default: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It looks every `every`; `overlap` is how far back it looks again, since what is stored late still counts. What it finds
    asks for no answer within a time where `needs_answer` is false."""

    name: str
    tier: str
    limits: tuple[Limit, ...]
    every: timedelta = timedelta(minutes=1)
    overlap: timedelta = timedelta(minutes=10)
    needs_answer: bool = True

    @property
    def kind(self) -> str:
        """The kind of alert that it raises."""
        return f"watch_{self.name}"

    def defaults(self) -> dict[str, int]:
        return {limit.name: limit.default for limit in self.limits}


@dataclass(frozen=True, slots=True)
class Span:
    """The time in which a cause must fall, after `since` up to and with `until`; and where the site stands."""

    since: datetime
    until: datetime
    site: str
    timezone: str

    @property
    def offset(self) -> int:
        """Seconds from UTC to the site's clock."""
        shift = self.until.astimezone(ZoneInfo(self.timezone)).utcoffset()
        return 0 if shift is None else int(shift.total_seconds())

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.timezone))

    def holds(self, at: datetime) -> bool:
        return self.since < at <= self.until


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause: `key` names it for good, `params` say what was found in codes and counts, nothing personal."""

    key: str
    at: datetime
    division_code: str
    subject_type: str = "registration"
    subject_id: UUID | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("not_arrived", "yellow", (Limit("hours", 4, 1, 48),)),
        Rule("impossible_travel", "yellow", (Limit("minutes", 10, 1, 240),)),
        Rule("one_phone", "yellow", (Limit("people", 8, 2, 200),)),
        Rule(
            "plate_all_night",
            "yellow",
            (Limit("times", 4, 2, 100), Limit("from_hour", 22, 18, 23), Limit("to_hour", 6, 1, 9)),
            every=timedelta(minutes=10),
            overlap=timedelta(minutes=20),
        ),
        Rule(
            "silent_checkpoint",
            "yellow",
            (Limit("minutes", 30, 5, 720), Limit("from_hour", 0, 0, 23), Limit("to_hour", 24, 1, 24)),
        ),
        Rule("county_doubling", "red", (Limit("times", 2, 2, 20), Limit("least", 10, 2, 10_000))),
        Rule("unopened_inbox", "yellow", (Limit("hours", 4, 1, 72), Limit("least", 1, 1, 1000))),
        Rule(
            "bulk_reading",
            "yellow",
            (
                Limit("village", 150, 5, 100_000),
                Limit("town", 400, 5, 100_000),
                Limit("command", 800, 5, 100_000),
                Limit("integration", 3000, 5, 500_000),
                Limit("day_times", 4, 1, 24),
                Limit("exports", 3, 1, 1000),
            ),
            overlap=timedelta(minutes=20),
            needs_answer=False,
        ),
    )
}


def cause_of(rule: Rule, finding: Finding) -> str:
    """What makes an alert of a finding the only one, at most 80 characters."""
    return f"watch:{rule.name}:{finding.key}"[:80]


def within_hours(local: datetime, from_hour: int, to_hour: int) -> bool:
    """Whether a time of day lies in opening hours, which may go past midnight; the same hour twice means the whole day."""
    if from_hour == to_hour or (from_hour == 0 and to_hour == 24):
        return True
    if from_hour < to_hour:
        return from_hour <= local.hour < to_hour
    return local.hour >= from_hour or local.hour < to_hour


def doublings(counts: Mapping[tuple[str, int], int], times: int, least: int) -> list[tuple[str, int, int, int]]:
    """From yellow people by county and hour: (county, hour, in it, in the hour before) wherever the number has grown `times`."""
    found = []
    for (county, hour), number in sorted(counts.items()):
        before = counts.get((county, hour - 1), 0)
        if number >= least and number >= times * before:
            found.append((county, hour, number, before))
    return found


def openings(span: Span, from_hour: int, wait: timedelta) -> list[datetime]:
    """The openings of the day after which a wait ends within the span."""
    day = span.local(span.since - wait).replace(hour=from_hour, minute=0, second=0, microsecond=0)
    found = []
    while day + wait <= span.until:
        if span.holds(day + wait):
            found.append(day)
        day += timedelta(days=1)
    return found
