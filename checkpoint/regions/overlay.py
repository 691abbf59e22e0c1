"""Aliases that an administrator added, laid over the index: where one stands, it wins over what the index reads there."""

from checkpoint.regions.folding import fold
from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.loose import LooseWalker
from checkpoint.regions.places import AliasBook
from checkpoint.regions.reading import INTRODUCTION, Reading
from checkpoint.regions.walker import ALIAS, Chain, Token, Walker


def folded_aliases(index: RegionIndex, book: AliasBook) -> dict[str, int]:
    """Folded alias → numbered division; aliases of a code that is not in the tree fall out. Made once for a book and an index."""
    known = book.folded.get(id(index))
    if known is None:
        pairs = ((fold(text, index.fold_map, index.changes).text, index.find(code)) for text, code in book)
        known = book.folded[id(index)] = {text: node for text, node in pairs if text and node >= 0}
    return known


def read_alias(index: RegionIndex, text: str, above: int, book: AliasBook) -> Reading | None:
    """The reading of a folded text in which an alias stands at its start or behind names that hold it; None without one."""
    aliases = folded_aliases(index, book)
    match = INTRODUCTION.match(text)
    start = match.end() if match else 0
    seeds = [Chain(0.0, ())]
    for chain in Walker(index, text).read(start, above):
        seeds.extend(Chain(0.0, chain.tokens[:size]) for size in range(1, len(chain.tokens) + 1))
    best: Chain | None = None
    for seed in seeds:
        token = _alias_at(index, text, seed.tokens[-1].end if seed.tokens else start, aliases)
        if token and _fits(index, seed, token, above) and (best is None or _size(token) > _size(best.tokens[-1])):
            best = Chain(10.0 * (token.end - start), (*seed.tokens, token))
    if best is None:
        return None
    return Reading(LooseWalker(index, text).resume([best]), False, None)


def _size(token: Token) -> int:
    return token.end - token.start


def _alias_at(index: RegionIndex, text: str, start: int, aliases: dict[str, int]) -> Token | None:
    for size in range(min(len(text) - start, max(map(len, aliases), default=0)), 0, -1):
        node = aliases.get(text[start : start + size])
        if node is not None:
            return Token(start, start + size, node, ALIAS)
    return None


def _fits(index: RegionIndex, seed: Chain, token: Token, above: int) -> bool:
    outer = seed.tokens[-1].node if seed.tokens else above
    return outer == ROOT or outer <= token.node < index.ends[outer]
