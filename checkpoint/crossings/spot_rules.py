"""What an antigen test at the barrier does to a verdict. Pure; the browser runs the same rule off line (`spot-rules.js`).

Positive: hold, whoever it is. Negative: nobody is let in whose pass is no good or who is red; everybody else may pass, with
the measures of their tier.
"""

from dataclasses import dataclass

from checkpoint.crossings.verdict import Verdict

RESULTS = ("negative", "positive")


@dataclass(frozen=True, slots=True)
class AfterTest:
    """The verdict anew, and the rule that speaks for it."""

    verdict: Verdict
    rule: str


def after_test(result: str, *, tier: str | None, problem: str | None) -> AfterTest:
    """The verdict after a result (of RESULTS). `tier` is None where nobody stands behind the code."""
    if result == "positive":
        return AfterTest(Verdict.HOLD, "spot_test_positive")
    if problem is not None or tier is None:
        return AfterTest(Verdict.REFUSE, "spot_test_negative")
    return AfterTest(Verdict.HOLD if tier == "red" else Verdict.ADMIT, "spot_test_negative")
