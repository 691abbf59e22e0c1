"""What a granted approval allows and asks: the stored form, and each condition at its edges."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from checkpoint.approvals.conditions import Conditions, Passage, Route, breach, leaves_route

ZONE = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2022, 12, 2, 10, 0, tzinfo=ZONE)
FORM: dict[str, Any] = {"from": "2022-12-01T00:00:00+08:00", "until": "2022-12-31T00:00:00+08:00"}


def held(**changes: Any) -> Conditions:
    return Conditions.from_json(FORM | changes)


def passing(moment: datetime = FRIDAY, checkpoint: str = "G60", tested: float | None = None) -> Passage:
    taken = None if tested is None else moment - timedelta(hours=tested)
    return Passage(moment, checkpoint, taken, ZONE)


def at(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2022-12-{day:02}T{clock}+08:00")


def test_the_form_goes_and_comes_back() -> None:
    form = {
        "from": "2022-12-01T00:00:00+08:00",
        "until": "2022-12-31T00:00:00+08:00",
        "days": [1, 5],
        "hours": ["22:00", "06:00"],
        "checkpoints": ["G60"],
        "route": {"from": "310116000000", "to": ["330482101000"], "stops": []},
        "test_hours": 24,
        "covers": "red",
        "binding": True,
        "note": "闭环",
    }
    assert Conditions.from_json(form).as_json() == form
    assert Conditions.from_json(held().as_json()) == held()


@pytest.mark.parametrize(
    "changes",
    [
        {"until": FORM["from"]},
        {"from": "2022-12-01T00:00:00"},  # nobody knows in which zone
        {"days": [0]},
        {"days": [8]},
        {"days": [1, 1]},
        {"hours": ["06:00", "06:00"]},
        {"hours": ["06:00", "24:00"]},
        {"hours": ["6:00", "22:00"]},
        {"hours": ["06:00"]},
        {"route": {"from": "330482", "to": []}},
        {"test_hours": 0},
        {"covers": "blue"},
        {"note": "x" * 201},
        {"unheard_of": 1},
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        held(**changes)


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        (at(1, "00:00:00"), None),
        (at(1, "00:00:00") - timedelta(seconds=1), "not_yet"),
        (at(31, "00:00:00") - timedelta(seconds=1), None),
        (at(31, "00:00:00"), "over"),
        (at(1, "00:00:00").astimezone(UTC), None),
    ],
)
def test_validity_holds_from_its_first_instant_to_before_its_last(moment: datetime, wanted: str | None) -> None:
    assert breach(held(), passing(moment)) == wanted


# The 2nd of December 2022 is a Friday (5).
@pytest.mark.parametrize(
    ("days", "hours", "moment", "wanted"),
    [
        ([5], None, at(2, "00:00:00"), None),
        ([5], None, at(1, "23:59:59"), "days"),
        ([5], None, datetime(2022, 12, 1, 16, 0, tzinfo=UTC), None),  # Thursday in London, Friday here
        ([], ["06:00", "22:00"], at(2, "06:00:00"), None),
        ([], ["06:00", "22:00"], at(2, "05:59:59"), "hours"),
        ([], ["06:00", "22:00"], at(2, "21:59:59"), None),
        ([], ["06:00", "22:00"], at(2, "22:00:00"), "hours"),
        ([], ["22:00", "06:00"], at(2, "22:00:00"), None),
        ([], ["22:00", "06:00"], at(2, "21:59:59"), "hours"),
        ([], ["22:00", "06:00"], at(3, "05:59:59"), None),
        ([], ["22:00", "06:00"], at(3, "06:00:00"), "hours"),
        ([5], ["22:00", "06:00"], at(2, "23:00:00"), None),
        ([5], ["22:00", "06:00"], at(3, "02:00:00"), None),  # Saturday morning is still Friday's night
        ([5], ["22:00", "06:00"], at(2, "02:00:00"), "days"),  # Friday morning is still Thursday's
        ([5], ["22:00", "06:00"], at(3, "23:00:00"), "days"),
        ([7], ["22:00", "06:00"], at(5, "02:00:00"), None),  # from Sunday into Monday
    ],
)
def test_days_and_hours_are_those_of_the_site(
    days: list[int], hours: list[str] | None, moment: datetime, wanted: str | None
) -> None:
    assert breach(held(days=days, hours=hours), passing(moment)) == wanted


@pytest.mark.parametrize(("posts", "wanted"), [([], None), (["G60", "S7"], None), (["S7"], "checkpoint")])
def test_checkpoints(posts: list[str], wanted: str | None) -> None:
    assert breach(held(checkpoints=posts), passing()) == wanted


@pytest.mark.parametrize(
    ("tested", "wanted"), [(None, "test"), (0, None), (24, None), (24.001, "test"), (-0.001, "test")]
)
def test_a_test_must_be_young_enough_and_not_from_the_future(tested: float | None, wanted: str | None) -> None:
    assert breach(held(test_hours=24), passing(tested=tested)) == wanted


def test_the_first_breach_is_named() -> None:
    strict = held(days=[1], hours=["11:00", "12:00"], checkpoints=["S7"], test_hours=24)
    assert breach(strict, passing(), off_route=True) == "days"
    assert breach(held(test_hours=24), passing(), off_route=True) == "route"


@pytest.mark.parametrize(
    ("route", "origin", "destination", "leaves"),
    [
        (None, None, "330482101001", False),
        ({}, None, "330482101001", False),
        ({"from": "310116000000"}, "310116101000", "330482101001", False),
        ({"from": "310116000000"}, "310000000000", "330482101001", True),  # known no deeper than Shanghai
        ({"from": "310116000000"}, None, "330482101001", True),
        ({"to": ["330482101000", "330482102000"]}, None, "330482102003", False),
        ({"to": ["330482101000"]}, None, "330482102003", True),
        (
            {"from": "310116000000", "to": ["330482101001"], "stops": ["330481000000"]},
            "310116000000",
            "330481000000",
            True,
        ),
    ],
)
def test_routes(route: dict[str, Any] | None, origin: str | None, destination: str, leaves: bool) -> None:
    parsed = None if route is None else Route.model_validate(route)
    assert leaves_route(parsed, origin, destination) is leaves
