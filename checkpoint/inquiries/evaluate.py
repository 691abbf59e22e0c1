"""How good the matcher is on labelled pairs: by kind, together, and how true its probabilities are. Used by `scripts/bench crossmatch`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checkpoint.inquiries.evidence import Evidence, Outcome, judge
from checkpoint.inquiries.labelled import Pair, pairs
from checkpoint.inquiries.learning import person

_BINS = 10


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
