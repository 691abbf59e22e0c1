"""The snapshot by which a tablet judges with no network, asked for as a tablet asks."""

import hashlib
import hmac
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from checkpoint.accounts import posts
from checkpoint.accounts.models import Role
from checkpoint.regions import service as regions
from checkpoint.registrations import service as registrations
from checkpoint.registrations.service import pass_keys
from checkpoint.risk import publishing
from tests.factories import NOW, declarations, lists, people
from tests.factories.declarations import negative_test
from tests.factories.divisions import NEIGHBOUR, NEIGHBOUR_TOWN, SITE
from tests.web.api_support import Api, integration, scan_of, tablet

LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def gate(app: Flask, client: FlaskClient) -> Api:
    with app.app_context():
        lists.in_force(lists.FENGJING, lists.ZHUJING, lists.JIASHAN_LOW)
    return tablet(app, client)


def taken(gate: Api, since: str | None = None) -> dict[str, Any]:
    answer = gate.get("/gate/snapshot", query_string={"since": since} if since else {})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def serial_of(app: Flask, token: str) -> str:
    with app.app_context():
        claims = pass_keys().read(token, NOW).claims
    assert claims is not None
    return claims.serial.hex()


def test_the_first_snapshot_has_every_part(gate: Api) -> None:
    found = taken(gate)
    assert found["since"] is None
    assert found["now"] == NOW.isoformat()
    assert found["site"] == {"division": SITE, "name": "平湖市", "timezone": "Asia/Shanghai"}
    assert found["checkpoint"] == {"code": "G60", "name": "G60 出口"}
    assert found["areas"] == {
        "310116": {"high": "2022-04-12", "middle": "2022-04-12"},
        "330421": {"low": "2022-04-12"},
    }
    assert (found["policy"]["version"], found["policy"]["data"]["snapshot_stale_hours"]) == (1, 12)
    assert found["list"]["confirmed_at"] == NOW.isoformat()
    assert found["counties"]["310116"] == "上海市金山区"
    assert (found["revoked"], found["raised"], found["aliases"]) == ({}, {}, {})
    assert (found["approvals"], found["terms"]) == ({}, {})
    assert {key["kty"] for key in [*found["keys"], found["seal_key"]]} == {"EC"}


def test_the_document_key_makes_the_tag_of_a_pass(app: Flask, client: FlaskClient, gate: Api) -> None:
    token = Api(client).declare(tests=[negative_test(hours_ago=12)])["pass"]["token"]
    with app.app_context():
        claims = pass_keys().read(token, NOW).claims
    assert claims is not None
    key = urlsafe_b64decode(taken(gate)["document_key"] + "=")
    number = declarations.declaration()["id_number"]
    assert hmac.new(key, number.encode(), hashlib.sha256).digest()[:4] == claims.document
    assert claims.negative_test_at is not None
    assert timedelta() <= NOW - timedelta(hours=12) - claims.negative_test_at < timedelta(hours=1)


def test_nothing_new_is_not_sent_again(app: Flask, gate: Api) -> None:
    version = taken(gate)["version"]
    headers = people.bearer(gate.token or "") | {"Accept-Encoding": "br"}
    first = gate.client.get("/api/v1/gate/snapshot", headers=headers)
    for tag in (f'"{version}"', first.headers["ETag"]):
        again = gate.client.get("/api/v1/gate/snapshot", headers=headers | {"If-None-Match": tag})
        assert (again.status_code, again.get_data()) == (304, b""), tag
    rest = taken(gate, version)
    assert (rest.pop("version"), rest.pop("since"), rest.pop("now")) == (version, version, NOW.isoformat())
    assert rest == {part: {} for part in ("revoked", "raised", "approvals", "terms")}


@pytest.mark.parametrize("since", ["", "x", "1-2-3", "-".join(["g"] * 13), "-".join(["0"] * 12 + ["f" * 14])])
def test_a_version_of_nobody_is_answered_in_full(gate: Api, since: str) -> None:
    assert taken(gate, since)["since"] is None


def test_only_what_changed_is_sent(
    app: Flask, client: FlaskClient, gate: Api, freeze: Callable[[datetime], None]
) -> None:
    declared = Api(client).declare(1)
    first = taken(gate)
    freeze(LATER)
    with app.app_context():
        registrations.withdraw(uuid.UUID(declared["id"]), uuid.uuid4(), actor=people.operator(), at=LATER)
    second = taken(gate, first["version"])
    serial = serial_of(app, declared["pass"]["token"])
    assert second["revoked"] == {serial: "withdrawn"}
    assert set(second) == {"version", "since", "now", "revoked", "raised", "approvals", "terms"}
    with app.app_context():
        lists.in_force(lists.FENGJING, at=LATER, source="next")
        regions.add_alias("石化", NEIGHBOUR_TOWN, "", actor=people.operator(), at=LATER)
    third = taken(gate, second["version"])
    assert set(third) - set(second) == {"areas", "list", "aliases"}
    assert third["areas"] == {"310116": {"high": "2022-04-12"}}
    assert third["aliases"] == {"石化": NEIGHBOUR[:6]}
    freeze(NOW + timedelta(days=30))
    assert taken(gate)["revoked"] == {}  # it has expired: that speaks for itself


def test_a_replaced_pass_says_so(app: Flask, client: FlaskClient, gate: Api) -> None:
    phone = Api(client)
    old = phone.declare(1)
    with app.app_context():
        body = registrations.Declaration.model_validate(declarations.declaration(1, client_id=str(uuid.uuid4())))
        registrations.amend(uuid.UUID(old["id"]), body, actor=people.operator(), at=NOW)
    assert taken(gate)["revoked"] == {serial_of(app, old["pass"]["token"]): "replaced"}


def test_a_tier_that_rose_since_the_pass_reaches_the_tablet(
    app: Flask, client: FlaskClient, freeze: Callable[[datetime], None]
) -> None:
    """And one that was lowered again is lowered there too."""
    with app.app_context():
        lists.in_force(lists.ZHUJING)
    gate = tablet(app, client)
    token = Api(client).declare(1, origin={"code": NEIGHBOUR_TOWN}, tests=[negative_test()])["pass"]["token"]
    serial, first = serial_of(app, token), taken(gate)
    assert first["raised"] == {}
    freeze(LATER)
    with app.app_context():
        worse = lists.in_force(lists.FENGJING, at=LATER, source="worse")
    gate.post("/scans", scan_of(token, scanned_at=LATER.isoformat()))
    second = taken(gate, first["version"])
    assert second["raised"] == {serial: "red"}
    assert taken(gate)["raised"] == {serial: "red"}
    freeze(LATER + timedelta(hours=2))
    with app.app_context():
        publishing.withdraw(worse.id, actor=people.operator(), at=LATER + timedelta(hours=2))
    gate.post("/scans", scan_of(token, scanned_at=(LATER + timedelta(hours=2)).isoformat()))
    assert taken(gate, second["version"])["raised"] == {serial: "green"}
    assert taken(gate)["raised"] == {}


def test_a_late_commit_is_not_missed(app: Flask, client: FlaskClient, gate: Api) -> None:
    """Two passes revoked in the same minute: the tablet asked between the commits, and the second carries the earlier time."""
    phone = Api(client)
    early, late = phone.declare(1), phone.declare(2)
    with app.app_context():
        registrations.withdraw(uuid.UUID(late["id"]), uuid.uuid4(), actor=people.operator(), at=LATER)
    version = taken(gate)["version"]
    with app.app_context():
        before = LATER - timedelta(seconds=20)
        registrations.withdraw(uuid.UUID(early["id"]), uuid.uuid4(), actor=people.operator(), at=before)
    rest = taken(gate, version)
    assert rest["version"] != version
    assert serial_of(app, early["pass"]["token"]) in rest["revoked"]


def test_only_a_tablet_is_answered(app: Flask, client: FlaskClient, gate: Api) -> None:
    assert Api(client).get("/gate/snapshot").status_code == 401
    for role in (Role.COMMAND, Role.VILLAGE, Role.INTEGRATION, Role.OFFICER):
        assert integration(app, client, role).get("/gate/snapshot").status_code == 403


def rolled(gate: Api) -> Api:
    answer = gate.post("/gate/token/roll")
    assert answer.status_code == 200, answer.text
    return Api(gate.client, answer.get_json()["token"])


def test_a_rolled_token_takes_over_when_it_is_used(gate: Api) -> None:
    lost, fresh = rolled(gate), rolled(gate)
    assert gate.get("/gate/snapshot").status_code == 200  # the answer with the new one may have been lost
    assert lost.get("/gate/snapshot").status_code == 401
    assert fresh.get("/gate/snapshot").status_code == 200
    old = gate.get("/gate/snapshot")
    assert (old.status_code, problem(old)) == (401, "unauthenticated")
    assert rolled(fresh).get("/gate/snapshot").status_code == 200


def problem(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def test_a_revoked_tablet_is_told_so_and_a_guess_is_not(app: Flask, gate: Api) -> None:
    with app.app_context():
        lost = people.tablet(people.checkpoint("S11"))
    waiting = rolled(Api(gate.client, lost.token))
    with app.app_context():
        posts.revoke_device(lost.device.id, actor=people.operator(), at=NOW)
    for token in (lost.token, waiting.token):
        answer = Api(gate.client, token).get("/gate/snapshot")
        assert (answer.status_code, problem(answer)) == (401, "device_revoked")
    guess = Api(gate.client, "cpd_" + "x" * 43).get("/gate/snapshot")
    assert (guess.status_code, problem(guess)) == (401, "unauthenticated")
    with app.app_context():  # the tablet's place is given to another one: the lost one is still to be wiped
        posts.renew_device(lost.device.id, actor=people.operator(), at=NOW)
    answer = Api(gate.client, lost.token).post("/scans", scan_of("ZZZZ2345"))
    assert (answer.status_code, problem(answer)) == (401, "device_revoked")


def test_a_renewed_tablet_is_not_told_to_wipe(app: Flask, gate: Api) -> None:
    """Its code may have been asked for by mistake: what it has not sent must not be lost."""
    with app.app_context():
        tablet_ = people.tablet(people.checkpoint("S11"))
        posts.renew_device(tablet_.device.id, actor=people.operator(), at=NOW)
    answer = Api(gate.client, tablet_.token).get("/gate/snapshot")
    assert (answer.status_code, problem(answer)) == (401, "unauthenticated")


def test_only_a_tablet_rolls_its_token(app: Flask, client: FlaskClient) -> None:
    assert Api(client).post("/gate/token/roll").status_code == 401
    assert integration(app, client, Role.COMMAND).post("/gate/token/roll").status_code == 403
    assert integration(app, client, Role.OFFICER).post("/gate/token/roll").status_code == 404
