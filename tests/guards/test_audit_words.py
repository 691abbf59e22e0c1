"""Every act that some room records has a word on the auditor's page."""

import ast
import re
from pathlib import Path

import checkpoint
from checkpoint.web.audit_words import ACTS

_RECORDERS = re.compile(r"_?(record|audit|note|audited|recorded|log)(_\w+)?")
_ACT = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


def _recorded(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if _RECORDERS.fullmatch(name):
                constants = (
                    one
                    for given in (*node.args, *node.keywords)
                    for one in ast.walk(given)
                    if isinstance(one, ast.Constant)
                )
                found |= {one.value for one in constants if isinstance(one.value, str) and _ACT.fullmatch(one.value)}
    return found


def test_every_recorded_act_has_a_word() -> None:
    root = Path(checkpoint.__file__).parent
    recorded = set().union(*(_recorded(path) for path in root.rglob("*.py")))
    assert len(recorded) > 40
    assert sorted(recorded - set(ACTS)) == []
    assert sorted(set(ACTS) - recorded) == []
