"""The default policy, row by row: facts in, tier, score and measures out."""

from dataclasses import replace
from datetime import date

import pytest

from checkpoint.risk.policy import default_policy
from checkpoint.risk.scoring import Facts, Hit, StayFact, assess, overlaps

DAY = date(2022, 8, 12)
HOME = StayFact(0, "浙江省嘉兴市海盐县", True, True, date(2022, 8, 5), DAY)
AWAY = replace(HOME, place="上海市金山区枫泾镇", same_province=False)
CALM = Facts((HOME,), (), None, 7, 1.0)


def hit(depth: str, level: str) -> Hit:
    return Hit(depth, level, "朱枫公路1号", date(2022, 8, 10))


@pytest.mark.parametrize(
    ("depth", "level", "score", "tier", "measure"),
    [
        ("area", "high", 100, "red", "central_quarantine"),
        ("town", "high", 80, "red", "central_quarantine"),
        ("county", "high", 50, "yellow", "home_observation"),
        ("area", "middle", 60, "yellow", "home_observation"),
        ("town", "middle", 45, "yellow", "home_observation"),
        ("county", "middle", 30, "green", None),
        ("area", "low", 20, "green", "landing_test"),
        ("town", "low", 20, "green", "landing_test"),
        ("county", "low", 20, "green", "landing_test"),
    ],
)
def test_what_a_list_says_of_a_stay(depth: str, level: str, score: int, tier: str, measure: str | None) -> None:
    result = assess(replace(CALM, stays=(replace(HOME, hit=hit(depth, level)),)), default_policy())
    assert (result.score, result.tier.value) == (score, tier)
    assert [one.kind for one in result.measures] == ([measure] if measure else [])
    assert result.reasons[0].area == "朱枫公路1号"
    assert result.reasons[0].list_id == 7


@pytest.mark.parametrize(
    ("facts", "score", "tier", "rule"),
    [
        (CALM, 0, "green", None),
        (replace(CALM, stays=(AWAY,)), 10, "green", "other_province"),
        (replace(CALM, symptoms=("fever",)), 45, "yellow", "symptoms"),
        (replace(CALM, positive_test_on=DAY), 100, "red", "positive_test"),
        (replace(CALM, stays=(replace(HOME, resolved=False, place=""),)), 40, "yellow", "place_unresolved"),
        (replace(CALM, list_age_hours=None), 40, "yellow", "list_missing"),
        (replace(CALM, list_age_hours=48.0), 0, "green", None),
        (replace(CALM, list_age_hours=48.1), 40, "yellow", "list_stale"),
    ],
)
def test_everything_else_that_counts(facts: Facts, score: int, tier: str, rule: str | None) -> None:
    result = assess(facts, default_policy())
    assert (result.score, result.tier.value) == (score, tier)
    assert (result.reasons[0].rule if result.reasons else None) == rule


def test_the_strongest_reason_decides_and_the_others_are_told() -> None:
    stays = (replace(AWAY, hit=hit("town", "middle")), replace(AWAY, position=1, place="江苏省苏州市昆山市"))
    result = assess(replace(CALM, stays=stays, symptoms=("cough",)), default_policy())
    assert result.score == 45
    assert [reason.rule for reason in result.reasons] == ["symptoms", "middle_town", "other_province"]


def test_a_listed_stay_in_another_province_is_told_once() -> None:
    result = assess(replace(CALM, stays=(replace(AWAY, hit=hit("county", "low")),)), default_policy())
    assert [reason.rule for reason in result.reasons] == ["low_county"]


def test_two_stays_in_one_place_give_one_reason() -> None:
    result = assess(replace(CALM, stays=(AWAY, replace(AWAY, position=1))), default_policy())
    assert len(result.reasons) == 1


def test_the_measures_of_the_default_policy() -> None:
    red = assess(replace(CALM, positive_test_on=DAY), default_policy()).measures[0]
    yellow = assess(replace(CALM, symptoms=("fever",)), default_policy()).measures[0]
    landing = assess(replace(CALM, stays=(AWAY,)), default_policy()).measures[0]
    assert (red.kind, red.days) == ("central_quarantine", 7)
    assert (yellow.kind, yellow.test_days) == ("home_observation", (1, 3, 7))
    assert (landing.kind, landing.within_hours, landing.test_days) == ("landing_test", 4, (1, 2, 3))


@pytest.mark.parametrize(
    ("since", "until", "listed", "delisted", "counts"),
    [
        (date(2022, 8, 1), date(2022, 8, 3), date(2022, 8, 10), None, True),  # ends on the first counted day
        (date(2022, 8, 1), date(2022, 8, 2), date(2022, 8, 10), None, False),  # ends the day before
        (date(2022, 8, 12), date(2022, 8, 12), date(2022, 8, 10), None, True),
        (
            date(2022, 8, 12),
            date(2022, 8, 14),
            date(2022, 8, 1),
            date(2022, 8, 12),
            True,
        ),  # the day of delisting counts
        (date(2022, 8, 13), date(2022, 8, 14), date(2022, 8, 1), date(2022, 8, 12), False),
    ],
)
def test_when_a_stay_counts(since: date, until: date, listed: date, delisted: date | None, counts: bool) -> None:
    assert overlaps(since, until, listed, delisted, 7) is counts


def test_scoring_is_a_function_of_its_facts() -> None:
    facts = replace(CALM, stays=(replace(AWAY, hit=hit("area", "middle")),), symptoms=("fever",))
    assert assess(facts, default_policy()) == assess(facts, default_policy())
