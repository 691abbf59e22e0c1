"""The report of scripts/test: what it reads from pytest and how it closes."""

from collections import Counter

import pytest
import testing


def outcome(part: str, failures: tuple[str, ...] = (), **counts: int) -> testing.Outcome:
    return testing.Outcome(part, 1.0, list(failures), Counter(counts))


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([outcome("lint"), outcome("unit", passed=3)], " 3 passed in 2.50s "),
        ([outcome("unit", passed=3), outcome("web", passed=4, skipped=1)], " 7 passed, 1 skipped in 2.50s "),
        ([outcome("unit", ("tests/a.py::test_b",), failed=1, passed=2)], " 1 failed, 2 passed in 2.50s "),
        ([outcome("types", ("mypy",)), outcome("unit", passed=2)], " 1 failed, 2 passed in 2.50s "),
        ([outcome("lint")], " no tests ran in 2.50s "),
    ],
)
def test_the_closing_line_sums_the_suites(outcomes: list[testing.Outcome], words: str) -> None:
    line = testing.closing_line(outcomes, 2.5)
    assert words in line
    assert line.startswith("=")
    assert line.endswith("=")


@pytest.mark.parametrize(
    ("line", "closes"),
    [
        ("3 passed in 0.12s", True),
        ("======= 1 failed, 2 passed, 1 warning in 61.02s (0:01:01) =======", True),
        ("no tests ran in 0.01s", True),
        ("created: 2/2 workers", False),
        ("tests/unit/test_a.py ....", False),
    ],
)
def test_pytests_last_line_is_known(line: str, closes: bool) -> None:
    assert bool(testing._CLOSING.match(line)) is closes


def test_everything_that_failed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    testing.report(
        [outcome("lint", ("ruff check .",)), outcome("unit", ("tests/a.py::test_b - assert 1 == 2",), failed=1)], 90
    )
    shown = capsys.readouterr().out
    assert "FAILED lint: ruff check ." in shown
    assert "FAILED unit: tests/a.py::test_b - assert 1 == 2" in shown
    assert shown.rstrip().endswith("=")
    assert "(0:01:30)" in shown.splitlines()[-1]


@pytest.mark.parametrize(
    ("wanted", "run"),
    [
        (["lint", "unit", "services", "web", "browser", "guards"], ["lint", "unit+services+web+guards", "browser"]),
        (["unit"], ["unit"]),
        (["browser", "guards"], ["browser", "guards"]),
        (["web", "guards", "full"], ["web+guards", "full"]),
        (["lint"], ["lint"]),
    ],
)
def test_what_shares_the_processors_runs_as_one(wanted: list[str], run: list[str]) -> None:
    assert testing.together(wanted) == run
