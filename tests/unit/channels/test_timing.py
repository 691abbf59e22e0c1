"""When a message goes: storms settle, quiet hours hold back all but red, failures wait longer each time."""

from datetime import UTC, datetime, timedelta

import pytest

from checkpoint.channels.timing import Waiting, clock_minutes, is_quiet, is_ready, retry_after
from checkpoint.outbound import ForbiddenAddress, is_public, split

AT = datetime(2022, 4, 12, 2, 0, tzinfo=UTC)  # ten in the morning at the site
ZONE = "Asia/Shanghai"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("start", "end", "quiet"),
    [
        ("09:00", "11:00", True),
        ("10:00", "10:01", True),
        ("09:00", "10:00", False),
        ("22:00", "07:00", False),
        ("22:00", "10:01", True),
        ("10:01", "10:00", False),
        ("09:00", "09:00", False),
        (None, None, False),
        ("09:00", None, False),
        ("nine", "11:00", False),
    ],
)
def test_quiet_hours_may_go_past_midnight(start: str | None, end: str | None, quiet: bool) -> None:
    assert is_quiet(AT, start, end, ZONE) is quiet


@pytest.mark.parametrize(
    ("raw", "found"), [("08:05", 485), ("8:05", 485), ("24:00", None), ("08:60", None), ("0805", None), ("a:bc", None)]
)
def test_times_of_day(raw: str, found: int | None) -> None:
    assert clock_minutes(raw) == found


@pytest.mark.parametrize(
    ("oldest", "newest", "red", "sent", "quiet", "ready"),
    [
        (3, 3, False, None, False, True),
        (2, 2, False, None, False, False),
        (14, 1, True, None, False, False),
        (15, 1, True, None, False, True),
        (15, 0, False, None, False, True),
        (30, 30, False, 59, False, False),
        (30, 30, False, 60, False, True),
        (30, 30, True, 5, False, True),
        (30, 30, False, None, True, False),
        (30, 30, True, None, True, True),
    ],
)
def test_a_storm_settles_first(
    oldest: float, newest: float, red: bool, sent: float | None, quiet: bool, ready: bool
) -> None:
    waiting = Waiting(AT - seconds(oldest), AT - seconds(newest), red)
    sent_at = None if sent is None else AT - seconds(sent)
    assert is_ready(waiting, AT, sent_at=sent_at, quiet=quiet) is ready


def test_waits_double_up_to_an_hour() -> None:
    assert [retry_after(number).total_seconds() for number in (1, 2, 3, 8, 50)] == [30, 60, 120, 3600, 3600]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("172.16.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - looked at, not bound
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_what_lies_on_the_open_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:word@example.com/",
        "https:///path",
        "https://example.com:99999/",
        "https://example.com/\r\nX: y",
    ],
)
def test_only_plain_https_addresses_are_called(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        split(url, allow_private=False)
