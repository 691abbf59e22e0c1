"""The exact reading: a chain of names from a position of a folded text, each inside the one before, levels may be missing.

Every chain gets a score: ten for a character, less what its forms cost. The best chains come back; equal ones that
mean different places are an ambiguity, for the resolver to settle.
"""

import re
from typing import NamedTuple

from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.names import ABBREVIATION, FULL, OTHER, PEOPLES, SHORT, STEM, ZONE
from checkpoint.regions.zones import zone_word

# Qualities that only a reading has: a stem that stands only if the chain goes on, a misspelt name, a name of elsewhere,
# one that an administrator added, a name misspelt otherwise than by sound.
DOUBTFUL, FUZZY, FOREIGN, ALIAS, MISSHAPEN = range(6, 11)
HOW = ("full", "short", "stem", "other", "abbreviation", "zone", "stem", "fuzzy", "full", "alias", "fuzzy")

_LONGEST = 40
_NO_LIMIT = 1 << 30
SUFFIX = {
    1: re.compile(r"(?:特别行政区|自治区|省|市)"),
    2: re.compile(rf"(?:{PEOPLES}*自治州|地区|专区|市|州|盟)"),
    3: re.compile(rf"(?:{PEOPLES}*(?:自治县|自治旗)|林区|特区|县|市|区|旗)"),
    4: re.compile(r"(?:街道办事处|街道|地区办事处|办事处|民族乡|民族镇|苏木|镇|乡|街(?!\d|道))"),
    5: re.compile(
        r"(?:社区村民委员会|社区居民委员会|社区居委会|社区|行政村|村民委员会|村委会|居民委员会|居委会|自然村|嘎查|村)"
    ),
}
_COMMITTEE = re.compile(r"(?:村民委员会|居民委员会|村委会|居委会|委员会|民委员会)")
# What makes a bare stem part of the name of a road or a building, unless more names follow.
_ROAD = re.compile(r"(?:路(?![桥南北])|大道|大街|大桥|大学|公路|银行)")
_BUILDING = re.compile(
    r"(?:[东南西北中]*(?:大道|大街|公路|快速路|路|巷|胡同|街\d|街$|条\d)|小区|公园|广场(?!路)|大厦|大桥|商场|酒店|宾馆|超市|花园|花苑|学校|中学|小学|医院)"
)
_AFTER_VILLAGE = re.compile(r"(?:$|\d|[一二三四五六七八九十]|组|屯|社|队|自然|小组)")
_AFTER_CITY = frozenset("北南中")
_COUNTY_END, _TOWN_END = frozenset("县市区旗"), frozenset("镇乡县市")
_COST = (0, 1, 3, 4, 6, 8, 6, 4, 18, 0, 4)
_SKIPPED_COUNTY, _SKIPPED_TOWN, _REPEATED = 4, 3, 5


def is_road(text: str, at: int) -> bool:
    """Whether what stands at a position makes the name before it a road's (南京 + 路)."""
    return bool(_ROAD.match(text, at))


def is_building(text: str, at: int) -> bool:
    """Whether what stands at a position makes the name before it a road's or a building's (建设 + 小区)."""
    return bool(_BUILDING.match(text, at))


class Token(NamedTuple):
    """Characters [start, end) of the folded text name a numbered division, in a form of a quality."""

    start: int
    end: int
    node: int
    quality: int


class Chain(NamedTuple):
    """A reading: its score and its names."""

    score: float
    tokens: tuple[Token, ...]

    @property
    def node(self) -> int:
        """The deepest division that the chain names."""
        return self.tokens[-1].node

    @property
    def end(self) -> int:
        """Where the explained part ends."""
        return self.tokens[-1].end


Found = list[tuple[int, int, int]]


class Walker:
    """Reads one folded text by one index."""

    __slots__ = ("best", "chains", "index", "text")

    def __init__(self, index: RegionIndex, text: str) -> None:
        self.index = index
        self.text = text
        self.best = -1.0
        self.chains: list[Chain] = []

    def read(self, start: int, above: int = ROOT) -> list[Chain]:
        """The best chains that begin at `start` inside a numbered division (ROOT: anywhere)."""
        self.best, self.chains = -1.0, []
        score = 0.0
        tokens: tuple[Token, ...] = ()
        size, levels = len(self.text), self.index.levels
        # As long as one official name stands alone there is nothing to choose: no need to branch.
        while start < size:
            found = self.names_at(start, above)
            if len(found) != 1 or found[0][2] > SHORT:
                self._branch(start, above, score, tokens, found)
                return self.chains
            end, node, quality = found[0]
            if levels[node] == 4 and above != ROOT and levels[above] == 2:
                self._branch(start, above, score, tokens, found)  # what looks like a town may be a zone of the city
                return self.chains
            tokens += (Token(start, end, node, quality),)
            score += self.gain(start, end, node, quality, above)
            start, above = end, node
        return [Chain(score, tokens)] if tokens else []

    def step(self, start: int, above: int, score: float, tokens: tuple[Token, ...]) -> None:
        """Go on from `start` below `above`; where nothing follows, the chain is one of the results."""
        self._branch(start, above, score, tokens, self.names_at(start, above) if start < len(self.text) else [])

    def _branch(self, start: int, above: int, score: float, tokens: tuple[Token, ...], found: Found) -> None:
        if tokens and start < len(self.text) and self._zoned(above) and self._zone(start, above, score, tokens, found):
            return
        for end, node, quality in found:
            self.step(
                end,
                node,
                score + self.gain(start, end, node, quality, above),
                (*tokens, Token(start, end, node, quality)),
            )
        if tokens and tokens[-1].quality != DOUBTFUL:
            self.keep(Chain(score, tokens))

    def gain(self, start: int, end: int, node: int, quality: int, above: int) -> float:
        """What a name adds to the score of a chain."""
        gain = 10.0 * (end - start) - _COST[quality]
        if above == ROOT:
            return gain
        if node == above:
            return gain - _REPEATED
        levels = self.index.levels
        level = levels[node]
        if level == 5:
            return gain - _SKIPPED_TOWN if levels[above] == 3 else gain
        return gain - _SKIPPED_COUNTY if level == 4 and levels[above] < 3 else gain

    def _zoned(self, above: int) -> bool:
        """Zones hang on cities and on the four municipalities."""
        if self.index.levels[above] == 2:
            return not self.index.holds_towns(above)
        return above in self.index.municipalities

    def _zone(self, start: int, above: int, score: float, tokens: tuple[Token, ...], found: Found) -> bool:
        """A zone without a code holds the chain at its city; only an official name behind it leads deeper.

        Town codes from 400 on are zones and farms themselves, which say nothing of the county.
        """
        levels = self.index.levels
        if any(levels[node] <= 3 for _, node, _ in found):
            return False
        word = zone_word(self.text, start)
        if not word:
            return False
        token = Token(start, word[0], above, ZONE)
        score += 6.0 * (word[0] - start) - _COST[ZONE]
        self.keep(Chain(score, (*tokens, token)))
        for end, node, quality in self.names_at(word[0], above) if word[0] < len(self.text) else ():
            if quality == FULL and node != above and self.index.codes[node] // 1000 % 1000 < 400:
                gain = self.gain(word[0], end, node, quality, above)
                self.step(end, node, score + gain, (*tokens, token, Token(word[0], end, node, quality)))
        return True

    def keep(self, chain: Chain) -> None:
        """Add a finished chain if it is as good as the best so far."""
        if chain.score > self.best:
            self.best, self.chains = chain.score, [chain]
        elif chain.score == self.best:
            self.chains.append(chain)

    def names_at(self, start: int, above: int) -> Found:
        """(end, division, quality) of the names at a position below a division, longest first.

        A name that is official, unambiguous and longest stands alone: nothing else is worth trying.
        """
        index = self.index
        low, high = -1, _NO_LIMIT
        scope = index.scopes.get(above)
        if scope is None:
            if index.levels[above] != 4:
                return []
            low, high = above, index.ends[above]
            scope = index.scopes[index.parents[above]]
        matches = list(index.trie.iter_prefixes_with_ids(scope + self.text[start : start + _LONGEST]))
        found: Found = []
        if not matches:
            return found
        starts, posts, levels = index.starts, index.posts, index.levels
        matches.reverse()
        for key, number in matches:
            end = start + len(key) - 1
            first, last = starts[number], starts[number + 1]
            single = last - first == 1 and not found
            for at in range(first, last):
                post = posts[at]
                node = post >> 4
                if low < node < high:
                    quality = post & 15
                    if single and quality <= SHORT and (low > 0 or levels[node] < 5) and self._alone(start, end, node):
                        return [(end, node, quality)]
                    self._accept(found, end, node, quality)
        return found

    def _alone(self, start: int, end: int, node: int) -> bool:
        """青岛市 + 北海伦路 may be 青岛 + 市北: then the official name does not stand alone."""
        if self.text[end : end + 1] in _AFTER_CITY:
            return end - start > 2 and self.index.levels[node] != 2
        return end - start > 2 and not (self.index.levels[node] == 5 and _COMMITTEE.match(self.text, end))

    def _accept(self, found: Found, end: int, node: int, quality: int) -> None:
        """Add a name if it can stand here, with the suffix that follows it."""
        level = self.index.levels[node]
        text = self.text
        if quality == STEM:
            match = SUFFIX[level].match(text, end)
            if match and not any(other == node for _, other, _ in found):
                found.append((match.end(), node, OTHER))
            if (
                match
                or (_BUILDING if level > 3 else _ROAD).match(text, end)
                or (level == 5 and not _AFTER_VILLAGE.match(text, end))
            ):
                quality = DOUBTFUL
            if level > 3 and text[end : end + 1] in (_COUNTY_END if level == 4 else _TOWN_END):
                return
        elif level == 5 and (match := _COMMITTEE.match(text, end)):
            end = match.end()
        elif quality == ABBREVIATION and end >= len(text):
            return
        found.append((end, node, quality))
