"""Documents, phones and plates as lists write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.inquiries.documents import (
    Agreement,
    DocumentKind,
    DocumentLevel,
    compare_documents,
    compare_phones,
    compare_plates,
    one_slip_away,
    read_document,
    read_phone,
    read_plate,
)

# The two examples that GB 11643-1999 prints.
FIRST, SECOND = "11010519491231002X", "440524188001010014"
CASES = [
    (FIRST, "110105 19491231 002x", "same"),
    (FIRST, "11010519491231002Ｘ", "same"),
    (FIRST, SECOND, "contradicts"),
    (FIRST, "110105491231002", "same_15"),
    (FIRST, "110105491231003", "contradicts"),
    (FIRST, "11010519491230002X", "one_wrong"),
    (FIRST, "11010519491321002X", "one_wrong"),
    (FIRST, "1101051949123102X", "one_wrong"),
    (FIRST, "110105194912310002X", "one_wrong"),
    (FIRST, "11010519491230012X", "different_wrong"),
    (FIRST, "110105********002X", "masked_fits"),
    (FIRST, "110105********003X", "contradicts"),
    (FIRST, "110105****002X", "unrelated"),
    (FIRST, "E12345678", "unrelated"),
    ("E12345678", "e1234 5678", "same"),
    ("E12345678", "E12345679", "near_other"),
    ("E12345678", "E87654321", "different_other"),
    (FIRST, "", "missing"),
    (FIRST, "身份证", "missing"),
]


@pytest.mark.parametrize(("one", "other", "level"), CASES)
def test_two_documents_agree_at_a_level_whichever_stands_first(one: str, other: str, level: str) -> None:
    assert compare_documents(read_document(one), read_document(other)) == level
    assert compare_documents(read_document(other), read_document(one)) == level


def test_neighbouring_valid_numbers_are_two_people() -> None:
    one, other = read_document("440524188001010014"), read_document("440524188001010030")
    assert one is not None
    assert other is not None
    assert one.kind is other.kind is DocumentKind.RESIDENT
    assert compare_documents(one, other) is DocumentLevel.CONTRADICTS


@pytest.mark.parametrize(
    "slip", ["11010519491230002X", "11010519491321002X", "1101051949123102X", "110105194912310002X"]
)
def test_a_slip_leads_back_to_the_number(slip: str) -> None:
    found = list(one_slip_away(slip))
    assert FIRST in found
    assert len(found) == len(set(found)) < 40


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert compare_documents(read_document(one), read_document(other)) in set(DocumentLevel)
    assert compare_phones(read_phone(one), read_phone(other)) in set(Agreement)


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("13812345678", "+86 138-1234-5678", "same"),
        ("13812345678", "0086 13812345678", "same"),
        ("13812345678", "13812345679", "one_wrong"),
        ("13812345678", "13812354678", "one_wrong"),
        ("13812345678", "138****5678", "fits"),
        ("13812345678", "139****5678", "different"),
        ("13812345678", "13987654321", "different"),
        ("13812345678", "", "missing"),
    ],
)
def test_phones(one: str, other: str, level: str) -> None:
    assert compare_phones(read_phone(one), read_phone(other)) == level


def test_plates() -> None:
    assert compare_plates(read_plate("浙F·12345"), read_plate("浙f 12345")) is Agreement.SAME
    assert compare_plates(read_plate("浙F12345"), read_plate("浙F12346")) is Agreement.DIFFERENT
    assert compare_plates(read_plate("浙F12345"), read_plate("-")) is Agreement.MISSING
