"""The commuter's form, the pass that stands, giving it up, and the office's list: as browsers without scripts see them."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.approvals.models import Approval
from checkpoint.database import db
from checkpoint.registrations.models import Registration, TestResult
from checkpoint.registrations.queries import pass_path
from tests.factories import NOW, TODAY, people
from tests.factories.commuters import applied, approval_of, grant, granted, pass_of
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import FAR_AWAY, NEIGHBOUR, NEIGHBOUR_TOWN, VILLAGE
from tests.factories.lists import FENGJING, in_force
from tests.factories.travelling import declared

DAY = timedelta(days=1)
Freeze = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _now(freeze: Freeze) -> None:
    freeze(NOW)


def typed(**changes: object) -> dict[str, object]:
    """The form as a phone sends it."""
    body: dict[str, object] = {
        "client_id": str(uuid.uuid4()),
        "name": name(1),
        "id_type": "resident_id",
        "id_number": resident_id(1),
        "phone": phone(1),
        "origin_text": "上海市金山区枫泾镇白牛路151弄12号楼302室",
        "origin_code": NEIGHBOUR_TOWN,
        "destination_text": "八字村",
        "destination_code": VILLAGE,
        "work": "乍浦码头 装卸工",
        "first_day": TODAY.isoformat(),
        "last_day": (TODAY + 29 * DAY).isoformat(),
        "days": ["1", "2", "3"],
        "hours_from": "06:00",
        "hours_to": "22:00",
        "transport": "car",
        "plate": "沪A12345",
        "agreed": "1",
        "act": "send",
    }
    return body | changes


def signed_in(client: FlaskClient, app: Flask, role: Role, division: str, login: str) -> None:
    with app.app_context():
        people.user(login, role, division)
    client.post("/login", data={"login": login, "password": people.PASSWORD})


def test_the_form_becomes_an_application_and_leads_to_its_page(client: FlaskClient, app: Flask) -> None:
    page = client.get("/apply/commuter").get_data(as_text=True)
    assert 'name="agreed"' in page
    body = typed()
    answer = client.post("/apply/commuter", data=body)
    assert answer.status_code == 303
    again = client.post("/apply/commuter", data=body)
    assert again.location == answer.location
    assert client.get(answer.location).status_code == 200
    with app.app_context():
        approval = db.session.query(Approval).one()
        assert approval.asked_conditions["days"] == [1, 2, 3]
        assert approval.asked_conditions["hours"] == ["06:00", "22:00"]
        assert approval.asked_conditions["binding"] is True
        trip = db.session.get_one(Registration, approval.registration_id)
        assert (trip.state, trip.address, trip.plate) == ("applied", "乍浦码头 装卸工", "沪A12345")
        assert approval.valid_until - approval.valid_from == 30 * DAY


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"agreed": ""}, "agreed"),
        ({"work": " "}, "work"),
        ({"id_number": "330482198503170012"}, "id_number"),
        ({"last_day": (TODAY - DAY).isoformat()}, "last_day"),
        ({"last_day": (TODAY + 200 * DAY).isoformat()}, "last_day"),
        ({"first_day": "2022-02-31"}, "first_day"),
        ({"hours_to": ""}, "hours_to"),
        ({"hours_to": "06:00"}, "hours_from"),
        ({"posts": ["NOWHERE"]}, "posts"),
        ({"origin_code": VILLAGE, "origin_text": "八字村"}, "origin"),
        ({"origin_code": "", "origin_text": "火星", "origin_asked": "火星"}, "origin"),
        ({"credit_code": "91330482MA28A00000"}, "credit_code"),
        ({"transport": ""}, "transport"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_stored(
    client: FlaskClient, app: Flask, changes: dict[str, object], field: str
) -> None:
    with app.app_context():
        people.checkpoint()
    answer = client.post("/apply/commuter", data=typed(**changes))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{field}"' in page
    assert f'id="{field}-error"' in page
    assert resident_id(1) in page or field == "id_number"
    with app.app_context():
        assert db.session.query(Approval).count() == 0
        assert db.session.query(Registration).count() == 0


def test_a_granted_application_leads_to_a_code_for_every_day(client: FlaskClient, app: Flask) -> None:
    location = client.post("/apply/commuter", data=typed()).location
    assert "/p/" not in client.get(location).get_data(as_text=True)
    with app.app_context():
        grant(db.session.query(Approval).one())
    found = re.search(r'href="(/p/[^"]+)"', client.get(location).get_data(as_text=True))
    assert found is not None
    page = client.get(found[1]).get_data(as_text=True)
    assert "/commuting/end" in page
    assert "/amend" not in page
    assert "/withdraw" not in page


def test_a_test_told_on_the_page_changes_the_code_and_keeps_its_letters(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        in_force(FENGJING)
        trip = granted(origin={"code": FAR_AWAY})
        path, before = pass_path(trip.id), pass_of(trip)
    page = client.get(path).get_data(as_text=True)
    assert 'data-may="test"' in page
    picture = client.get(f"{path}/qr.svg")
    taken = (NOW + timedelta(hours=7)).strftime("%Y-%m-%dT%H:%M")  # an hour ago, by the site's clock
    body = {"report_id": str(uuid.uuid4()), "kind": "pcr", "result": "negative", "taken_at": taken}
    assert client.post(f"{path}/test", data=body).status_code == 303
    with app.app_context():
        assert db.session.query(TestResult).one().result == "negative"
        after = pass_of(trip)
        assert (after.serial, after.short_code) == (before.serial, before.short_code)
        assert after.token != before.token
    assert client.get(f"{path}/qr.svg", headers={"If-None-Match": picture.headers["ETag"]}).status_code in (200, 304)
    assert client.get(path).get_data(as_text=True).count(before.short_code[:4]) == 1


def test_a_wrong_test_is_said_beside_its_field(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        path = pass_path(granted().id)
    answer = client.post(f"{path}/test", data={"kind": "pcr", "result": "", "taken_at": "2022-04-12T09:00"})
    assert answer.status_code == 422


def test_giving_up_asks_once_and_ends_the_code(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        trip = granted()
        path = pass_path(trip.id)
    assert client.get(f"{path}/commuting/end").status_code == 200
    with app.app_context():
        assert approval_of(trip).state == "granted"
    assert client.post(f"{path}/commuting/end").status_code == 303
    with app.app_context():
        assert approval_of(trip).state == "withdrawn"
    assert "/apply/commuter" in client.get(path).get_data(as_text=True)
    assert client.get(f"{path}/commuting/end").status_code == 303
    assert client.get("/p/wrong/commuting/end").status_code == 404


def test_an_ordinary_trip_has_nothing_to_give_up(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        path = pass_path(declared().registration.id)
    assert "/commuting/end" not in client.get(path).get_data(as_text=True)
    assert client.get(f"{path}/commuting/end").status_code == 303
    assert client.post(f"{path}/commuting/end").status_code == 404


def test_the_town_sees_its_commuters_and_withdraws_a_county(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        in_force(FENGJING)
        ids = [approval_of(one).id for one in (granted(1), granted(2, origin={"code": FAR_AWAY}))]
    signed_in(client, app, Role.TOWN, "330482101000", "town")
    page = client.get("/approvals/commuters").get_data(as_text=True)
    assert page.index('class="tier tier-red"') < page.index('class="tier tier-green"')
    assert name(1) not in page
    assert client.get("/approvals/commuters/withdraw").status_code == 303  # nobody withdraws everybody
    asked = client.get(f"/approvals/commuters/withdraw?county={NEIGHBOUR}").get_data(as_text=True)
    assert 'name="expected" value="1"' in asked
    body = {"county": NEIGHBOUR, "expected": "1", "why": ""}
    assert client.post("/approvals/commuters/withdraw", data=body).status_code == 422
    assert client.post("/approvals/commuters/withdraw", data=body | {"why": "疫情", "expected": "2"}).status_code == 409
    assert client.post("/approvals/commuters/withdraw", data=body | {"why": "疫情"}).status_code == 303
    with app.app_context():
        assert [db.session.get_one(Approval, one).state for one in ids] == ["revoked", "granted"]


def test_another_town_sees_nobody_and_a_company_may_not_look(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        shown = str(approval_of(granted()).id)
        applied(2)
    signed_in(client, app, Role.TOWN, "330482102000", "other")
    page = client.get("/approvals/commuters").get_data(as_text=True)
    assert shown not in page
    asked = client.get(f"/approvals/commuters/withdraw?county={NEIGHBOUR}").get_data(as_text=True)
    assert 'name="expected"' not in asked
    client.post("/logout")
    signed_in(client, app, Role.AUDITOR, "330482000000", "auditor")
    assert client.get("/approvals/commuters").status_code == 403
