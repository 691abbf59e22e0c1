"""From measures to dated work. Pure. Day 1 is the calendar day after the crossing, at the site's time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work: it may be done from `from_at` and must be by `due_at`."""

    kind: str
    day: int
    from_at: datetime
    due_at: datetime


def _day(entered_at: datetime, day: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    local = entered_at.astimezone(zone)
    start = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=day)
    return start, start + timedelta(days=1)


def plan(
    measures: Sequence[Mapping[str, Any]], entered_at: datetime, *, timezone: str, arrival_hours: int
) -> tuple[Task, ...]:
    """Arrival for everybody; then what the measures ask for: a first test within hours, tests on days, the release."""
    zone = ZoneInfo(timezone)
    tasks = [Task("arrival_visit", 0, entered_at, entered_at + timedelta(hours=arrival_hours))]
    for measure in measures:
        if measure.get("within_hours"):
            tasks.append(
                Task("landing_test", 0, entered_at, entered_at + timedelta(hours=int(measure["within_hours"])))
            )
        tasks += [Task("test", int(day), *_day(entered_at, int(day), zone)) for day in measure.get("test_days") or ()]
        days = int(measure.get("days") or 0)
        if days:
            tasks += [Task("health_check", day, *_day(entered_at, day, zone)) for day in range(1, days + 1)]
            tasks.append(Task("release", days, *_day(entered_at, days, zone)))
    return tuple(sorted(tasks, key=lambda task: (task.due_at, task.kind)))
