"""The verdict at the barrier, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from checkpoint.crossings.verdict import PROBLEM_RULES, Presented, clock_is_wrong, judge, needs_reason

NOW = datetime(2022, 8, 12, 8, 0, tzinfo=UTC)


def presented(
    tier: str | None = "green", problem: str | None = None, hours: float | None = None, clock_wrong: bool = False
) -> Presented:
    taken = None if hours is None else NOW - timedelta(hours=hours)
    return Presented(problem, tier, taken, NOW, clock_wrong, 48)


@pytest.mark.parametrize(
    ("given", "verdict", "rules"),
    [
        (presented("red"), "hold", ()),
        (presented("red", hours=1), "hold", ()),
        (presented("yellow"), "test", ()),
        (presented("yellow", hours=1), "test", ()),
        (presented("green", hours=47.9), "admit", ("negative_test_valid",)),
        (presented("green", hours=48), "admit", ("negative_test_valid",)),
        (presented("green", hours=48.1), "test", ("negative_test_missing",)),
        (presented("green"), "test", ("negative_test_missing",)),
        (presented("green", hours=-1), "test", ("negative_test_missing",)),  # taken after the scan
        (presented("green", hours=1, clock_wrong=True), "test", ("clock_skew",)),
        (presented("red", clock_wrong=True), "hold", ("clock_skew",)),
        (presented(None), "test", ()),
    ],
)
def test_verdicts(given: Presented, verdict: str, rules: tuple[str, ...]) -> None:
    judgement = judge(given)
    assert (judgement.verdict.value, judgement.rules) == (verdict, rules)


@pytest.mark.parametrize("problem", sorted(PROBLEM_RULES))
@pytest.mark.parametrize("tier", ["red", "yellow", "green", None])
def test_a_pass_with_a_problem_is_refused_with_its_reason(problem: str, tier: str | None) -> None:
    judgement = judge(presented(tier, problem, hours=1))
    assert (judgement.verdict.value, judgement.rules) == ("refuse", (PROBLEM_RULES[problem],))


@pytest.mark.parametrize(
    ("minutes", "offline", "wrong"),
    [
        (0, False, False),
        (14, False, False),
        (16, False, True),
        (-16, False, True),
        (-600, True, False),
        (16, True, True),
    ],
)
def test_clocks(minutes: int, offline: bool, wrong: bool) -> None:
    assert clock_is_wrong(NOW + timedelta(minutes=minutes), NOW, offline=offline) is wrong


@pytest.mark.parametrize(
    ("verdict", "decision", "needed"),
    [
        ("admit", "admitted", False),
        ("test", "admitted", False),
        ("hold", "admitted", True),
        ("refuse", "admitted", True),
        ("hold", "transferred", False),
        ("refuse", "turned_back", False),
    ],
)
def test_an_override_needs_a_reason(verdict: str, decision: str, needed: bool) -> None:
    assert needs_reason(verdict, decision) is needed
