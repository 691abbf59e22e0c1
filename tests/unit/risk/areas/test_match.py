"""Stays against the listed areas of a county of our own making, row by row.

The county: 云溪县 with 城关镇, 东湖街道, 石桥镇 and 白鹤乡. Only the towns 城关镇, 东湖街道 and 石桥镇 have anything listed, and
石桥镇 is otherwise listed low as a whole.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.risk.areas import AreaBook, AreaMatch, Level, ListedArea

COUNTY = "990101000000"
TOWN = {
    "城关镇": "990101100000",
    "东湖街道": "990101001000",
    "石桥镇": "990101101000",
    "白鹤乡": "990101200000",
    "": COUNTY,
}
NAMES = {code: name for name, code in TOWN.items() if name}
VILLAGES = {"990101101201": "柳湾村村民委员会", "990101101202": "柳河村村民委员会", "990101101203": "新桥村村民委员会"}
ANCESTORS = ("云岭省", "云江市", "云溪县")

LISTED = [
    ("城关镇", "high", "城关镇关北街21号楼1单元"),
    ("城关镇", "high", "城关镇锦绣小区3号楼"),
    ("城关镇", "high", "翠湖花园1-5号楼、7号楼2单元、3单元"),
    ("城关镇", "middle", "翠湖花园"),
    ("城关镇", "high", "中山路12-30号"),
    ("城关镇", "high", "人民路1-20号（单号）"),
    ("城关镇", "high", "望江楼社区御景湾二期A区6栋"),
    ("城关镇", "middle", "金桂苑（除3号楼、5号楼2单元）"),
    ("城关镇", "middle", "海棠公寓除高风险区外的其他区域"),
    ("城关镇", "high", "海棠公寓2栋"),
    ("城关镇", "high", "商贸街18号好运来酒店"),
    ("城关镇", "high", "鼓楼社区平安里小区2、3号楼，和顺佳园8栋"),
    ("东湖街道", "high", "东湖街道康乐东约十五巷4号"),
    ("东湖街道", "high", "东湖街道滨河社区8组、9组"),
    ("东湖街道", "middle", "东湖街道学府路以东、文昌路以西合围区域"),
    ("东湖街道", "high", "东湖街道星城花苑（2栋1单元、2栋3单元、4栋）"),
    ("东湖街道", "high", "东湖街道凤凰小区东区"),
    ("东湖街道", "high", "东湖街道枫林苑9-70号楼到9-84号楼"),
    ("石桥镇", "low", "石桥镇除高风险区以外的其他区域"),
    ("石桥镇", "high", "石桥镇柳湾村"),
    ("石桥镇", "middle", "石桥镇新桥村（除3组外）"),
    ("石桥镇", "high", "石桥镇新桥村5组"),
    ("石桥镇", "high", "石桥镇1组21号"),
]


def build(listed: list[tuple[str, str, str]], towns: dict[str, str] | None = None) -> AreaBook:
    areas = [ListedArea(i, TOWN[town], Level(level), text) for i, (town, level, text) in enumerate(listed)]
    return AreaBook(COUNTY, areas, NAMES | VILLAGES if towns is None else towns, ANCESTORS)


BOOK = build(LISTED)


def answer(match: AreaMatch | None) -> str:
    return "none" if match is None else f"{match.depth}/{match.level}"


# Text of the stay, the town it resolved to, wanted depth and level.
ROWS = [
    # word for word, and with divisions in front or left out
    ("云岭省云江市云溪县城关镇关北街21号楼1单元", "城关镇", "area/high"),
    ("云江市云溪县城关镇关北街21号楼1单元", "城关镇", "area/high"),
    ("云溪县城关镇关北街21号楼1单元", "城关镇", "area/high"),
    ("城关镇关北街21号楼1单元", "城关镇", "area/high"),
    ("关北街21号楼1单元", "", "area/high"),
    ("云溪县关北街21号楼1单元", "", "area/high"),
    ("云岭云江云溪城关镇关北街21号楼1单元", "城关镇", "area/high"),
    ("云溪城关关北街21号楼1单元", "城关镇", "area/high"),
    ("云岭省-云江市-云溪县-城关镇-关北街21号楼1单元", "城关镇", "area/high"),
    ("云岭省，云江市，云溪县，城关镇，关北街21号楼1单元", "城关镇", "area/high"),
    ("城关街道关北街21号楼1单元", "城关镇", "area/high"),
    ("东湖街康乐东约15巷4号", "东湖街道", "area/high"),
    # more detail behind lies inside
    ("城关镇关北街21号楼1单元502室", "城关镇", "area/high"),
    ("城关镇关北街21号楼1单元5楼502", "城关镇", "area/high"),
    ("城关镇关北街21号楼1-502", "城关镇", "area/high"),
    ("城关镇关北街21-1-502", "城关镇", "area/high"),
    ("城关镇锦绣小区3号楼2单元502室", "城关镇", "area/high"),
    ("石桥镇柳湾村3组12号", "石桥镇", "area/high"),
    ("石桥镇柳湾村小卖部", "石桥镇", "area/high"),
    ("东湖街道凤凰小区东区7栋", "东湖街道", "area/high"),
    # the same building in other words
    ("城关镇锦绣小区3栋", "城关镇", "area/high"),
    ("城关镇锦绣小区3幢", "城关镇", "area/high"),
    ("城关镇锦绣小区3座", "城关镇", "area/high"),
    ("城关镇锦绣小区3#楼", "城关镇", "area/high"),
    ("城关镇锦绣小区3#", "城关镇", "area/high"),
    ("城关镇锦绣小区3号", "城关镇", "area/high"),
    ("城关镇锦绣小区三号楼", "城关镇", "area/high"),
    ("城关镇锦绣小区第三栋", "城关镇", "area/high"),
    ("城关镇锦绣小区０３号楼", "城关镇", "area/high"),
    ("城关镇锦绣３号楼", "城关镇", "area/high"),
    ("城關鎮錦繡小區3號樓", "城关镇", "area/high"),
    ("城关镇 锦绣小区 3 号楼", "城关镇", "area/high"),
    ("城关镇锦\u200b绣小区3号楼", "城关镇", "area/high"),
    ("城关镇关北街21栋一单元", "城关镇", "area/high"),
    ("城关镇望江楼社区御景湾Ⅱ期A区六号楼", "城关镇", "area/high"),
    ("城关镇御景湾2期Ａ区6幢", "城关镇", "area/high"),
    ("石桥镇柳湾村委会", "石桥镇", "area/high"),
    ("石桥镇柳湾行政村", "石桥镇", "area/high"),
    # another building, unit, group, phase or half of a listed estate is only in the town
    ("城关镇锦绣小区13号楼", "城关镇", "town/high"),
    ("城关镇锦绣小区31号楼", "城关镇", "town/high"),
    ("城关镇锦绣小区4栋", "城关镇", "town/high"),
    ("城关镇锦绣小区A3栋", "城关镇", "town/high"),
    ("城关镇锦绣小区", "城关镇", "town/high"),
    ("锦绣小区4号楼", "", "town/high"),
    ("城关镇关北街21号楼2单元", "城关镇", "town/high"),
    ("城关镇关北街22号楼1单元", "城关镇", "town/high"),
    ("城关镇关北街1单元", "城关镇", "town/high"),
    ("城关镇御景湾一期A区6栋", "城关镇", "town/high"),
    ("城关镇御景湾二期B区6栋", "城关镇", "town/high"),
    ("东湖街道凤凰小区西区", "东湖街道", "town/high"),
    ("东湖街道凤凰小区西区7栋", "东湖街道", "town/high"),
    ("东湖街道滨河社区7组", "东湖街道", "town/high"),
    ("东湖街道康乐东约十四巷4号", "东湖街道", "town/high"),
    ("东湖街道康乐东约十五巷6号", "东湖街道", "town/high"),
    # ranges and lists
    ("城关镇翠湖花园3号楼", "城关镇", "area/high"),
    ("城关镇翠湖花园5栋2单元", "城关镇", "area/high"),
    ("城关镇翠湖花园7号楼2单元", "城关镇", "area/high"),
    ("城关镇翠湖花园7号楼3单元", "城关镇", "area/high"),
    ("城关镇翠湖花园7号楼1单元", "城关镇", "area/middle"),
    ("城关镇翠湖花园6号楼", "城关镇", "area/middle"),
    ("城关镇中山路12号", "城关镇", "area/high"),
    ("城关镇中山路30号", "城关镇", "area/high"),
    ("城关镇中山路18号2楼", "城关镇", "area/high"),
    ("城关镇中山路13号", "城关镇", "town/high"),
    ("城关镇中山路32号", "城关镇", "town/high"),
    ("城关镇中山路118号", "城关镇", "town/high"),
    ("城关镇人民路7号", "城关镇", "area/high"),
    ("城关镇人民路8号", "城关镇", "town/high"),
    ("东湖街道星城花苑2栋1单元", "东湖街道", "area/high"),
    ("东湖街道星城花苑2栋3单元101", "东湖街道", "area/high"),
    ("东湖街道星城花苑2栋2单元", "东湖街道", "town/high"),
    ("东湖街道星城花苑4栋2单元", "东湖街道", "area/high"),
    ("东湖街道星城花苑3栋", "东湖街道", "town/high"),
    ("东湖街道滨河社区9组", "东湖街道", "area/high"),
    ("东湖街道滨河社区九组12号", "东湖街道", "area/high"),
    ("城关镇鼓楼社区平安里小区2号楼", "城关镇", "area/high"),
    ("城关镇平安里3号楼", "城关镇", "area/high"),
    ("城关镇平安里5号楼", "城关镇", "town/high"),
    ("城关镇和顺佳园8栋", "城关镇", "area/high"),
    ("城关镇和顺佳园2栋", "城关镇", "town/high"),
    ("东湖街道枫林苑9-75号楼", "东湖街道", "area/high"),
    ("东湖街道枫林苑9-85号楼", "东湖街道", "town/high"),
    # exceptions
    ("城关镇金桂苑4号楼", "城关镇", "area/middle"),
    ("城关镇金桂苑3号楼", "城关镇", "town/high"),
    ("城关镇金桂苑三栋1单元", "城关镇", "town/high"),
    ("城关镇金桂苑5号楼2单元", "城关镇", "town/high"),
    ("城关镇金桂苑5号楼1单元", "城关镇", "area/middle"),
    ("城关镇海棠公寓2栋", "城关镇", "area/high"),
    ("城关镇海棠公寓5栋", "城关镇", "area/middle"),
    ("石桥镇新桥村2组", "石桥镇", "area/middle"),
    ("石桥镇新桥村3组", "石桥镇", "area/low"),
    ("石桥镇新桥村5组", "石桥镇", "area/high"),
    # the rest of a town
    ("石桥镇", "石桥镇", "area/low"),
    ("云溪县石桥镇柳河村", "石桥镇", "area/low"),
    ("石桥镇老街5号", "石桥镇", "area/low"),
    ("石桥镇锦绣小区3号楼", "石桥镇", "area/low"),
    ("石桥镇1组21号", "石桥镇", "area/high"),
    ("石桥镇1组22号", "石桥镇", "area/low"),
    # misspelled names
    ("城关镇锦秀小区3号楼", "城关镇", "area/high"),
    ("城关镇翠胡花园3号楼", "城关镇", "area/high"),
    ("城关镇望江楼社区玉景湾二期A区6栋", "城关镇", "area/high"),
    ("城关镇翠湖花园园3号楼", "城关镇", "area/high"),
    ("城关镇翠花湖园3号楼", "城关镇", "area/high"),
    ("城关镇好云来酒店", "城关镇", "area/high"),
    ("城关镇海塘公寓2栋", "城关镇", "area/high"),
    ("城关镇望江楼社曲御景湾二期A区6栋", "城关镇", "area/high"),
    ("石桥镇刘湾村5组", "石桥镇", "area/high"),
    ("城关镇锦秀小区4号楼", "城关镇", "town/high"),
    ("城关镇锦绣小区3号搂", "城关镇", "area/high"),
    ("城关镇关北街21号楼1单园", "城关镇", "area/high"),
    # neighbours with a similar name
    ("城关镇银桂苑4号楼", "城关镇", "town/high"),
    ("城关镇金竹苑4号楼", "城关镇", "town/high"),
    ("城关镇金桂园4号楼", "城关镇", "area/middle"),
    ("城关镇金桂庭4号楼", "城关镇", "town/high"),
    ("城关镇翠湖家园3号楼", "城关镇", "town/high"),
    ("城关镇翠竹花园3号楼", "城关镇", "town/high"),
    ("城关镇新锦绣小区3号楼", "城关镇", "town/high"),
    ("城关镇锦绣花园3号楼", "城关镇", "town/high"),
    ("城关镇锦绣江南3号楼", "城关镇", "town/high"),
    ("城关镇关南街21号楼1单元", "城关镇", "town/high"),
    ("城关镇中山东路12号", "城关镇", "town/high"),
    ("城关镇南中山路12号", "城关镇", "town/high"),
    ("城关镇小翠湖花园3号楼", "城关镇", "town/high"),
    ("东湖街道康乐西约十五巷4号", "东湖街道", "town/high"),
    ("石桥镇柳河村3组", "石桥镇", "area/low"),
    ("石桥镇大柳湾村", "石桥镇", "area/low"),
    ("城关镇望湖楼社区御景湾二期A区6栋", "城关镇", "area/high"),
    ("城关镇文昌社区御景湾二期A区6栋", "城关镇", "town/high"),
    # roads and the places on them
    ("城关镇好运来酒店", "城关镇", "area/high"),
    ("城关镇商贸街18号好运来酒店301", "城关镇", "area/high"),
    ("城关镇商贸街20号好运来酒店", "城关镇", "town/high"),
    ("城关镇商贸街18号", "城关镇", "town/high"),
    # an enclosed area is met by its own words only
    ("东湖街道学府路以东、文昌路以西合围区域", "东湖街道", "area/middle"),
    ("东湖街道学府路", "东湖街道", "town/high"),
    # other towns
    ("白鹤乡锦绣小区3号楼", "白鹤乡", "county/high"),
    ("白鹤乡", "白鹤乡", "county/high"),
    ("云岭省云江市云溪县", "", "county/high"),
    ("云溪县某处", "", "county/high"),
    ("东湖街道锦绣小区3号楼", "东湖街道", "town/high"),
    ("东湖街道", "东湖街道", "town/high"),
    ("", "", "county/high"),
    ("!?", "东湖街道", "town/high"),
]


@pytest.mark.parametrize(("text", "town", "wanted"), ROWS)
def test_row(text: str, town: str, wanted: str) -> None:
    assert answer(BOOK.match(text, TOWN[town])) == wanted


COUNTY_REST = [
    ("除高风险区以外的其他区域", "area/low"),
    ("云溪县除高、中风险区外的其他地区", "area/low"),
    ("云江市云溪县中高风险区以外区域", "area/low"),
    ("其余区域", "area/low"),
    ("云溪县", "area/low"),
    ("云溪县（高风险区除外）", "area/low"),
    ("云岭省云江市云溪县域内除中风险区域以外的其他区域", "area/low"),
    ("云溪县除高风险区以外区域为低风险区", "area/low"),
    ("除白鹤乡外的其他区域", "county/high"),
    ("云溪县高新区除高风险区外的其他区域", "county/high"),
]


@pytest.mark.parametrize(("entry", "wanted"), COUNTY_REST)
def test_the_rest_of_the_county(entry: str, wanted: str) -> None:
    book = build([("", "low", entry), ("城关镇", "high", "城关镇锦绣小区3号楼")])
    assert answer(book.match("白鹤乡某村3组", TOWN["白鹤乡"])) == wanted
    assert answer(book.match("城关镇锦绣小区3号楼", TOWN["城关镇"])) == "area/high"


TOWN_REST = [
    "石桥镇",
    "石桥镇全域",
    "石桥镇除高风险区以外的其他区域",
    "石桥镇（除高风险区外）",
    "云溪县石桥镇其他区域",
    "石桥镇全域（除中、高风险区外）",
    "石桥镇、白鹤乡",
    "城关镇、石桥镇、白鹤乡除以上划定范围外的其他区域",
    "除高风险区以外的石桥镇",
]


@pytest.mark.parametrize("entry", TOWN_REST)
def test_the_rest_of_a_town(entry: str) -> None:
    book = build([("石桥镇", "low", entry), ("石桥镇", "high", "石桥镇柳湾村")])
    assert answer(book.match("石桥镇柳河村", TOWN["石桥镇"])) == "area/low"
    assert answer(book.match("石桥镇柳湾村", TOWN["石桥镇"])) == "area/high"
    assert answer(book.match("东湖街道老街1号", TOWN["东湖街道"])) == "county/high"


def test_a_rest_by_level_yields_to_the_deeper_entry_even_of_a_lower_level() -> None:
    book = build([("石桥镇", "high", "石桥镇除低风险区外的其他区域"), ("石桥镇", "low", "石桥镇柳湾村")])
    assert answer(book.match("石桥镇柳湾村8组", TOWN["石桥镇"])) == "area/low"
    assert answer(book.match("石桥镇柳河村", TOWN["石桥镇"])) == "area/high"


def test_the_highest_level_counts_among_entries_that_hold_the_stay() -> None:
    book = build(
        [("石桥镇", "low", "石桥镇柳湾村"), ("石桥镇", "high", "柳湾村5组"), ("石桥镇", "middle", "柳湾村5组12号")]
    )
    assert answer(book.match("柳湾村5组12号", TOWN["石桥镇"])) == "area/high"
    assert answer(book.match("柳湾村6组", TOWN["石桥镇"])) == "area/low"


def test_only_the_areas_that_count_are_thought_of() -> None:
    text, town = "城关镇锦绣小区3号楼", TOWN["城关镇"]
    assert answer(BOOK.match(text, town, ids={1})) == "area/high"
    assert answer(BOOK.match(text, town, ids={0})) == "town/high"
    assert answer(BOOK.match(text, town, ids={3})) == "town/middle"
    assert answer(BOOK.match(text, town, ids={18})) == "county/low"
    assert BOOK.match(text, town, ids=()) is None


def test_an_empty_book_knows_nothing() -> None:
    assert build([]).match("城关镇锦绣小区3号楼", TOWN["城关镇"]) is None


def test_a_match_names_its_entry_and_says_why() -> None:
    match = BOOK.match("城关镇锦绣小区3栋", TOWN["城关镇"])
    assert match is not None
    assert match.area is not None
    assert match.area.text == "城关镇锦绣小区3号楼"
    assert match.score == 100.0
    assert match.evidence == "锦绣"


def test_a_slip_scores_lower_than_the_name_itself() -> None:
    exact = BOOK.match("城关镇锦绣小区3栋", TOWN["城关镇"])
    slip = BOOK.match("城关镇锦秀小区3栋", TOWN["城关镇"])
    assert exact is not None
    assert slip is not None
    assert slip.score < exact.score


def test_a_listed_village_is_met_by_its_code() -> None:
    areas = [ListedArea(1, "990101101201", Level.HIGH, "石桥镇柳湾村")]
    book = AreaBook(COUNTY, areas, NAMES | VILLAGES, ANCESTORS)
    assert answer(book.match("石桥镇Liuwan", "990101101201")) == "area/high"
    assert answer(book.match("石桥镇Liuhe", "990101101202")) == "town/high"


def test_a_zone_without_a_code_is_read_like_a_division() -> None:
    book = build([("", "low", "云岭高新区除高风险区以外的其他区域"), ("", "high", "云岭高新区科技路9号")])
    assert answer(book.match("云溪县云岭高新区科技路9号", COUNTY)) == "area/high"
    assert answer(book.match("云溪县云岭高新区创业路2号", COUNTY)) == "area/low"
    assert answer(book.match("云溪县老街2号", COUNTY)) == "county/high"


def test_without_the_names_above_texts_still_match() -> None:
    areas = [
        ListedArea(1, TOWN["城关镇"], Level.HIGH, "城关镇锦绣小区3号楼"),
        ListedArea(2, COUNTY, Level.HIGH, "好运来酒店"),
    ]
    book = AreaBook(COUNTY, areas, NAMES)
    assert answer(book.match("云岭省云江市云溪县城关镇锦绣小区3号楼", TOWN["城关镇"])) == "area/high"
    assert answer(book.match("云岭省云江市云溪县好运来酒店", COUNTY)) == "area/high"


@given(st.text(), st.sampled_from(sorted(TOWN.values())))
def test_matching_never_raises(text: str, code: str) -> None:
    match = BOOK.match(text, code)
    assert match is not None


WORDS = "城关镇东湖街道锦绣翠花园小区一二三123AB号楼栋单元期区村社组路巷、-至（）除外风险高其他域 #全"


@given(st.text(alphabet=WORDS), st.sampled_from(["high", "low"]))
def test_any_entry_can_be_read(text: str, level: str) -> None:
    book = build([("城关镇", level, text)])
    match = book.match("城关镇" + text, TOWN["城关镇"])
    assert match is not None
    assert match.depth in ("area", "town")
