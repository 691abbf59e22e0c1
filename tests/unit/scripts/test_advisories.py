"""What pip-audit and npm audit answer, and that a closed network stops nothing."""

import sys
from pathlib import Path

import advisories
import pytest

CLEAN = {"dependencies": [{"name": "flask", "version": "3.1.0", "vulns": []}, {"name": "own", "skip_reason": "x"}]}
WEAK = {
    "dependencies": [
        {"name": "flask", "version": "0.5", "vulns": [{"id": "PYSEC-2019-179", "fix_versions": ["1.0"]}]},
        {"name": "left", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]},
    ]
}
SKIPPED = {"dependencies": [{"name": "flask", "skip_reason": "not found"}]}


def test_weaknesses_of_python_packages_are_named() -> None:
    assert advisories.weak_in_python(CLEAN) == []
    assert advisories.weak_in_python(WEAK) == [
        "flask 0.5: PYSEC-2019-179, mended in 1.0",
        "left 1: PYSEC-1, mended in no release",
    ]


@pytest.mark.parametrize("answer", [None, {}, SKIPPED, {"dependencies": []}, "no"])
def test_no_answer_is_told_from_a_clean_one(answer: object) -> None:
    assert advisories.weak_in_python(answer) is None


def test_weaknesses_of_the_front_end_are_named() -> None:
    assert advisories.weak_in_front_end({"vulnerabilities": {}}) == []
    assert advisories.weak_in_front_end({"vulnerabilities": {"idb": {"severity": "high"}}}) == ["idb: high"]
    assert advisories.weak_in_front_end({"message": "405", "statusCode": 405}) is None
    assert advisories.weak_in_front_end(None) is None


@pytest.mark.parametrize("code", ["print('no json')", "raise SystemExit(2)", "print('{\"a\": 1}')"])
def test_what_a_tool_prints_is_read_or_nothing(code: str, tmp_path: Path) -> None:
    found = advisories.asked([sys.executable, "-c", code], tmp_path)
    assert found == ({"a": 1} if "json" not in code and "print" in code else None)


def test_a_missing_tool_is_no_answer(tmp_path: Path) -> None:
    assert advisories.asked([str(tmp_path / "nothing")], tmp_path) is None
