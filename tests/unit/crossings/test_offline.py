"""The verdict with no network agrees with every row of the vectors that the browser runs as well."""

import json
from pathlib import Path
from typing import Any

import pytest

from checkpoint.crossings.offline import judge_declaration, judge_pass
from checkpoint.risk.policy import default_policy
from tests.vectors.make_gate import written

FILE = Path(__file__).parents[2] / "vectors" / "gate.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text())
JUDGES = {"pass": judge_pass, "declaration": judge_declaration}


@pytest.mark.parametrize("row", VECTORS["rows"], ids=[row["name"] for row in VECTORS["rows"]])
def test_vector(row: dict[str, Any]) -> None:
    given = row["given"] | {"snapshot": VECTORS["snapshots"][row["given"]["snapshot"]]}
    assert JUDGES[row["judge"]](given) == row["want"]


def test_there_are_rows_enough_of_both_kinds() -> None:
    kinds = [row["judge"] for row in VECTORS["rows"]]
    assert len(kinds) >= 300
    assert min(kinds.count("pass"), kinds.count("declaration")) >= 100


def test_the_figures_of_the_vectors_are_those_of_the_policy_we_ship() -> None:
    """The vectors are written from the policy; when its figures change, the vectors are to be written anew."""
    figures = VECTORS["snapshots"]["calm"]["policy"]["data"]
    shipped = default_policy().model_dump(mode="json")
    assert {name: shipped[name] for name in figures} == figures


def test_the_file_is_what_its_tables_say() -> None:
    assert FILE.read_text() == written()
