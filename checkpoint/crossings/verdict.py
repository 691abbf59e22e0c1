"""The verdict at the barrier. Pure; the browser runs the same rules off line from the same table of vectors.

red: hold; yellow: test; green: admit with a negative test not older than the policy allows, else test; a pass that is forged,
expired, withdrawn or unknown: refuse. A clock that is wrong, and a list that is stale, are never green. An approval lets somebody
red be tested in place of held; one that binds holds a pass outside of what was granted, or asks for the test that it lacks.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkpoint.approvals.standing import Settled

MAX_SKEW = timedelta(minutes=15)


class Verdict(enum.StrEnum):
    """What the tablet shows the officer."""

    ADMIT = "admit"
    TEST = "test"
    HOLD = "hold"
    REFUSE = "refuse"


class Decision(enum.StrEnum):
    """What the officer did."""

    ADMITTED = "admitted"
    TESTED = "tested"
    HELD = "held"
    TURNED_BACK = "turned_back"
    TRANSFERRED = "transferred"


# A pass problem and the rule that words it (risk/wording.py).
PROBLEM_RULES = {
    "unreadable": "pass_unreadable",
    "other_key": "pass_other_key",
    "forged": "pass_forged",
    "expired": "pass_expired",
    "withdrawn": "pass_withdrawn",
    "replaced": "pass_replaced",
    "unknown": "pass_unknown",
}


@dataclass(frozen=True, slots=True)
class Presented:
    """All that a verdict may depend on. `problem` is a key of PROBLEM_RULES or None; times are instants."""

    problem: str | None
    tier: str | None
    negative_test_at: datetime | None
    scanned_at: datetime
    clock_wrong: bool
    negative_test_hours: int
    approval: Settled | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and the rules that speak for it besides the assessment's own reasons."""

    verdict: Verdict
    rules: tuple[str, ...]


def clock_is_wrong(
    scanned_at: datetime, received_at: datetime, *, offline: bool, skew_seconds: int | None = None
) -> bool:
    """A clock that was measured to be off; a scan from the future always; one from the past only when it was sent at once."""
    if abs(timedelta(seconds=skew_seconds or 0)) > MAX_SKEW:
        return True
    ahead = scanned_at - received_at
    return ahead > MAX_SKEW or (not offline and -ahead > MAX_SKEW)


def judge(presented: Presented) -> Judgement:
    """The verdict on what was presented; the approval's own rule is told beside it (`Settled.rule`)."""
    if presented.problem is not None:
        return Judgement(Verdict.REFUSE, (PROBLEM_RULES[presented.problem],))
    plain = _by_tier(presented)
    if presented.approval is None:
        return plain
    verdict = with_approval(plain.verdict, presented.tier, presented.approval, unsure=presented.clock_wrong)
    return Judgement(verdict, plain.rules)


def with_approval(verdict: Verdict, tier: str | None, approval: Settled, *, unsure: bool) -> Verdict:
    """A verdict with what an approval does to it. `unsure`: the time, or whether it is still in force, cannot be relied on."""
    if approval.holds:
        return Verdict.HOLD
    if verdict is Verdict.HOLD and tier == "red" and approval.covers_red and not unsure:
        return Verdict.TEST
    if verdict is Verdict.ADMIT and approval.binds:
        return Verdict.TEST
    return verdict


def _by_tier(presented: Presented) -> Judgement:
    clock = ("clock_skew",) if presented.clock_wrong else ()
    if presented.tier == "red":
        return Judgement(Verdict.HOLD, clock)
    if presented.tier != "green" or presented.clock_wrong:
        return Judgement(Verdict.TEST, clock)
    if _valid_negative(presented):
        return Judgement(Verdict.ADMIT, ("negative_test_valid",))
    return Judgement(Verdict.TEST, ("negative_test_missing",))


def _valid_negative(presented: Presented) -> bool:
    taken = presented.negative_test_at
    if taken is None or taken > presented.scanned_at:
        return False
    return presented.scanned_at - taken <= timedelta(hours=presented.negative_test_hours)


def is_override(verdict: str, decision: str) -> bool:
    """Whether a decision lets somebody in whom the verdict would not."""
    return decision == Decision.ADMITTED.value and verdict in (Verdict.HOLD.value, Verdict.REFUSE.value)


def needs_reason(verdict: str, decision: str) -> bool:
    """Whether the officer must say why."""
    return is_override(verdict, decision)
