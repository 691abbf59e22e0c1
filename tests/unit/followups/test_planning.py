"""From measures to dated work."""

from datetime import UTC, datetime, timedelta

import pytest

from checkpoint.followups.planning import plan

# 23:30 on the 12th in Shanghai: "day 1" is the 13th there, though it is still the 12th in UTC.
ENTERED = datetime(2022, 8, 12, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("measures", "kinds"),
    [
        ([], ["arrival_visit"]),
        (
            [{"kind": "landing_test", "within_hours": 4, "test_days": [1, 2, 3], "days": 0}],
            ["arrival_visit", "landing_test", "test", "test", "test"],
        ),
        (
            [{"kind": "home_observation", "days": 2, "test_days": [1], "within_hours": None}],
            ["arrival_visit", "health_check", "test", "health_check", "release"],
        ),
        ([{"kind": "central_quarantine", "days": 1, "test_days": []}], ["arrival_visit", "health_check", "release"]),
    ],
)
def test_kinds(measures: list[dict[str, object]], kinds: list[str]) -> None:
    assert [task.kind for task in plan(measures, ENTERED, timezone="Asia/Shanghai", arrival_hours=4)] == kinds


def test_days_are_those_of_the_site() -> None:
    tasks = plan([{"kind": "landing_test", "test_days": [1]}], ENTERED, timezone="Asia/Shanghai", arrival_hours=4)
    test = next(task for task in tasks if task.kind == "test")
    assert test.from_at == datetime(2022, 8, 12, 16, 0, tzinfo=UTC)
    assert test.due_at - test.from_at == timedelta(days=1)


def test_the_door_is_due_first() -> None:
    first = plan(
        [{"kind": "home_observation", "days": 7, "test_days": [1, 3, 7]}],
        ENTERED,
        timezone="Asia/Shanghai",
        arrival_hours=4,
    )[0]
    assert (first.kind, first.due_at - ENTERED) == ("arrival_visit", timedelta(hours=4))
