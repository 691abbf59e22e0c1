"""Registrations that a tablet carried: delivered once, and never lost."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.alerts.models import Alert
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.privacy import keyring, public_jwk
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.registrations.models import Pass, Registration
from tests.factories import NOW, TODAY, lists
from tests.factories.carried import carried, sealed
from tests.factories.declarations import companion, declaration
from tests.factories.divisions import FAR_AWAY, SITE, TOWN
from tests.web.api_support import Api, scan_of, stored, tablet

PATH = "/registrations/carried"


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def phone(client: FlaskClient, app: Flask) -> Api:
    """A traveller's phone, with a risk list in force."""
    with app.app_context():
        lists.in_force()
    return Api(client)


@pytest.fixture
def gate(app: Flask, client: FlaskClient, phone: Api) -> Api:
    """The tablet of a checkpoint."""
    return tablet(app, client)


@pytest.fixture
def key(app: Flask) -> dict[str, str]:
    """The public key to which tablets seal, as the snapshot gives it."""
    with app.app_context():
        ring = keyring()
        return public_jwk(ring.carried_current, ring.carried[ring.carried_current])


def alerts(app: Flask) -> list[Alert]:
    with app.app_context():
        return list(db.session.scalars(select(Alert).where(Alert.kind == "carried_refused")))


def test_what_a_tablet_carried_becomes_a_registration(app: Flask, gate: Api, key: dict[str, str]) -> None:
    body = declaration(companions=[companion()], checkpoint="closed-long-ago")
    answer = gate.post(PATH, carried(key, body))
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["pass"]["token"].startswith("CP1:")
    assert len(answer.get_json()["companions"]) == 1
    with app.app_context():
        lead = db.session.scalars(select(Registration).where(Registration.client_id.is_not(None))).one()
        assert lead.client_id == uuid.UUID(body["client_id"])
        assert lead.checkpoint_id is not None  # where it was handed in, not where the poster hung
    assert stored(app) == 2


@pytest.mark.parametrize("first", ["tablet", "phone"])
def test_whoever_comes_second_gets_the_first_result(
    app: Flask, phone: Api, gate: Api, key: dict[str, str], first: str
) -> None:
    body = declaration()
    ways = {
        "tablet": lambda: gate.post(PATH, carried(key, body)),
        "phone": lambda: phone.post("/registrations", body),
    }
    second = "phone" if first == "tablet" else "tablet"
    made, again, once_more = ways[first](), ways[second](), ways[first]()
    assert [made.status_code, again.status_code, once_more.status_code] == [201, 200, 200]
    assert made.get_json() == again.get_json() == once_more.get_json()
    assert (stored(app), stored(app, Pass), stored(app, Alert)) == (1, 1, 1)


def test_the_scan_behind_it_finds_the_registration(app: Flask, gate: Api, key: dict[str, str]) -> None:
    body = declaration()
    gate.post(PATH, carried(key, body))
    verdict = gate.post("/scans", scan_of(f"ID:{body['client_id']}")).get_json()
    assert verdict["verdict"] in ("test", "admit")
    assert verdict["person"]["name"]


def test_each_who_came_along_is_found_by_their_number(app: Flask, gate: Api, key: dict[str, str]) -> None:
    body = declaration(companions=[companion(2), companion(3)], symptoms=["fever"])
    gate.post(PATH, carried(key, body))
    tokens = [f"ID:{body['client_id']}{end}" for end in ("", ".1", ".2", ".3", ".0", ".1x")]
    scans = [gate.post("/scans", scan_of(token)).get_json() for token in tokens]
    assert [one["problem"] for one in scans] == [None, None, None, "unknown", "unreadable", "unreadable"]
    numbers = [one["person"]["id_number"][-4:] for one in scans[:3]]
    assert numbers == [one["id_number"][-4:] for one in (body, *body["companions"])]
    assert ["symptoms" in [why["rule"] for why in one["reasons"]] for one in scans[:3]] == [True, False, False]
    with app.app_context():
        found = set(db.session.scalars(select(Crossing.registration_id).where(Crossing.registration_id.is_not(None))))
    assert len(found) == 3


def test_dates_are_looked_at_as_of_the_reading(app: Flask, gate: Api, key: dict[str, str]) -> None:
    """A tablet that was three days off line brings a declaration whose day of arrival is over."""
    read_at = NOW - timedelta(days=3)
    body = declaration(arriving_on=(TODAY - timedelta(days=3)).isoformat())
    assert gate.post(PATH, carried(key, body, read_at=read_at.isoformat())).status_code == 201
    late = declaration(2, arriving_on=(TODAY - timedelta(days=3)).isoformat())
    assert gate.post(PATH, carried(key, late)).status_code == 202
    assert stored(app) == 1


WRONG: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"phone": "+861"}, {"phone": "string_too_short"}, TOWN),
    ({"phone": "+861234567"}, {"phone": "phone"}, TOWN),
    ({"destination": {"code": FAR_AWAY}}, {"destination.code": "outside_site"}, SITE),
    ({"name": "", "destination": {}}, {"name": "string_too_short", "destination.code": "missing"}, SITE),
    ({"client_id": str(uuid.UUID(int=7))}, {"client_id": "uuid_parsing"}, TOWN),
]


@pytest.mark.parametrize(("changes", "wrong", "told"), WRONG)
def test_what_is_wrong_on_arrival_is_kept_and_somebody_is_told(
    app: Flask, gate: Api, key: dict[str, str], changes: dict[str, Any], wrong: dict[str, str], told: str
) -> None:
    given = declaration(**changes)
    body = carried(key, given, client_id=str(uuid.uuid4())) if "client_id" in changes else carried(key, given)
    answer = gate.post(PATH, body)
    assert answer.status_code == 202, answer.text
    assert {one["field"]: one["code"] for one in answer.get_json()["problems"]} == wrong
    assert all(one["message"] for one in answer.get_json()["problems"])
    assert gate.post(PATH, body).get_json() == answer.get_json()
    [alert] = alerts(app)
    assert (alert.division_code, alert.state, alert.params["fields"]) == (told, "open", list(wrong))
    assert given["id_number"] not in json.dumps(alert.params)
    with app.app_context():
        kept = db.session.scalars(select(CarriedRefusal)).one()
        assert json.loads(kept.declaration or "") == given
        assert given["id_number"].encode() not in (kept.declaration_sealed or b"")
    assert stored(app) == 0


@pytest.mark.parametrize("broken", ["key", "bytes", "no json", "no object"])
def test_what_cannot_be_read_is_kept_too(app: Flask, gate: Api, key: dict[str, str], broken: str) -> None:
    body = carried(key, declaration())
    if broken == "key":
        body["kid"] = "00" * (len(key["kid"]) // 2)
    elif broken == "bytes":
        body["sealed"] = body["sealed"][:-8] + "AAAAAAAA"
    else:
        body["sealed"] = sealed(key, b"[1]" if broken == "no object" else b"\xff\xfe")
    answer = gate.post(PATH, body)
    assert answer.status_code == 202
    assert [one["code"] for one in answer.get_json()["problems"]] == ["unreadable"]
    assert [alert.division_code for alert in alerts(app)] == [SITE]
    with app.app_context():
        kept = db.session.scalars(select(CarriedRefusal)).one()
        assert kept.envelope is not None or kept.declaration is not None


def test_the_phone_may_mend_what_the_tablet_could_not_deliver(
    app: Flask, phone: Api, gate: Api, key: dict[str, str]
) -> None:
    wrong = declaration(phone="+861234567")
    assert gate.post(PATH, carried(key, wrong)).status_code == 202
    assert phone.post("/registrations", {**wrong, "phone": "13810000001"}).status_code == 201
    assert gate.post(PATH, carried(key, wrong)).status_code == 200  # what is stored now, not what was refused then
    assert stored(app) == 1


def test_only_a_tablet_delivers(app: Flask, phone: Api, key: dict[str, str]) -> None:
    assert phone.post(PATH, carried(key, declaration())).status_code == 401
