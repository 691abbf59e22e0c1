"""Why an address is flagged: any text against the lists in force on a day, or against one list version alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import select

from checkpoint.clock import local_date
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.regions import Resolution, default_index
from checkpoint.regions import service as regions
from checkpoint.regions.models import at_level
from checkpoint.risk import queries
from checkpoint.risk.areas import AreaBook, AreaMatch, ListedArea
from checkpoint.risk.books import area_book, county_book
from checkpoint.risk.levels import Level
from checkpoint.risk.models import RiskArea, RiskListEntry
from checkpoint.risk.scoring import Facts, Hit, StayFact, assess, overlaps
from checkpoint.risk.service import State, current_state
from checkpoint.risk.wording import reason_text

_DEEP_ENOUGH = 3
_KEPT_BOOKS = 2048


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the lists say of one text. `depth` is area, town, county or None; `area` the list's own words; `score` the policy's points.

    `match_score` (0 to 100) and `evidence` say how the text matched; each reason is {rule, points, text, evidence}.
    """

    text: str
    code: str | None
    place: str | None
    depth: str | None
    level: str | None
    area: str | None
    listed_on: date | None
    score: int
    match_score: float
    evidence: str
    reasons: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """The form in which the command line prints it."""
        return {
            "text": self.text,
            "code": self.code,
            "depth": self.depth,
            "level": self.level,
            "area": self.area,
            "score": self.score,
            "reasons": list(self.reasons),
            "place": self.place,
            "listed_on": self.listed_on.isoformat() if self.listed_on else None,
            "match_score": round(self.match_score, 1),
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class _Found:
    match: AreaMatch
    listed_on: date


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


class _InForce:
    """Matching against what was listed on a day, as an assessment does."""

    def __init__(self, state: State, on: date) -> None:
        self._state, self._on = state, on

    def find(self, text: str, code: str) -> _Found | None:
        book = county_book(code, self._state.version, self._state.confirmed_at)
        if book is None:
            return None
        days = self._state.policy.days_before_listing
        counting = [key for key, span in book.spans.items() if overlaps(self._on, self._on, span[0], span[1], days)]
        match = book.areas.match(text, code, ids=frozenset(counting)) if counting else None
        return None if match is None or match.area is None else _Found(match, book.spans[match.area.id][0])


class _OneList:
    """Matching against one version alone, whatever its state."""

    def __init__(self, list_id: int) -> None:
        self._listed_on = local_date(queries.get(list_id).published_at, _settings().timezone)
        self._rows = _rows_by_county(list_id)
        self._book = lru_cache(maxsize=_KEPT_BOOKS)(self._make)

    def find(self, text: str, code: str) -> _Found | None:
        book = self._book(at_level(code, _DEEP_ENOUGH))
        match = book.match(text, code) if book else None
        return None if match is None else _Found(match, self._listed_on)

    def _make(self, county: str) -> AreaBook | None:
        rows = self._rows.get(county)
        if not rows:
            return None
        # One text may stand at two levels; the book knows areas by number, so the rows are numbered here.
        areas = [ListedArea(at, code or county, Level(level), text) for at, (code, text, level) in enumerate(rows)]
        return area_book(county, areas)


def _rows_by_county(list_id: int) -> dict[str, list[tuple[str | None, str, str]]]:
    """County → (code, text, level) of a version's areas, read at once: a query for each county would walk the list each time."""
    found: dict[str, list[tuple[str | None, str, str]]] = {}
    rows = db.session.execute(
        select(RiskArea.county_code, RiskArea.code, RiskArea.text, RiskListEntry.level)
        .join(RiskListEntry, RiskListEntry.area_id == RiskArea.id)
        .where(RiskListEntry.list_id == list_id, RiskArea.county_code.is_not(None))
        .order_by(RiskArea.id, RiskListEntry.level)
    )
    for county, code, text, level in rows:
        if county is not None:
            found.setdefault(county, []).append((code, text, level))
    return found


class Explainer:
    """Explains texts as single stays on one day; the county books that it opens are kept for the next text."""

    def __init__(self, *, at: datetime, on: date | None = None, list_id: int | None = None) -> None:
        """`on` defaults to the site's today. With `list_id` that version alone counts, whatever its dates; NotFound if unknown."""
        self._state = current_state(at)
        self._day = on or local_date(at, _settings().timezone)
        self._source = _InForce(self._state, self._day) if list_id is None else _OneList(list_id)

    def explain(self, texts: Sequence[str]) -> Iterator[Explanation]:
        """The explanation of each text, in order."""
        for text, resolution in zip(texts, regions.resolve_many(texts), strict=True):
            yield _explained(text, resolution, self._source, self._state, self._day)


def _explained(
    text: str, resolution: Resolution, source: "_InForce | _OneList", state: State, day: date
) -> Explanation:
    index = default_index()
    code = resolution.code
    place = index.full_name(code) if code else None
    deep = code is not None and _is_deep(code, resolution)
    found = source.find(text, code) if deep and code is not None else None
    match = found.match if found else None
    fact = StayFact(
        position=0,
        place=place or text,
        resolved=deep,
        same_province=code is not None and code[:2] == _settings().site_division[:2],
        since=day,
        until=day,
        hit=Hit(match.depth.value, match.level.value, match.area.text, found.listed_on, match.evidence)
        if found and match and match.area
        else None,
    )
    result = assess(Facts((fact,), (), None, state.list_id, 0.0), state.policy)
    return Explanation(
        text=text,
        code=code,
        place=place,
        depth=match.depth.value if match else None,
        level=match.level.value if match else None,
        area=match.area.text if match and match.area else None,
        listed_on=found.listed_on if found else None,
        score=result.score,
        match_score=match.score if match else 0.0,
        evidence=match.evidence if match else "",
        reasons=tuple(_reason(reason.as_dict(), match) for reason in result.reasons),
    )


def _is_deep(code: str, resolution: Resolution) -> bool:
    """A county, or a city that is its own county; a whole province or city says too little."""
    if (resolution.level or 0) >= _DEEP_ENOUGH:
        return True
    index = default_index()
    below = index.children(code)
    return resolution.level == 2 and (not below or index.level(below[0][0]) > _DEEP_ENOUGH)


def _reason(reason: dict[str, Any], match: AreaMatch | None) -> dict[str, Any]:
    return {
        "rule": reason["rule"],
        "points": reason["points"],
        "text": reason_text(reason),
        "evidence": match.evidence if match and "area" in reason else "",
    }
