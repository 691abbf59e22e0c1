"""The gate's page and the tablet's enrolment, seen from the server."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts import posts
from checkpoint.accounts.models import Role
from checkpoint.crossings.verdict import Decision, Verdict
from checkpoint.database import db
from tests.factories import NOW, people
from tests.factories.divisions import SITE


def announce(app: Flask) -> str:
    """A one-time code for a tablet at a new post."""
    with app.app_context():
        people.checkpoint()
        return posts.create_device("G60", actor=people.operator(), at=NOW, label="东侧平板").code


@pytest.fixture(autouse=True)
def _stopped(freeze: Any) -> None:
    freeze(NOW)


def configuration(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="gate-configuration">(.*?)</script>', page, re.S)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


@pytest.mark.parametrize("path", ["/gate", "/gate/enroll"])
def test_the_page_is_open_to_all_and_holds_nobody(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.get_data(as_text=True)
    assert re.findall(r"<script(?![^>]*(?:\bsrc=|application/json))", page) == []
    assert not re.search(r"\sstyle=|\son[a-z]+=", page)


def test_every_verdict_and_decision_has_its_words_and_shape(client: FlaskClient) -> None:
    page = client.get("/gate?lang=en").get_data(as_text=True)
    words = configuration(page)["words"]
    for verdict in Verdict:
        assert words[f"verdict.{verdict}"]
        assert words[f"verdict.{verdict}.say"]
        assert f'id="shape-{verdict}"' in page
    for decision in Decision:
        assert words[f"decided.{decision}"]
        assert f'data-decision="{decision}"' in page
    assert len({words[f"verdict.{verdict}"] for verdict in Verdict}) == len(Verdict)


def test_the_page_lays_the_decisions_out_by_the_rules(client: FlaskClient) -> None:
    rules = configuration(client.get("/gate").get_data(as_text=True))
    assert rules["asked_for"] == {"admit": "admitted", "test": "tested", "hold": "held", "refuse": "turned_back"}
    assert rules["needs_reason"] == {"admit": [], "test": [], "hold": ["admitted"], "refuse": ["admitted"]}


def test_a_code_becomes_a_token_once(app: Flask, client: FlaskClient) -> None:
    code = announce(app)
    first = client.post("/gate/enroll", json={"code": f" {code.lower()} "})
    assert first.status_code == 200
    assert first.json is not None
    assert first.json["checkpoint"] == {"code": "G60", "name": "G60 出口"}
    assert first.json["label"] == "东侧平板"
    again = client.post("/gate/enroll", json={"code": code}, headers={"Accept": "application/json"})
    assert again.status_code == 404
    device = client.get("/gate/device", headers=people.bearer(first.json["token"]))
    assert device.status_code == 200
    assert device.json == {
        "label": "东侧平板",
        "checkpoint": {"code": "G60", "name": "G60 出口"},
        "now": NOW.isoformat(),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"ABCDE-FGHJK"',
        b"{}",
        b'{"code": ""}',
        b'{"code": 12}',
        b'{"code": "' + b"A" * 65 + b'"}',
    ],
)
def test_a_body_without_a_code_names_the_field(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/gate/enroll", data=body, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert [error["field"] for error in answer.json["errors"]] == ["code"]


def test_another_site_cannot_enrol_through_a_visitor(app: Flask, client: FlaskClient) -> None:
    """A foreign page can send a form or plain text; for JSON it would have to ask first. A signed-in visitor's cookie does not help."""
    code = announce(app)
    app.config["WTF_CSRF_ENABLED"] = True
    foreign = client.post("/gate/enroll", data=json.dumps({"code": code}), content_type="text/plain")
    assert foreign.status_code == 400
    with app.app_context():
        people.user("chief", Role.COMMAND, SITE)
    app.config["WTF_CSRF_ENABLED"] = False
    assert client.post("/login", data={"login": "chief", "password": people.PASSWORD}).status_code == 302
    app.config["WTF_CSRF_ENABLED"] = True
    assert client.post("/gate/enroll", json={"code": code}).status_code == 400
    # The page is kept on the tablet, so it holds no token: its script sends the code without any cookie.
    assert b"csrf-token" not in client.get("/gate").data
    assert app.test_client().post("/gate/enroll", json={"code": code}).status_code == 200


def test_a_revoked_tablet_is_told_so(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        tablet = people.tablet()
    headers = people.bearer(tablet.token) | {"Accept": "application/json"}
    assert client.get("/gate/device", headers=headers).status_code == 200
    with app.app_context():
        posts.revoke_device(tablet.device.id, actor=people.operator(), at=NOW)
        db.session.remove()
    assert client.get("/gate/device", headers=headers).status_code == 401


def test_only_a_tablet_stands_somewhere(app: Flask, client: FlaskClient) -> None:
    json_only = {"Accept": "application/json"}
    with app.app_context():
        officer = people.token(Role.OFFICER, SITE)
        village = people.token(Role.VILLAGE, SITE)
    assert client.get("/gate/device", headers=json_only | people.bearer(officer)).status_code == 404
    assert client.get("/gate/device", headers=json_only | people.bearer(village)).status_code == 403
    assert client.get("/gate/device", headers=json_only | people.bearer("cpd_nobody")).status_code == 401
