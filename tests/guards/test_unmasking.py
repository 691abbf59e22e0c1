"""What lies sealed is shown in full by one function alone, so that no page can show it without a purpose and a word in the trail.

The access matrix looks at every answer (tests/web/access/leaks.py); here the code is read for what would go past that function.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

import checkpoint
from checkpoint.database import db
from checkpoint.disclosure.purposes import PURPOSES
from checkpoint.registrations.models import Traveller
from checkpoint.web.auth import public
from checkpoint.web.purpose_words import WORDS
from tests.factories.travelling import declared
from tests.web.access import leaks

ROOT = Path(checkpoint.__file__).parent
DOOR = "disclosure.service"
NUMBERS = {"id_number", "phone", "contact_phone", "declaration", "listed"}
WORDING = {
    "disclosure.queries": "reads the entries",
    "disclosure.service": "the one function",
    "accounts.permissions": "the permission of that name",
    "web.audit_words": "what the act is called",
}
OPENLY = {
    "web.limits": "what somebody has just typed",
    "web.coverage_people": "masked in pairs of a mask and a text",
    "web.inbox_sift": "compares the last characters that somebody has typed",
    "web.reviews": "the two sides of a pair, masked unless they were opened",
    "web.api.lane": "what an officer has just typed",
    "web.forms.declaring": "a traveller's own declaration, to be changed",
    "web.pass_care": "the phone of the worker whom a traveller may call",
}
"""Modules of the web that read a number unmasked, and why."""


def modules(folder: str = "") -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name, ast.parse(path.read_text("utf-8"))


def unmasked_reads(tree: ast.AST) -> list[int]:
    """The lines on which a number is read and neither masked at once nor only asked whether it is there."""
    found: list[int] = []

    def visit(node: ast.AST, is_covered: bool) -> None:
        if (
            isinstance(node, ast.Attribute)
            and node.attr in NUMBERS
            and isinstance(node.ctx, ast.Load)
            and not is_covered
        ):
            found.append(node.lineno)
        masks = isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")).startswith(
            "mask_"
        )
        for field, child in ast.iter_fields(node):
            asked = field == "test" and isinstance(node, ast.IfExp | ast.If)
            asked = asked or (field == "func" and isinstance(child, ast.Attribute))  # a function of that name
            for one in child if isinstance(child, list) else [child]:
                if isinstance(one, ast.AST):
                    visit(one, is_covered or masks or asked)

    visit(tree, is_covered=False)
    return found


def test_one_function_alone_writes_that_something_was_opened() -> None:
    writing = {
        name
        for name, tree in modules()
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and one.value == "people.unmask"
    }
    assert sorted(writing - set(WORDING)) == [], "open it by `disclosure.service.unmasking`"


def test_one_function_alone_asks_for_the_permission() -> None:
    asking = set()
    for name, tree in modules():
        for one in ast.walk(tree):
            if isinstance(one, ast.Call) and getattr(one.func, "attr", "") == "may" and not name.startswith("web."):
                asking |= {name for given in one.args if "PEOPLE_UNMASK" in ast.dump(given)}
    assert asking == {DOOR}


def test_every_kind_that_is_opened_has_its_purposes_and_each_purpose_a_word() -> None:
    opened = []
    for name, tree in modules():
        for one in ast.walk(tree):
            if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "unmasking":
                kind = one.args[0]
                assert isinstance(kind, ast.Constant), f"{name}:{one.lineno} names its kind by a text"
                opened.append(kind.value)
    assert sorted(opened) == sorted(PURPOSES), "each kind is opened in one place"
    assert set().union(*PURPOSES.values()) == set(WORDS)


def test_no_page_reads_a_number_without_masking_it() -> None:
    reading = {name: unmasked_reads(tree) for name, tree in modules("web")}
    found = {name: lines for name, lines in reading.items() if lines}
    assert {name: lines for name, lines in found.items() if name not in OPENLY} == {}
    assert sorted(set(OPENLY) - set(found)) == []


FILES = {
    "web.audit.export": "entries, no people; audited with their number",
    "web.command_board.report": "counts, no people",
    "web.company_desk._table": "a company's own rows",
    "web.coverage.counts_file": "counts, no people",
    "web.coverage.people_file": "`coverage.service.note_read` writes it down, which the rule counts",
    "web.inquiries.wrong_rows": "`inquiries.service.wrong_rows` writes it down, which the rule counts",
    "web.own_data.copy": "a traveller's own data",
    "web.policies.export": "a policy",
    "web.sheets.sheet": "whoever calls it is named here",
}
"""Functions that answer with a file to be saved and do not call `exported`, and why."""


def test_a_list_of_people_that_leaves_as_a_file_is_written_down_with_its_rows() -> None:
    files = set()
    for name, tree in modules("web"):
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
            texts = [
                one.value for one in ast.walk(function) if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            called = {getattr(one.func, "id", "") for one in ast.walk(function) if isinstance(one, ast.Call)}
            is_file = any(text.startswith("attachment") for text in texts) or "sheet" in called
            if is_file and "exported" not in called:
                files.add(f"{name}.{function.name}")
    assert sorted(files - set(FILES)) == [], "call `disclosure.service.exported`, or say here why not"
    assert sorted(set(FILES) - files) == []


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("shown = mask_phone(row.phone) if row.phone else ''", 0),
        ("shown = row.phone", 1),
        ("shown = {'a': holder.id_number or ''}", 1),
        ("if row.listed: pass", 0),
    ],
)
def test_a_number_that_is_read_is_found(line: str, number: int) -> None:
    assert len(unmasked_reads(ast.parse(line))) == number


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_an_answer_with_a_number_in_it_is_found(app: Flask, client: FlaskClient) -> None:
    @public
    def careless() -> str:
        row = db.session.scalars(select(Traveller)).one()
        return f"<p>{row.name} {(row.phone or '')[:7]} {(row.phone or '')[7:]}</p>"

    app.add_url_rule("/careless", view_func=careless)
    with app.app_context():
        declared(number=1)
    with leaks.watching() as opened:
        answer = client.get("/careless")
    assert opened.shown_in(answer.text) == ["traveller.phone"]
    with leaks.watching() as opened:
        answer = client.get("/healthz")
    assert opened.shown_in(answer.text) == []
