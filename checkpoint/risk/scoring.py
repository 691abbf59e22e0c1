"""研判: the score of one registration under one list version and one policy. Pure: same input, same output, no clock, no database.

The score is the strongest reason. A stay counts against an area if it overlaps the time from `days_before_listing` before
the area was listed until it was delisted; the deepest match (area, town, county) decides, so one stay gives one list reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from checkpoint.risk.policy import PolicyData, Tier


@dataclass(frozen=True, slots=True)
class Hit:
    """What the list says of a stay: depth `area`, `town` or `county`; level `high`, `middle` or `low`; in the list's own words."""

    depth: str
    level: str
    area: str
    listed_on: date
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class StayFact:
    """A stay as the scorer sees it. `place` is the official name it resolved to; `resolved` false means nobody knows where."""

    position: int
    place: str
    resolved: bool
    same_province: bool
    since: date
    until: date
    hit: Hit | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a score may depend on. `list_age_hours` is None when no list is in force."""

    stays: tuple[StayFact, ...]
    symptoms: tuple[str, ...]
    positive_test_on: date | None
    list_id: int | None
    list_age_hours: float | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule, its points, which stay, and the listed words and date that are the evidence."""

    rule: str
    points: int
    stay: int | None = None
    place: str | None = None
    area: str | None = None
    listed_on: str | None = None
    list_id: int | None = None
    detail: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The stored form, without what is empty."""
        stored = {"rule": self.rule, "points": self.points, "stay": self.stay, "place": self.place, "area": self.area}
        stored |= {"listed_on": self.listed_on, "list_id": self.list_id, "detail": list(self.detail) or None}
        return {key: value for key, value in stored.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Measure:
    """What must happen: `days` of it, a first test `within_hours`, tests on `test_days` (1 is the day after arrival)."""

    kind: str
    days: int = 0
    within_hours: int | None = None
    test_days: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "kind": self.kind,
            "days": self.days,
            "within_hours": self.within_hours,
            "test_days": list(self.test_days),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """Tier, score 0 to 100, the reasons (strongest first) and the measures."""

    tier: Tier
    score: int
    reasons: tuple[Reason, ...]
    measures: tuple[Measure, ...]


def overlaps(since: date, until: date, listed_on: date, delisted_on: date | None, days_before: int) -> bool:
    """Whether a stay counts against a listing: both ends of both spans belong to them."""
    if until < listed_on - timedelta(days=days_before):
        return False
    return delisted_on is None or since <= delisted_on


def _stay_reasons(stay: StayFact, policy: PolicyData, list_id: int | None) -> Iterable[Reason]:
    points = policy.points
    if not stay.resolved:
        yield Reason("place_unresolved", points["place_unresolved"], stay.position, list_id=list_id)
        return
    hit = stay.hit
    if hit is not None:
        rule = "low_county" if hit.level == "low" else f"{hit.level}_{hit.depth}"
        yield Reason(rule, points[rule], stay.position, stay.place, hit.area, hit.listed_on.isoformat(), list_id)
    elif not stay.same_province:
        yield Reason("other_province", points["other_province"], stay.position, stay.place, list_id=list_id)


def _person_reasons(facts: Facts, policy: PolicyData) -> Iterable[Reason]:
    points = policy.points
    if facts.positive_test_on is not None:
        yield Reason("positive_test", points["positive_test"], detail=(facts.positive_test_on.isoformat(),))
    if facts.symptoms:
        yield Reason("symptoms", points["symptoms"], detail=tuple(sorted(facts.symptoms)))
    if facts.list_age_hours is None:
        yield Reason("list_missing", points["list_missing"])
    elif facts.list_age_hours > policy.list_stale_hours:
        yield Reason(
            "list_stale", points["list_stale"], list_id=facts.list_id, detail=(str(int(facts.list_age_hours)),)
        )


def tier_of(score: int, policy: PolicyData) -> Tier:
    """Red from `red_from`, yellow from `yellow_from`, else green."""
    if score >= policy.red_from:
        return Tier.RED
    return Tier.YELLOW if score >= policy.yellow_from else Tier.GREEN


def measures_for(tier: Tier, reasons: Sequence[Reason], policy: PolicyData) -> tuple[Measure, ...]:
    """The first measure of the policy that the tier or one of the reasons calls for; none if none does."""
    rules = {reason.rule for reason in reasons}
    for rule in policy.measures:
        if rule.tier is tier or (rule.tier is None and rules.intersection(rule.any_rule)):
            return (Measure(rule.kind, rule.days, rule.within_hours, rule.test_days),)
    return ()


def assess(facts: Facts, policy: PolicyData) -> Result:
    """Score the facts of one registration under one policy."""
    reasons = list(_person_reasons(facts, policy))
    for stay in facts.stays:
        reasons.extend(_stay_reasons(stay, policy, facts.list_id))
    reasons.sort(key=lambda reason: (-reason.points, reason.stay if reason.stay is not None else -1, reason.rule))
    unique = tuple(_once_a_place(reasons))
    score = unique[0].points if unique else 0
    tier = tier_of(score, policy)
    return Result(tier, score, unique, measures_for(tier, unique, policy))


def _once_a_place(reasons: Iterable[Reason]) -> Iterable[Reason]:
    """Two stays in one place give one reason, not two."""
    seen: set[tuple[str, str | None, str | None, tuple[str, ...]]] = set()
    for reason in reasons:
        key = (reason.rule, reason.place, reason.area, reason.detail)
        if key not in seen or reason.rule == "place_unresolved":
            seen.add(key)
            yield reason
