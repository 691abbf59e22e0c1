"""The listed areas of one county, parsed once for each version of what is in force and kept in memory."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, or_, select

from checkpoint.clock import local_date
from checkpoint.database import db
from checkpoint.regions import default_index
from checkpoint.regions.models import at_level
from checkpoint.risk.areas import AreaBook, ListedArea
from checkpoint.risk.levels import Level
from checkpoint.risk.models import RiskArea, RiskListing

KEPT_BOOKS = 1024
LATELY_DAYS = 60  # listings closed longer ago cannot touch a stay that anybody still declares


@dataclass(frozen=True, slots=True)
class CountyBook:
    """`areas` matches texts; `spans` gives for each listing its first and last listed date (None: still listed)."""

    areas: AreaBook
    spans: Mapping[int, tuple[date, date | None]]


class BookShelf:
    """Books by (state version, county), least recently used out first. One for each application; safe for threads."""

    def __init__(self) -> None:
        self._books: OrderedDict[tuple[int, str], CountyBook] = OrderedDict()
        self._listed: tuple[int, frozenset[str]] = (-1, frozenset())
        self._lock = threading.Lock()

    def get(self, version: int, county: str, seen_at: datetime | None) -> CountyBook | None:
        """The book of a county, or None if nothing is or lately was listed there; `seen_at`: when the list was confirmed."""
        if county not in self._counties(version, seen_at):
            return None
        key = (version, county)
        with self._lock:
            if key in self._books:
                self._books.move_to_end(key)
                return self._books[key]
        book = _load(county, seen_at)
        if book is None:
            return None
        with self._lock:
            self._books[key] = book
            while len(self._books) > KEPT_BOOKS:
                self._books.popitem(last=False)
        return book

    def _counties(self, version: int, seen_at: datetime | None) -> frozenset[str]:
        """The counties where something is or lately was listed: most counties are settled by this alone."""
        known, counties = self._listed
        if known != version:
            named = (
                select(RiskListing.county_code).where(RiskListing.county_code.is_not(None), lately(seen_at)).distinct()
            )
            counties = frozenset(code for code in db.session.scalars(named) if code)
            self._listed = (version, counties)
        return counties


def lately(seen_at: datetime | None) -> ColumnElement[bool]:
    """Open, or closed not long before the list was confirmed: a past of lists can be replayed at its own pace."""
    is_open = RiskListing.delisted_at.is_(None)
    if seen_at is None:
        return is_open
    return or_(is_open, RiskListing.delisted_at >= seen_at - timedelta(days=LATELY_DAYS))


def _load(county: str, seen_at: datetime | None) -> CountyBook | None:
    timezone = current_app.extensions["settings"].timezone
    rows = db.session.execute(
        select(
            RiskListing.id,
            RiskListing.level,
            RiskListing.listed_at,
            RiskListing.delisted_at,
            RiskArea.code,
            RiskArea.text,
        )
        .join(RiskArea, RiskArea.id == RiskListing.area_id)
        .where(
            RiskListing.county_code == county,
            lately(seen_at),
        )
        .order_by(RiskListing.id)
    ).all()
    if not rows:
        return None
    areas = [ListedArea(row.id, row.code or county, Level(row.level), row.text) for row in rows]
    spans = {
        row.id: (
            local_date(row.listed_at, timezone),
            None if row.delisted_at is None else local_date(row.delisted_at, timezone),
        )
        for row in rows
    }
    return CountyBook(area_book(county, areas), spans)


def county_book(code: str, version: int, seen_at: datetime | None) -> CountyBook | None:
    """The book of the county in which `code` lies, under one version of what is in force, confirmed at `seen_at`."""
    shelf: BookShelf = current_app.extensions.setdefault("risk_books", BookShelf())
    return shelf.get(version, at_level(code, 3), seen_at)


def area_book(county: str, areas: Sequence[ListedArea]) -> AreaBook:
    """The book of a county's listed areas, with the names of its towns and villages and of what lies above it."""
    index = default_index()
    below = dict(index.children(county))
    for town in list(below):
        below.update(index.children(town))
    above: list[str] = []
    code: str | None = county
    while code is not None:
        above.append(index.name(code))
        code = index.parent(code)
    return AreaBook(county, areas, below, above[::-1])
