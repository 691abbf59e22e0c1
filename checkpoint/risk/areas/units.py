"""Numbered parts of an address (3号楼, 1-5号楼, 东区, 二期, 11组) as kinds and sets of values.

A kind is one letter: B building, U unit or staircase, G group of a village, W grid, P phase, Z zone or half of an estate,
H house number, L lane or row, F floor, R room, Y 楼 alone (a building or a floor), and ``?`` a bare number.
A number that differs is never the same place, so values are compared exactly; only the way of writing them is folded.
"""

import re
from dataclasses import dataclass

# Kind, its words, and what may not follow a word for it to be one (门 in 三门市 is none).
_UNIT_KINDS: tuple[tuple[str, str, str], ...] = (
    (
        "B",
        "号居民楼 号住宅楼 号公寓楼 号宿舍楼 号家属楼 号商住楼 号住宅 号大楼 号楼宇 号楼栋 号楼 号栋楼 号栋 号幢楼 号幢 号座",
        "",
    ),
    ("B", r"\#楼 \#栋 \# 栋楼 栋 幢楼 幢 座 号馆 馆", ""),
    ("U", "号单元 单元门 单元 号门洞 门洞 号楼道 号门 梯", ""),
    ("U", "门", "市|诊|口|头|面|卫|店|岗"),
    ("W", "号网格 网格", ""),
    ("G", "村民小组 居民小组 村民组 居民组 小组 号组 组 生产队 大队 队", ""),
    ("G", "社", "区|会|保|康|工"),
    ("P", "期", ""),
    ("Z", "号片区 片区 组团 号院区 片", ""),
    ("Z", "区", "域|间|委|政"),
    ("L", "号巷 号胡同 号弄 横巷 里弄 巷 弄 胡同 号排 排", ""),
    ("L", "条", "街|路"),
    ("L", "横", r"[^\d]"),
    ("H", "号大院 号院 号院子 号宅 号房 号商铺 号铺 号店", ""),
    ("H", "号", "线|桥|公路(?!局|段)|国道|文件|地|码头|小区|公馆"),
    ("F", "号层 层", ""),
    ("Y", "楼", "社区|村|镇|乡|街"),
    ("R", "号室 室 户 房 铺 商铺", ""),
)
_ALL = sorted(
    ((word, kind, bar) for kind, words, bar in _UNIT_KINDS for word in words.split()), key=lambda item: -len(item[0])
)
UNIT = "|".join(f"{word}(?!{bar})" if bar else word for word, _, bar in _ALL)
_PLAIN = {word.replace("\\", ""): kind for word, kind, _ in _ALL}

# Which kinds may stand for each other. Every pair holds both ways.
_SAME = {
    ("B", "Y"),
    ("B", "H"),
    ("F", "Y"),
    ("B", "?"),
    ("H", "?"),
    ("U", "?"),
    ("R", "?"),
    ("Y", "?"),
    ("G", "?"),
    ("L", "?"),
    ("R", "H"),
}


def kind_of(unit: str) -> str:
    """The kind of a unit word as matched by `UNIT`; ``?`` for none."""
    return _PLAIN.get(unit, "?")


def compatible(a: str, b: str) -> bool:
    """Whether numbers of these two kinds may mean the same thing."""
    return a == b or (a, b) in _SAME or (b, a) in _SAME


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high` (both belong to it) with a prefix such as A, every `step`-th of them."""

    prefix: str
    low: int
    high: int
    step: int

    def holds(self, other: "Span") -> bool:
        """Whether every number of `other` is one of these."""
        if (
            self.prefix == f"{other.low}-" and not other.prefix
        ):  # 9-75号楼 among 9-70 to 9-84: no range, a compound number
            return self.low <= other.high <= self.high
        if self.prefix != other.prefix or other.low < self.low or other.high > self.high:
            return False
        if self.step == 1:
            return True
        aligned = (other.low - self.low) % self.step == 0
        return aligned and (other.low == other.high or other.step % self.step == 0)


Value = str | Span


@dataclass(frozen=True, slots=True)
class Num:
    """One numbered part: its kind and the values it covers."""

    kind: str
    values: tuple[Value, ...]

    def holds(self, other: "Num") -> bool:
        """Whether all that `other` names is covered, kinds apart."""
        return all(any(_holds(mine, theirs) for mine in self.values) for theirs in other.values)


def _holds(mine: Value, theirs: Value) -> bool:
    if isinstance(mine, str):
        return mine == theirs
    if isinstance(theirs, str):
        single = _as_span(theirs)
        return single is not None and mine.holds(single)
    return mine.holds(theirs)


_SPLIT = re.compile(r"([^\d]*)(\d{1,9})")


def _as_span(value: str) -> Span | None:
    match = _SPLIT.fullmatch(value)
    if match is None:
        return None
    number = int(match.group(2))
    return Span(match.group(1), number, number, 1)


_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def tidy(raw: str) -> str:
    """The value as compared: no leading zeros, no 第, 之 for 附 inside."""
    return _ZEROS.sub("", raw.removeprefix("第").replace("附", "之"))


def span(low: str, high: str, kind: str) -> Value | None:
    """The span between two written ends, None if they make none (7-1号, A2-1栋).

    Source of the parity rule: a range of house numbers whose ends are both odd or both even is one side of the street.
    """
    first, last = _as_span(tidy(low)), _as_span(tidy(high))
    if first is None or last is None:
        return None
    prefix = first.prefix
    if last.prefix not in ("", prefix) or first.low >= last.low:
        return None
    one_side = kind == "H" and first.low % 2 == last.low % 2
    return Span(prefix, first.low, last.low, 2 if one_side else 1)


def sided(value: Value, odd: bool) -> Value:
    """A span narrowed to its odd (单号) or even (双号) numbers."""
    if isinstance(value, str):
        return value
    low = value.low if value.low % 2 == odd else value.low + 1
    high = value.high if value.high % 2 == odd else value.high - 1
    return Span(value.prefix, low, max(low, high), 2)
