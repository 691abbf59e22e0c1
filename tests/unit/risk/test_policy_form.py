"""The form is made from the model, holds whatever the model holds, and says what would change."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from checkpoint.errors import InvalidInput
from checkpoint.risk.policies import read_form, read_policy
from checkpoint.risk.policy import PolicyData, default_policy
from checkpoint.risk.policy_form import Group, Leaf, Part, Rows, changes, form_of, leaves, shown, typed, with_row


def _sent(document: dict[str, Any]) -> dict[str, list[str]]:
    """What a browser sends for a form that shows a document."""
    found: dict[str, list[str]] = {}

    def put(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, one in value.items():
                put(f"{name}.{key}" if name else key, one)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, one in enumerate(value):
                put(f"{name}.{number}", one)
        elif isinstance(value, list):
            is_days = name.endswith("test_days")
            found[name] = ["、".join(map(str, value))] if is_days else [str(one) for one in value]
        elif isinstance(value, bool):
            found[name] = ["1"] if value else []
        elif value is not None:
            found[name] = [str(value)]

    put("", document)
    return found


def _typed(sent: dict[str, list[str]]) -> dict[str, Any]:
    return typed(lambda name: sent.get(name, []), list(sent))


def _rich() -> PolicyData:
    plain = default_policy().model_dump(mode="json")
    plain["kind_deadlines"] = {"appeal": {"acknowledge_minutes": 30, "resolve_minutes": 60}}
    plain["approval_stages"] = {"person": ["village"], "lorry": ["town", "command"]}
    plain["approval_longest_days"] = {"commuter": 30}
    plain["commuter_follow_ups"] = True
    return PolicyData.model_validate(plain)


@pytest.mark.parametrize("policy", [default_policy(), _rich()], ids=["as shipped", "with everything"])
def test_what_a_form_shows_comes_back_as_it_was(policy: PolicyData) -> None:
    assert read_form(_typed(_sent(shown(policy.model_dump(mode="json"))))) == policy


def test_every_field_of_the_model_has_an_input() -> None:
    """Each value of a full document is reached by an input, so that no field can be lost on the way through the form."""
    names = {part.name for part in form_of()}
    assert names == set(PolicyData.model_fields)
    document = shown(_rich().model_dump(mode="json"))
    missed = [name for name in _sent(document) if not _reached(form_of(), name.split("."))]
    assert missed == []
    assert {leaf.kind for leaf in leaves(form_of())} == {"number", "flag", "choice", "many", "numbers"}


def _reached(parts: tuple[Part, ...], names: list[str]) -> bool:
    part = next((one for one in parts if one.name == names[0]), None)
    rest = names[1:]
    if isinstance(part, Leaf):
        return not rest
    if isinstance(part, Group):
        return _reached(part.parts, rest)
    return isinstance(part, Rows) and _reached(part.row.parts, rest[1:])


def test_a_field_that_comes_later_is_in_the_form_at_once() -> None:
    class Later(BaseModel):
        plain: int = 3
        bounded: Annotated[int, Field(ge=2, le=9)] | None = None
        word: str = ""

    assert [(leaf.name, leaf.kind, leaf.low, leaf.high, leaf.optional) for leaf in leaves(form_of(Later))] == [
        ("plain", "number", None, None, False),
        ("bounded", "number", 2, 9, True),
        ("word", "text", None, None, False),
    ]


@pytest.mark.parametrize(
    ("name", "value", "field", "code"),
    [
        ("red_from", ["x"], "red_from", "int_parsing"),
        ("red_from", [""], "red_from", "missing"),
        ("red_from", ["30"], "red_from", "order"),
        ("red_from", ["101"], "red_from", "less_than_equal"),
        ("points.symptoms", ["101"], "points.symptoms", "range"),
        ("points.symptoms", [""], "points.symptoms", "missing"),
        ("measures.1.kind", [""], "measures.1.kind", "missing"),
        ("measures.1.test_days", ["1、0"], "measures.1.test_days", "range"),
        ("measures.1.test_days", ["1, drei"], "measures.1.test_days.1", "int_parsing"),
        ("measures.2.any_rule", [], "measures.2.tier", "for_nobody"),
        ("measures.2.any_rule", ["nothing"], "measures.2.any_rule", "unknown"),
        ("deadlines.red.resolve_minutes", ["5"], "deadlines.red.resolve_minutes", "hasty"),
        ("kind_deadlines.0.resolve_minutes", ["0"], "kind_deadlines.0.resolve_minutes", "greater_than_equal"),
        ("kind_deadlines.0.key", [""], "kind_deadlines.0.key", "missing"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(name: str, value: list[str], field: str, code: str) -> None:
    sent = _sent(shown(_rich().model_dump(mode="json"))) | {name: value}
    with pytest.raises(InvalidInput) as wrong:
        read_form(_typed(sent))
    assert (field, code) in [(one.field, one.code) for one in wrong.value.errors]


def test_two_rows_of_one_kind_are_one_too_many() -> None:
    sent = _sent(shown(_rich().model_dump(mode="json")))
    sent |= {name.replace(".0.", ".1."): value for name, value in sent.items() if name.startswith("kind_deadlines")}
    with pytest.raises(InvalidInput) as wrong:
        read_form(_typed(sent))
    assert [(one.field, one.code) for one in wrong.value.errors] == [("kind_deadlines.1.key", "twice")]


def test_everything_is_said_at_once() -> None:
    sent = _sent(shown(_rich().model_dump(mode="json"))) | {"red_from": ["x"], "points.symptoms": ["300"]}
    with pytest.raises(InvalidInput) as wrong:
        read_form(_typed(sent))
    assert {(one.field, one.code) for one in wrong.value.errors} == {
        ("red_from", "int_parsing"),
        ("points.symptoms", "range"),
    }


def test_red_and_yellow_never_go_without_a_deadline() -> None:
    plain = default_policy().model_dump(mode="json")
    del plain["deadlines"]["yellow"]
    with pytest.raises(InvalidInput) as wrong:
        read_policy(json.dumps(plain).encode())
    assert [one.field for one in wrong.value.errors] == ["deadlines.yellow.acknowledge_minutes"]


def test_what_was_typed_wrong_is_shown_again_and_rows_move() -> None:
    sent = _sent(shown(_rich().model_dump(mode="json"))) | {"red_from": ["eighty"], "measures.1.days": ["７"]}
    document = _typed(sent)
    assert (document["red_from"], document["measures"][1]["days"]) == ("eighty", 7)
    kinds = [row["kind"] for row in document["measures"]]
    moved = with_row(document, "measures", "up", 1)["measures"]
    assert [row["kind"] for row in moved] == [kinds[1], kinds[0], kinds[2]]
    assert with_row(document, "measures", "up", 0)["measures"] == document["measures"]
    assert len(with_row(document, "measures", "add")["measures"]) == 4
    assert [row["kind"] for row in with_row(document, "measures", "remove", 0)["measures"]] == kinds[1:]
    assert with_row(document, "measures", "remove", 9)["measures"] == document["measures"]
    assert len(_typed(_sent(with_row(document, "measures", "remove", 1)))["measures"]) == 2


def test_changes_name_the_field_and_both_values() -> None:
    before, after = default_policy(), _rich().model_copy(update={"red_from": 90})
    found = {".".join(one.names): (one.before, one.after) for one in changes(before, after)}
    assert found["red_from"] == (80, 90)
    assert found["commuter_follow_ups"] == (False, True)
    assert found["approval_longest_days.commuter"] == (None, 30)
    assert found["kind_deadlines"] == (None, {"key": "appeal", "acknowledge_minutes": 30, "resolve_minutes": 60})
    assert changes(before, before) == []


def test_a_measure_that_goes_or_changes_is_named_by_its_place() -> None:
    before = default_policy()
    days = before.measures[1].model_copy(update={"days": 10})
    after = before.model_copy(update={"measures": (before.measures[0], days)})
    one, two = changes(before, after)
    assert (one.number, one.before["days"], one.after["days"]) == (2, 7, 10)
    assert (two.number, two.before["kind"], two.after) == (3, "landing_test", None)
    assert changes(before, before.model_copy(update={"measures": before.measures[1:]}))[0].number == 1
