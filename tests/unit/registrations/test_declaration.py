"""What a declaration may say: every wrong field is named."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from checkpoint.cli.synthetic import check_character
from checkpoint.registrations.declaration import Declaration, dated_wrong

NOW = datetime(2022, 8, 12, 8, 0, tzinfo=UTC)
TODAY = date(2022, 8, 12)
RESIDENT = "11010519491231002X"  # the example of GB 11643-1999 itself: no code of ours made its check character


def body(**changes: Any) -> dict[str, Any]:
    return {
        "client_id": str(uuid.uuid4()),
        "name": "张三",
        "id_type": "resident_id",
        "id_number": RESIDENT,
        "phone": "13800138000",
        "origin": {"text": "上海市金山区"},
        "destination": {"code": "330482101001", "address": ""},
        "arriving_on": "2022-08-12",
        "transport": "car",
    } | changes


def wrong(**changes: Any) -> set[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Declaration.model_validate(body(**changes))
    return {(".".join(map(str, error["loc"])), error["type"]) for error in caught.value.errors()}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": "<script>alert(1)</script>"}, "name", "name"),
        ({"name": "12345"}, "name", "name"),
        ({"name": "张" * 65}, "name", "string_too_long"),
        ({"name": ""}, "name", "string_too_short"),
        ({"id_number": RESIDENT[:-1] + ("0" if RESIDENT[-1] != "0" else "1")}, "id_number", "check_digit"),
        ({"id_number": "3101161990023012" + "34"}, "id_number", "check_digit"),
        ({"id_type": "passport", "id_number": "!!!!!!"}, "id_number", "document"),
        ({"id_type": "library_card"}, "id_type", "literal_error"),
        ({"phone": "123456"}, "phone", "phone"),
        ({"phone": "12345678901234"}, "phone", "phone"),
        ({"origin": {}}, "origin", "place"),
        ({"origin": {"code": "US"}}, "origin.code", "string_pattern_mismatch"),
        ({"destination": {"address": "x"}}, "destination.code", "missing"),
        ({"arriving_on": "2022-02-30"}, "arriving_on", "date_from_datetime_parsing"),
        ({"stays": [{"text": "x", "from": "2022-08-05", "to": "2022-08-04"}]}, "stays.0", "dates"),
        ({"stays": [{"text": "x", "from": "2022-08-05", "to": "2022-08-05"}] * 21}, "stays", "too_long"),
        ({"plate": "not a plate at all!"}, "plate", "string_too_long"),
        ({"plate": "<b>"}, "plate", "plate"),
        ({"symptoms": ["dragon pox"]}, "symptoms.0", "literal_error"),
        (
            {"tests": [{"kind": "pcr", "taken_at": "2022-08-12T08:00:00", "result": "negative"}]},
            "tests.0.taken_at",
            "timezone_aware",
        ),
        ({"client_id": "x"}, "client_id", "uuid_parsing"),
        ({"surprise": 1}, "surprise", "extra_forbidden"),
        (
            {"companions": [{"name": "李四", "id_type": "resident_id", "id_number": RESIDENT}]},
            "companions",
            "same_person",
        ),
        (
            {"companions": [{"name": "李四", "id_type": "passport", "id_number": "E12345678"}] * 200},
            "companions",
            "too_long",
        ),
    ],
)
def test_wrong_fields_are_named(changes: dict[str, Any], field: str, code: str) -> None:
    assert (field, code) in wrong(**changes)


def test_the_birth_date_inside_a_number_must_exist() -> None:
    number = "31011619900230123"  # 30 February
    assert ("id_number", "birth_date") in wrong(id_number=number + check_character(number))


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("138 0013 8000", "+8613800138000"),
        ("+86-13800138000", "+8613800138000"),
        ("1３８００１３８０００", "+8613800138000"),
        ("0573-85012345", "+8657385012345"),
        ("+81 90 1234 5678", "+819012345678"),
    ],
)
def test_phones_in_any_writing(given: str, stored: str) -> None:
    assert Declaration.model_validate(body(phone=given)).phone == stored


@pytest.mark.parametrize(
    ("given", "stored"), [("沪a·12345", "沪A12345"), (" 浙 F 88 888 ", "浙F88888"), ("", None), (None, None)]
)
def test_plates_in_any_writing(given: str | None, stored: str | None) -> None:
    assert Declaration.model_validate(body(plate=given)).plate == stored


def test_invisible_characters_are_taken_out() -> None:
    assert Declaration.model_validate(body(name="张\u200b三\u202e")).name == "张三"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"arriving_on": "2022-08-11"}, []),
        ({"arriving_on": "2022-08-10"}, [("arriving_on", "arrival_past")]),
        ({"arriving_on": "2022-10-12"}, [("arriving_on", "arrival_far")]),
        ({"stays": [{"text": "x", "from": "2020-08-01", "to": "2022-08-04"}]}, [("stays.0.from", "stay_past")]),
        ({"stays": [{"text": "x", "from": "2022-08-11", "to": "2022-08-14"}]}, [("stays.0.to", "stay_after_arrival")]),
        (
            {"tests": [{"kind": "pcr", "taken_at": (NOW + timedelta(hours=1)).isoformat(), "result": "negative"}]},
            [("tests.0.taken_at", "test_future")],
        ),
    ],
)
def test_dates_that_cannot_be(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert dated_wrong(Declaration.model_validate(body(**changes)), NOW, TODAY) == found


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "440524188001010014", "11010519491231002x", "110105 19491231 002X"]
)
def test_the_examples_of_the_standard_are_accepted(number: str) -> None:
    """GB 11643-1999 prints 11010519491231002X and 440524188001010014 as examples."""
    assert Declaration.model_validate(body(id_number=number)).id_number[-4:] in ("002X", "0014")


@pytest.mark.parametrize("last", "0123456789")
def test_any_other_check_character_is_refused(last: str) -> None:
    assert ("id_number", "check_digit") in wrong(id_number=RESIDENT[:-1] + last)
