"""Slips of one name, and names of two places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.risk.areas.similar import mistyped, same_sound, similar

SAME = [
    ("锦绣小区", "锦秀小区"),
    ("翠湖花园", "翠胡花园"),
    ("翠湖花园", "翠花湖园"),
    ("翠湖花园", "翠湖花园园"),
    ("翠湖花园", "翠翠湖花园"),
    ("平安里社区", "平安里社趣"),
    ("御景湾", "玉景湾"),
    ("凯旋城市广场", "凯旋城市文场"),
    ("奥林匹克花园", "奥林匹花园"),
    ("东风新苑", "冬风新苑"),
    ("幸福小镇", "辛福小真"),
    ("南洋大厦", "兰洋大厦"),
    ("望江楼社区", "望江楼社到"),
    ("金沙水岸华庭", "金沙的岸华庭"),
]
OTHER = [
    ("东苑", "西苑"),
    ("东风花园", "西风花园"),
    ("一村", "二村"),
    ("新华三村", "新华四村"),
    ("翠湖花园", "翠湖家园"),
    ("翠湖花园", "翠竹花园"),
    ("金桂苑", "银桂苑"),
    ("金桂苑", "金竹苑"),
    ("锦绣小区", "新锦绣小区"),
    ("大关村", "小关村"),
    ("关村", "小关村"),
    ("柳湾村", "柳河村"),
    ("阳光城", "阳光城A"),
    ("A座", "B座"),
    ("恒大名都", "恒大绿洲"),
    ("万科金域华府", "万科金域华庭"),
    ("中山路", "中山东路"),
    ("学府", "学苑"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_slips(a: str, b: str) -> None:
    assert similar(a, b)
    assert similar(b, a)


@pytest.mark.parametrize(("a", "b"), OTHER)
def test_siblings(a: str, b: str) -> None:
    assert not similar(a, b)
    assert not similar(b, a)


SOUNDS = [("秀", "绣", True), ("兰", "南", True), ("山", "三", True), ("湖", "竹", False), ("A", "B", False)]


@pytest.mark.parametrize(("a", "b", "same"), SOUNDS)
def test_same_sound(a: str, b: str, same: bool) -> None:
    assert same_sound(a, b) is same


def test_a_front_name_may_differ_in_one_character_that_says_nothing() -> None:
    assert mistyped("长江山路社区", "长子山路社区")
    assert not mistyped("长江东路社区", "长江西路社区")
    assert not mistyped("东村", "西村")


@given(st.text(max_size=8), st.text(max_size=8))
def test_similar_is_symmetric_and_never_raises(a: str, b: str) -> None:
    assert similar(a, b) is similar(b, a)
