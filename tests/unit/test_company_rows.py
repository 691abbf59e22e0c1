"""Rows of a staff list, and what a company may know of a member: tables, no database."""

from datetime import datetime, timedelta

import pytest

from checkpoint.companies.models import Standing
from checkpoint.companies.rows import BadRow, Row, Wrong, dump, id_type_of, load, load_bad, lorry, person, read
from checkpoint.companies.standing import Found, Trip, is_told, standing_of
from tests.factories import NOW
from tests.factories.declarations import resident_id

COLUMNS = {"name": 0, "document": 1, "phone": 2, "plate": 3}
ONE, TWO = resident_id(1), resident_id(2)
LATER = NOW + timedelta(days=7)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (ONE, "resident_id"),
        (f"{ONE[:6]} {ONE[6:14]}-{ONE[14:]}", "resident_id"),
        ("911124198108030024", "foreign_permit"),
        ("USA123456789012", "foreign_permit"),
        ("H12345678", "hk_macau_permit"),
        ("12345678", "taiwan_permit"),
        ("E12345678", "passport"),
    ],
)
def test_a_number_tells_its_kind(number: str, kind: str) -> None:
    assert id_type_of(number) == kind


def test_rows_are_read_and_wrong_ones_named() -> None:
    good, bad = read(
        [
            ["王安", ONE, "13800000001", ""],
            ["", "", "", ""],
            ["李宁", TWO[:-1] + ("0" if TWO[-1] != "0" else "1"), "", ""],
            ["", TWO, "", ""],
            ["赵清平", TWO, "12", ""],
            ["赵清平", TWO, "", "浙F·A1234"],
            ["", "", "", "?"],
            ["只有名字"],
            ["王安", ONE.lower(), "", ""],
            ["长" * 300, ONE, "", ""],
        ],
        COLUMNS,
        2,
    )
    assert good == [
        Row("王安", "resident_id", ONE, "+8613800000001"),
        Row("赵清平", "resident_id", TWO),
        Row(plate="浙FA1234"),
    ]
    assert [(one.row, one.cause) for one in bad] == [
        (4, "document_unreadable"),
        (5, "name_unreadable"),
        (6, "phone_unreadable"),
        (8, "plate_unreadable"),
        (9, "nothing_to_match"),
        (11, "too_long"),
    ]


def test_rows_come_back_from_json() -> None:
    rows = [person("王安", ONE, "13800000001"), lorry("沪D88888")]
    assert load(dump(rows)) == rows
    assert load_bad(dump([BadRow(3, "too_long", "=1", "", "", "")])) == [
        {"row": "3", "cause": "too_long", "name": "=1", "document": "", "phone": "", "plate": ""}
    ]


def test_a_wrong_member_names_its_field() -> None:
    with pytest.raises(Wrong) as caught:
        person("王安", ONE, "nobody")
    assert (caught.value.field, caught.value.cause) == ("phone", "phone_unreadable")
    with pytest.raises(Wrong):
        lorry("  ")


def trip(
    state: str, tier: str = "green", *measures: str, tested: bool = False, hours: int = 0, until: datetime = LATER
) -> Trip:
    return Trip(state, NOW + timedelta(hours=hours), tier, frozenset(measures), tested, until)


@pytest.mark.parametrize(
    ("trips", "standing", "until"),
    [
        ([], Standing.ABSENT, None),
        ([trip("withdrawn")], Standing.ABSENT, None),
        ([trip("declared")], Standing.MAY_COME, LATER),
        ([trip("declared", until=NOW)], Standing.ABSENT, None),
        ([trip("declared", "green", "landing_test")], Standing.NEEDS_TEST, LATER),
        ([trip("inside", "green", "landing_test", tested=True)], Standing.MAY_COME, None),
        ([trip("inside", "yellow", "home_observation")], Standing.MAY_NOT_COME, None),
        ([trip("inside", "yellow", "home_observation", tested=True)], Standing.MAY_NOT_COME, None),
        ([trip("declared", "yellow")], Standing.NEEDS_TEST, LATER),
        ([trip("declared", "red")], Standing.MAY_NOT_COME, LATER),
        ([trip("turned_back")], Standing.MAY_NOT_COME, LATER),
        ([trip("left", "red", "central_quarantine", until=NOW)], Standing.MAY_COME, None),
        # A new declaration does not whiten somebody who is inside and must stay at home, nor does an old one blacken them.
        ([trip("inside", "red"), trip("declared", hours=1)], Standing.MAY_NOT_COME, LATER),
        ([trip("inside", hours=2), trip("declared", "red", hours=1)], Standing.MAY_COME, None),
        ([trip("declared", "red"), trip("declared", hours=1)], Standing.MAY_COME, LATER),
    ],
)
def test_how_a_member_stands(trips: list[Trip], standing: Standing, until: datetime | None) -> None:
    assert standing_of(trips, NOW) == Found(standing, until)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("absent", "may_come", False),
        ("absent", "needs_test", False),
        ("absent", "may_not_come", True),
        ("may_come", "may_not_come", True),
        ("may_come", "needs_test", True),
        ("needs_test", "may_come", True),
        ("may_not_come", "may_come", True),
        ("may_not_come", "needs_test", True),
        ("may_not_come", "absent", False),
        ("may_come", "absent", False),
    ],
)
def test_what_a_liaison_hears(before: str, after: str, told: bool) -> None:
    assert is_told(before, after) is told
