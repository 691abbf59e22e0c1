"""A small share of `scripts/fuzz parsers`, the same inputs each time; the whole run is another matter (docs/reliability.md)."""

import json
import subprocess
import sys
from typing import Any

import pytest

from checkpoint.config import PROJECT_ROOT
from tests.fuzz.mutate import dice_for, mutate_zip
from tests.fuzz.seeds import ROWS, workbook


def figures(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(done.stdout.splitlines()[-1])["figures"])


def test_no_parser_crashes_on_some_thousand_inputs() -> None:
    found = figures("parsers", "--inputs", "3000")
    assert found["inputs"] >= 3000
    assert found["parsers"] >= 25
    assert (found["crashes"], found["hangs"]) == (0, 0)
    assert min(found["accepted"], found["refused"]) > 500  # neither all rubbish nor all well


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_parser_crashes_on_a_hundred_thousand_inputs() -> None:
    found = figures("parsers", "--inputs", "100000", "--seed", "7")
    assert (found["crashes"], found["hangs"]) == (0, 0)


def test_an_input_is_made_again_by_its_number() -> None:
    seed = workbook(ROWS)
    assert seed == workbook(ROWS)
    made = [mutate_zip(dice_for(3, "workbook", number), seed, [seed]) for number in (1, 2, 1)]
    assert made[0] == made[2] != made[1]
