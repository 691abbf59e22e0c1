"""The forgiving reading: where the exact one stops short, names may be misspelt, words may stand between, parents may be wrong."""

import re

from checkpoint.regions.fuzzy import DROPPED, SWAPPED, FuzzyTables, Match
from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.names import OTHER, SHORT, STEM, ZONE
from checkpoint.regions.sounds import NEAR, UNLIKE
from checkpoint.regions.walker import (
    DOUBTFUL,
    FOREIGN,
    FUZZY,
    MISSHAPEN,
    SUFFIX,
    Chain,
    Found,
    Token,
    Walker,
    is_building,
    is_road,
)
from checkpoint.regions.zones import zone_word

_EDIT, _MISREAD, _AGAINST_EXACT = 14.0, 4.0, 12.0
_SKIPPED_CHARACTER = 3.0
_SKIP = 4.0
_MOST_EDITS = 3
_MOST_MATCHES = 6
_FARTHEST = 10
_MOST_STEPS = 150
# No town with its village is longer, so no chain can gain more below a county.
_LONGEST_BELOW_COUNTY = 24
_UPPER_SUFFIX = re.compile(r"[省市州县区旗盟镇乡道木]")
_VILLAGE_SUFFIX = re.compile(r"[村区委里庄屯湾队场查]")


def tables_of(index: RegionIndex) -> FuzzyTables:
    """The fuzzy tables of an index, made once."""
    tables = index.tables.get("fuzzy")
    if not isinstance(tables, FuzzyTables):
        tables = index.tables.setdefault("fuzzy", FuzzyTables(index))
    return tables


class LooseWalker(Walker):
    """A walker that may also misread, skip and contradict, each at a cost."""

    __slots__ = ("_matched", "_named", "_steps", "tables")

    def __init__(self, index: RegionIndex, text: str) -> None:
        super().__init__(index, text)
        self.tables = tables_of(index)
        self._steps = 0
        self._named: dict[tuple[int, int], Found] = {}
        self._matched: dict[tuple[int, int], list[Match]] = {}

    def read(self, start: int, above: int = ROOT) -> list[Chain]:
        """The best chains that begin at a position, with every forgiving way tried from the first name on."""
        self.best, self.chains = -1.0, []
        self.step(start, above, 0.0, ())
        return self.chains

    def resume(self, chains: list[Chain]) -> list[Chain]:
        """The best chains that go on from given ones."""
        self.best, self.chains = -1.0, []
        for chain in chains:
            self.step(chain.end, chain.node, chain.score, chain.tokens)
        return self.chains

    def names_at(self, start: int, above: int) -> Found:
        """The exact names, remembered: many chains pass through the same place."""
        key = (start, above)
        found = self._named.get(key)
        if found is None:
            found = self._named[key] = super().names_at(start, above)
        return found

    def step(self, start: int, above: int, score: float, tokens: tuple[Token, ...]) -> None:
        """Like the exact step; where no official name follows, every forgiving way is tried too."""
        left = len(self.text) - start
        if above != ROOT and self.index.levels[above] > 2:
            left = min(left, _LONGEST_BELOW_COUNTY)
        if score + 10.0 * left < self.best:
            return
        super().step(start, above, score, tokens)
        self._steps += 1
        if (
            start >= len(self.text) - 1
            or self._steps > _MOST_STEPS
            or (tokens and tokens[-1].quality in (DOUBTFUL, ZONE))
        ):
            return
        found = self.names_at(start, above)
        levels = self.index.levels
        reach = 4 if above == ROOT or levels[above] < 4 else 5
        if any(
            quality <= SHORT and end - start > 1 and node != above and levels[node] <= reach
            for end, node, quality in found
        ):
            return
        foreign = self._foreign(start, above, score, tokens)
        limit = self._limit(start, above, foreign)
        if sum(token.quality in (FUZZY, MISSHAPEN) for token in tokens) < _MOST_EDITS:
            self._misspelt(start, above, score, tokens, limit)
        if limit > SWAPPED and not any(quality <= OTHER for _, _, quality in found):
            self._skip(start, above, score, tokens)

    def _limit(self, start: int, above: int, foreign: bool) -> float:
        """The dearest misreading worth trying: none of a bare zone word, only a near one of a name that is whole elsewhere."""
        if above != ROOT and self.index.levels[above] < 3 and (word := zone_word(self.text, start)):
            return SWAPPED if word[1] else -1.0
        return DROPPED if foreign else 2.0

    def _matches(self, start: int, above: int) -> list[Match]:
        key = (start, above)
        if key not in self._matched:
            if above != ROOT and self.index.levels[above] == 4:
                wanted = _VILLAGE_SUFFIX.search(self.text, start, start + 14)
                self._matched[key] = self.tables.inside(self.text, start, above) if wanted else []
            elif above != ROOT and self.index.holds_towns(above):
                self._matched[key] = self.tables.inside(self.text, start, above)
            elif above == ROOT or self.index.levels[above] < 3:
                self._matched[key] = self.tables.upper(self.text, start, above)
            else:
                self._matched[key] = []
        return self._matched[key]

    def _misspelt(self, start: int, above: int, score: float, tokens: tuple[Token, ...], limit: float) -> None:
        if limit < 0:
            return
        levels = self.index.levels
        exact = {
            node
            for _, node, quality in self.names_at(start, above)
            if levels[node] <= 4 and quality in (STEM, OTHER, DOUBTFUL) and node != above
        }
        for end, node, quality, cost in self._matches(start, above)[:_MOST_MATCHES]:
            read = self._fits(start, end, node, quality, cost, above) if cost <= limit else None
            if read:
                end, certain = read
                slip = FUZZY if cost < UNLIKE else MISSHAPEN
                gain = self.gain(start, end, node, quality, above) - _EDIT * cost - _MISREAD
                if exact and node not in exact:
                    gain -= _AGAINST_EXACT
                self.step(end, node, score + gain, (*tokens, Token(start, end, node, slip if certain else DOUBTFUL)))

    def _fits(self, start: int, end: int, node: int, quality: int, cost: float, above: int) -> tuple[int, bool] | None:
        """Where a misspelt name ends with its suffix, and whether it stands by itself; None when it can not be meant."""
        size = end - start
        level = self.index.levels[node]
        if size < 2 or (size == 2 and cost > SWAPPED and level == 3 and (above == ROOT or quality != STEM)):
            return None
        if quality != STEM:
            return end, size > 2 or level == 4 or (cost <= SWAPPED and above != ROOT)
        if match := SUFFIX[level].match(self.text, end):
            return match.end(), True
        if (is_building if level > 3 else is_road)(self.text, end):
            return None
        if level == 5:
            return (end, True) if self.text[end - 1 : end] == "村" else None
        if size == 2:
            return end, above != ROOT and cost <= NEAR and (level < 4 or end == len(self.text))
        return end, level < 4 or cost <= NEAR or end == len(self.text)

    def _foreign(self, start: int, above: int, score: float, tokens: tuple[Token, ...]) -> bool:
        """A whole official name of a city or county that does not lie in what the text has named: a contradiction."""
        if above == ROOT or self.index.levels[above] > 2 or any(token.quality == FOREIGN for token in tokens):
            return False
        levels, ends = self.index.levels, self.index.ends
        inside = range(above, ends[above])
        names = [
            (end, node)
            for end, node, quality in self.names_at(start, ROOT)
            if quality <= SHORT
            and levels[node] in (2, 3)
            and node not in inside
            and (end - start > 2 or self.text[end - 1] == "县")
        ]
        for end, node in names:
            gain = self.gain(start, end, node, FOREIGN, ROOT)
            self.step(end, node, score + gain, (*tokens, Token(start, end, node, FOREIGN)))
        return bool(names)

    def _skip(self, start: int, above: int, score: float, tokens: tuple[Token, ...]) -> None:
        """Words between: the next official name within reach."""
        levels = self.index.levels
        if (above != ROOT and levels[above] > 3) or not _UPPER_SUFFIX.search(
            self.text, start + 2, start + _FARTHEST + 12
        ):
            return
        for by in range(1, min(_FARTHEST, len(self.text) - start - 2)):
            found = [hit for hit in self.names_at(start + by, above) if self._worth(start + by, hit, above)]
            for end, node, quality in found:
                gain = self.gain(start + by, end, node, quality, above) - _SKIP - _SKIPPED_CHARACTER * by
                self.step(end, node, score + gain, (*tokens, Token(start + by, end, node, quality)))
            if found:
                return

    def _worth(self, start: int, hit: tuple[int, int, int], above: int) -> bool:
        end, node, quality = hit
        level = self.index.levels[node]
        if node == above or quality > SHORT or (end - start < 3 and self.text[end - 1] != "县"):
            return False
        return level < 4 or (level == 4 and above != ROOT and self.index.codes[node] // 1000 % 1000 < 400)
