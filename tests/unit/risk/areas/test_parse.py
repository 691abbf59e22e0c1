"""A text as names and numbered parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.risk.areas.fold import fold, numerals
from checkpoint.risk.areas.parse import Name, canonical, elements
from checkpoint.risk.areas.rest import strip_rest
from checkpoint.risk.areas.units import Num, Span, compatible, sided, span


def written(text: str) -> str:
    """The elements in short: names as they are, numbers as kind:value."""
    out = []
    for element in elements(numerals(fold(text))):
        if isinstance(element, Name):
            out.append(element.text)
        else:
            out.append(element.kind + ":" + "+".join(_value(v) for v in element.values))
    return " ".join(out)


def _value(value: str | Span) -> str:
    if isinstance(value, str):
        return value
    return f"{value.prefix}{value.low}..{value.high}" + (f"/{value.step}" if value.step > 1 else "")


ELEMENTS = [
    ("关北街21号楼1单元", "关北街 B:21 U:1"),
    ("锦绣小区3号楼", "锦绣 B:3"),
    ("锦绣小区3栋", "锦绣 B:3"),
    ("锦绣小区3幢", "锦绣 B:3"),
    ("锦绣小区3#楼", "锦绣 B:3"),
    ("锦绣小区3#", "锦绣 B:3"),
    ("锦绣小区3座", "锦绣 B:3"),
    ("锦绣小区三号楼", "锦绣 B:3"),
    ("锦绣小区第三栋", "锦绣 B:3"),
    ("锦绣小区03号楼", "锦绣 B:3"),
    ("锦绣小区Ａ座", "锦绣 B:A"),
    ("锦绣小区A3号楼", "锦绣 B:A3"),
    ("锦绣小区A03栋", "锦绣 B:A3"),
    ("锦绣小区3号楼二单元502室", "锦绣 B:3 U:2 R:502"),
    ("锦绣小区3-1-502", "锦绣 B:3 U:1 R:502"),
    ("锦绣苑6-9", "锦绣苑 B:6 U:9"),
    ("锦绣小区3栋1-104", "锦绣 B:3 U:1 R:104"),
    ("锦绣小区3栋2104", "锦绣 B:3 R:2104"),
    ("锦绣小区1-5号楼", "锦绣 B:1..5"),
    ("锦绣小区1至5号楼", "锦绣 B:1..5"),
    ("锦绣小区1号楼至5号楼", "锦绣 B:1..5"),
    ("锦绣小区1号楼-5号楼", "锦绣 B:1..5"),
    ("锦绣小区A1-A5栋", "锦绣 B:A1..5"),
    ("锦绣小区三至九单元", "锦绣 U:3..9"),
    ("锦绣小区7-1号楼", "锦绣 B:7-1"),
    ("锦绣小区E3-2号楼", "锦绣 B:E3-2"),
    ("锦绣小区9-70号楼到9-84号楼", "锦绣 B:9-70..84"),
    ("中山路12号", "中山路 H:12"),
    ("中山路12-30号", "中山路 H:12..30/2"),
    ("中山路11-29号", "中山路 H:11..29/2"),
    ("中山路12-29号", "中山路 H:12..29"),
    ("中山路58号至116号", "中山路 H:58..116/2"),
    ("中山路16号之二", "中山路 H:16之2"),
    ("中山路10号丙", "中山路 H:10丙"),
    ("中山路附3号", "中山路 附 H:3"),
    ("石路村3组", "石路村 G:3"),
    ("石路村委会三组", "石路村 G:3"),
    ("石路行政村3社", "石路村 G:3"),
    ("石路村第3村民小组", "石路村 G:3"),
    ("石路村2号网格", "石路村 W:2"),
    ("云山社区锦绣小区3号楼", "云山社区 锦绣 B:3"),
    ("云山社区居委会", "云山社区"),
    ("云山居委会", "云山社区"),
    ("锦绣城二期3栋", "锦绣城 P:2 B:3"),
    ("锦绣城Ⅱ期3栋", "锦绣城 P:2 B:3"),
    ("锦绣城一二期3栋", "锦绣城 P:1+2 B:3"),
    ("锦绣城东区3栋", "锦绣城 Z:东 B:3"),
    ("锦绣城A区3栋", "锦绣城 Z:A B:3"),
    ("锦绣城AB区3栋", "锦绣城 Z:A+B B:3"),
    ("新村二区2-9号楼", "新村 Z:2 B:2..9"),
    ("康乐东约十五巷4号", "康乐东约 L:15 H:4"),
    ("康乐东约南11巷横2巷3号", "康乐东约南 L:11 横 L:2 H:3"),
    ("石油路街道", "石油路街道"),
    ("民主街社区同心小组", "民主街社区 同心小组"),
    ("振安街北社区", "振安街北社区"),
    ("城南公园1949咖啡馆", "城南公园1949咖啡馆"),
    ("综合楼1楼", "综合楼 Y:1"),
    ("和平广场", "和平广场"),
    ("小区", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "wanted"), ELEMENTS)
def test_elements(text: str, wanted: str) -> None:
    assert written(text) == wanted


CANONICAL = [
    ("石路村委会", "石路村"),
    ("石路村村民委员会", "石路村"),
    ("石路行政村", "石路村"),
    ("云山社区居民委员会", "云山社区"),
    ("云山居委会", "云山社区"),
    ("锦绣小区", "锦绣"),
    ("锦绣住宅小区", "锦绣"),
    ("东小区", "东小区"),
    ("锦绣花园", "锦绣花园"),
]


@pytest.mark.parametrize(("text", "wanted"), CANONICAL)
def test_canonical(text: str, wanted: str) -> None:
    assert canonical(text) == wanted


REST = [
    ("除高风险区以外的其他区域", "", True, ()),
    ("除高、中风险区外的其他地区", "", True, ()),
    ("中高风险区以外的其他地区", "", True, ()),
    ("(高风险区除外)", "", True, ()),
    ("其他区域", "", True, ()),
    ("其余区域", "", True, ()),
    ("全域", "", True, ()),
    ("全域(除中、高风险区外)", "", True, ()),
    ("除以上划定范围外的其他区域", "", True, ()),
    ("云山县除上述高中风险区之外的区域", "云山县", True, ()),
    ("锦绣小区除3号楼外", "锦绣小区", True, ("3号楼",)),
    ("锦绣小区(除3号楼、5号楼)", "锦绣小区", True, ("3号楼、5号楼",)),
    ("锦绣小区(3号楼除外)", "锦绣小区", True, ("3号楼",)),
    ("锦绣小区(3号楼以外)片区", "锦绣小区片区", True, ("3号楼",)),
    ("锦绣小区除3号楼以外其余楼栋", "锦绣小区", True, ("3号楼",)),
    ("锦绣小区除3号楼的其它楼栋", "锦绣小区", True, ("3号楼",)),
    ("锦绣小区3号楼以外的其他楼栋", "锦绣小区", True, ("3号楼",)),
    ("锦绣小区全域(不含3号楼)", "锦绣小区", True, ("3号楼",)),
    ("石路村(东组和西组除外)", "石路村", True, ("东组和西组",)),
    ("锦绣小区除高风险区外", "锦绣小区", True, ()),
    ("云山社区域内除高风险区以外其他区域", "云山社区", True, ()),
    ("锦绣小区3号楼", "锦绣小区3号楼", False, ()),
    ("安全村委会", "安全村委会", False, ()),
    ("锦绣小区(含底商)", "锦绣小区", False, ()),
]


@pytest.mark.parametrize(("text", "body", "rest", "excepted"), REST)
def test_strip_rest(text: str, body: str, rest: bool, excepted: tuple[str, ...]) -> None:
    got = strip_rest(text)
    assert (got.body, got.rest, got.excepted) == (body, rest, excepted)


def test_a_range_of_house_numbers_is_one_side_of_the_street() -> None:
    even = span("12", "30", "H")
    assert isinstance(even, Span)
    assert Num("H", (even,)).holds(Num("H", ("14",)))
    assert not Num("H", (even,)).holds(Num("H", ("15",)))


def test_a_range_of_buildings_is_all_of_them() -> None:
    reach = span("1", "5", "B")
    assert isinstance(reach, Span)
    assert all(Num("B", (reach,)).holds(Num("B", (str(n),))) for n in range(1, 6))
    assert not Num("B", (reach,)).holds(Num("B", ("6",)))
    assert not Num("B", (reach,)).holds(Num("B", ("A3",)))


def test_no_range_between_a_larger_and_a_smaller_number() -> None:
    assert span("7", "1", "B") is None
    assert span("A1", "B5", "B") is None


@pytest.mark.parametrize(("odd", "held"), [(True, {11, 13, 15}), (False, {12, 14})])
def test_odd_and_even_numbers_only(odd: bool, held: set[int]) -> None:
    narrowed = Num("H", (sided(Span("", 11, 15, 1), odd),))
    assert {n for n in range(9, 18) if narrowed.holds(Num("H", (str(n),)))} == held


@pytest.mark.parametrize(
    ("one", "other", "same"), [("B", "Y", True), ("B", "H", True), ("U", "G", False), ("P", "Z", False)]
)
def test_compatible_holds_both_ways(one: str, other: str, same: bool) -> None:
    assert compatible(one, other) is same
    assert compatible(other, one) is same


@given(st.text(alphabet="东西南北一二三123AB号楼栋单元期区村社区组街路巷、-至()除外风险高其他区域 #"))
def test_parsing_never_raises(text: str) -> None:
    plain = numerals(fold(text))
    assert isinstance(elements(plain), tuple)
    assert isinstance(strip_rest(plain).body, str)
