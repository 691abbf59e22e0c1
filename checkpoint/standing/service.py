"""Putting the figures of command together: for the page as of now, for a report of a day that is over."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts import feed, tallies
from checkpoint.appeals.queries import answered
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.followups.tallies import Closing, closing_by_place
from checkpoint.regions import queries as divisions
from checkpoint.regions.models import significant
from checkpoint.standing import queries
from checkpoint.standing.figures import (
    Alerts,
    ByTier,
    Mismatches,
    Place,
    Spread,
    Standing,
    hour_labels,
    shape_hours,
    shape_posts,
    spreads,
    worst_first,
)

WEEK = timedelta(days=6)
DAYS_AHEAD = 2
_TOWN_CODE = 9
_DIGITS = {4: 9, 5: 12}


def narrowed(actor: Actor, division: str) -> Actor:
    """The same reader, looking at one division of their jurisdiction alone; NotFound for another's."""
    if not actor.sees(division):
        raise NotFound
    return replace(actor, division=division)


def standing(actor: Actor, day: date, at: datetime, *, timezone: str) -> Standing:
    """Where the actor's division stands at `at`, and what happened there on `day`, a date of the site's own calendar.

    A city is told by towns, a town by villages. NotAllowed without `standing.read`.
    """
    if not actor.may(Permission.STANDING_READ):
        raise NotAllowed
    seq = feed.newest()  # before the figures, so that nothing that happens meanwhile is missed
    start, end = clock.start_of_day(day, timezone), clock.start_of_day(day + timedelta(days=1), timezone)
    level = divisions.VILLAGE if len(significant(actor.division)) >= _TOWN_CODE else divisions.TOWN
    expected = queries.expected(actor, day, day + timedelta(days=DAYS_AHEAD), _DIGITS[level])
    people = queries.people(actor, _DIGITS[level])
    labels = hour_labels(start, end, timezone)
    took = queries.took(actor, start, end)
    posts = shape_posts(
        queries.posts(actor), queries.scanned(actor, start, end), took, queries.gone(actor, day), len(labels)
    )
    counted = answered(actor, start - WEEK, at, until=end)
    raised, closed = queries.raised(actor, start, end)
    here = divisions.find(actor.division)
    return Standing(
        at=at,
        day=day,
        division=actor.division,
        name=here.name if here is not None else actor.division,
        is_city=level == divisions.TOWN,
        places=_places(actor, level, start, end, at, people["inside"], expected.get(day, {})),
        posts=posts,
        hours=shape_hours(labels, posts, took),
        decision=spreads(took, lambda _one: 0).get(0, Spread()),
        expected=[
            (on, _sum(expected.get(on, {})))
            for on in (day + timedelta(days=number) for number in range(DAYS_AHEAD + 1))
        ],
        declared=_sum(people["declared"]),
        raised=raised,
        closed=closed,
        appeals=(counted.in_time, counted.due),
        seq=seq,
    )


def _tiers(counts: Mapping[str, int]) -> ByTier:
    return ByTier(counts.get("red", 0), counts.get("yellow", 0), counts.get("green", 0))


def _sum(places: queries.ByPlace) -> ByTier:
    return sum(map(_tiers, places.values()), ByTier())


def _places(
    actor: Actor,
    level: int,
    start: datetime,
    end: datetime,
    at: datetime,
    inside: queries.ByPlace,
    coming: queries.ByPlace,
) -> Sequence[Place]:
    """Every town of the city (village of the town), and whatever else has figures: matters of the city itself stand under its own code."""
    digits = _DIGITS[level]
    alerts = {
        one.code: Alerts(one.live, one.red, one.open, one.overdue, one.escalated)
        for one in tallies.by_place(actor, at, level=level)
    }
    late, not_found = queries.late_work(actor, at, digits), queries.not_found(actor, digits)
    door = closing_by_place(actor, start - WEEK, start, at, until=end, digits=digits)
    known = {one.code: one.name for one in divisions.inside(actor.division, level)}
    others = {*inside, *coming, *alerts, *late, *not_found, *door} - set(known)
    names = {code: code for code in others} | divisions.names(others) | known
    return worst_first(
        Place(
            code,
            name,
            _tiers(inside.get(code, {})),
            _tiers(coming.get(code, {})),
            alerts.get(code, Alerts()),
            Mismatches(not_found=not_found.get(code, 0), **late.get(code, {})),
            *door.get(code, (Closing(), Closing())),
        )
        for code, name in names.items()
    )


@dataclass
class Board:
    """The figures of one process, kept for a moment: however many screens ask at once, they are counted once.

    What was counted is shown again for `least_seconds`, and up to `most_seconds` while nothing has happened since (the feed's number, which
    is told with the figures: who knows of a later event asks again). Whoever asks while somebody counts waits for that answer.
    """

    least_seconds: float = 1.5
    most_seconds: float = 10.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: dict[tuple[str, date], tuple[float, Standing]] = field(default_factory=dict)
    counting: dict[tuple[str, date], threading.Lock] = field(default_factory=dict)

    def look(self, actor: Actor, day: date, at: datetime, *, timezone: str) -> Standing:
        """The figures of the actor's division, counted now or a moment ago."""
        if not actor.may(Permission.STANDING_READ):
            raise NotAllowed
        key = (actor.division, day)
        with self.lock:
            counting = self.counting.setdefault(key, threading.Lock())
        with counting:
            kept = self.kept.get(key)
            if kept is not None:
                age = time.monotonic() - kept[0]
                if age < self.least_seconds or (age < self.most_seconds and kept[1].seq == feed.newest()):
                    return kept[1]
            found = standing(actor, day, at, timezone=timezone)
            with self.lock:
                if len(self.kept) > 64:
                    self.kept.clear()
                self.kept[key] = (time.monotonic(), found)
            return found
