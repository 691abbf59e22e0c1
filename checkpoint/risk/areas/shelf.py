"""The parsed entries of one county under every key by which a stay may ask for them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from checkpoint.risk.levels import Level

from .divisions import Divisions
from .entry import Place, Scope, head_of, parse_entry, strip_marks
from .parse import Element, Name
from .similar import neighbours, similar
from .units import Num


@dataclass(frozen=True, slots=True)
class ListedArea:
    """One entry of a published list. `code`: 12 digits, as deep as its text could be resolved; `text`: the list's words."""

    id: int
    code: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One place of one listed area."""

    area: ListedArea
    place: Place

    def speaks_of(self, name: str) -> bool:
        """Whether a name is the place's key name, perhaps misspelt or without its last word (柳湾 for 柳湾村)."""
        key = self.place.elements[self.place.key]
        if not isinstance(key, Name):
            return False
        stem = key.text.removesuffix("村").removesuffix("社区")
        return name in (key.text, stem) or similar(name, key.text) or (len(stem) >= 2 and name.startswith(stem))


class Group:
    """The rows of one key name, those that go on with a plain number also by that number: a street may have thousands."""

    __slots__ = ("_by_number", "_others", "rows")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._by_number: dict[str, list[Row]] = {}
        self._others: list[Row] = []

    def add(self, row: Row) -> None:
        """Take in a row; rows come in the order of danger."""
        self.rows.append(row)
        number = _first_number(row.place)
        if number is None:
            self._others.append(row)
        else:
            self._by_number.setdefault(number, []).append(row)

    def about(self, behind: tuple[Element, ...]) -> list[Row]:
        """Rows that may hold a stay with these elements behind the key name, and a few that tell it is near."""
        if len(self.rows) <= _FEW:
            return self.rows
        found = list(self._others)
        for element in behind:
            if not isinstance(element, Num):
                continue
            for value in element.values:
                if not isinstance(value, str):
                    return self.rows
                found.extend(self._by_number.get(value, ()))
        return found + self.rows[:_FEW]


_FEW = 12


def _first_number(place: Place) -> str | None:
    behind = place.elements[place.key + 1 : place.key + 2]
    if not behind or not isinstance(behind[0], Num) or len(behind[0].values) != 1:
        return None
    value = behind[0].values[0]
    return value if isinstance(value, str) else None


class Shelf:
    """Entries by key name, by whole text, by village; divisions covered whole; towns with anything listed.

    Every list is in the order of `areas`, which the caller has sorted by danger.
    """

    def __init__(self, areas: Sequence[ListedArea], divisions: Divisions) -> None:
        self._divisions = divisions
        self.rows: dict[str, Group] = {}
        self.plain: dict[str, list[Row]] = {}
        self.scopes: dict[str, list[tuple[ListedArea, Scope]]] = {}
        self.towns: dict[str, list[ListedArea]] = {}
        self.villages: dict[str, list[Row]] = {}
        self.zones: list[str] = []
        self._known: set[str] = set()
        self._heads: set[str] = set()
        for area in areas:
            self._add(area)
        # Made when the first slip is looked for; two threads that come together make the same one.
        self._near_names: dict[str, list[str]] | None = None
        self._near_heads: dict[str, list[str]] | None = None

    def _add(self, area: ListedArea) -> None:
        entry = parse_entry(area.text, area.code, self._divisions)
        towns = {place.town for place in entry.places} | {s.prefix for s in entry.scopes if len(s.prefix) == 9}
        if area.code[6:9] not in ("", "000"):
            towns.add(area.code[:9])
        for town in towns - {""}:
            self.towns.setdefault(town, []).append(area)
        if entry.plain and not entry.scopes:
            town = area.code[:9] if area.code[6:9] not in ("", "000") else ""
            self.plain.setdefault(entry.plain, []).append(Row(area, Place((), 0, town)))
        for scope in entry.scopes:
            self.scopes.setdefault(scope.prefix, []).append((area, scope))
        if entry.zone and entry.zone not in self.zones:
            self.zones.append(entry.zone)
        for place in entry.places:
            self._add_place(Row(area, place), single=len(entry.places) == 1)

    def _add_place(self, row: Row, *, single: bool) -> None:
        place = row.place
        key = place.elements[place.key]
        if isinstance(key, Name):
            group = self.rows.get(key.text)
            if group is None:
                group = self.rows[key.text] = Group()
            group.add(row)
        self._known.update(e.text for e in place.elements if isinstance(e, Name))
        if len(place.head) >= 3:
            self._heads.add(place.head)
        if single and len(place.elements) == 1 and row.area.code[9:12] not in ("", "000"):
            self.villages.setdefault(row.area.code, []).append(row)

    def slips(self, text: str) -> Iterator[str]:
        """Key names of which `text` may be a misspelling; none for a name that is itself listed or a village."""
        if text in self._known or len(text) < 2 or text in self._divisions.villages:
            return
        if self._near_names is None:
            self._near_names = _meeting(self.rows)
        yield from _met(text, self._near_names)

    def corrected(self, body: str) -> Iterator[str]:
        """The text with the words before its first number put as an entry has them, where only a slip differs."""
        head = head_of(body)
        if len(head) < 3 or head in self._heads:
            return
        tail = strip_marks_front(body, len(head))
        if self._near_heads is None:
            self._near_heads = _meeting(self._heads)
        for right in _met(head, self._near_heads):
            yield right + tail


def strip_marks_front(text: str, size: int) -> str:
    """What follows the first `size` characters that are no separators."""
    seen = 0
    for i, char in enumerate(text):
        if seen == size:
            return text[i:]
        seen += bool(strip_marks(char))
    return ""


def _meeting(names: Iterable[str]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for name in names:
        for key in neighbours(name):
            near.setdefault(key, []).append(name)
    return near


def _met(text: str, near: dict[str, list[str]]) -> Iterator[str]:
    seen: set[str] = {text}
    for key in neighbours(text):
        for name in near.get(key, ()):
            if name not in seen:
                seen.add(name)
                if similar(name, text):
                    yield name
