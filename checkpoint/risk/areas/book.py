"""All listed areas of one county, parsed once, and the answer to "does this stay lie in one of them?".

Source of the rules: the deepest depth wins and the level is the highest at that depth; "the rest of" a division holds
everything in it that no deeper entry names; another part of a listed estate, or an excepted one, is only in its town.
"""

import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checkpoint.risk.levels import Level

from .compare import Reading, Relation, excepted, read
from .divisions import Divisions
from .entry import ENUMERATED, grounded, strip_marks
from .fold import fold, numerals
from .parse import Element, Name, elements
from .shelf import ListedArea, Row, Shelf


class Depth(enum.StrEnum):
    """How close a stay is to a listed area: in it, in its town, in its county."""

    AREA = "area"
    TOWN = "town"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class AreaMatch:
    """The answer for one stay. `area` is the entry that decided the level; `score` 0 to 100 says how sure the match is."""

    area: ListedArea | None
    depth: Depth
    level: Level
    score: float
    evidence: str


@dataclass(frozen=True, slots=True)
class _Hit:
    row: Row
    reading: Reading
    score: float
    evidence: str


Ids = Collection[int] | None
_EXACT, _SLIP, _SCOPE, _TOWN, _COUNTY = 100.0, 88.0, 95.0, 60.0, 40.0
_WHOLE = 1_000_000  # the reach of a match word for word: nothing is deeper


def _counts(area: ListedArea, ids: Ids) -> bool:
    return ids is None or area.id in ids


class AreaBook:
    """The listed areas of one county. Immutable after construction, so threads may share it."""

    def __init__(
        self,
        county: str,
        areas: Sequence[ListedArea],
        towns: Mapping[str, str],
        ancestors: Sequence[str] = (),
    ) -> None:
        """`county`: its code (6 or 12 digits). `towns`: code → name of its towns, and of villages if at hand.
        `ancestors`: the names of province, city and county, to be taken off the front of texts."""
        self._divisions = Divisions(county, ancestors, towns)
        self._areas = tuple(sorted(areas, key=lambda a: (-a.level.rank, a.id)))
        self._shelf = Shelf(self._areas, self._divisions)

    def match(self, text: str, code: str, *, ids: Ids = None) -> AreaMatch | None:
        """The deepest match of a stay (area, then town, then county), at equal depth of the highest level.

        `text`: the stay's words, with or without the divisions in front; `code`: the division (12 digits) they were
        resolved to; `ids`: the areas that count, all when None. None if nothing that counts is listed in the county.
        """
        plain = ENUMERATED.sub("", fold(text))
        body, named = self._divisions.strip(plain)
        body = numerals(body)
        town = named or (code[:9] if code[6:9] not in ("", "000") else "")
        stay = grounded(elements(body), town)
        stated = bool(named) or self._divisions.names_town(plain, code[:9]) or _names_town(stay)
        look = _Look(self._shelf, town if stated else "", ids)
        hits = look.whole(body) + look.hits(stay, body) + look.village(code, stay) + self._zone(body, look)
        if not any(h.reading.relation is Relation.INSIDE for h in hits):
            for shorter in self._divisions.shorter(body, "" if named else code[:9]):
                hits += look.whole(shorter) + look.hits(elements(shorter), shorter)
        inside = _deepest(_nearest([h for h in hits if h.reading.relation is Relation.INSIDE], town))
        if inside:
            best = min(inside, key=lambda h: (-h.row.area.level.rank, -h.score, -h.reading.reach, h.row.area.id))
            return AreaMatch(best.row.area, Depth.AREA, best.row.area.level, best.score, best.evidence)
        return self._rest(stay, town, ids) or self._around(hits, town, ids)

    def _zone(self, body: str, look: "_Look") -> list[_Hit]:
        """Hits behind a development zone that the list names and no national code covers, read like a division."""
        for zone in self._shelf.zones:
            if body.startswith(zone):
                rest = self._divisions.strip(body[len(zone) :])[0]
                return look.hits(elements(zone) + elements(rest), rest)
        return []

    def _rest(self, stay: tuple[Element, ...], town: str, ids: Ids) -> AreaMatch | None:
        """The rest of the town, or of the county, when such an entry counts and does not except the stay."""
        for prefix in (town, self._divisions.county):
            for area, scope in self._shelf.scopes.get(prefix, ()):
                if not _counts(area, ids) or town in scope.towns:
                    continue
                if not any(excepted(row, stay, 0, len(stay)) for row in scope.excepts):
                    return AreaMatch(area, Depth.AREA, area.level, _SCOPE, f"rest of {prefix}")
        return None

    def _around(self, hits: list[_Hit], town: str, ids: Ids) -> AreaMatch | None:
        """No entry holds the place: its town if something is listed there, else the county."""
        near = max(hits, key=lambda h: h.row.area.level.rank, default=None)
        where = town or (near.row.place.town if near else "")
        for area in self._shelf.towns.get(where, ()):
            if _counts(area, ids):
                return AreaMatch(area, Depth.TOWN, area.level, _TOWN, where)
        if near is not None:
            return AreaMatch(near.row.area, Depth.TOWN, near.row.area.level, _TOWN, near.evidence)
        for area in self._areas:
            if _counts(area, ids):
                return AreaMatch(area, Depth.COUNTY, area.level, _COUNTY, self._divisions.county)
        return None


class _Look:
    """One stay's search: the town it lies in and the areas that count."""

    __slots__ = ("_ids", "_shelf", "_town")

    def __init__(self, shelf: Shelf, town: str, ids: Ids) -> None:
        self._shelf, self._town, self._ids = shelf, town, ids

    def whole(self, body: str) -> list[_Hit]:
        """Entries written word for word like the stay."""
        plain = strip_marks(body)
        reading = Reading(Relation.INSIDE, _WHOLE)
        rows = self._shelf.plain.get(plain, ()) if plain else ()
        return [_Hit(row, reading, _EXACT, plain) for row in rows if self._fits(row)]

    def village(self, code: str, stay: tuple[Element, ...]) -> list[_Hit]:
        """Entries that list the stay's village whole, however it was written, unless its text names another."""
        rows = self._shelf.villages.get(code, ())
        names = [e.text for e in stay if isinstance(e, Name) and not e.text.isascii()]
        return [
            _Hit(row, Reading(Relation.INSIDE, 1), _SCOPE, code)
            for row in rows
            if _counts(row.area, self._ids) and (not names or any(row.speaks_of(name) for name in names))
        ]

    def hits(self, stay: tuple[Element, ...], body: str) -> list[_Hit]:
        """Entries whose key name stands in the stay; a slip in a name is thought of only when no name fits exactly."""
        hits = list(self._named(stay, _EXACT, self._spellings))
        if _explained(hits, stay):
            return hits
        hits.extend(self._named(stay, _SLIP, self._shelf.slips))
        if _explained(hits, stay):
            return hits
        for fixed in self._shelf.corrected(body):
            hits.extend(self._named(elements(fixed), _SLIP, self._spellings))
        return hits

    def _named(
        self, stay: tuple[Element, ...], score: float, spellings: Callable[[str], Iterable[str]]
    ) -> Iterator[_Hit]:
        for at, element in enumerate(stay):
            if not isinstance(element, Name):
                continue
            for name in spellings(element.text):
                group = self._shelf.rows.get(name)
                for row in group.about(stay[at + 1 :]) if group else ():
                    if not self._fits(row):
                        continue
                    reading = read(row.place, stay, at)
                    if reading.relation is not Relation.APART:
                        yield _Hit(row, reading, score, name)

    def _fits(self, row: Row) -> bool:
        if not _counts(row.area, self._ids):
            return False
        return not self._town or not row.place.town or row.place.town == self._town

    def _spellings(self, text: str) -> Iterator[str]:
        """The name, and the name without what may be an unknown division in front of it."""
        yield text
        if text in self._shelf.rows:
            return
        for i in range(len(text) - 2, 0, -1):
            if text[i - 1] in "省市区县旗州盟镇乡道" and text[i:] in self._shelf.rows:
                yield text[i:]
                return


def _names_town(stay: tuple[Element, ...]) -> bool:
    return any(isinstance(e, Name) and e.sort == "town" for e in stay)


def _nearest(hits: list[_Hit], town: str) -> list[_Hit]:
    """Hits in the town the stay was resolved to, if there are any: the town of a text that names none is a guess."""
    here = [h for h in hits if h.row.place.town in ("", town)]
    return here or hits


def _explained(hits: list[_Hit], stay: tuple[Element, ...]) -> bool:
    """Whether an entry holds the stay and no name of the stay lies behind what that entry names."""
    reach = max((h.reading.reach for h in hits if h.reading.relation is Relation.INSIDE), default=-1)
    return reach >= 0 and not any(isinstance(e, Name) for e in stay[reach:])


def _deepest(hits: list[_Hit]) -> list[_Hit]:
    """Hits without those "rest of" that a deeper entry overrides."""
    named = max((h.reading.reach for h in hits if not h.row.place.rest), default=-1)
    deepest = max((h.reading.reach for h in hits), default=-1)
    return [h for h in hits if not h.row.place.rest or (h.reading.reach > named and h.reading.reach == deepest)]
