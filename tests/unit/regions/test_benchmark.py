"""The labelled cases that are shared beside the project: how many are read right, and that hardly any is read wrong."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoint.regions import RegionIndex, Resolution, resolve_many

CASES = Path(__file__).resolve().parents[4] / "shared" / "regions" / "dev.jsonl"
pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason="the shared cases (../shared/regions/dev.jsonl) are not on this machine"
)

Case = dict[str, Any]
SPECIAL = {"ambiguous", "ambiguous_town", "ambiguous_village", "conflict", "zone_partial", "negative", "hkmotw"}
LEAST_COUNTY = {
    "full": 99.9,
    "no_province": 99.9,
    "no_city": 99.9,
    "county_only": 99.9,
    "typo": 99.5,
    "transpose": 99.0,
    "two_typos": 99.0,
    "mixed": 97.0,
    "rename": 97.0,
    "reversed": 98.0,
    "pinyin": 98.5,
    "zone": 98.5,
    "traditional": 99.5,
    "noise": 99.5,
}


@pytest.fixture(scope="module")
def answered(index: RegionIndex) -> list[tuple[Case, Resolution]]:
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return list(zip(cases, resolve_many([case["text"] for case in cases], index=index), strict=True))


def _decidable(answered: list[tuple[Case, Resolution]]) -> Iterator[tuple[Case, Resolution]]:
    return (
        (case, answer) for case, answer in answered if case["variant"] not in SPECIAL and "~" not in case["variant"]
    )


def _share(hits: list[bool]) -> float:
    return 100 * sum(hits) / len(hits)


def test_counties_by_way_of_writing(answered: list[tuple[Case, Resolution]]) -> None:
    hits: dict[str, list[bool]] = defaultdict(list)
    for case, answer in _decidable(answered):
        hits[case["variant"]].append((answer.code or "")[:6] == case["county_code"])
    short = {variant: _share(hits[variant]) for variant, least in LEAST_COUNTY.items() if _share(hits[variant]) < least}
    assert not short
    assert _share([hit for group in hits.values() for hit in group]) >= 99.3


@pytest.mark.parametrize(("label", "width", "least"), [("town_code", 9, 98.8), ("village_code", 12, 99.0)])
def test_towns_and_villages(answered: list[tuple[Case, Resolution]], label: str, width: int, least: float) -> None:
    hits = [(answer.code or "")[:width] == case[label] for case, answer in _decidable(answered) if case.get(label)]
    assert _share(hits) >= least


def test_a_definite_answer_is_hardly_ever_wrong(answered: list[tuple[Case, Resolution]]) -> None:
    wrong = [
        (answer.level or 0) > 2 and (answer.code or "")[:6] != case["county_code"]
        for case, answer in _decidable(answered)
    ]
    assert _share(wrong) <= 0.3


def test_contradictions_and_nonsense(answered: list[tuple[Case, Resolution]]) -> None:
    conflicts = [answer.conflict for case, answer in answered if case["variant"] == "conflict"]
    nonsense = [
        answer.code is None and not answer.candidates for case, answer in answered if case["variant"] == "negative"
    ]
    certain = [(answer.level or 0) > 3 for case, answer in answered if case["variant"] == "ambiguous_village"]
    assert _share(conflicts) >= 98.5
    assert _share(nonsense) >= 98.5
    assert not any(certain)
