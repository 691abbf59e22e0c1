"""Whom publishing a draft would touch, by tier and by village, before anybody publishes it. Nothing is written but the counts.

The people are found and scored as they would be afterwards, over books made of what is listed now and what the draft changes.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.clock import local_date
from checkpoint.database import db, transaction
from checkpoint.regions.models import at_level
from checkpoint.registrations.models import Registration, Stay
from checkpoint.risk.areas import ListedArea
from checkpoint.risk.books import CountyBook, area_book, lately
from checkpoint.risk.levels import Level
from checkpoint.risk.models import RiskArea, RiskList, RiskListEntry, RiskListing
from checkpoint.risk.service import Books, State, current_state
from checkpoint.surveillance.models import ListImpact
from checkpoint.surveillance.people import assess_all, load
from checkpoint.surveillance.planning import still_counts

AT_ONCE = 2000  # so few people are counted while the page waits
_CHUNK = 400
_COUNTIES = 200
_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@dataclass(frozen=True, slots=True)
class Impact:
    """What publishing would do to people. `changes`: (tier before, tier after) → people; `villages`: the code → (raised, lowered).

    `counted_at` is None while it is still being counted.
    """

    people: int
    counted_at: datetime | None
    changes: dict[tuple[str, str], int]
    villages: dict[str, tuple[int, int]]

    @property
    def raised(self) -> int:
        """People whose tier would be worse."""
        return sum(raised for raised, _lowered in self.villages.values())

    @property
    def lowered(self) -> int:
        """People whose tier would be better."""
        return sum(lowered for _raised, lowered in self.villages.values())


@dataclass(frozen=True, slots=True)
class _Span:
    """One listing as it would be: `id` tells it apart within its county."""

    area: ListedArea
    first: date
    last: date | None


class _Draft:
    """What would be listed: the listings of now, those that the draft ends, and those that it begins."""

    def __init__(self, draft: RiskList, state: State) -> None:
        self._state = state
        self._timezone: str = current_app.extensions["settings"].timezone
        self._day = local_date(draft.published_at, self._timezone)
        self.opened: dict[str, date] = {}
        self.closed: dict[str, date] = {}
        named: dict[str, dict[tuple[int, str], tuple[str | None, str]]] = {}
        rows = db.session.execute(
            select(RiskArea.county_code, RiskArea.id, RiskListEntry.level, RiskArea.code, RiskArea.text)
            .join(RiskListEntry, RiskListEntry.area_id == RiskArea.id)
            .where(RiskListEntry.list_id == draft.id, RiskArea.county_code.is_not(None))
        )
        for county, area_id, level, code, text in rows:
            named.setdefault(county or "", {})[area_id, level] = (code, text)
        open_now: dict[str, dict[tuple[int, str], date]] = {}
        listed = select(RiskListing.county_code, RiskListing.area_id, RiskListing.level, RiskListing.listed_at).where(
            RiskListing.delisted_at.is_(None), RiskListing.county_code.is_not(None)
        )
        for county, area_id, level, listed_at in db.session.execute(listed):
            open_now.setdefault(county or "", {})[area_id, level] = local_date(listed_at, self._timezone)
        self._named = named
        self._find_changes(named, open_now)
        self.books: Books = lru_cache(maxsize=2048)(self._book_of)

    def _find_changes(self, named: dict[str, Any], open_now: dict[str, dict[tuple[int, str], date]]) -> None:
        for county in named.keys() | open_now.keys():
            new, old = named.get(county, {}), open_now.get(county, {})
            if new.keys() - old.keys():
                self.opened[county] = self._day
            ending = [max(day, self._day) for pair, day in old.items() if pair not in new]
            if ending:
                self.closed[county] = min(ending)

    @property
    def counties(self) -> list[str]:
        """Where anything would change."""
        return sorted(self.opened.keys() | self.closed.keys())

    def _book_of(self, code: str) -> CountyBook | None:
        county = at_level(code, 3)
        spans = list(self._spans(county))
        if not spans:
            return None
        areas = [span.area for span in spans]
        return CountyBook(area_book(county, areas), {span.area.id: (span.first, span.last) for span in spans})

    def _spans(self, county: str) -> Iterator[_Span]:
        new = dict(self._named.get(county, {}))
        columns = (RiskListing.area_id, RiskListing.level, RiskListing.listed_at, RiskListing.delisted_at)
        rows = db.session.execute(
            select(*columns, RiskArea.code, RiskArea.text)
            .join(RiskArea, RiskArea.id == RiskListing.area_id)
            .where(RiskListing.county_code == county, lately(self._state.confirmed_at))
            .order_by(RiskListing.id)
        ).all()
        number = 0
        for number, row in enumerate(rows, 1):
            first = local_date(row.listed_at, self._timezone)
            last = local_date(row.delisted_at, self._timezone) if row.delisted_at else None
            if last is None and new.pop((row.area_id, row.level), None) is None:
                last = max(first, self._day)
            yield _Span(ListedArea(number, row.code or county, Level(row.level), row.text), first, last)
        for extra, ((_area, level), (code, text)) in enumerate(sorted(new.items()), number + 1):
            yield _Span(ListedArea(extra, code or county, Level(level), text), self._day, None)


def _touched(draft: _Draft, state: State, at: datetime) -> list[uuid.UUID]:
    """Who would be assessed again, in the order of their counties."""
    days = timedelta(days=state.policy.days_before_listing)
    found: dict[uuid.UUID, None] = {}
    counties = draft.counties
    for start in range(0, len(counties), _COUNTIES):
        parts = []
        for county in counties[start : start + _COUNTIES]:
            opened, closed = draft.opened.get(county), draft.closed.get(county)
            when = []
            if opened is not None:
                when.append(Stay.until >= opened - days)
            if closed is not None:
                when.append(and_(Stay.until > closed, Stay.since > closed))
            parts.append(and_(Stay.county_code == county, or_(*when)))
        query = select(Registration.id).join(Stay, Stay.registration_id == Registration.id)
        rows = db.session.scalars(
            query.where(or_(*parts), still_counts(state.policy, at)).order_by(Stay.county_code, Registration.id)
        )
        found.update(dict.fromkeys(rows))
    doubtful = select(Registration.id).where(Registration.doubt.is_not(None), still_counts(state.policy, at))
    found.update(dict.fromkeys(db.session.scalars(doubtful)))
    return list(found)


def _chunks(ids: Sequence[uuid.UUID]) -> Iterable[Sequence[uuid.UUID]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def _count(ids: Sequence[uuid.UUID], draft: _Draft, state: State, at: datetime) -> dict[str, Any]:
    rank = {"green": 1, "yellow": 2, "red": 3}
    changes: Counter[str] = Counter()
    villages: dict[str, list[int]] = {}
    for chunk in _chunks(ids):
        people = load(chunk, draft.books, at)
        results = assess_all(people.values(), state, draft.books)
        for key, person in people.items():
            after = results[key].tier.value
            changes[f"{person.tier}>{after}"] += 1
            if after != person.tier:
                counts = villages.setdefault(person.division_code, [0, 0])
                counts[0 if rank[after] > rank[person.tier] else 1] += 1
    return {"changes": dict(changes), "villages": villages}


def impact_of(list_id: int, *, at: datetime) -> Impact:
    """Whom a draft would touch: counted now when they are few, else when the scheduler has counted them."""
    state = current_state(at)
    known = db.session.get(ListImpact, list_id, populate_existing=True)
    if known is not None and known.state_version == state.version:
        return _shown(known)
    draft, after = _prepare(list_id, state, at)
    ids = _touched(draft, state, at)
    row = {"list_id": list_id, "state_version": state.version, "asked_at": at, "people": len(ids)}
    few = len(ids) <= AT_ONCE
    row |= {"counted_at": at if few else None, "data": _count(ids, draft, after, at) if few else None}
    _store(row)
    return _shown(db.session.get_one(ListImpact, list_id, populate_existing=True))


def _prepare(list_id: int, state: State, at: datetime) -> tuple[_Draft, State]:
    stored = db.session.get_one(RiskList, list_id)
    return _Draft(stored, state), replace(state, list_id=list_id, confirmed_at=at)


def _store(row: dict[str, Any]) -> None:
    with transaction() as session:
        maker: Callable[..., Any] = _INSERT[session.get_bind().dialect.name]
        values = {name: value for name, value in row.items() if name != "list_id"}
        statement = maker(ListImpact).values(row)
        session.execute(statement.on_conflict_do_update(index_elements=["list_id"], set_=values))


def count_waiting(at: datetime) -> int:
    """Count what was too many to count while somebody waited; returns how many drafts were counted."""
    state = current_state(at)
    waiting = db.session.scalars(
        select(ListImpact.list_id).where(ListImpact.counted_at.is_(None), ListImpact.state_version == state.version)
    ).all()
    for list_id in waiting:
        draft, after = _prepare(list_id, state, at)
        ids = _touched(draft, state, at)
        counted = {"counted_at": at, "people": len(ids), "data": _count(ids, draft, after, at)}
        _store({"list_id": list_id, "state_version": state.version, "asked_at": at, **counted})
    return len(waiting)


def _shown(row: ListImpact) -> Impact:
    data = row.data or {"changes": {}, "villages": {}}
    changes = {tuple(key.split(">")): number for key, number in data["changes"].items()}
    villages = {code: (counts[0], counts[1]) for code, counts in data["villages"].items()}
    return Impact(row.people, row.counted_at, changes, villages)
