"""The values that place resolution takes and gives. Nothing here knows an index, Flask or a database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

LEVEL_WIDTH = {1: 2, 2: 4, 3: 6, 4: 9, 5: 12}


class DivisionRow(NamedTuple):
    """One division of the national tree: a 12-digit zero-padded code, its own name, level 1 (province) to 5 (village)."""

    code: str
    name: str
    level: int
    parent: str | None


class Span(NamedTuple):
    """Characters [start, end) of the original text named the division `code`.

    `how`: full (its official name), short (a usual short form), stem (without its suffix), other (an old name or another
    suffix), abbreviation (浙), zone (a development zone), alias (added by an administrator), fuzzy (misspelt), pinyin.
    """

    start: int
    end: int
    code: str
    how: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a text says about a place.

    code        the 12-digit code of the deepest division that is certain, or None
    level       1 province, 2 city, 3 county, 4 town, 5 village; None without a code
    confidence  0 to 1; 1 means every level was written by its official name
    candidates  12-digit codes the text may mean, best first; empty when the answer is definite or there is none
    conflict    the text names a division together with another that does not hold it
    explained   which characters of the original text named what, in the order of the text
    rest        what stands behind the divisions: road, building, room
    """

    code: str | None
    level: int | None
    confidence: float
    candidates: tuple[str, ...]
    conflict: bool
    explained: tuple[Span, ...]
    rest: str


class Suggestion(NamedTuple):
    """One line of a type-ahead list."""

    code: str
    name: str
    full_name: str
    level: int


class AliasBook:
    """An immutable set of further names laid over an index: pairs of the text as written and a 12-digit code.

    The text is folded like any other (width, traditional characters, separators) when the book is used; the longest
    alias that a text starts with, or that stands behind its province and city, wins over the index.
    """

    __slots__ = ("_pairs", "folded")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(sorted(set(pairs)))
        self.folded: dict[int, dict[str, int]] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AliasBook) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)


def significant(code: str) -> str:
    """The digits of a code that are not padding, cut at a level's width: 330482000000 → 330482."""
    for width in (2, 4, 6, 9):
        if not code[width:].strip("0"):
            return code[:width]
    return code
