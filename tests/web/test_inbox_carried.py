"""Mending what a tablet carried: opened by whoever may, written down, stored under the phone's own identifier."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.privacy import keyring, public_jwk
from checkpoint.registrations.models import Registration
from tests.factories import NOW, lists, people
from tests.factories.carried import carried
from tests.factories.declarations import companion, declaration, negative_test, resident_id, stay
from tests.factories.divisions import OTHER_TOWN, TOWN
from tests.web.api_support import tablet


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def refused(app: Flask, **changes: Any) -> tuple[dict[str, Any], uuid.UUID]:
    """A declaration that a tablet delivered with a wrong phone number, and the alert about it."""
    body = declaration(companions=[companion()], stays=[stay()], tests=[negative_test()], phone="+861234567", **changes)
    with app.app_context():
        lists.in_force()
        ring = keyring()
        key = public_jwk(ring.carried_current, ring.carried[ring.carried_current])
    assert tablet(app, app.test_client()).post("/registrations/carried", carried(key, body)).status_code == 202
    with app.app_context():
        return body, db.session.scalars(select(Alert.id).where(Alert.kind == "carried_refused")).one()


def signed_in(app: Flask, client: FlaskClient, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user("worker", role, division)
    client.post("/login", data={"login": "worker", "password": people.PASSWORD})
    return client


def fields(body: dict[str, Any], **changes: str) -> dict[str, str]:
    """The form as a browser would send it back."""
    one = body["stays"][0]
    return {
        "client_id": body["client_id"],
        **{name: str(body[name]) for name in ("name", "id_type", "id_number", "phone", "transport", "plate", "arriving_on")},
        "origin_code": body["origin"]["code"],
        "origin_text": "",
        "destination_code": body["destination"]["code"],
        "destination.address": body["destination"]["address"],
        "stays.0_code": one["code"],
        "stays.0.from": one["from"],
        "stays.0.to": one["to"],
        "companions.0.name": body["companions"][0]["name"],
        "companions.0.id_type": "resident_id",
        "companions.0.id_number": body["companions"][0]["id_number"],
        "act": "send",
        **changes,
    }  # fmt: skip


def test_the_town_opens_it_mends_it_and_the_alert_is_closed(app: Flask, client: FlaskClient) -> None:
    body, alert_id = refused(app)
    worker = signed_in(app, client, Role.TOWN, TOWN)
    card = worker.get(f"/inbox/alerts/{alert_id}?lang=en").text
    assert "This is not a phone number." in card
    page = worker.get(f"/inbox/carried/{alert_id}").text
    assert "Mobile phone" in page
    assert resident_id(1) not in page  # still sealed
    opened = worker.post(f"/inbox/carried/{alert_id}/open", data={"purpose": "mend"}).text
    assert resident_id(1) in opened
    assert resident_id(2) in opened
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.object_type == "carried")).one()
        assert (entry.act, entry.purpose) == ("people.unmask", "mend")

    still = worker.post(f"/inbox/carried/{alert_id}/mend", data=fields(body))
    assert still.status_code == 422
    done = worker.post(f"/inbox/carried/{alert_id}/mend", data=fields(body, phone="13810000001"))
    assert done.status_code == 303, done.text
    with app.app_context():
        lead = db.session.scalars(select(Registration).where(Registration.client_id.is_not(None))).one()
        assert str(lead.client_id) == body["client_id"]
        assert done.location == f"/inbox/people/{lead.id}"
        assert db.session.get_one(Alert, alert_id).state == "resolved"
    again = worker.get(f"/inbox/carried/{alert_id}").text
    assert f"/inbox/people/{lead.id}" in again


@pytest.mark.parametrize("where", ["", "/open", "/mend"])
def test_another_town_finds_nothing(app: Flask, client: FlaskClient, where: str) -> None:
    _body, alert_id = refused(app)
    stranger = signed_in(app, client, Role.TOWN, OTHER_TOWN)
    answer = stranger.open(f"/inbox/carried/{alert_id}{where}", method="POST" if where else "GET")
    assert answer.status_code == 404
