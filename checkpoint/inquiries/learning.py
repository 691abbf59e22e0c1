"""Learning the weights of evidence.py from labelled pairs: `python -m checkpoint.inquiries.learning` writes weights.json.

Logistic regression with a small penalty, by gradient descent: some forty weights and a few thousand pairs need no library.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from checkpoint.inquiries.evidence import Person, compare, probability, read_person, rules
from checkpoint.inquiries.labelled import Record, pairs

SEEDS = (11, 12, 13)
EACH = 120
_ROUNDS, _RATE, _PENALTY = 3000, 4.0, 0.0002


def person(record: Record) -> Person:
    """A labelled record, read as a list's row is."""
    return read_person(record.name, record.document, record.phone, record.born, record.plate)


def fit(rows: Sequence[tuple[dict[str, float], bool]]) -> dict[str, float]:
    """The weights under which the labels are most likely."""
    weights = dict.fromkeys({name for features, _same in rows for name in features}, 0.0) | {"bias": 0.0}
    for _ in range(_ROUNDS):
        gradient = {name: _PENALTY * weight for name, weight in weights.items()}
        gradient["bias"] = 0.0
        for features, same in rows:
            error = (probability(features, weights) - same) / len(rows)
            gradient["bias"] += error
            for name, value in features.items():
                gradient[name] += error * value
        for name, slope in gradient.items():
            weights[name] -= _RATE * slope
    return {name: round(weight, 3) for name, weight in sorted(weights.items())}


def main() -> None:
    rows = []
    for pair in (pair for seed in SEEDS for pair in pairs(seed, EACH) if pair.half == "tune"):
        levels = compare(person(pair.listed), person(pair.registered))
        if not rules(levels, pair.holders):  # what a rule decides would only bend the weights of the rest
            rows.append((levels.features(), pair.same))
    target = Path(__file__).parent / "weights.json"
    target.write_text(json.dumps(fit(rows), indent=1) + "\n")


if __name__ == "__main__":
    main()
