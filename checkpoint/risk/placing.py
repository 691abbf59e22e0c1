"""Where a listed entry lies: the county from its three name columns with all their oddities, then town and village from its text. Pure.

Oddities of the national format that the resolver meets here: in Beijing `city` is the district and `county` the town; other
municipalities repeat the province as `city`; Hainan and Hubei have 省直辖县级行政单位; Xiong'an, Dingzhou, Xinji and Meihekou have
city = county; Dongguan and Zhongshan have towns under the city; the Corps (兵团) repeats one name three times; development zones
are in no national code and stand at their city unless an alias, or a town that the text names in full, says more.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from checkpoint.regions.models import at_level, contains
from checkpoint.regions.places import Resolution, Span
from checkpoint.risk.lists import Entry, fold

CITY, COUNTY, TOWN, VILLAGE = 2, 3, 4, 5
_FIRST_WITHIN = 4  # a division that the text names begins here at the latest; what comes later is an estate or a road
_LONGEST = 40
_COMMUNITY = re.compile(r"社区|居委会|村委会|民委员会")
_NAMED = re.compile(
    r"街|办|委|镇|乡|苏木|社区|村|嘎查|屯|庄|片区|地区|管理区|开发区|园区|新区|场|团|连|师|队|市|县|区(?!$)"
)
_TOWN_PART = re.compile(r".{1,14}?(?:街街道|镇街道|乡街道|街道办事处|街道|民族乡|镇|乡|苏木|街|办事处|管委会)")
_STOP = re.compile(r"\d+(?![\d团社村委连居])|[(（、,，。;；:：]")
_OWN_WORDS = frozenset({"full", "alias"})
_TRUSTED = _OWN_WORDS | {"short", "other"}
_TOWN_WORD = re.compile(r"街道|办事处|管委会|镇|乡|苏木|街")
_VILLAGE_WORD = re.compile(r"社区|居委|村|嘎查|居民委|委员会")


class Resolver(Protocol):
    """What placing asks of the region index; `checkpoint.regions` with an alias book is one."""

    def resolve(self, text: str, within: str | None = None) -> Resolution: ...

    def level(self, code: str) -> int: ...

    def exists(self, code: str) -> bool: ...

    def has_alias(self, text: str) -> bool: ...

    def is_leaf_city(self, code: str) -> bool: ...


class Placed(NamedTuple):
    """`code`: the deepest certain division, or None; `county`: the county it lies in, or None; `depth`: 0 nowhere … 5 village."""

    code: str | None
    county: str | None
    depth: int


NOWHERE = Placed(None, None, 0)


class Placer:
    """Places entries one after another; the name columns of each county are read once."""

    def __init__(self, regions: Resolver) -> None:
        self._regions = regions
        self._heads: dict[tuple[str, str, str], str | None] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._texts: dict[tuple[str, str], Placed] = {}

    def place(self, entry: Entry) -> Placed:
        """The deepest division that is certain; never a guess."""
        if entry.code is not None:
            head = entry.code if self._regions.exists(entry.code) else None
        else:
            key = (entry.province, entry.city, entry.county)
            if key not in self._heads:
                self._heads[key] = self._head(*key)
            head = self._heads[key]
        if head is None:
            return NOWHERE
        begins = beginning(entry.text)
        known = self._texts.get((head, begins))
        if known is None:
            known = self._texts[head, begins] = self.described(self._inside(head, begins))
        return known

    def described(self, code: str) -> Placed:
        """A code with the county that it lies in; a city without counties (东莞) is its own county."""
        depth = self._regions.level(code)
        if depth >= COUNTY:
            return Placed(code, at_level(code, COUNTY), depth)
        if self._regions.is_leaf_city(code):
            return Placed(code, code, COUNTY)
        return Placed(code, None, depth)

    def _head(self, province: str, city: str, county: str) -> str | None:
        """The division that the three columns name, as deep as they agree."""
        for text in _spellings(province, city, county):
            found = self._regions.resolve(text)
            if found.code is not None and not found.conflict:
                return found.code
        return None

    def _inside(self, head: str, text: str) -> str:
        """The deepest division inside `head` that the text begins with and names beyond doubt, or `head` itself.

        Towns and communities come back in thousands of texts, the estates behind them do not: so each part is read by itself
        and once.
        """
        if self._regions.level(head) >= COUNTY and not _NAMED.search(text) and not self._regions.has_alias(text):
            return head  # an estate alone, which names neither town nor village
        town = _TOWN_PART.match(text)
        if town is None or self._regions.level(head) >= TOWN:
            return self._named(head, text)
        found = self._named(head, town.group())
        if self._regions.level(found) != TOWN:
            return self._named(head, text)
        rest = text[town.end() :]
        return self._named(found, rest) if _VILLAGE_WORD.search(rest) else found

    def _named(self, head: str, text: str) -> str:
        """What a text names inside `head` beyond doubt, or `head`; kept for the next entry that begins so."""
        key = (head, text)
        if key not in self._names:
            self._names[key] = self._read(head, text)
        return self._names[key]

    def _read(self, head: str, text: str) -> str:
        found = self._regions.resolve(text, head)
        if found.conflict or not found.explained or found.explained[0].start > _FIRST_WITHIN:
            return head
        deepest, level = head, self._regions.level(head)
        for span in found.explained:
            depth = self._regions.level(span.code)
            if not contains(head, span.code) or not _is_certain(span, text, depth):
                break
            if depth > level:
                deepest, level = span.code, depth
        return deepest


def beginning(text: str) -> str:
    """The part of a listed text that may name town and village: up to the first number, bracket or enumeration."""
    stop = _STOP.search(text)
    short = text[: stop.start()] if stop else text
    if community := _COMMUNITY.search(short):
        short = short[: community.end()]  # nothing behind the community is a division
    return (short if len(short) > 2 else text)[:_LONGEST]


def _is_certain(span: Span, text: str, level: int) -> bool:
    """Whether a list's words name this very division.

    Lists are written by offices: a misspelt name is far more often another place than a slip (西路街道 is not 南路街道), and a bare
    stem is more often an estate or a road than the division (和平苑 is not 和平街道, 正宁路59号 not 正宁路社区).
    """
    if span.how in _OWN_WORDS:
        return True
    words = _VILLAGE_WORD if level == VILLAGE else _TOWN_WORD
    written = text[span.start : span.end]
    says_so = level <= COUNTY or words.match(text, span.end) is not None or words.search(written) is not None
    if span.how in _TRUSTED:
        return says_so
    return span.how == "stem" and level >= TOWN and says_so


def _spellings(province: str, city: str, county: str) -> Iterator[str]:
    """The columns as one address, without repetitions and without levels that exist in the coding only; then with less."""
    names = list(dict.fromkeys(fold(name) for name in (province, city, county) if name))
    spoken = [name for name in names if not _is_filler(name)]
    for parts in (spoken, [*spoken[:1], *spoken[-1:]], spoken[:2], spoken[:1]):
        if parts:
            yield "".join(parts)


def _is_filler(name: str) -> bool:
    return "直辖" in name or name in ("市辖区", "县")
