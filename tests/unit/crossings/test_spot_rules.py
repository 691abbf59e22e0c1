"""The verdict after a test on the spot; `tests/browser` runs the same table in the browser."""

import json
from pathlib import Path
from typing import Any

import pytest

from checkpoint.crossings.spot_rules import after_test

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "spot.json").read_text("utf-8"))


@pytest.mark.parametrize("row", VECTORS, ids=[row["name"] for row in VECTORS])
def test_the_verdict_anew(row: dict[str, Any]) -> None:
    found = after_test(**row["given"])
    assert {"verdict": found.verdict.value, "rule": found.rule} == row["want"]
