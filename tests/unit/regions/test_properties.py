"""What holds for every text and every division."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint.regions import RegionIndex, open_index, resolve, suggest

_PIECES = [
    "浙江",
    "省",
    "嘉兴",
    "市",
    "平湖",
    "新仓镇",
    "石路村",
    "高新区",
    "县",
    "区",
    "，",
    " ",
    "3号楼",
    "ping",
    "hu",
    "从",
    "除",
    "兵团",
    "第八师",
    "街道",
]
_texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))


@pytest.fixture(scope="module")
def opened(index_file: Path) -> RegionIndex:
    return open_index(index_file)


@settings(max_examples=300, deadline=None)
@given(text=_texts)
def test_any_text_has_an_answer_that_holds_together(opened: RegionIndex, text: str) -> None:
    answer = resolve(text, index=opened)
    assert answer == resolve(text, index=opened)
    assert (answer.code is None) == (answer.level is None)
    assert 0.0 <= answer.confidence <= 1.0
    assert (answer.confidence > 0) == (answer.code is not None)
    assert all(opened.exists(code) for code in answer.candidates)
    assert len(set(answer.candidates)) == len(answer.candidates)
    assert not (answer.conflict and answer.code)
    for span in answer.explained:
        assert 0 <= span.start < span.end <= len(text)
        assert opened.exists(span.code)
    assert text.endswith(answer.rest)
    if answer.code:
        assert opened.level(answer.code) == answer.level
        assert answer.explained


@settings(max_examples=150, deadline=None)
@given(query=_texts)
def test_any_query_may_be_typed(opened: RegionIndex, query: str) -> None:
    lines = suggest(query, 5, index=opened)
    assert len({line.code for line in lines}) == len(lines) <= 5


def _misses(index: RegionIndex, nodes: list[int]) -> list[str]:
    missed = []
    for node in nodes:
        name, code = index.full_name_of(node), index.code(node)
        answer = resolve(name, index=index)
        codes = {answer.code, *answer.candidates}
        # Two villages of a town may bear one name, and a filler level is written like its parent.
        if code not in codes and not any(c and index.full_name(c) == name for c in codes):
            missed.append(f"{name} {code} → {answer.code} {answer.candidates[:3]}")
    return missed


def test_full_names_lead_back_to_their_divisions(index: RegionIndex) -> None:
    nodes = random.Random(20220812).sample(range(len(index)), 4000)  # noqa: S311
    missed = _misses(index, nodes)
    assert len(missed) <= 2, missed


def test_full_names_of_all_provinces_cities_and_counties_lead_back(index: RegionIndex) -> None:
    assert _misses(index, index.upper) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_full_names_lead_back(index: RegionIndex) -> None:
    missed = _misses(index, list(range(len(index))))
    assert len(missed) <= len(index) // 10_000, missed[:20]
