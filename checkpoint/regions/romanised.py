"""Names in Latin letters: pinyin with or without tones and spaces, English words for the levels, either order.

The index holds the pinyin of every province, city, county and town in the same scopes as their Chinese names, so a romanised
text is read by the same walk.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from checkpoint.regions import names
from checkpoint.regions.folding import Folded
from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.names import ABBREVIATION, OTHER, SHORT, STEM
from checkpoint.regions.walker import DOUBTFUL, Chain, Found, Walker

# Names that are read otherwise than their characters are in other words.
_READ = {
    "六安": "lu an",
    "铅山": "yan shan",
    "浚县": "xun xian",
    "台州": "tai zhou",
    "丽水": "li shui",
    "大埔": "da bu",
    "番禺": "pan yu",
    "东莞": "dong guan",
    "蔚县": "yu xian",
    "井陉": "jing xing",
    "乐亭": "lao ting",
    "涡阳": "guo yang",
    "歙县": "she xian",
    "枞阳": "zong yang",
    "莘县": "shen xian",
    "单县": "shan xian",
    "长子": "zhang zi",
    "洪洞": "hong tong",
    "繁峙": "fan shi",
    "尉氏": "wei shi",
    "中牟": "zhong mu",
    "睢县": "sui xian",
    "泌阳": "bi yang",
    "郏县": "jia xian",
    "监利": "jian li",
    "黄陂": "huang pi",
    "耒阳": "lei yang",
    "汨罗": "mi luo",
    "重庆": "chong qing",
    "綦江": "qi jiang",
    "犍为": "qian wei",
    "荥经": "ying jing",
    "荥阳": "xing yang",
    "会理": "hui li",
    "会昌": "hui chang",
    "会泽": "hui ze",
    "会宁": "hui ning",
    "会同": "hui tong",
    "尉犁": "yu li",
    "焉耆": "yan qi",
    "陕西": "shaan xi",
    "陕州": "shan zhou",
    "厦门": "xia men",
    "洪泽": "hong ze",
    "郯城": "tan cheng",
    "莒县": "ju xian",
    "曲阜": "qu fu",
    "曲靖": "qu jing",
    "曲阳": "qu yang",
    "曲沃": "qu wo",
    "句容": "ju rong",
    "邗江": "han jiang",
    "宿州": "su zhou",
    "宿松": "su song",
    "宿迁": "su qian",
    "亳州": "bo zhou",
    "盱眙": "xu yi",
    "柏乡": "bai xiang",
    "任县": "ren xian",
    "任丘": "ren qiu",
    "任城": "ren cheng",
    "华县": "hua xian",
    "朝阳": "chao yang",
    "长沙": "chang sha",
    "长春": "chang chun",
    "都匀": "du yun",
    "都昌": "du chang",
    "乐清": "yue qing",
    "乐平": "le ping",
    "乐山": "le shan",
    "石柱": "shi zhu",
    "莎车": "sha che",
    "库车": "ku che",
    "奇台": "qi tai",
    "三台": "san tai",
    "天台": "tian tai",
    "盖州": "gai zhou",
    "嵊泗": "sheng si",
    "阿坝": "a ba",
    "阿克苏": "a ke su",
    "澄江": "cheng jiang",
    "呈贡": "cheng gong",
    "勐海": "meng hai",
    "瓮安": "weng an",
    "漯河": "luo he",
    "罗山": "luo shan",
    "藁城": "gao cheng",
    "阳朔": "yang shuo",
    "解州": "xie zhou",
    "侯马": "hou ma",
    "闽侯": "min hou",
    "沈阳": "shen yang",
    "沈丘": "shen qiu",
    "北碚": "bei bei",
    "贾汪": "jia wang",
}
# What foreigners and older documents write.
_WESTERN = {
    "150000000000": "innermongolia neimeng neimongol",
    "540000000000": "tibet",
    "610000000000": "shensi shanxi shanxisheng",
    "810000000000": "hongkong xianggang",
    "820000000000": "macau macao aomen",
    "710000000000": "taiwan",
    "650100000000": "urumqi urumchi",
    "150100000000": "hohhot huhhot",
    "230100000000": "harbin",
    "540100000000": "lhasa",
    "650400000000": "turpan",
    "653100000000": "kashgar",
    "110000000000": "peking",
    "440100000000": "canton",
    "650000000000": "sinkiang",
    "450000000000": "kwangsi",
    "150600000000": "ordos",
}
_ENGLISH = re.compile(
    r"\b(?:p\.?r\.?\s*china|china|province|city|county|district|town(?:ship)?|sub-?district|autonomous|region|prefecture|municipality|"
    r"village|banner|street\s+office)\b"
)
_SUFFIX = {
    1: re.compile(r"(?:sheng|zizhiqu|shi)"),
    2: re.compile(r"(?:zizhizhou|shi|zhou|diqu|meng)"),
    3: re.compile(r"(?:zizhixian|zizhiqi|linqu|xian|shi|qu|qi)"),
    4: re.compile(r"(?:jiedao(?:banshichu)?|zhen|xiang|sumu|banshichu)"),
    5: re.compile(r"(?:cun(?:weihui)?|shequ)"),
}
_LEAST_COVERED = 0.6


def is_latin(folded: str) -> bool:
    """Whether a folded text is in Latin letters throughout (digits do not count)."""
    return folded.isascii() and sum(char.isalpha() for char in folded) > 3


@lru_cache(maxsize=32768)
def _reading(char: str) -> str:
    from pypinyin import Style, lazy_pinyin

    return str(lazy_pinyin(char, style=Style.NORMAL, v_to_u=False)[0])


def pinyin_of(name: str, *, phrases: bool = True) -> Iterator[str]:
    """The joined pinyin of a name without tones, the best reading first; names with ü come as lv, lu and lyu.

    With `phrases` the name is read as words too, which is slow.
    """
    if phrases:
        from pypinyin import Style, lazy_pinyin

        for size in range(min(4, len(name)), 0, -1):
            if name[:size] in _READ and (size > 1 or len(name) < 3):
                yield from _spellings(
                    _READ[name[:size]].split() + lazy_pinyin(name[size:], style=Style.NORMAL, v_to_u=False)
                )
        yield from _spellings(lazy_pinyin(name, style=Style.NORMAL, v_to_u=False))
    # Many programs, and many people, read a name character by character.
    yield from _spellings([_reading(char) for char in name])


def _spellings(read: list[str]) -> Iterator[str]:
    choices = [(s, s.replace("v", "u"), s.replace("v", "yu")) if "v" in s else (s,) for s in read if s.isascii()]
    for combination in product(*choices[:12]):
        yield "".join(combination)


def latin_forms(code: str, name: str, level: int) -> dict[str, int]:
    """The romanised forms of a province, city, county or town with the quality of each."""
    forms: dict[str, int] = {}
    for form, quality in names.forms_of(code, name, level).items():
        if quality != ABBREVIATION and len(form) > 1:
            for at, latin in enumerate(pinyin_of(form, phrases=level < 4)):
                its = quality if at == 0 else max(quality, SHORT) if quality < STEM else OTHER
                forms[latin] = min(its, forms.get(latin, its))
    for western in _WESTERN.get(code, "").split():
        forms.setdefault(western, OTHER)
    return forms


def latin_texts(text: str) -> list[Folded]:
    """A romanised text as it stands and, when commas part it, backwards: joined letters and where each came from."""
    plain = "".join(_plain_letter(char) for char in text)
    plain = _ENGLISH.sub(lambda match: " " * len(match[0]), plain)
    plain = re.sub(r"(?<=[a-z])[1-5](?![0-9])", " ", plain)
    parts, start = [], 0
    for match in re.finditer(r"[,，;；]|$", plain):
        parts.append([at for at in range(start, match.start()) if plain[at].isalnum()])
        start = match.end()
    orders = [parts] if len(parts) < 2 else [parts, parts[::-1]]
    return [
        Folded("".join(plain[at] for part in order for at in part), [at for part in order for at in part])
        for order in orders
    ]


def _plain_letter(char: str) -> str:
    """One character for one: without its tone mark, ü as v."""
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    if decomposed[:1] == "u" and "\u0308" in decomposed:
        return "v"
    return decomposed[:1] if decomposed[:1].isascii() and decomposed[:1].isprintable() else char


class LatinWalker(Walker):
    """A walker over joined pinyin: every way to cut it is tried."""

    __slots__ = ()

    def _alone(self, start: int, end: int, node: int) -> bool:
        return False

    def _accept(self, found: Found, end: int, node: int, quality: int) -> None:
        if quality == STEM and (match := _SUFFIX[self.index.levels[node]].match(self.text, end)):
            if not any(other == node and stop == match.end() for stop, other, _ in found):
                found.append((match.end(), node, OTHER))
            quality = DOUBTFUL if match.end() == len(self.text) else STEM
        found.append((end, node, quality))


def read_latin(index: RegionIndex, text: str, above: int = ROOT) -> tuple[list[Chain], Folded]:
    """The best chains of a romanised text, and the folded text that they speak of. A text mostly unexplained gives none."""
    best: tuple[list[Chain], Folded] = ([], Folded("", []))
    for folded in latin_texts(text):
        chains = LatinWalker(index, folded.text).read(0, above)
        if chains and (not best[0] or chains[0].score > best[0][0].score):
            best = (chains, folded)
    chains, folded = best
    if chains and chains[0].end < _LEAST_COVERED * len(folded.text.rstrip("0123456789")):
        return [], folded
    return best
