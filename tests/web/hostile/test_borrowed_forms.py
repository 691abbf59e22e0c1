"""An id that others can see leads nobody to the link of the person whose it is: sending a form again needs the form's own UUID."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.approvals.models import Approval
from checkpoint.companies.models import Company
from checkpoint.database import Base, db
from checkpoint.registrations.models import Registration
from tests.factories import NOW, companies, lists
from tests.factories.declarations import declaration, name, phone, resident_id
from tests.factories.divisions import NEIGHBOUR_TOWN, VILLAGE
from tests.web.api_support import Api

_PERSON = {
    "act": "send", "people.0.name": name(1), "people.0.id_type": "resident_id", "people.0.id_number": resident_id(1),
    "people.0.phone": phone(1), "origin_text": "上海市金山区枫泾镇", "destination_text": "乍浦镇八字村", "from": "2022-04-13",
    "until": "2022-04-15", "purpose": "照顾住院的母亲",
}  # fmt: skip
_LORRY = _PERSON | {"plate": "沪A12345", "stops.0_text": "平湖市新埭镇", "days": ["1"]}
_COMMUTER = {
    "act": "send", "name": name(1), "id_type": "resident_id", "id_number": resident_id(1), "phone": phone(1),
    "origin_code": NEIGHBOUR_TOWN, "origin_text": "", "destination_code": VILLAGE, "work": "外环西路 88 号", "credit_code": "",
    "transport": "car", "plate": "浙F12345", "first_day": "2022-04-13", "last_day": "2022-04-15", "days": ["1"], "agreed": "1",
    "arriving_on": "2022-04-13", "until": "2022-04-15", "from": "2022-04-13",
}  # fmt: skip
_COMPANY = {
    "name": "平湖机械有限公司", "credit_code": companies.credit_code(), "division_text": "", "division_code": VILLAGE,
    "address": "外环西路 88 号", "contact_name": "陈明", "contact_phone": "13905730001",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _now(app: Flask, freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)
    with app.app_context():
        lists.in_force()


@pytest.mark.parametrize(
    ("address", "given", "model"),
    [
        ("/apply/person", _PERSON, Approval),
        ("/apply/lorry", _LORRY, Approval),
        ("/apply/commuter", _COMMUTER, Approval),
        ("/companies/register", _COMPANY, Company),
    ],
    ids=["person", "lorry", "commuter", "company"],
)
def test_a_visible_id_opens_nobody_elses_link(
    app: Flask, client: FlaskClient, address: str, given: dict[str, Any], model: type[Base]
) -> None:
    own = {"client_id": str(uuid.uuid4())}
    made = client.post(address, data=given | own)
    assert made.status_code == 303, made.text
    assert client.post(address, data=given | own).location == made.location  # sent again by the same phone
    with app.app_context():
        seen = str(db.session.scalars(select(model.__table__.c.id)).one())
    other = app.test_client().post(address, data=given | {"client_id": seen})
    assert other.location != made.location


def test_a_registrations_id_brings_nobody_its_pass(app: Flask, client: FlaskClient) -> None:
    public = Api(client)
    made = public.declare(1)
    with app.app_context():
        seen = db.session.scalars(select(Registration.id)).one()
    again = public.post("/registrations", declaration(1, client_id=str(seen)))
    assert made["id"] == str(seen)
    assert again.status_code == 201
    assert again.get_json()["pass"]["token"] != made["pass"]["token"]
