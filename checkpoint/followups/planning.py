"""From measures to dated work. Pure. Day 1 is the calendar day after the crossing, at the site's time zone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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

    @property
    def key(self) -> tuple[str, datetime]:
        """What makes two tasks the same piece of work."""
        return self.kind, self.due_at


@dataclass(frozen=True, slots=True)
class Revision:
    """What new measures make of a plan: which open tasks go, by their keys, and which come."""

    cancel: frozenset[tuple[str, datetime]]
    add: tuple[Task, ...]


def _day(entered_at: datetime, day: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    local = entered_at.astimezone(zone)
    start = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=day)
    return start, start + timedelta(days=1)


def plan(
    measures: Sequence[Mapping[str, Any]], entered_at: datetime, *, timezone: str, arrival_hours: int
) -> tuple[Task, ...]:
    """Arrival for everybody; then what the measures ask for: a first test within hours, tests on days, the release."""
    arrival = Task("arrival_visit", 0, entered_at, entered_at + timedelta(hours=arrival_hours))
    tasks = (arrival, *measured(measures, entered_at, timezone=timezone))
    return tuple(sorted(tasks, key=lambda task: (task.due_at, task.kind)))


def measured(measures: Sequence[Mapping[str, Any]], since: datetime, *, timezone: str) -> tuple[Task, ...]:
    """What the measures alone ask for, counted from `since`."""
    zone = ZoneInfo(timezone)
    tasks: list[Task] = []
    for measure in measures:
        if measure.get("within_hours"):
            tasks.append(Task("landing_test", 0, since, since + timedelta(hours=int(measure["within_hours"]))))
        tasks += [Task("test", int(day), *_day(since, int(day), zone)) for day in measure.get("test_days") or ()]
        days = int(measure.get("days") or 0)
        if days:
            tasks += [Task("health_check", day, *_day(since, day, zone)) for day in range(1, days + 1)]
            tasks.append(Task("release", days, *_day(since, days, zone)))
    return tuple(sorted(tasks, key=lambda task: (task.due_at, task.kind)))


def revise(
    wanted: Sequence[Task],
    *,
    open_keys: Collection[tuple[str, datetime]],
    done_keys: Collection[tuple[str, datetime]],
    at: datetime,
) -> Revision:
    """Keep of the open work what is still wanted, drop the rest, add what is new and not over; done work stays done.

    The visit at the door belongs to no measure and always stays.
    """
    keys = {task.key for task in wanted}
    gone = frozenset(key for key in open_keys if key not in keys and key[0] != "arrival_visit")
    known = {*open_keys, *done_keys}
    return Revision(gone, tuple(task for task in wanted if task.key not in known and task.due_at > at))


def next_day(day: int, at: datetime, *, timezone: str) -> tuple[Task, Task]:
    """An extension by a day: one more health check and the release after it, tomorrow."""
    window = _day(at, 1, ZoneInfo(timezone))
    return Task("health_check", day + 1, *window), Task("release", day + 1, *window)


_STOPS = frozenset({"positive", "refused", "unwell", "no_answer"})


def is_complete(tasks: Iterable[tuple[str, str, str | None]]) -> bool:
    """Whether nothing but the release is left to do: `(kind, state, result)` of all the work, nothing open, nothing amiss.

    Somebody who was not at the door once and was found later has arrived. What is amiss a worker decides, not a rule.
    """
    arrived = False
    for kind, state, result in tasks:
        if kind == "release":
            continue
        if state == "open" or (state == "done" and result in _STOPS):
            return False
        arrived = arrived or (kind == "arrival_visit" and state == "done" and result == "arrived")
    return arrived
