"""Command: whom a list touches, how far the work is, what was decided in between, sources, policy; and the storm in an inbox."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.risk.models import RiskList
from checkpoint.risk.publishing import withdraw
from tests.factories import NOW, inside, people
from tests.factories.declarations import stay
from tests.factories.divisions import NEIGHBOUR_TOWN, SITE, VILLAGE
from tests.factories.lists import FENGJING
from tests.services.test_reassessment import WUHAN
from tests.web.test_command import national, signed_in, stats, upload

LATER = NOW + timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(LATER)


def _guests(app: Flask, count: int) -> None:
    with app.app_context():
        inside.put(WUHAN)
        tablet = people.tablet()
        inside.let_in(tablet, 1, stays=[stay(NEIGHBOUR_TOWN)])
        for number in range(2, count + 1):
            inside.register(number, stays=[stay(NEIGHBOUR_TOWN)])
        inside.follow_up()


def _work(app: Flask) -> None:
    with app.app_context():
        inside.follow_up(LATER)


def test_from_the_upload_to_the_people_and_back(app: Flask, client: FlaskClient) -> None:
    _guests(app, 3)
    chief = signed_in(app, client, Role.COMMAND, SITE)
    upload(chief, national("枫泾镇白牛路151弄12号楼"))
    with app.app_context():
        list_id = db.session.scalars(select(RiskList.id).order_by(RiskList.id.desc())).first()
    page = chief.get(f"/command/lists/{list_id}?lang=en").text
    shown = stats(page)
    assert (shown["people"], shown["people-raised"], shown["people-lowered"]) == (3, 3, 0)
    assert "八字村" in page
    published = chief.post(f"/command/lists/{list_id}/publish")
    assert published.location == "/command/changes"
    page = chief.get("/command/changes?lang=en").text
    assert "being prepared" in page
    assert 'data-running="1"' in page
    _work(app)
    page = chief.get("/command/changes?lang=en", headers={"X-Fragment": "1"}).text
    assert 'data-running="0"' in page
    assert "<html" not in page
    version = re.findall(r"/command/changes/(\d+)", page)[0]
    assert "八字村" in chief.get(f"/command/changes/{version}?lang=en").text
    chief.post(f"/command/lists/{list_id}/withdraw")
    _work(app)
    page = chief.get("/command/changes?lang=en").text
    assert "List taken back, version" in page
    with app.app_context():
        states = db.session.scalars(select(Alert.state).where(Alert.kind == "reassessment")).all()
    assert states == ["retracted"] * 3


def test_decisions_that_stood_in_between_are_listed_and_looked_at(app: Flask, client: FlaskClient) -> None:
    _guests(app, 1)
    with app.app_context():
        wrong = inside.put(FENGJING, at=LATER)
        inside.follow_up(LATER)
        tablet = people.tablet(people.checkpoint("S7"))
        inside.let_in(tablet, 5, at=LATER, decision="turned_back", stays=[stay(NEIGHBOUR_TOWN)])
        withdraw(wrong.id, actor=people.operator(), at=LATER + timedelta(hours=1))
        inside.follow_up(LATER + timedelta(hours=1))
    chief = signed_in(app, client, Role.COMMAND, SITE)
    page = chief.get("/command/findings?lang=en").text
    assert "At the barrier: turned back" in page
    assert "1 waits" in page
    action = re.findall(r'action="(/command/findings/\d+)"', page)
    assert len(action) == 1
    assert chief.post(action[0]).status_code == 303
    assert "Nothing to look at" in chief.get("/command/findings?lang=en").text
    assert "turned back" in chief.get("/command/findings?looked=1&lang=en").text
    assert chief.post("/command/findings/999999").status_code == 404


def test_a_source_is_added_with_every_wrong_field_named(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    wrong = chief.post("/command/feeds?lang=en", data={"name": "", "url": "http://127.0.0.1/", "interval_minutes": "x"})
    assert wrong.status_code == 422
    assert wrong.text.count('class="field-error"') == 4
    right = {
        "name": "国家",
        "url": "https://example.com/list?key=secret",
        "interval_minutes": "60",
        "silent_hours": "12",
    }
    assert chief.post("/command/feeds", data=right).status_code == 303
    page = chief.get("/command/feeds?lang=en").text
    assert "https://example.com/list" in page
    assert "secret" not in page
    assert chief.post("/command/feeds/1", data={"active": "0"}).status_code == 303
    assert "Stopped" in chief.get("/command/feeds?lang=en").text


def test_a_storm_in_a_village_is_one_card_that_opens_to_the_persons(app: Flask, client: FlaskClient) -> None:
    _guests(app, 7)
    with app.app_context():
        inside.put(FENGJING, at=LATER)
        inside.follow_up(LATER)
        people.user("village", Role.VILLAGE, VILLAGE)
    client.post("/login", data={"login": "village", "password": people.PASSWORD})
    page = client.get("/inbox?lang=en", headers={"X-Fragment": "1"}).text
    assert page.count("data-number=") == 1
    assert "7 people" in page
    assert "New on list version" in page
    assert 'data-tier="red"' not in page
    link = re.findall(r'href="(/inbox[^"]*group=[^"]*)"', page)[0].replace("&amp;", "&")
    opened = client.get(link).text
    assert opened.count('data-tier="red"') == 7
    assert FENGJING.text in opened


def test_only_command_sees_the_work(app: Flask, client: FlaskClient) -> None:
    village = signed_in(app, client, Role.VILLAGE, VILLAGE)
    for path in ("/command/changes", "/command/findings", "/command/feeds", "/command/policies"):
        assert village.get(path).status_code == 403
