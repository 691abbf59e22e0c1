"""One spelling for everything that a list or a traveller may write: the first step of every comparison.

`fold` maps full-width, traditional, Kangxi and compatibility characters to plain ones, drops spaces and zero-width
characters, upper-cases letters, and brings separators, brackets and dashes to one each (``、`` ``(`` ``)`` ``-``).
`numerals` then writes Chinese numerals as digits where a unit of an address follows (三号楼 → 3号楼), and nowhere else:
五一路 and 四季花园 are names.
"""

import re
import unicodedata

import zhconv

# CJK radicals that NFKC leaves alone although lists contain them for the ordinary character.
_PAIRS = (
    "⻄西⻃西⻅见⻆角⻉贝⻋车⻓长⻑长⻒长⻔门⻘青⻙韦⻚页⻛风⻜飞⻝食⻟食"
    "⻢马⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻬齐⻮齿⻰龙⻳龟⺟母⺠民⺩王⺼肉⻁虎⻂衣⻗雨"
)
_RADICALS = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_SEPARATORS = set(",，、;；。.．｡､|/\\／\n\t")
_OPEN = set("([{（［【〔「『《〈<")
_CLOSE = set(")]}）］】〕」』》〉>")
_DASHES = set("-－—–―‐‑‒−﹣─﹘")
_WAVES = set("~～〜∼")
_KEEP = set("#")


def _one(char: str) -> str:
    """The folded form of one character, empty if it carries nothing."""
    char = _RADICALS.get(char, char)
    parts = unicodedata.normalize("NFKC", char)
    if len(parts) > 1:
        parts = parts.strip(".()")  # ⒉ and ⑵ are a 2, without the dot and the brackets of an enumeration
    return "".join(_plain(part) for part in parts)


def _plain(char: str) -> str:  # one table of cases, read from the top
    if char in _SEPARATORS:
        return "、"
    if char in _OPEN:
        return "("
    if char in _CLOSE:
        return ")"
    if char in _DASHES:
        return "-"
    if char in _WAVES:
        return "~"
    if char in _KEEP or not char.isalnum():
        return char if char in _KEEP else ""
    if char.isascii():
        return char.upper()
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    simple: str = zhconv.convert(char, "zh-hans")
    return simple.upper()


class _Table(dict[int, str]):
    """Characters folded once each, on first sight. Two threads that meet the same new one write the same value."""

    def __missing__(self, point: int) -> str:
        value = _one(chr(point))
        if len(self) < 70_000:  # all of the basic plane; a flood of rare characters must not grow it without end
            self[point] = value
        return value


_TABLE = _Table()


def fold(text: str) -> str:
    """The plain spelling of a text; never raises, whatever the characters."""
    return text.translate(_TABLE)


_CN = "零〇一二三四五六七八九十百两"
_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_BEFORE = (
    r"(?=(?:[、至到~\-][零〇一二三四五六七八九十百两]+)*"
    r"(?:号(?!线|小区|公馆)|栋|幢|座|单元|期|组|小组|村民小组|队|社(?!区|会|保)|巷|弄|胡同|条|横|排|楼(?!社区|村|镇|乡|街)|层|区(?!街|社)|片|门(?!市|诊|口|头)|网格|室|户|梯|#))"
)
_NUMERAL = re.compile(rf"[{_CN}]+{_BEFORE}")
_AFTER_SUB = re.compile(rf"(?<=[号\d])(之|附)([{_CN}]+)")


def _value(numeral: str) -> str:
    """四百零三 → 403, 二十四 → 24, 一二 → 12 (digit by digit, as people write room numbers)."""
    if not any(c in "十百" for c in numeral):
        if len(numeral) == 2 and _DIGIT[numeral[1]] == _DIGIT[numeral[0]] + 1 and numeral[0] != "〇":
            return f"{_DIGIT[numeral[0]]}+{_DIGIT[numeral[1]]}"  # 一二期 names two phases
        return "".join(str(_DIGIT[c]) for c in numeral)
    total, current = 0, 0
    for c in numeral:
        if c == "百":
            total += (current or 1) * 100
            current = 0
        elif c == "十":
            total += (current or 1) * 10
            current = 0
        else:
            current = _DIGIT[c]
    return str(total + current)


# Units of an address typed by ear or in the wrong order, where only a unit can stand.
_UNIT_SLIP = re.compile(
    r"(?<=\d)(?:(?P<building>[浩耗毫好豪]楼|号[搂喽娄漏篓]|楼号)|(?P<unit>[单丹担][园员圆源原远]|[丹担]元|元单)"
    r"|(?P<block>[动冻洞懂](?=\d|$|、))|(?P<tower>[床撞状](?=\d|$|、)))"
)
_UNITS = {"building": "号楼", "unit": "单元", "block": "栋", "tower": "幢"}
_ANY_NUMERAL = re.compile(rf"[{_CN}]")


def numerals(text: str) -> str:
    """Chinese numerals before a unit of an address as digits, and slips in the unit put right; `text` is folded."""
    if _ANY_NUMERAL.search(text):
        text = _NUMERAL.sub(lambda m: _value(m.group()), text)
        text = _AFTER_SUB.sub(lambda m: m.group(1) + _value(m.group(2)), text)
    return _UNIT_SLIP.sub(lambda m: _UNITS[m.lastgroup or ""], text)
