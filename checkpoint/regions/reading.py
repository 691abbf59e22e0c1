"""Which reading of a folded text is taken: exact first, then from its end when it is written backwards, then forgiving."""

import re
from typing import NamedTuple

from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.loose import LooseWalker
from checkpoint.regions.names import ABBREVIATION, FULL, OTHER, SHORT, STEM
from checkpoint.regions.walker import FOREIGN, FUZZY, MISSHAPEN, Chain, Walker

INTRODUCTION = re.compile(
    r"(?:来自于?|户籍(?:所在)?地?|现居住地?|现住址?|居住地?|家庭住址|住址|地址|籍贯|家住|住在|中华人民共和国|中国|我国|从(?!化|江(?![苏西])))+"
)
_FOREIGN_COUNTRY = re.compile(
    r"(?:日本|韩国|朝鲜(?!族)|美国|英国|法国|德国|俄罗斯|加拿大|澳大利亚|新西兰|新加坡|马来西亚|泰国|越南|老挝|柬埔寨|缅甸|菲律宾|印度|印尼|印度尼西亚|"
    r"巴基斯坦|尼泊尔|蒙古国|哈萨克斯坦|意大利|西班牙|葡萄牙|荷兰|瑞士|瑞典|巴西|阿根廷|墨西哥|埃及|南非|土耳其|乌克兰|迪拜|阿联酋)"
)
# 社区 is often misspelt, so another 区 counts too where it is not part of an estate's name.
_DEEPER = re.compile(
    r"(?:街道|道街|[镇乡村]|社区|苏木|办事处|居委会|嘎查|[^小园东西南北新一二三四五六七八九十中校厂山城a-z]区(?:\d|$))"
)
_LOOK_AHEAD = 12


class Reading(NamedTuple):
    """The chains taken, best first; `order` maps positions of the text that was read to those of the folded text."""

    chains: list[Chain]
    conflict: bool
    order: list[int] | None


NOTHING = Reading([], False, None)


def read(index: RegionIndex, text: str, above: int = ROOT) -> Reading:
    """Read a folded text below a numbered division."""
    match = INTRODUCTION.match(text)
    start = match.end() if match else 0
    if _FOREIGN_COUNTRY.match(text, start):
        return NOTHING
    chains = Walker(index, text).read(start, above)
    if chains and _satisfied(index, text, chains):
        return Reading(chains, False, None)
    if turned := _turn(index, text, start, chains):
        reordered, order, _ = turned
        reading = read_forward(index, reordered, 0, above, Walker(index, reordered).read(0, above))
        if turned[2] or (reading.chains and reading.chains[0].end == len(text)):
            return Reading(reading.chains, reading.conflict, order)
    return read_forward(index, text, start, above, chains)


def _satisfied(index: RegionIndex, text: str, chains: list[Chain]) -> bool:
    """Whether an exact reading leaves nothing that looks like another division."""
    chain = chains[0]
    end = chain.end
    if end == len(text):
        return True
    levels = index.levels
    if levels[chain.tokens[0].node] > 3:
        return False
    level = levels[chain.node]
    if level == 5:
        return True
    sure = chain.tokens[-1].quality <= SHORT or len(chain.tokens) > 2
    return level == 4 and sure and not _DEEPER.search(text, end, end + _LOOK_AHEAD)


def _firm(index: RegionIndex, text: str, chain: Chain) -> Chain | None:
    """The part of a chain that a forgiving reading need not doubt.

    It ends in a county or town written with its suffix, in a stem that more names follow, or in the third name or later if nothing
    behind it looks like another division.
    """
    tokens = chain.tokens
    last = len(tokens) - 1
    vague = _DEEPER.search(text, chain.end, chain.end + _LOOK_AHEAD) is not None
    for at in range(last, -1, -1):
        level, quality = index.levels[tokens[at].node], tokens[at].quality
        if level > 2 and (
            quality <= SHORT or (level == 3 and quality in (STEM, OTHER) and (at < last or (at > 1 and not vague)))
        ):
            return chain if at == last else Chain(chain.score - 10.0 * (chain.end - tokens[at].end), tokens[: at + 1])
    return None


def read_forward(index: RegionIndex, text: str, start: int, above: int, chains: list[Chain]) -> Reading:
    """The forgiving reading, kept only where it says more than the exact one."""
    walker = LooseWalker(index, text)
    seeds = [firm for chain in chains if (firm := _firm(index, text, chain)) and index.levels[chain.tokens[0].node] < 4]
    loose = walker.resume(list(dict.fromkeys(seeds))) if seeds else walker.read(start, above)
    if not loose or not _trustworthy(loose[0]):
        return Reading(_usable(chains), False, None)
    conflict = any(token.quality == FOREIGN for token in loose[0].tokens)
    return Reading(_usable(loose), conflict, None)


def _usable(chains: list[Chain]) -> list[Chain]:
    """A province's one-character name alone says nothing."""
    return [chain for chain in chains if len(chain.tokens) > 1 or chain.tokens[0].quality != ABBREVIATION]


def _trustworthy(chain: Chain) -> bool:
    """Whether enough of a chain was read exactly: one misspelt name alone must be long."""
    misspelt = [token for token in chain.tokens if token.quality in (FUZZY, MISSHAPEN)]
    if any(token not in misspelt and token.quality != ABBREVIATION for token in chain.tokens):
        return True
    return any(token.end - token.start > 2 for token in misspelt)


_BACKWARD_END = re.compile(r"[省市区州盟县旗]$")


def _turn(index: RegionIndex, text: str, start: int, chains: list[Chain]) -> tuple[str, list[int], bool] | None:
    """A text that ends in its province, city or county, put in order: the new text, where each character stood, whether it is sure.

    A county alone at the end is sure only if the rest of the text lies in it.
    """
    if not _BACKWARD_END.search(text) or (chains and chains[0].end == len(text)):
        return None
    cuts, levels = [len(text)], [4]
    while len(cuts) < 4 and (unit := _ends_with(index, text, start, cuts[-1], levels[-1] if len(cuts) > 1 else 0)):
        cuts.append(cuts[-1] - unit[0])
        levels.append(unit[1])
    if len(cuts) < 2 or (cuts[-1] == start == 0 and len(cuts) == 2):
        return None
    if levels[1] == 3 and chains and index.levels[chains[0].tokens[0].node] < 4:
        return None
    order: list[int] = []
    for low, high in zip(cuts[1:], cuts[:-1], strict=True):
        order.extend(range(low, high))
    order.extend(range(start, cuts[-1]))
    return "".join(text[at] for at in order), order, levels[1] < 3 or len(cuts) > 2


def _ends_with(index: RegionIndex, text: str, start: int, end: int, above_level: int) -> tuple[int, int] | None:
    """Length and level of the longest official name of a province, city or county that ends at a position."""
    for size in range(min(15, end - start), 1, -1):
        for stop, node, quality in Walker(index, text[end - size : end]).names_at(0, ROOT):
            level = index.levels[node]
            if stop == size and quality == FULL and above_level < level < 4 and (size > 2 or above_level):
                return size, level
    return None
