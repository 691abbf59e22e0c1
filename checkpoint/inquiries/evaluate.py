"""How good the matcher is on labelled pairs: by kind, together, and how true its probabilities are.

Used by `flask inquiries evaluate` and `scripts/bench crossmatch`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checkpoint.inquiries.evidence import Evidence, Outcome, judge
from checkpoint.inquiries.labelled import OTHERS, Pair, pairs
from checkpoint.inquiries.learning import person

_BINS = 10
_WHOLE, _NEARLY, _WRITTEN = 100.0, 99.0, 97.0
LEAST: dict[str, float] = {
    **dict.fromkeys(
        ("document", "document and name", "document, other phone", "phone of one", "phone and name"), _WHOLE
    ),
    **dict.fromkeys(("one wrong digit", "two digits exchanged", "one wrong digit and phone"), _NEARLY),
    **dict.fromkeys(
        ("one wrong digit, name misheard", "fifteen digits", "passport", "passport, one wrong, name"), _NEARLY
    ),
    **dict.fromkeys(("traditional", "homophone", "pinyin", "swapped", "misheard"), _WRITTEN),
}
"""Percent of the same people of a kind who must be alerted."""
MOST_WRONG = 1.0
"""Percent of other people of any kind who may be alerted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Percentages: of alerts and of alerts with reviews, how many are right and how many of the same people they find.

    `by_kind` gives for the same people the share that was alerted, for others the share that was wrongly alerted.
    `calibration_error` is the mean distance between the probability said and the share that was the same, weighed by how often it was said.
    """

    pairs: int
    alert_precision: float
    alert_recall: float
    both_precision: float
    both_recall: float
    calibration_error: float
    by_kind: dict[str, float]

    def missed(self) -> dict[str, float]:
        """The kinds that do not reach what they must, with their share."""
        return {kind: share for kind, share in self.by_kind.items() if not is_reached(kind, share)}


def is_reached(kind: str, share: float) -> bool:
    """Whether the share of a kind that was alerted is high enough for the same people, low enough for others."""
    return share <= MOST_WRONG if kind in OTHERS else share >= LEAST.get(kind, 0.0)


def measure(seeds: Sequence[int], each: int, half: str = "held") -> Figures:
    """The figures on one half of the pairs of some seeds."""
    return figures([pair for seed in seeds for pair in pairs(seed, each) if pair.half == half])


def figures(judged_pairs: Iterable[Pair]) -> Figures:
    """The figures on these pairs."""
    judged = [(pair, judge(person(pair.listed), person(pair.registered), pair.holders)) for pair in judged_pairs]
    same = sum(pair.same for pair, _ in judged)
    alerts = [pair for pair, found in judged if found.outcome is Outcome.ALERT]
    both = [pair for pair, found in judged if found.outcome is not Outcome.NOTHING]
    return Figures(
        pairs=len(judged),
        alert_precision=_share(sum(pair.same for pair in alerts), len(alerts)),
        alert_recall=_share(sum(pair.same for pair in alerts), same),
        both_precision=_share(sum(pair.same for pair in both), len(both)),
        both_recall=_share(sum(pair.same for pair in both), same),
        calibration_error=_calibration(judged),
        by_kind={
            kind: _share(sum(found.outcome is Outcome.ALERT for pair, found in judged if pair.kind == kind), count)
            for kind, count in _counts(judged).items()
        },
    )


def _counts(judged: Sequence[tuple[Pair, Evidence]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for pair, _found in judged:
        counts[pair.kind] = counts.get(pair.kind, 0) + 1
    return counts


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 100.0


def _calibration(judged: Sequence[tuple[Pair, Evidence]]) -> float:
    """Expected calibration error over ten bins of equal width."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for pair, found in judged:
        bins[min(_BINS - 1, int(found.score * _BINS))].append((found.score, pair.same))
    error = 0.0
    for entries in bins:
        if entries:
            said = sum(score for score, _same in entries) / len(entries)
            true = sum(same for _score, same in entries) / len(entries)
            error += abs(said - true) * len(entries) / len(judged)
    return round(error, 4)
