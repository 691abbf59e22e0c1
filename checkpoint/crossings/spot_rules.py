"""What an antigen test at the barrier does to a verdict. Pure; the browser runs the same rule off line (`spot-rules.js`).

Positive: hold, whoever it is. Negative: nobody is let in whose pass is no good or who is red, unless an approval has let them in to
the test; nor whose approval binds them and is not kept, unless the test is what it wanted. Everybody else may pass, with the
measures of their tier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkpoint.approvals.standing import BROKEN
from checkpoint.crossings.verdict import Verdict

RESULTS = ("negative", "positive")


@dataclass(frozen=True, slots=True)
class AfterTest:
    """The verdict anew, and the rule that speaks for it."""

    verdict: Verdict
    rule: str


def after_test(
    result: str,
    *,
    tier: str | None,
    problem: str | None,
    verdict: str | None = None,
    reasons: Sequence[Mapping[str, Any]] = (),
) -> AfterTest:
    """The verdict after a result (of RESULTS). `tier` is None where nobody stands behind the code; `verdict` and `reasons` are
    those of the scan, None and empty where they are not known.
    """
    if result == "positive":
        return AfterTest(Verdict.HOLD, "spot_test_positive")
    if problem is not None or tier is None:
        return AfterTest(Verdict.REFUSE, "spot_test_negative")
    held = _held(reasons) or (tier == "red" and verdict != Verdict.TEST)
    return AfterTest(Verdict.HOLD if held else Verdict.ADMIT, "spot_test_negative")


def _held(reasons: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an approval that binds was broken by more than a missing test: its rule has points only then."""
    return any(
        reason["rule"] == BROKEN and reason["points"] > 0 and reason["detail"][1] != "test" for reason in reasons
    )
