"""When rounds are due, and which visit counts for which: tables, no database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from checkpoint.patrols.planning import GRACE, Candidate, choose, clashes, counted, is_missed, walks_on, window, windows

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"
EVERY_DAY = 0b1111111
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "starts", "minutes", "zone", "opens", "closes"),
    [
        (date(2022, 4, 12), 8 * 60, 120, SHANGHAI, "2022-04-12T00:00", "2022-04-12T02:00"),
        (date(2022, 4, 12), 0, 30, SHANGHAI, "2022-04-11T16:00", "2022-04-11T16:30"),
        (date(2022, 4, 12), 23 * 60 + 30, 120, SHANGHAI, "2022-04-12T15:30", "2022-04-12T17:30"),
        (date(2022, 12, 31), 23 * 60, 720, SHANGHAI, "2022-12-31T15:00", "2023-01-01T03:00"),
        (date(2024, 2, 28), 22 * 60, 180, SHANGHAI, "2024-02-28T14:00", "2024-02-28T17:00"),
        # Where clocks change at night the window keeps its length: 01:30 to 04:30 on paper, two hours in fact.
        (date(2022, 3, 27), 90, 120, BERLIN, "2022-03-27T00:30", "2022-03-27T02:30"),
    ],
)  # fmt: skip
def test_a_window_is_wall_time_made_into_instants(
    day: date, starts: int, minutes: int, zone: str, opens: str, closes: str
) -> None:
    found = window(day, starts, minutes, zone)
    assert (found.day, found.opens_at, found.closes_at) == (day, utc(opens), utc(closes))


@pytest.mark.parametrize(
    ("mask", "day", "expected"),
    [
        (0b0000001, date(2022, 4, 11), True),  # a Monday
        (0b0000001, date(2022, 4, 12), False),
        (0b1000000, date(2022, 4, 17), True),  # a Sunday
        (0b0111111, date(2022, 4, 17), False),
        (EVERY_DAY, date(2022, 4, 14), True),
    ],
)
def test_days_of_the_week(mask: int, day: date, expected: bool) -> None:
    assert walks_on(mask, day) is expected


@pytest.mark.parametrize(
    ("starts", "minutes", "mask", "since", "at", "expected"),
    [
        # 08:00 at the site is midnight UTC. Asked at 10:00: today's is over if it lasted an hour, open if it lasted three.
        (480, 60, EVERY_DAY, LONG_AGO, "2022-04-12T02:00", ["2022-04-13"]),
        (480, 180, EVERY_DAY, LONG_AGO, "2022-04-12T02:00", ["2022-04-12", "2022-04-13"]),
        (480, 120, EVERY_DAY, LONG_AGO, "2022-04-12T02:00", ["2022-04-13"]),  # it ends at this very moment
        # The line was written while today's window was open: that one was nobody's duty.
        (480, 180, EVERY_DAY, utc("2022-04-12T01:00"), "2022-04-12T02:00", ["2022-04-13"]),
        (480, 180, EVERY_DAY, utc("2022-04-12T00:00"), "2022-04-12T02:00", ["2022-04-12", "2022-04-13"]),
        # Over midnight: at half past midnight yesterday's 23:00 is still open.
        (1380, 120, EVERY_DAY, LONG_AGO, "2022-04-12T16:30", ["2022-04-12", "2022-04-13"]),
        (1380, 120, EVERY_DAY, LONG_AGO, "2022-04-12T17:00", ["2022-04-13"]),
        # Tuesdays only; the 12th is one. The day is the one at the site: 17:00 UTC on Monday is Tuesday there.
        (480, 60, 0b0000010, LONG_AGO, "2022-04-11T17:00", ["2022-04-12"]),
        (480, 60, 0b0000010, LONG_AGO, "2022-04-12T02:00", []),
        # Just within 36 hours and just outside.
        (480, 60, EVERY_DAY, LONG_AGO, "2022-04-12T12:00", ["2022-04-13", "2022-04-14"]),
        (481, 60, EVERY_DAY, LONG_AGO, "2022-04-12T12:00", ["2022-04-13"]),
        (480, 60, 0, LONG_AGO, "2022-04-12T12:00", []),
    ],
)
def test_which_rounds_are_made(
    starts: int, minutes: int, mask: int, since: datetime, at: str, expected: list[str]
) -> None:
    found = windows(starts, minutes, mask, since=since, at=utc(at), timezone=SHANGHAI)
    assert [one.day.isoformat() for one in found] == expected


@pytest.mark.parametrize(
    ("visited", "received", "skew", "expected"),
    [
        ("2022-04-12T02:00", "2022-04-12T02:00", 0, "2022-04-12T02:00"),
        ("2022-04-12T02:00", "2022-04-12T09:00", 0, "2022-04-12T02:00"),  # told of after hours without network
        ("2022-04-12T05:00", "2022-04-12T02:00", 0, "2022-04-12T02:00"),  # a clock that is ahead, error unknown
        ("2022-04-12T05:00", "2022-04-12T02:30", 3 * 3600, "2022-04-12T02:00"),  # the same, error measured
        ("2022-04-11T23:00", "2022-04-12T02:30", -3 * 3600, "2022-04-12T02:00"),  # a clock that is behind
    ],
)
def test_a_visit_counts_at_the_servers_time(visited: str, received: str, skew: float, expected: str) -> None:
    assert counted(utc(visited), utc(received), skew) == utc(expected)


def candidate(opens: str, closes: str, is_done: bool = False) -> Candidate:
    return Candidate(utc(f"2022-04-12T{opens}"), utc(f"2022-04-12T{closes}"), is_done)


@pytest.mark.parametrize(
    ("due", "at", "expected"),
    [
        ([], "02:00", None),
        ([candidate("01:00", "03:00")], "02:00", 0),
        ([candidate("01:00", "03:00")], "01:00", 0),
        ([candidate("01:00", "03:00")], "03:00", 0),
        ([candidate("01:00", "03:00")], "00:59", None),
        ([candidate("01:00", "03:00")], "03:01", None),
        ([candidate("01:00", "05:00"), candidate("01:00", "03:00")], "02:00", 1),  # what ends first
        ([candidate("01:00", "05:00"), candidate("01:00", "03:00", True)], "02:00", 0),  # what is not done yet
        ([candidate("01:00", "05:00", True), candidate("01:00", "03:00", True)], "02:00", 1),
    ],
)
def test_which_round_a_visit_counts_for(due: list[Candidate], at: str, expected: int | None) -> None:
    assert choose(due, utc(f"2022-04-12T{at}")) == expected


def test_a_point_is_missed_after_window_and_grace() -> None:
    closes = utc("2022-04-12T02:00")
    assert not is_missed(closes, closes + GRACE)
    assert is_missed(closes, closes + GRACE + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("mine", "others", "expected"),
    [
        ((480, 120, EVERY_DAY), [], False),
        ((480, 120, EVERY_DAY), [(600, 60, EVERY_DAY)], False),  # one ends as the other begins
        ((480, 121, EVERY_DAY), [(600, 60, EVERY_DAY)], True),
        ((480, 120, 0b0000001), [(480, 120, 0b0000010)], False),  # Monday, Tuesday
        ((1380, 120, 0b0000001), [(0, 60, 0b0000010)], True),  # Monday night reaches into Tuesday
        ((1380, 120, 0b1000000), [(30, 60, 0b0000001)], True),  # Sunday night into Monday
        ((1380, 60, 0b1000000), [(0, 60, 0b0000001)], False),
    ],
)
def test_lines_of_one_timetable_do_not_overlap(
    mine: tuple[int, int, int], others: list[tuple[int, int, int]], expected: bool
) -> None:
    assert clashes(*mine, others) is expected
