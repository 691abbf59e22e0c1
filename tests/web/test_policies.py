"""The policy editor as a browser without JavaScript uses it: every field, every mistake at its place, rows, JSON, two editors."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.risk.models import Policy
from checkpoint.risk.policies import publish_policy
from checkpoint.risk.policy import default_policy
from checkpoint.risk.policy_form import Leaf, Part, Rows, form_of
from checkpoint.web import policy_words as words
from tests.factories import NOW, inside, people
from tests.factories.declarations import stay
from tests.factories.divisions import NEIGHBOUR_TOWN, SITE
from tests.services.test_reassessment import WUHAN
from tests.web.test_command import signed_in, stats

LATER = NOW + timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(LATER)


class _Form(HTMLParser):
    """What a browser would send of the editor's form, with no button pressed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._select = self._area = ""
        self.feed(page.split('class="policy-form"')[1].split("</form>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.sent.setdefault(given["name"], []).append(given.get("value", ""))
        elif tag == "select":
            self._select = given["name"]
            self.sent[self._select] = [""]
        elif tag == "option" and "selected" in given:
            self.sent[self._select] = [given["value"]]
        elif tag == "textarea":
            self.sent[given["name"]] = [""]


def _form(page: str) -> dict[str, list[str]]:
    return _Form(page).sent


def _send(chief: FlaskClient, sent: dict[str, list[str]], do: str = "check", **more: list[str]) -> TestResponse:
    return chief.post("/command/policies/edit?lang=en", data={**sent, **more, "do": do})


def _paths(parts: tuple[Part, ...]) -> list[str]:
    found = []
    for part in parts:
        found.append(part.path)
        if not isinstance(part, Leaf):
            found += _paths(part.row.parts if isinstance(part, Rows) else part.parts)
    return found


def test_every_field_of_the_policy_has_words_and_a_place() -> None:
    assert sorted({path for path in _paths(form_of()) if words.label_of(path) is None}) == []
    named = [field for _name, _heading, fields in words.SECTIONS for field in fields]
    assert sorted(named) == sorted(part.name for part in form_of())


def test_the_form_sent_as_it_is_changes_nothing(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    sent = _form(chief.get("/command/policies/edit?lang=en").text)
    assert len(sent) > 60
    answer = _send(chief, sent)
    assert answer.status_code == 303
    page = chief.get(f"{answer.location}?lang=en").text
    assert "Nothing: it says the same." in page


def test_from_the_form_to_the_people_and_back(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        inside.put(WUHAN)
        for number in (1, 2):
            inside.register(number, stays=[stay(NEIGHBOUR_TOWN)])
        inside.follow_up()
    chief = signed_in(app, client, Role.COMMAND, SITE)
    sent = _form(chief.get("/command/policies/edit?lang=en").text)
    link = _send(chief, sent, yellow_from=["10"]).location
    page = unescape(chief.get(f"{link}?lang=en").text)
    shown = stats(page)
    assert (shown["people"], shown["raised"], shown["lowered"], shown["measures"]) == (2, 2, 0, 0)
    assert "Yellow from" in page
    assert "<del>40 points</del>" in page
    assert "<ins>10 points</ins>" in page
    assert "乍浦镇" in page
    assert page.count("/inbox/people/") == 2
    refused = chief.post(f"{link}/publish?lang=en", data={"reason": " "})
    assert (refused.status_code, "Say why" in refused.text) == (422, True)
    assert chief.post(f"{link}/publish", data={"reason": "高发期"}).location == "/command/changes"
    _work(app)
    with app.app_context():
        assert len(db.session.scalars(select(Alert.id).where(Alert.kind == "reassessment")).all()) == 2
    page = chief.get("/command/policies?lang=en").text
    assert "高发期" in page
    assert "<ins>10 points</ins>" in chief.get("/command/policies/2?lang=en").text
    assert chief.get(link).status_code == 404
    assert "Take this policy back?" in chief.get("/command/policies/2/withdraw?lang=en").text
    assert chief.post("/command/policies/2/withdraw", data={"reason": "过严"}).status_code == 303
    _work(app)
    with app.app_context():
        states = db.session.scalars(select(Alert.state).where(Alert.kind == "reassessment")).all()
        assert states == ["retracted", "retracted"]
    assert chief.post("/command/policies/1/withdraw").status_code == 409


def _work(app: Flask) -> None:
    with app.app_context():
        inside.follow_up(LATER)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("red_from", "lots", "Please write a whole number."),
        ("red_from", "", "Please fill this in."),
        ("red_from", "30", "Red must begin above yellow."),
        ("points.symptoms", "200", "Please write a number: 0 to 100."),
        ("retention.trips", "0", "Please write a number: 1 to 3660."),
        ("measures.0.kind", "", "Please fill this in."),
        ("measures.1.test_days", "1、x", "Please write a whole number."),
        ("deadlines.red.resolve_minutes", "1", "The result cannot be due before the acknowledgement."),
    ],
)
def test_a_mistake_is_said_at_its_field_in_plain_words(
    app: Flask, client: FlaskClient, name: str, value: str, said: str
) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    sent = _form(chief.get("/command/policies/edit?lang=en").text)
    answer = _send(chief, sent, **{name: [value]})
    assert answer.status_code == 422
    field = name.replace(".", "-")
    link = answer.text.split(f'href="#{field}"')[1].split("</a>")[0]
    assert unescape(link).removeprefix(">").endswith(f": {said}")
    assert said in answer.text.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert _form(answer.text)[name] == [value]


def test_rows_come_go_and_move_without_javascript(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    sent = _form(chief.get("/command/policies/edit?lang=en").text)
    sent = _form(_send(chief, sent, "add:kind_deadlines").text)
    assert sent["kind_deadlines.0.key"] == [""]
    sent = _form(_send(chief, sent, "up:measures:1").text)
    assert (sent["measures.0.tier"], sent["measures.1.tier"]) == (["yellow"], ["red"])
    sent = _form(_send(chief, sent, "remove:measures:2").text)
    assert "measures.2.kind" not in sent
    assert "measures.1.kind" in sent
    missing = _send(chief, sent)
    assert (missing.status_code, 'href="#kind_deadlines-0-key"' in missing.text) == (422, True)
    filled = {"key": "reassessment", "acknowledge_minutes": "5", "resolve_minutes": "60"}
    answer = _send(chief, sent, **{f"kind_deadlines.0.{key}": [value] for key, value in filled.items()})
    page = unescape(chief.get(f"{answer.location}?lang=en").text)
    assert "By kind of alert" in page
    assert page.count("row ") >= 2
    for nonsense in ("add:nothing", "remove:measures:x", "up:measures:99", "fly"):
        assert _send(chief, sent, nonsense).status_code in (200, 422)


def test_experts_bring_and_take_json(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    saved = chief.get("/command/policies?lang=en") and chief.get("/command/policies/1.json")
    assert json.loads(saved.data) == default_policy().model_dump(mode="json")
    sent = _form(chief.get("/command/policies/edit?lang=en").text)
    harsh: dict[str, Any] = json.loads(saved.data) | {"yellow_from": 10}
    page = _send(chief, sent, "import", json=[json.dumps(harsh)])
    assert (page.status_code, _form(page.text)["yellow_from"]) == (200, ["10"])
    for wrong, said in (
        ("{", "not JSON"),
        (json.dumps(harsh | {"red_from": "x"}), "red_from"),
        (json.dumps(harsh | {"new": 1}), "not known"),
    ):
        answer = _send(chief, sent, "import", json=[wrong])
        assert (answer.status_code, said in answer.text) == (422, True)
        assert _form(answer.text)["yellow_from"] == ["40"]
    with app.app_context():
        assert db.session.scalars(select(Policy.version)).all() == [1]


def test_the_second_editor_is_told_and_goes_on_after_a_look(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    sent = _form(chief.get("/command/policies/edit?lang=en").text)
    link = _send(chief, sent, red_from=["90"]).location
    with app.app_context():
        other = default_policy().model_copy(update={"yellow_from": 30})
        publish_policy(other, actor=people.operator(), at=LATER)
    late = chief.post(f"{link}/publish?lang=en", data={"reason": "后到"})
    assert late.status_code == 409
    assert "Version 2 was published after this draft was begun." in late.text
    assert "<del>30 points</del>" in late.text  # what the other has changed would be undone
    again = chief.post(f"{link}/rebase").location
    assert chief.post(f"{again}/publish", data={"reason": "看过"}).status_code == 303
    with app.app_context():
        newest = db.session.scalars(select(Policy).order_by(Policy.version.desc())).first()
        assert newest is not None
        assert (newest.version, newest.data["red_from"], newest.data["yellow_from"]) == (3, 90, 40)


def test_an_auditor_reads_all_of_it_and_changes_nothing(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        publish_policy(
            default_policy().model_copy(update={"red_from": 90}), actor=people.operator(), at=NOW, reason="试"
        )
    auditor = signed_in(app, client, Role.AUDITOR, SITE)
    page = auditor.get("/command/policies/2?lang=en").text
    assert "From the barrier to the door within" in page
    assert not re.search(r'href="/command/policies/(edit|2/withdraw)', page + auditor.get("/command/policies").text)
    assert auditor.get("/command/policies/edit").status_code == 403
