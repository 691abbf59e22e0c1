"""How names are cut into the forms that people write."""

import pytest

from checkpoint.regions.names import FULL, STEM, forms_of, town_stem, upper_stem, village_short, village_stem
from checkpoint.regions.romanised import pinyin_of
from checkpoint.regions.zones import zone_forms, zone_word


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("平湖市", "平湖"),
        ("滑县", "滑"),
        ("道真仡佬族苗族自治县", "道真"),
        ("恩施土家族苗族自治州", "恩施"),
        ("巴音郭楞蒙古自治州", "巴音郭楞"),
        ("新巴尔虎左旗", "新巴尔虎左"),
        ("东乡族自治县", "东乡"),
        ("鄂伦春自治旗", "鄂伦春"),
        ("神农架林区", "神农架"),
        ("阿里地区", "阿里"),
        ("浦东新区", "浦东"),
    ],
)
def test_the_stem_of_a_city_or_county(name: str, stem: str) -> None:
    assert upper_stem(name) == stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [("当湖街道", "当湖"), ("新仓镇", "新仓"), ("上冶彝族乡", "上冶"), ("查干苏木", "查干"), ("云山农场", "云山农场")],
)
def test_the_stem_of_a_town(name: str, stem: str) -> None:
    assert town_stem(name) == stem


@pytest.mark.parametrize(
    ("name", "short", "stem"),
    [
        ("石路村村民委员会", "石路村", "石路"),
        ("石路村民委员会", "石路村", "石路"),
        ("石路村委会", "石路村", "石路"),
        ("东湖社区居委会", "东湖社区", "东湖"),
        ("东湖社区居民委员会", "东湖社区", "东湖"),
        ("王村", "王村", "王"),
        ("一连生活区", "一连生活区", "一连生活区"),
        ("查干嘎查委员会", "查干嘎查", "查干"),
    ],
)
def test_a_village_without_its_committee(name: str, short: str, stem: str) -> None:
    assert village_short(name) == short
    assert village_stem(name) == stem


def test_a_stem_of_one_character_is_no_form() -> None:
    assert forms_of("410526000000", "滑县", 3) == {"滑县": FULL}
    assert forms_of("330482000000", "平湖市", 3) == {"平湖市": FULL, "平湖": STEM}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("高新区科技路", (3, False)),
        ("江北新区葛塘街道", (4, True)),
        ("平湖市", None),
        ("东湖高新技术开发区管委会光谷", (12, True)),
    ],
)
def test_zone_words(text: str, word: tuple[int, bool] | None) -> None:
    assert zone_word(text, 0) == word


def test_a_bare_kind_belongs_to_the_zone_without_a_name_of_its_own() -> None:
    forms = zone_forms({"a": "合肥高新技术产业开发区", "b": "合肥新站高新技术产业开发区"}, ["合肥市", "合肥"])
    assert "高新区" in forms["a"]
    assert "高新区" not in forms["b"]
    assert "新站高新区" in forms["b"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("平湖", "pinghu"),
        ("六安", "luan"),
        ("铅山", "yanshan"),
        ("吕梁", "lvliang"),
        ("台州", "taizhou"),
    ],
)
def test_pinyin_reads_names_as_names(name: str, read: str) -> None:
    assert next(pinyin_of(name)) == read


def test_pinyin_of_u_umlaut_has_all_its_spellings() -> None:
    assert {"lvliang", "luliang", "lyuliang"} <= set(pinyin_of("吕梁"))
