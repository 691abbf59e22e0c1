"""From the readings of a text to its resolution: what is certain, what may be meant, what contradicts."""

from checkpoint.regions.folding import Folded
from checkpoint.regions.index import RegionIndex
from checkpoint.regions.places import Resolution, Span
from checkpoint.regions.reading import Reading
from checkpoint.regions.walker import FOREIGN, HOW, Chain, Token

_PUNCTUATION = " ,，、。.>/|;；-_—:：\u3000\t"
_CONFIDENCE = (1.0, 0.98, 0.95, 0.9, 0.93, 0.9, 0.93, 0.8, 0.5, 0.95, 0.6)


def answer(index: RegionIndex, text: str, folded: Folded, reading: Reading) -> Resolution:
    """The resolution of a text by its reading, which has at least one chain."""
    chain = reading.chains[0]
    if len(reading.chains) == 1 and not reading.conflict and index.levels[chain.node] != 2:
        rest = text[_origin(folded, reading, chain.end, len(text)) :]
        code = index.code(chain.node)
        return Resolution(
            code,
            index.levels[chain.node],
            _confidence(chain.tokens),
            (),
            False,
            _spans(index, text, folded, reading, chain),
            rest.lstrip(_PUNCTUATION) if rest else "",
        )
    nodes = list(dict.fromkeys(c.node for c in reading.chains))
    spans = _spans(index, text, folded, reading, chain)
    rest = text[_origin(folded, reading, chain.end, len(text)) :].lstrip(_PUNCTUATION)
    if reading.conflict:
        stated = [token.node for token in chain.tokens if token.quality != FOREIGN]
        before = max((t.node for t in chain.tokens[: _foreign_at(chain)]), default=stated[0])
        codes = dict.fromkeys([index.code(n) for n in nodes] + [index.code(before)])
        return Resolution(None, None, 0.0, tuple(codes), True, spans, rest)
    if len(nodes) == 1:
        node = _only_child(index, nodes[0])
        return Resolution(index.code(node), index.levels[node], _confidence(chain.tokens), (), False, spans, rest)
    return _several(index, nodes, chain, spans, rest)


def _several(index: RegionIndex, nodes: list[int], chain: Chain, spans: tuple[Span, ...], rest: str) -> Resolution:
    """Equal readings: the one that holds the others, or the county that holds them all with the candidates, or candidates."""
    holder = _container(index, nodes)
    if holder in nodes:
        holder = _only_child(index, holder)
        return Resolution(
            index.code(holder), index.levels[holder], _confidence(chain.tokens) * 0.9, (), False, spans, rest
        )
    candidates = tuple(index.code(n) for n in sorted(nodes, key=lambda n: (index.levels[n], n)))
    if holder is None or index.levels[holder] < 3:
        return Resolution(None, None, 0.0, candidates, False, spans, rest)
    kept = tuple(span for span, token in zip(spans, chain.tokens, strict=True) if token.node <= holder)
    return Resolution(index.code(holder), index.levels[holder], 0.6, candidates, False, kept, rest)


def _foreign_at(chain: Chain) -> int:
    return next(at for at, token in enumerate(chain.tokens) if token.quality == FOREIGN)


def _only_child(index: RegionIndex, node: int) -> int:
    """A city with one county is that county (嘉峪关)."""
    if index.levels[node] != 2:
        return node
    below = index.children_of(node)
    return below[0] if len(below) == 1 and index.levels[below[0]] == 3 else node


def _confidence(tokens: tuple[Token, ...]) -> float:
    confidence = 1.0
    for token in tokens:
        confidence *= _CONFIDENCE[token.quality]
    return round(confidence, 4)


def _origin(folded: Folded, reading: Reading, position: int, length: int) -> int:
    if reading.order is not None:
        position = reading.order[position] if position < len(reading.order) else len(folded.text)
    return folded.origin(position, length)


def _spans(index: RegionIndex, text: str, folded: Folded, reading: Reading, chain: Chain) -> tuple[Span, ...]:
    length = len(text)
    code = index.code
    if reading.order is None and folded.offsets is None:
        return tuple([Span(start, end, code(node), HOW[quality]) for start, end, node, quality in chain.tokens])
    spans = [
        Span(
            _origin(folded, reading, start, length),
            _origin(folded, reading, end - 1, length) + 1,
            code(node),
            HOW[quality],
        )
        for start, end, node, quality in chain.tokens
    ]
    return tuple(sorted(spans))


def _container(index: RegionIndex, nodes: list[int]) -> int | None:
    """The deepest division that holds all of some."""
    common = None
    for level in zip(*(index.chain(node) for node in nodes), strict=False):
        if len(set(level)) > 1:
            break
        common = level[0]
    return common
