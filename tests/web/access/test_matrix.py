"""Every way into the application, asked by everybody: what a role may not do is 403, what lies elsewhere is 404, nobody signs in first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from checkpoint.accounts.permissions import Permission
from tests.web.access import leaks
from tests.web.access.asking import Asker, World
from tests.web.access.row import Row, expected
from tests.web.access.rows import rows
from tests.web.access.world import build

ROWS = rows()
TURNED_AWAY = {
    "POST auth.sign_in": "nobody has this password",
    "POST account.confirm": "no second step was begun",
    "POST account.renew_codes": "nobody here has a second step",
    "POST account.turn_off": "nobody here has a second step",
    "POST api_joint.receive": "whatever another place did not sign is refused without a word",
    "POST gate.enrol": "the code is wrong",
    "POST applying.apply": "an empty form; nothing in it belongs to anybody",
    "POST commuters.apply": "an empty form; nothing in it belongs to anybody",
    "POST companies.reply": "nothing was asked",
    "POST companies.choose_password": "the company is not accepted yet",
    "GET approvals.picture": "nobody has opened this application for a purpose",
    "POST pass_reports.appeal": "an empty form; the link itself is what lets in",
    "POST pass_reports.test": "an empty form; the link itself is what lets in",
}
"""Rows whose request is refused on its merits, and why; every other request is taken from at least one who asks."""


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        yield build(tmp_path_factory.mktemp("access"), template, patch)


def ways(app: Flask) -> set[str]:
    """Every endpoint with every method that it takes."""
    return {
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def address(world: World, row: Row) -> str:
    """The address of a row with the things of the world in it."""
    values = {key: str(world.things.get(one, one)) for key, one in row.values.items()}
    return world.app.url_map.bind("localhost").build(row.endpoint, values, method=row.method) + row.query


def outcome(world: World, asker: Asker, row: Row) -> tuple[str, int]:
    """What somebody got, in the words of `expected`."""
    given = dict(row.body(world)) if row.method == "POST" else {}
    answer = world.ask(asker, row.method, address(world, row), **given)
    if row.method == "POST" and answer.status_code < 400:
        world.restore()
    status = answer.status_code
    assert status < 500, answer.text
    led_to_login = status == 302 and answer.location.startswith("/login")
    if status == 401 or (led_to_login and row.needs is not None):
        return "sign in", status
    return {403: "forbidden", 404: "absent"}.get(status, "in"), status


def test_every_way_in_has_a_row_and_every_row_a_way(world: World) -> None:
    known = [row.id for row in ROWS]
    assert sorted(known) == sorted(set(known))
    assert set(known) == ways(world.app)


def test_rows_name_the_permission_that_the_routes_ask_for(world: World) -> None:
    asked = {row.endpoint: getattr(world.app.view_functions[row.endpoint], "checkpoint_access", None) for row in ROWS}
    named: dict[str, Permission | str] = {row.endpoint: row.needs or "public" for row in ROWS}
    assert named == asked


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_everybody_gets_what_is_theirs(world: World, row: Row) -> None:
    wrong, best = [], 599
    for asker in world.askers.values():
        (got, status), wanted = outcome(world, asker, row), expected(row, asker)
        best = min(best, status)
        if world.unsaid and row.endpoint not in leaks.ALLOWED:
            wrong.append(f"{asker.name}: shows {', '.join(world.unsaid)} in full without a word in the audit trail")
        if got != wanted:
            wrong.append(f"{asker.name}: {got} ({status}), not {wanted}")
    assert wrong == []
    assert best < 400 or row.id in TURNED_AWAY, f"nobody could use it: {best}"
