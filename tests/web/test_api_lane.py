"""The lane over /api/v1: shifts, tests on the spot, vehicles, the officer's form, the document in hand."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts import pins
from checkpoint.accounts.models import Role
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db
from tests.factories import NOW, declarations, lists, people
from tests.factories.divisions import SITE, VILLAGE
from tests.web.api_support import Api, errors_of, integration, scan_of, stored, tablet

PIN = "274951"


@pytest.fixture
def gate(app: Flask, client: FlaskClient, freeze: Callable[[datetime], None]) -> Api:
    freeze(NOW)
    with app.app_context():
        lists.in_force()
    return tablet(app, client)


def officer(app: Flask, login: str = "wang") -> str:
    with app.app_context():
        row = people.user(login, Role.OFFICER, SITE)
        pins.set_pin(row.id, actor=people.operator(), at=NOW, pin=PIN)
        return str(row.id)


def shift_of(officer_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "shift_id": str(uuid.uuid4()), "officer_id": officer_id, "pin": PIN, "started_at": NOW.isoformat()
    } | changes  # fmt: skip


def test_an_officer_signs_in_scans_and_signs_out(app: Flask, gate: Api) -> None:
    body = shift_of(officer(app))
    opened = gate.post("/gate/shifts", body).get_json()
    assert (opened["officer"]["name"], opened["proven"], opened["offline_hours"]) == ("wang 测试", True, 12)
    receipt = gate.declare()
    scan = scan_of(receipt["pass"]["token"], shift_id=body["shift_id"])
    assert gate.post("/scans", scan).status_code == 200
    decision = {"decision": "tested", "shift_id": body["shift_id"]}
    assert gate.post(f"/scans/{scan['scan_id']}/decision", decision).status_code == 200
    with app.app_context():
        row = db.session.scalars(select(CrossingDecision)).one()
        assert str(row.shift_id) == str(db.session.get_one(Crossing, row.crossing_id).shift_id) == body["shift_id"]
    lane = gate.get("/gate/lane").get_json()
    assert [(one["is_this"], one["officer"]) for one in lane["tablets"]] == [(True, "wang 测试")]
    assert [(one["name"], one["stamp"]) for one in lane["officers"]] == [("wang 测试", opened["officer"]["stamp"])]
    ended = gate.post(f"/gate/shifts/{body['shift_id']}/end", {"ended_at": NOW.isoformat()}).get_json()
    assert ended["ended_at"] is not None
    assert gate.get("/gate/lane").get_json()["tablets"][0]["officer"] == ""


def test_a_wrong_pin_is_named_and_slowed_down(app: Flask, gate: Api) -> None:
    who = officer(app)
    for _attempt in range(8):
        assert errors_of(gate.post("/gate/shifts", shift_of(who, pin="000001"))) == {"pin": "wrong"}
    answer = gate.post("/gate/shifts", shift_of(who))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_the_pin_never_comes_back(app: Flask, gate: Api) -> None:
    answer = gate.post("/gate/shifts", shift_of(officer(app)))
    assert PIN not in answer.text
    assert "argon2" not in gate.get("/gate/lane").text


def test_a_test_on_the_spot_gives_the_verdict_anew(gate: Api) -> None:
    scan = scan_of(gate.declare()["pass"]["token"])
    assert gate.post("/scans", scan).get_json()["verdict"] == "test"
    gate.post(f"/scans/{scan['scan_id']}/decision", {"decision": "tested"})
    assert len(gate.get("/gate/lane").get_json()["tests"]) == 1
    body = {
        "test_id": str(uuid.uuid4()),
        "scan_id": scan["scan_id"],
        "result": "negative",
        "taken_at": NOW.isoformat(),
        "read_at": (NOW + timedelta(minutes=15)).isoformat(),
    }
    first, again = gate.post("/gate/tests", body), gate.post("/gate/tests", body)
    assert first.get_json() == again.get_json()
    assert (first.get_json()["verdict"], first.get_json()["reasons"][0]["rule"]) == ("admit", "spot_test_negative")
    assert gate.get("/gate/lane").get_json()["tests"] == []
    assert (
        gate.post("/gate/tests", body | {"test_id": str(uuid.uuid4()), "scan_id": str(uuid.uuid4())}).status_code == 404
    )
    assert "result" in errors_of(gate.post("/gate/tests", body | {"result": "unclear"}))


def test_a_vehicle_with_its_people(gate: Api) -> None:
    vehicle = {"vehicle_id": str(uuid.uuid4()), "kind": "coach", "plate": "浙F12345", "opened_at": NOW.isoformat()}
    told = gate.post("/gate/vehicles", vehicle).get_json()
    assert (told["tier"], told["seated"], told["plate"]) == (None, [], "浙F12345")
    assert "/v/" in told["url"]
    gate.post("/scans", scan_of(gate.declare(symptoms=["fever"])["pass"]["token"], vehicle_id=vehicle["vehicle_id"]))
    seen = gate.get(f"/gate/vehicles/{vehicle['vehicle_id']}").get_json()
    assert (seen["tier"], len(seen["seated"])) == ("yellow", 1)
    assert gate.get("/gate/lane").get_json()["vehicles"][0]["plate"] == "浙F1***5"
    assert "plate" in errors_of(gate.post("/gate/vehicles", vehicle | {"plate": "?"}))
    assert gate.get(f"/gate/vehicles/{uuid.uuid4()}").status_code == 404


def test_passengers_register_by_the_coachs_code(app: Flask, client: FlaskClient, gate: Api) -> None:
    vehicle = {"vehicle_id": str(uuid.uuid4()), "kind": "coach", "plate": "浙F12345", "opened_at": NOW.isoformat()}
    path = "/v/" + gate.post("/gate/vehicles", vehicle).get_json()["url"].rpartition("/v/")[2]
    page = client.get(path)
    assert page.status_code == 200
    assert "浙F12345" in page.text
    assert 'value="coach" checked' in page.text
    given = declarations.declaration(7)
    form = {
        "client_id": given["client_id"], "name": given["name"], "id_type": given["id_type"],
        "id_number": given["id_number"], "phone": given["phone"], "origin_code": given["origin"]["code"],
        "destination_code": given["destination"]["code"], "destination.address": "1 号",
        "arriving_on": given["arriving_on"], "transport": "coach", "plate": "浙F12345", "act": "send",
    }  # fmt: skip
    for again in (False, True):
        answer = client.post(path, data=form)
        assert answer.status_code == 303, answer.text
        assert answer.headers["Location"].startswith("/p/")
        assert ("again=1" in answer.headers["Location"]) is again
    seen = gate.get(f"/gate/vehicles/{vehicle['vehicle_id']}").get_json()
    assert [one["by_code"] for one in seen["expected"]] == [True]
    assert client.post(path, data=form | {"phone": "1"}).status_code == 422
    gate.post("/gate/vehicles", vehicle | {"closed_at": NOW.isoformat()})
    for gone in (path, "/v/AAAA"):
        assert client.get(gone).status_code == 404


def test_the_officer_registers_somebody_without_a_phone(app: Flask, client: FlaskClient, gate: Api) -> None:
    body = declarations.declaration(1, checkpoint="G60", companions=[declarations.companion(2)])
    first, again = gate.post("/gate/registrations", body), gate.post("/gate/registrations", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert errors_of(gate.post("/gate/registrations", body | {"client_id": str(uuid.uuid4()), "phone": "1"}))
    assert [one["companions"] for one in gate.get("/gate/lane").get_json()["queue"] if one["companions"]] == [1]
    assert integration(app, client).post("/gate/registrations", body).status_code == 403


def test_the_document_in_hand_fits_or_does_not(app: Flask, client: FlaskClient, gate: Api) -> None:
    scan = scan_of(gate.declare(1)["pass"]["token"])
    gate.post("/scans", scan)
    number = declarations.resident_id(1)
    written = f"{number[:6]} {number[6:14]}-{number[14:]}".lower()
    for typed, fits in ((number, True), (written, True), (declarations.resident_id(2), False)):
        body = {"scan_id": scan["scan_id"], "id_number": typed}
        assert gate.post("/gate/documents", body).get_json() == {"match": fits}
    other = tablet(app, client, "S11")
    assert other.post("/gate/documents", {"scan_id": scan["scan_id"], "id_number": number}).status_code == 404


@pytest.mark.parametrize("path", ["/gate/lane", f"/gate/vehicles/{uuid.UUID(int=1)}"])
def test_the_lane_is_for_tablets(app: Flask, client: FlaskClient, gate: Api, path: str) -> None:
    assert Api(client).get(path).status_code == 401
    assert integration(app, client).get(path).status_code == 403
    assert integration(app, client, Role.OFFICER).get(path).status_code == 403


@pytest.mark.parametrize("division", [SITE, VILLAGE])
def test_an_officer_registers_at_a_tablet_and_from_nowhere_else(
    app: Flask, client: FlaskClient, gate: Api, division: str
) -> None:
    with app.app_context():
        people.user("desk", Role.OFFICER, division)
    client.post("/login", data={"login": "desk", "password": people.PASSWORD})
    body = declarations.declaration(1)
    assert Api(client).post("/gate/registrations", body).status_code == 403
    assert integration(app, client, Role.OFFICER).post("/gate/registrations", body).status_code == 403
    assert stored(app) == 0
    assert gate.post("/gate/registrations", body).status_code == 201
