"""From measures to dated work."""

from datetime import UTC, datetime, timedelta

import pytest

from checkpoint.followups.planning import Revision, is_complete, measured, next_day, plan, revise

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


HOUSE = [{"kind": "home_observation", "days": 3, "test_days": [1, 3]}]


def keys(days: int, **more: object) -> list[tuple[str, datetime]]:
    measures = [{"kind": "home_observation", "days": days, "test_days": [1], **more}]
    return [task.key for task in measured(measures, ENTERED, timezone="Asia/Shanghai")]


def test_the_same_measures_change_nothing() -> None:
    wanted = measured(HOUSE, ENTERED, timezone="Asia/Shanghai")
    known = {task.key for task in wanted}
    change = revise(wanted, open_keys=known, done_keys=(), at=ENTERED)
    assert change == Revision(frozenset(), ())


def test_what_is_not_wanted_goes_and_what_is_over_does_not_come() -> None:
    arrival = ("arrival_visit", ENTERED + timedelta(hours=4))
    before = {*keys(3), arrival}
    wanted = measured([{"kind": "central_quarantine", "days": 5}], ENTERED, timezone="Asia/Shanghai")
    at = ENTERED + timedelta(days=1, hours=1)  # the first day is over
    change = revise(wanted, open_keys=before, done_keys=(), at=at)
    assert {kind for kind, _due in change.cancel} == {"test", "release"}  # the checks of days 1 to 3 are wanted still
    assert arrival not in change.cancel
    assert [(task.kind, task.day) for task in change.add] == [
        ("health_check", 4),
        ("health_check", 5),
        ("release", 5),
    ]


def test_done_work_is_not_asked_for_again() -> None:
    wanted = measured(HOUSE, ENTERED, timezone="Asia/Shanghai")
    done = {task.key for task in wanted if task.day == 1}
    change = revise(wanted, open_keys=(), done_keys=done, at=ENTERED)
    assert all(task.day != 1 for task in change.add)
    assert len(change.add) == len(wanted) - len(done)


@pytest.mark.parametrize(
    ("tasks", "complete"),
    [
        ([], False),
        ([("arrival_visit", "done", "arrived"), ("release", "open", None)], True),
        ([("arrival_visit", "open", None), ("release", "open", None)], False),
        ([("arrival_visit", "done", "not_here")], False),
        ([("arrival_visit", "done", "not_here"), ("arrival_visit", "done", "arrived")], True),
        ([("arrival_visit", "done", "arrived"), ("test", "done", "negative"), ("test", "cancelled", None)], True),
        *(
            ([("arrival_visit", "done", "arrived"), (kind, "done", result)], False)
            for kind, result in (
                ("test", "positive"),
                ("test", "refused"),
                ("health_check", "unwell"),
                ("health_check", "no_answer"),
            )
        ),
        ([("arrival_visit", "done", "arrived"), ("health_check", "open", None)], False),
    ],
)
def test_when_nothing_but_the_release_is_left(tasks: list[tuple[str, str, str | None]], complete: bool) -> None:
    assert is_complete(tasks) is complete


def test_an_extension_is_tomorrow() -> None:
    check, release = next_day(7, ENTERED, timezone="Asia/Shanghai")
    assert (check.kind, check.day, release.kind) == ("health_check", 8, "release")
    assert check.from_at == datetime(2022, 8, 12, 16, 0, tzinfo=UTC)
