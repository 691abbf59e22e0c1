"""The figures of command from counts, the tiles of its map, and when a report is due: tables of plain values."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from checkpoint.followups.tallies import Closing
from checkpoint.standing.figures import (
    Alerts,
    ByTier,
    Mismatches,
    Place,
    Post,
    Scanned,
    Spread,
    Took,
    hour_labels,
    shape_hours,
    shape_posts,
    spread,
    worst_first,
)
from checkpoint.standing.mailing import due_day
from checkpoint.standing.tiles import lay_out


@pytest.mark.parametrize(
    ("tenths", "expected"),
    [
        ({}, Spread(0, None, None)),
        ({52: 1}, Spread(1, 5.2, 5.2)),
        ({10: 1, 20: 1}, Spread(2, 1.0, 2.0)),  # nearest rank: the first of two
        ({10: 9, 600: 1}, Spread(10, 1.0, 1.0)),
        ({10: 8, 600: 2}, Spread(10, 1.0, 60.0)),
        ({-40: 1}, Spread(1, 0.0, 0.0)),  # two clocks
        ({10: 1, 9_999_999: 9}, Spread(10, 3600.0, 3600.0)),  # somebody forgot to tap
    ],
)
def test_median_and_nine_in_ten(tenths: dict[int, int], expected: Spread) -> None:
    assert spread(tenths) == expected


def test_posts_and_hours() -> None:
    names = [("A", "甲"), ("B", "乙")]
    scanned = [Scanned("A", 8, True, 3), Scanned("A", 8, False, 1), Scanned("A", 9, True, 2)]
    took = [Took("A", 8, 80, 3), Took("A", 9, 200, 2)]
    posts = shape_posts(names, scanned, took, {"B": (5, 4)}, 24)
    assert [(post.name, post.scans, post.admitted, post.earlier) for post in posts] == [
        ("甲", 6, 5, 0),
        ("乙", 5, 4, 5),
    ]
    assert (posts[0].decision, posts[1].decision) == (Spread(5, 8.0, 20.0), Spread())
    hours = shape_hours([f"{hour:02d}:00" for hour in range(24)], posts, took)
    assert [(hour.label, hour.scans, hour.decision.median) for hour in hours if hour.scans] == [
        ("08:00", 4, 8.0),
        ("09:00", 2, 20.0),
    ]


def test_a_scan_beyond_the_last_hour_stays_in_the_day() -> None:
    [post] = shape_posts([("A", "甲")], [Scanned("A", 24, True, 1), Scanned("A", -1, True, 1)], [], {}, 24)
    assert post == Post("A", "甲", (1, *[0] * 22, 1), 2)


@pytest.mark.parametrize(
    ("day", "zone", "labels"),
    [
        (date(2022, 4, 12), "Asia/Shanghai", ("00:00", "23:00", 24)),
        (date(2022, 3, 27), "Europe/Berlin", ("00:00", "23:00", 23)),
        (date(2022, 10, 30), "Europe/Berlin", ("00:00", "23:00", 25)),
    ],
)
def test_hours_are_those_of_the_site(day: date, zone: str, labels: tuple[str, str, int]) -> None:
    from checkpoint.clock import start_of_day

    found = hour_labels(start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone), zone)
    assert (found[0], found[-1], len(found)) == labels


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "green"),
        ({"alerts": Alerts(live=1)}, "green"),
        ({"alerts": Alerts(live=1, open=1)}, "yellow"),
        ({"mismatches": Mismatches(not_found=1)}, "yellow"),
        ({"mismatches": Mismatches(tests=1)}, "red"),
        ({"mismatches": Mismatches(not_arrived=1)}, "red"),
        ({"alerts": Alerts(live=1, overdue=1)}, "red"),
    ],
)
def test_the_colour_of_a_place(changes: dict[str, object], state: str) -> None:
    assert replace(Place("330482101000", "乍浦镇"), **changes).state == state  # type: ignore[arg-type]


def test_the_worst_comes_first() -> None:
    quiet, late, sad = (Place(code, code) for code in ("1", "2", "3"))
    late = replace(late, alerts=Alerts(live=2, overdue=1))
    sad = replace(sad, mismatches=Mismatches(tests=9), inside=ByTier(green=5))
    assert [one.code for one in worst_first([quiet, sad, late])] == ["2", "3", "1"]


def test_sums() -> None:
    assert ByTier(1, 2, 3) + ByTier(1, 1, 1) == ByTier(2, 3, 4)
    assert (Alerts(1, 1, 1, 1, 1) + Alerts(live=2)).live == 3
    assert Mismatches(1, 2, 3).total == 6
    assert Closing(4, 3, 1).share == 0.75


TOWNS = ("001", "002", "003", "101", "102", "103", "106", "107", "108")


def test_towns_lie_where_the_map_is_drawn() -> None:
    places = [Place(f"330482{code}000", code) for code in TOWNS] + [Place("330482000000", "city")]
    found = lay_out(places, "330482000000")
    assert found.is_drawn
    assert [(tile.place.name, tile.column, tile.row) for tile in found.tiles][:4] == [
        ("002", 1, 1),
        ("102", 2, 1),
        ("106", 3, 1),
        ("003", 1, 2),
    ]
    assert (found.tiles[-1].place.name, found.tiles[-1].row) == ("city", 4)  # matters of the city itself
    assert len({(tile.column, tile.row) for tile in found.tiles}) == len(places)


def test_where_no_map_is_drawn_places_stand_by_code() -> None:
    for division in ("310116000000", "330482101000"):
        found = lay_out([Place("330482101203", "b"), Place("330482101027", "a")], division)
        assert not found.is_drawn
        assert [tile.place.name for tile in found.tiles] == ["a", "b"]


@pytest.mark.parametrize(
    ("utc_hour", "hour", "day"),
    [
        (22, 7, None),  # six in the morning of the 13th at the site
        (23, 7, date(2022, 4, 12)),
        (23, None, None),
        (16, 0, date(2022, 4, 12)),
        (15, 7, date(2022, 4, 11)),  # late, but still that day
    ],
)
def test_when_the_report_is_due(utc_hour: int, hour: int | None, day: date | None) -> None:
    assert due_day(datetime(2022, 4, 12, utc_hour, 0, tzinfo=UTC), hour, "Asia/Shanghai") == day
