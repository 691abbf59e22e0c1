"""Type-ahead over the tree: Chinese names from their start or middle, pinyin, initials, and a parent joined to its child."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice

from checkpoint.regions.folding import fold
from checkpoint.regions.hints import hint_keys
from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.places import Suggestion
from checkpoint.regions.resolver import default_index
from checkpoint.regions.romanised import LatinWalker
from checkpoint.regions.walker import Walker

_MOST_KEYS = (0, 100, 600, 2000, 3000, 2000)
_ENOUGH = 4
_MOST_FOUND = 400
_LONGEST_QUERY = 40
# Up to here it is faster to look at every division of a range than at every key.
_SMALL_RANGE = 1500

Range = tuple[int, int]


def suggest(
    q: str, limit: int = 10, within: str | None = None, *, index: RegionIndex | None = None
) -> list[Suggestion]:
    """Up to `limit` divisions that a person who has typed `q` may mean: exact names first, then larger ones, then shorter names.

    `within` is a code (12 digits, or a prefix of one). An empty query gives nothing.
    """
    opened = index or default_index()
    query = fold(q[:_LONGEST_QUERY], opened.fold_map, opened.changes).text
    if not query or limit < 1 or (within and not within.isdigit()):
        return []
    span = opened.range_of(within) if within else (0, len(opened))
    nodes: dict[int, None] = dict.fromkeys(_by_prefix(opened, query, span, limit))
    if len(nodes) < limit:
        nodes |= dict.fromkeys(_joined(opened, query, span, limit))
    if len(nodes) < limit and len(query) > 1 and not query.isascii():
        nodes |= dict.fromkeys(opened.find_in_names(query, *span, _MOST_FOUND))
    return [_suggestion(opened, node) for node in islice(nodes, limit)]


def _suggestion(index: RegionIndex, node: int) -> Suggestion:
    return Suggestion(index.code(node), index.name_of(node), index.full_name_of(node), index.levels[node])


def _posts(index: RegionIndex, number: int, span: Range) -> list[int]:
    """The divisions of one key in a range of numbers. Posts are in order, so the ends are found by halving."""
    first, last = index.hint_starts[number], index.hint_starts[number + 1]
    posts, (low, high) = index.hint_posts, span
    at = bisect_left(posts, low << 4, first, last)
    found = []
    while at < last and posts[at] >> 4 < high:
        found.append(posts[at] >> 4)
        at += 1
    return found


def _by_prefix(index: RegionIndex, query: str, span: Range, limit: int) -> list[int]:
    """Divisions with a key that starts with the query: whole keys of any level first, then by level and length."""
    if span[1] - span[0] <= _SMALL_RANGE:
        return _by_looking(index, query, span)
    exact: list[int] = []
    longer: list[int] = []
    for level in range(1, 6):
        number = index.hint_trie.get(f"{level}{query}")
        if number is not None:
            exact.extend(_posts(index, number, span)[:_MOST_FOUND])
    for level in range(1, 6):
        if len(longer) < limit:
            longer.extend(_level(index, level, query, span, limit))
    return list(dict.fromkeys(exact[:limit] + longer))


def _by_looking(index: RegionIndex, query: str, span: Range) -> list[int]:
    sounds, levels = index.sound_table(), index.levels
    ranked = []
    for node in range(*span):
        level = levels[node]
        lengths = [
            len(key)
            for key in hint_keys(index.name_of(node), level, index.fold_map, sounds, phrases=False)
            if key.startswith(query, 1)
        ]
        if lengths:
            ranked.append((min(lengths) > len(query) + 1, level, min(lengths), node))
    return [entry[-1] for entry in sorted(ranked)]


def _level(index: RegionIndex, level: int, query: str, span: Range, limit: int) -> Iterator[int]:
    keys = list(islice(index.hint_trie.iterkeys(f"{level}{query}"), _MOST_KEYS[level]))
    keys.sort(key=lambda key: (len(key), key))
    found = 0
    for key in keys:
        for node in _posts(index, index.hint_trie[key], span):
            yield node
            found += 1
            if found >= limit * _ENOUGH:
                return


def _joined(index: RegionIndex, query: str, span: Range, limit: int) -> Iterator[int]:
    """平湖当湖, jiaxingpinghu, jxph: what the start of the query names, and within it what the rest starts."""
    walker = LatinWalker(index, query) if query.isascii() else Walker(index, query)
    for chain in walker.read(0, ROOT):
        inside = (max(span[0], chain.node), min(span[1], index.ends[chain.node]))
        if chain.end == len(query):
            if span[0] <= chain.node < span[1]:
                yield chain.node
        elif inside[0] < inside[1]:
            yield from _by_prefix(index, query[chain.end :], inside, limit)
    if not query.isascii():
        yield from _joined_towns(index, query, span)
    elif 3 <= len(query) <= 8:
        yield from _joined_initials(index, query, span, limit)


def _joined_towns(index: RegionIndex, query: str, span: Range) -> Iterator[int]:
    """A town that stands without its county, and a village of it: 新仓石路."""
    for cut in range(len(query) - 1, 1, -1):
        for key in islice(index.hint_trie.iterkeys(f"4{query[:cut]}"), 20):
            for node in _posts(index, index.hint_trie[key], span)[:20]:
                yield from _by_looking(index, query[cut:], (node + 1, index.ends[node]))


def _joined_initials(index: RegionIndex, query: str, span: Range, limit: int) -> Iterator[int]:
    """The initials of a parent's stem and of a child: jxph is 嘉兴 平湖, phdh is 平湖 当湖."""
    everything = (0, len(index))
    for cut in range(len(query) - 1, 0, -1):
        parents = set()
        for level in (1, 2, 3):
            for key in islice(index.hint_trie.iterkeys(f"{level}{query[:cut]}"), 200):
                if len(key) <= cut + 3 and key.isascii():
                    parents.update(_posts(index, index.hint_trie[key], everything))
        if not parents:
            continue
        found = 0
        for level in (2, 3, 4):
            for node in _level(index, level, query[cut:], span, 500):
                if not parents.isdisjoint(index.chain(node)[:-1]):
                    yield node
                    found += 1
                    if found >= limit:
                        return
