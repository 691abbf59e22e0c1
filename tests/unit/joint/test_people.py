"""Lines that people type, and rows that they name."""

import pytest

from checkpoint.inquiries.listfile import Listed
from checkpoint.joint.people import WrongLine, distinct, ranges, read_lines
from tests.factories.declarations import resident_id

ID = resident_id(1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (ID, Listed(document=ID)),
        (f"张三 {ID} 13800000001 浙F12345", Listed("张三", ID, "13800000001", "", "浙F12345")),
        (f"浙F12345，13800000001，{ID}，张三", Listed("张三", ID, "13800000001", "", "浙F12345")),
        ("John Smith, E12345678", Listed("John Smith", "E12345678")),
        ("张三\t1990-01-02", Listed("张三", born="1990-01-02")),
        ("李四 19900102", Listed("李四", born="19900102")),
        ("+86 138 0000 0001", Listed(phone="+86 138 0000 0001")),
        ("张三, +86 138 0000 0001", Listed("张三", phone="+86 138 0000 0001")),
        (f"{ID[:-1]}0" if ID[-1] != "0" else f"{ID[:-1]}1", None),
    ],
)
def test_a_line_in_any_order(line: str, expected: Listed | None) -> None:
    (found,) = read_lines(f"\n{line}\n  \n")
    if expected is None:
        assert found == Listed(document=line)  # a slip in the number is for the matching to weigh
    else:
        assert found == expected


@pytest.mark.parametrize("line", ["张三", "1990-01-02", "12", "张" * 61 + f" {ID}"])
def test_a_line_by_which_nobody_is_found(line: str) -> None:
    with pytest.raises(WrongLine) as caught:
        read_lines(f"{ID}\n{line}")
    assert caught.value.number == 2


def test_each_person_once() -> None:
    assert distinct(read_lines(f"{ID}\n{ID}\n{resident_id(2)}")) == [
        Listed(document=ID),
        Listed(document=resident_id(2)),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", [0]), ("1-3, 5", [0, 1, 2, 4]), ("2,2，1", [1, 0]), ("10", [9])],
)
def test_rows(text: str, expected: list[int]) -> None:
    assert ranges(text, 10) == expected


@pytest.mark.parametrize("text", ["", "0", "11", "3-2", "1-11", "a", "-3", "1-"])
def test_rows_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever part
        ranges(text, 10)
