"""One spelling for everything: folding and numerals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.risk.areas.fold import fold, numerals

FOLDED = [
    ("３号楼", "3号楼"),
    ("Ａ座", "A座"),
    ("a座", "A座"),
    ("⼭⽔⻄园", "山水西园"),
    ("⻩⻛⻔", "黄风门"),
    ("東風小區", "东风小区"),
    ("阳\u200b光\ufeff小区", "阳光小区"),
    ("阳 光\u3000小区", "阳光小区"),
    ("1—5号楼", "1-5号楼"),
    ("1–5号楼", "1-5号楼"),
    ("1～5号楼", "1~5号楼"),
    ("2号楼，3号楼；4号楼。", "2号楼、3号楼、4号楼、"),
    ("【云山】（一期）", "(云山)(一期)"),
    ("Ⅱ期", "II期"),
    ("⒉栋", "2栋"),
    ("⑶单元", "3单元"),
    ("半岛·泊郡", "半岛泊郡"),
    ("＃楼", "#楼"),
    ("٣号楼", "3号楼"),
    ("“锦绣”苑", "锦绣苑"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "folded"), FOLDED)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


NUMERALS = [
    ("三号楼", "3号楼"),
    ("十二栋", "12栋"),
    ("二十四巷", "24巷"),
    ("一百零三号", "103号"),
    ("三至九单元", "3至9单元"),
    ("一、二期", "1、2期"),
    ("一二期", "1+2期"),
    ("第五组", "第5组"),
    ("十号之二", "10号之2"),
    ("五〇二室", "502室"),
    ("五一路", "五一路"),
    ("四季花园", "四季花园"),
    ("百花园", "百花园"),
    ("三社区", "三社区"),
    ("三门市场", "三门市场"),
    ("六楼社区", "六楼社区"),
    ("九号小区", "九号小区"),
    ("3号搂", "3号楼"),
    ("3楼号", "3号楼"),
    ("2单园", "2单元"),
    ("5动", "5栋"),
    ("1949公园", "1949公园"),
]


@pytest.mark.parametrize(("text", "written"), NUMERALS)
def test_numerals(text: str, written: str) -> None:
    assert numerals(text) == written


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="零〇一二三四五六七八九十百两号楼单元期、至-1234"))
def test_numerals_never_raise(text: str) -> None:
    assert isinstance(numerals(text), str)
