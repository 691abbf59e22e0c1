"""Whether two are one person: the rules by a table, the weights by labelled pairs that nothing was learned from."""

from datetime import date

import pytest

from checkpoint.inquiries.evaluate import is_reached, measure
from checkpoint.inquiries.evidence import judge, read_person
from checkpoint.inquiries.labelled import OTHERS, SAME, TWINS

ID, BORN = "11010519491231002X", date(1949, 12, 31)
OTHER_ID = "440524188001010014"
PHONE, PLATE = "13812345678", "浙F12345"
REGISTERED = read_person("王建国", ID, PHONE, plate=PLATE)

CASES = [
    ("a whole document alerts by itself", {"document": ID}, 1, "alert", "whole_document"),
    ("whatever the name", {"document": ID, "name": "李明"}, 1, "alert", "whole_document"),
    (
        "two valid documents are two people",
        {"document": OTHER_ID, "name": "王建国", "phone": PHONE},
        1,
        "nothing",
        "other_document",
    ),
    ("a phone that one person holds", {"phone": PHONE}, 1, "alert", "sole_holder"),
    ("a phone that three hold", {"phone": PHONE}, 3, "review", "shared_phone"),
    ("phone and name", {"phone": PHONE, "name": "王建国"}, 3, "alert", None),
    ("a name misheard", {"phone": PHONE, "name": "王江国", "born": BORN}, 1, "alert", None),
    ("or a twin", {"phone": PHONE, "name": "王江国", "born": BORN}, 2, "review", "twin_of_like_name"),
    ("the phone of a family", {"phone": PHONE, "name": "李晓梅"}, 1, "nothing", "household"),
    ("a brother on the same phone", {"phone": PHONE, "name": "王建军"}, 1, "nothing", "household"),
    ("name and birth date never alert", {"name": "王建国", "born": BORN}, 1, "nothing", "name_and_birth_date"),
    (
        "another birth date",
        {"name": "王建国", "phone": PHONE, "born": date(1950, 1, 1)},
        1,
        "nothing",
        "other_birth_date",
    ),
    ("fifteen digits with the name", {"document": "110105491231002", "name": "王建国"}, 1, "alert", None),
    ("fifteen digits alone", {"document": "110105491231002"}, 1, "review", "short_document_needs_name"),
    (
        "fifteen digits of another",
        {"document": "110105491231002", "name": "李明"},
        1,
        "nothing",
        "short_document_needs_name",
    ),
    ("one wrong digit with the name", {"document": "11010519491230002X", "name": "王建国"}, 1, "alert", None),
    ("one wrong digit alone", {"document": "11010519491230002X"}, 1, "review", "slip_alone"),
    ("name alone", {"name": "王建国"}, 1, "nothing", "name_alone"),
    ("nothing at all", {}, 1, "nothing", "name_alone"),
]


@pytest.mark.parametrize(("why", "listed", "holders", "outcome", "rule"), CASES, ids=[case[0] for case in CASES])
def test_rules(why: str, listed: dict[str, object], holders: int, outcome: str, rule: str | None) -> None:
    found = judge(read_person(**listed), REGISTERED, holders)  # type: ignore[arg-type]
    assert (found.outcome, found.rule) == (outcome, rule)


def test_a_rare_name_with_its_birth_date_is_looked_at_by_a_person() -> None:
    registered = read_person("澹台明月", ID)
    assert judge(read_person("澹台明月", born=BORN), registered).outcome == "review"


def test_a_birth_date_inside_the_document_is_not_counted_twice() -> None:
    found = judge(read_person("王建国", "11010519491230002X", born=BORN), REGISTERED)
    assert found.levels.birth == "missing"


def test_the_answer_says_what_matched_and_how_far() -> None:
    found = judge(read_person("王建国", phone=PHONE), REGISTERED)
    assert dict(found.weights).keys() == {"name:same", "phone:same", "rarity"}


def test_labelled_pairs_that_nothing_was_learned_from() -> None:
    found = measure((301, 302, 303), 70)
    assert found.pairs >= 3000
    assert found.alert_precision >= 99.5
    assert found.alert_recall >= 97
    assert found.both_precision >= 98.5
    assert found.both_recall >= 99
    assert found.calibration_error <= 0.02
    assert found.missed() == {}
    assert all(is_reached(kind, 0.5) and not is_reached(kind, 1.5) for kind in (*TWINS, "household", "family phone"))
    assert set(found.by_kind) == set(SAME) | set(OTHERS)
