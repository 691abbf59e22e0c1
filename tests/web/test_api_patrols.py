"""The tablet's side of patrols: what it walks, what it tells, and what the server makes of a repeat or a wrong body."""

import uuid
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.patrols.codes import fingerprint
from checkpoint.patrols.models import PatrolPoint, PatrolVisit
from checkpoint.privacy import keyring, public_jwk
from tests.factories import NOW, patrols
from tests.factories.carried import sealed
from tests.web.api_support import Api, errors_of, integration, stored, tablet

INSIDE = NOW + timedelta(minutes=45)
VISITS = "/gate/patrols/visits"


@pytest.fixture(autouse=True)
def _stopped(freeze: Callable[[datetime], None]) -> None:
    freeze(INSIDE)


@pytest.fixture
def gate(app: Flask, client: FlaskClient) -> Api:
    return tablet(app, client)


@pytest.fixture
def point(app: Flask) -> PatrolPoint:
    """A point on a route whose round is open."""
    with app.app_context():
        made = patrols.point()
        patrols.route(made)
        return made


def visit_of(app: Flask, point: PatrolPoint, **changes: Any) -> dict[str, Any]:
    with app.app_context():
        token = patrols.code(point)
    return {
        "visit_id": str(uuid.uuid4()),
        "token": token,
        "visited_at": INSIDE.isoformat(),
        "found": "closed",
        **changes,
    }


def test_a_tablet_learns_its_rounds_and_knows_the_points_without_their_codes(
    app: Flask, gate: Api, point: PatrolPoint
) -> None:
    answer = gate.get("/gate/patrols")
    assert answer.status_code == 200
    body = answer.get_json()
    assert [one["tasks"] for one in body["rounds"]] == [
        [{"point_id": str(point.id), "state": "due", "done_at": None, "found": None}]
    ] * 2
    with app.app_context():
        code = patrols.code(point)
    assert [one["fingerprint"] for one in body["points"]] == [fingerprint(code)]
    assert code not in answer.text


def test_a_visit_is_stored_once_and_shows_in_the_round(app: Flask, gate: Api, point: PatrolPoint) -> None:
    photo = b64encode(patrols.photo()).decode()
    body = visit_of(app, point, note="锁完好", photo=photo, skew_seconds=3, shift_id=str(uuid.uuid4()))
    first = gate.post(VISITS, body)
    assert first.status_code == 200
    answer = first.get_json()
    assert (answer["counts"], answer["point"], answer["photo"]) == ("round", point.name, True)
    again = gate.post(VISITS, {**body, "found": "open"})
    assert again.get_json() == answer
    assert stored(app, PatrolVisit) == 1
    task = gate.get("/gate/patrols").get_json()["rounds"][0]["tasks"][0]
    assert (task["state"], task["found"]) == ("done", "closed")


def test_a_photo_may_come_sealed(app: Flask, gate: Api, point: PatrolPoint) -> None:
    with app.app_context():
        ring = keyring()
        key = public_jwk(ring.carried_current, ring.carried[ring.carried_current])
    envelope = sealed(key, patrols.photo())
    body = visit_of(app, point, photo_sealed={"kid": key["kid"], "sealed": envelope})
    answer = gate.post(VISITS, body)
    assert (answer.status_code, answer.get_json()["photo"]) == (200, True)
    spoilt = {"kid": key["kid"], "sealed": envelope[:40] + ("A" if envelope[40] != "A" else "B") + envelope[41:]}
    wrong = gate.post(VISITS, visit_of(app, point, photo_sealed=spoilt))
    assert errors_of(wrong) == {"photo_sealed": "sealed"}
    assert stored(app, PatrolVisit) == 1


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"token": "CP1:ABC"}, {"token": "forged"}),
        ({"found": "ajar"}, {"found": "literal_error"}),
        ({"visited_at": "2022-04-12T10:00:00"}, {"visited_at": "timezone_aware"}),
        ({"photo": "no base64!"}, {"photo": "base64"}),
        ({"photo": b64encode(b"GIF89a").decode()}, {"photo": "format"}),
        ({"photo": b64encode(b"\xff\xd8\xff" + b"\0" * 205_000).decode()}, {"photo": "too_large"}),
        ({"note": "x" * 501}, {"note": "string_too_long"}),
        ({"skew_seconds": 1e9}, {"skew_seconds": "less_than_equal"}),
    ],
)
def test_each_wrong_field_is_named(
    app: Flask, gate: Api, point: PatrolPoint, changes: dict[str, Any], fields: dict[str, str]
) -> None:
    assert errors_of(gate.post(VISITS, visit_of(app, point, **changes))) == fields
    assert stored(app, PatrolVisit) == 0


def test_only_tablets_walk(app: Flask, client: FlaskClient, point: PatrolPoint) -> None:
    body = visit_of(app, point)
    assert Api(client).post(VISITS, body).status_code == 401
    assert integration(app, client, Role.COMMAND).post(VISITS, body).status_code == 403
    assert integration(app, client, Role.OFFICER).post(VISITS, body).status_code == 403
    assert integration(app, client, Role.OFFICER).get("/gate/patrols").status_code == 404
    assert integration(app, client, Role.VILLAGE).get("/gate/patrols").status_code == 403
