"""Type-ahead."""

import time

import pytest

from checkpoint.regions import RegionIndex, suggest


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("平湖", "330482000000"),
        ("平湖市", "330482000000"),
        ("ph", "330482000000"),
        ("pinghu", "330482000000"),
        ("PingHu", "330482000000"),
        ("jxph", "330482000000"),
        ("jiaxingpinghu", "330482000000"),
        ("平湖当湖", "330482001000"),
        ("phdh", "330482001000"),
        ("平湖当", "330482001000"),
        ("浙江平湖新仓石路", "330482103218"),
        ("新仓石路", "330482103218"),
        ("平湖新仓镇", "330482103000"),
        ("北京", "110000000000"),
        ("廣州", "440100000000"),
    ],
)
def test_the_first_suggestion(index: RegionIndex, query: str, first: str) -> None:
    assert suggest(query, index=index)[0].code == first


def test_a_suggestion_carries_what_a_list_shows(index: RegionIndex) -> None:
    line = suggest("当湖街道", index=index)[0]
    assert line == ("330482001000", "当湖街道", "浙江省嘉兴市平湖市当湖街道", 4)


def test_the_middle_of_a_name_is_found(index: RegionIndex) -> None:
    assert "330482108000" in [line.code for line in suggest("山港镇", index=index)]


def test_within_keeps_to_a_division(index: RegionIndex) -> None:
    lines = suggest("新", 50, "330482", index=index)
    assert lines
    assert all(line.code.startswith("330482") for line in lines)
    assert lines[0].code == "330482102000"
    assert suggest("xc", 5, "330482000000", index=index)[0].code == "330482103000"


@pytest.mark.parametrize("query", ["", " ", "，", "💡", "x" * 500, "zzzzqq", "甲乙丙丁戊己"])
def test_what_means_nothing_gives_nothing(index: RegionIndex, query: str) -> None:
    assert suggest(query, index=index) == []


def test_the_limit_holds(index: RegionIndex) -> None:
    assert len(suggest("新", 7, index=index)) == 7
    assert suggest("新", 0, index=index) == []


def test_an_answer_comes_while_the_finger_is_still_on_the_key(index: RegionIndex) -> None:
    queries = [
        "平",
        "p",
        "新",
        "x",
        "xi",
        "和平",
        "hp",
        "石路",
        "jxph",
        "平湖当",
        "浙江平湖新仓石",
        "zzq",
        "社村",
        "县城",
    ] * 4
    taken = []
    for query in queries:
        start = time.thread_time()
        suggest(query, index=index)
        taken.append(time.thread_time() - start)
    taken.sort()
    assert taken[-2] < 0.1
