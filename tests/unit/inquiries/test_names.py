"""Names as lists write them, and how alike two are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.inquiries.names import NameLevel, compare_names, read_name

CASES = [
    ("王伟", "王伟", "same"),
    ("王 伟", "王伟", "same"),
    ("王·伟", "王伟", "same"),
    ("張偉", "张伟", "variant"),
    ("肖红", "萧红", "variant"),
    ("付强", "傅强", "variant"),
    ("伟王", "王伟", "swapped"),
    ("娜娜欧阳", "欧阳娜娜", "swapped"),
    ("李明小", "李小明", "swapped"),
    ("李小名", "李小明", "homophone"),
    ("王伟", "wang wei", "pinyin"),
    ("王伟", "WANGWEI", "pinyin"),
    ("王伟", "Wei Wang", "pinyin"),
    ("王伟", "wáng wěi", "pinyin"),
    ("欧阳娜娜", "nana ouyang", "pinyin"),
    ("曾国藩", "zeng guofan", "pinyin"),
    ("单田芳", "Shan Tianfang", "pinyin"),
    ("李晨", "李成", "near_sound"),
    ("卢晨然", "卢晨兰", "near_sound"),  # l, n and r are exchanged with each other
    ("卢晨兰", "卢晨南", "near_sound"),
    ("李明", "李小明", "shorter"),
    ("王子轩", "王子涵", "other_character"),
    ("王伟", "王强", "surname"),
    ("王伟", "李伟", "different"),
    ("王伟", "zhang san", "different"),
    ("maria silva", "silva maria", "swapped"),
    ("jonathan smith", "jonatan smith", "near_letters"),
    ("王伟", "", "missing"),
    ("12345", "王伟", "missing"),
]


@pytest.mark.parametrize(("one", "other", "level"), CASES)
def test_two_names_agree_at_a_level_whichever_stands_first(one: str, other: str, level: str) -> None:
    assert compare_names(read_name(one), read_name(other)) == level
    assert compare_names(read_name(other), read_name(one)) == level


def test_a_rare_name_is_rarer_than_a_common_one() -> None:
    common, short, rare = read_name("王建国"), read_name("王伟"), read_name("澹台明月")
    assert common is not None
    assert short is not None
    assert rare is not None
    assert short.rarity < common.rarity < rare.rarity


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert compare_names(read_name(one), read_name(other)) in set(NameLevel)
