"""Marked values through every form and every call: what comes out by the back doors holds none of them.

Logs, addresses that one is led to, error pages and problem documents, the audit trail, figures and health: also while the database
fails under the request, and while some service fails with the values in its message. What a page shows to whom is another test
(tests/web/hostile/test_every_face.py).
"""

import itertools
import json
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from checkpoint import scheduler
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from tests.web.access.row import Row, expected
from tests.web.access.rows import rows
from tests.web.access.test_matrix import address
from tests.web.access.world import Asker, World, build

MARK = "甲cpmark乙"
PARTS = ("cpmark", "110101199003071233", "13911112222", "京A9X9X9")
NO_TEXT = re.compile(
    r"_id$|^id$|_at$|_on$|_day$|^(first|last|from|until|to|begins|ends|starts|days?|client_id|csrf_token|act|lang)$"
)
MARKED = {"id_number": PARTS[1], "document": PARTS[1], "phone": PARTS[2], "plate": PARTS[3], "contact_phone": PARTS[2]}
"""Fields that take only what is a document, a phone or a plate get a mark of that form."""
ANYWHERE = {
    "auth.sign_in",  # the login: not a person's value, and whoever typed it sees it again
}
PLACES = {
    "admin.add_alias",  # another name of a place, written by command: nothing personal, and who gave it must be found
}
FORMS_AGAIN = (200, 422)


class Heard(logging.Handler):
    """Everything that any logger says, with its traceback, as a server would print it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def heard() -> Iterator[Heard]:
    handler, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        made = build(tmp_path_factory.mktemp("marked"), template, patch)
        made.app.config["PROPAGATE_EXCEPTIONS"] = False  # failures are answered and logged as in production
        yield made


def marked(text: str) -> list[str]:
    return [part for part in PARTS if part in text]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all texts in a body that a person could have written."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not NO_TEXT.search(str(key)):
                yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    elif isinstance(value, str) and path:
        yield path


def with_mark(body: Any, paths: list[tuple[Any, ...]]) -> Any:
    """A copy of a body with marks at some paths; values that are no texts are the same."""
    made = {key: list(one) if isinstance(one, list) else one for key, one in body.items()}
    made = json.loads(json.dumps(made)) if all(_plain(one) for one in made.values()) else made
    for path in paths:
        holder = made
        for step in path[:-1]:
            holder = holder[step]
        named = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
        holder[path[-1]] = MARKED.get(named.rpartition(".")[2], MARK)
    return made


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | dict | list | None)


def bodies(world: World, row: Row) -> Iterator[dict[str, Any]]:
    """The row's own body with one text marked after another, then all of them."""
    given = dict(row.body(world))
    kind = next((one for one in ("json", "data") if isinstance(given.get(one), dict)), None)
    if kind is None:
        return
    paths = list(leaves(given[kind]))
    for chosen in [[path] for path in paths[:5]] + [paths]:
        fresh = dict(row.body(world))  # files are read to their end by each request
        yield {kind: with_mark(fresh[kind], chosen)}


def askers(world: World, row: Row) -> Iterator[Asker]:
    yield from itertools.islice((one for one in world.askers.values() if expected(row, one) == "in"), 1)


def audited(world: World) -> str:
    with closing(sqlite3.connect(world.data / "checkpoint.sqlite")) as connection:
        return repr(connection.execute("SELECT * FROM audit_entry ORDER BY id DESC LIMIT 20").fetchall())


def back_doors(row: Row, answer: TestResponse) -> dict[str, str]:
    """What of an answer must hold no mark, by what it is. A form that was wrong comes back to its sender with what it held."""
    found = {"headers": str(answer.headers)}
    form_again = answer.status_code in FORMS_AGAIN and answer.mimetype == "text/html"
    if answer.status_code >= 400 and not form_again and row.endpoint not in ANYWHERE:
        found["error"] = answer.text
    if answer.status_code in (301, 302, 303):
        found["way"] = answer.text
    return found


def walked(world: World, heard: Heard, limit: int = 99) -> tuple[list[str], int, int, int]:
    """Send every body; returns what came out where it must not, how many requests there were, were taken, and failed."""
    wrong, sent, taken, failed = [], 0, 0, 0
    for row in rows():
        if row.method != "POST" or row.endpoint in PLACES:
            continue
        for asker in askers(world, row):
            for body in itertools.islice(bodies(world, row), limit):
                heard.lines.clear()
                answer = world.ask(asker, "POST", address(world, row), **body)
                sent += 1
                failed += answer.status_code >= 500
                doors = back_doors(row, answer) | {"log": "\n".join(heard.lines)}
                if answer.status_code < 400:
                    taken += 1
                    doors["audit"] = audited(world)
                    world.restore()
                wrong += [
                    f"{row.id}: {marked(text)} in {door} ({answer.status_code})"
                    for door, text in doors.items()
                    if marked(text)
                ]
    return wrong, sent, taken, failed


def test_no_back_door_lets_a_mark_out(world: World, heard: Heard, capfd: pytest.CaptureFixture[str]) -> None:
    wrong, sent, taken, _failed = walked(world, heard)
    assert wrong == []
    assert sent > 250
    assert taken > 60
    heard.lines.clear()
    said = [
        world.ask(world.askers["command"], "GET", path).text
        for path in ("/metrics", "/healthz", "/readyz", "/command/health")
    ]
    assert marked("".join((*said, *heard.lines, *capfd.readouterr()))) == []


@contextmanager
def failing(world: World, fail: Callable[[str, Any], None]) -> Iterator[None]:
    """Every statement that writes fails."""

    def before(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            fail(statement, parameters)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before)


def by_values(_statement: str, parameters: Any) -> None:
    """A failure whose message holds what was to be written, and what a person typed."""
    raise RuntimeError(f"cannot write {MARK} {PARTS} {parameters}")


def by_database(statement: str, parameters: Any) -> None:
    """What a driver says when a row does not fit."""
    raise sqlite3.IntegrityError(f"CHECK constraint failed: {MARK} {PARTS}")


@pytest.mark.parametrize("fail", [by_values, by_database])
def test_no_failure_lets_a_mark_out(world: World, heard: Heard, fail: Callable[[str, Any], None]) -> None:
    with failing(world, fail):
        wrong, sent, _taken, failed = walked(world, heard, limit=1)
    assert wrong == []
    assert sent > 60
    assert failed > 30
    world.restore()


def test_a_job_that_fails_says_where_and_not_with_what(
    world: World, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError(f"not a document: {MARK} {PARTS}")

    monkeypatch.setattr(scheduler, "walk_rounds", fail)
    heard.lines.clear()
    scheduler.build(world.app).get_job("patrols").func()
    said = "\n".join(heard.lines)
    assert "job patrols failed: builtins.ValueError at" in said
    assert marked(said) == []


def test_the_servers_log_no_addresses() -> None:
    """Addresses hold links, and what is looked for: gunicorn logs none, nor does the proxy as we describe it."""
    settings: dict[str, Any] = {}
    text = (PROJECT_ROOT / "gunicorn.conf.py").read_text()
    for name in ("accesslog", "access_log_format"):
        found = re.search(rf"^{name} = (.*)$", text, re.MULTILINE)
        settings[name] = found[1] if found else None
    assert settings == {"accesslog": "None", "access_log_format": None}
    proxy = re.search(
        r"log_format checkpoint '([^']*)'", (PROJECT_ROOT / "deploy" / "nginx" / "checkpoint.conf").read_text()
    )
    assert proxy is not None
    assert not re.search(
        r"\$(request\b(?!_)|request_uri|uri|args|query_string|http_referer|http_cookie|http_authorization)", proxy[1]
    )
