"""Searching the inbox by the last four, looking at a part of it, and in bunches; saying on the card that somebody has arrived."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.followups.models import FollowUp
from checkpoint.web import inbox_sift
from tests.factories import NOW, alerting, declarations, people, travelling
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, TOWN, VILLAGE


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(minutes=5))


@pytest.fixture
def worker(app: Flask, client: FlaskClient) -> FlaskClient:
    """A worker of the town who has signed in."""
    with app.app_context():
        people.user("worker", Role.TOWN, TOWN)
    client.post("/login", data={"login": "worker", "password": people.PASSWORD})
    return client


@pytest.fixture
def family(app: Flask) -> None:
    """Two in one car to VILLAGE, one alone to SECOND_VILLAGE by train, one in the same place of another town."""
    with app.app_context():
        travelling.declared(number=11, companions=[declarations.companion(12)])
        walker = {"transport": "train", "plate": None, "destination": {"code": SECOND_VILLAGE, "address": "1 号"}}
        travelling.declared(number=13, **walker)
        travelling.declared(number=14, destination={"code": OTHER_VILLAGE, "address": "2 号"})


def names(page: str) -> list[str]:
    return re.findall(r'class="alert-name" href="[^"]+">([^<]+)<', page)


def headings(page: str) -> list[tuple[str, str]]:
    return re.findall(r'data-bunch>([^<]+?) <span class="tab-count">(\d+)<', page)


def last_of(number: int) -> str:
    return declarations.resident_id(number)[-4:]


@pytest.mark.usefixtures("family")
def test_the_last_four_of_a_document_a_phone_or_a_plate_find_somebody(worker: FlaskClient) -> None:
    masked = {number: f"{declarations.name(number)[0]}*" for number in (11, 12, 13)}
    assert len(names(worker.get("/inbox").text)) == 3
    assert names(worker.get(f"/inbox?last={last_of(12).lower()}").text) == [masked[12]]
    assert names(worker.get(f"/inbox?last={declarations.phone(13)[-4:]}").text) == [masked[13]]
    assert sorted(names(worker.get("/inbox?last=0011").text)) == sorted([masked[11], masked[12]])  # the car's plate
    page = worker.get(f"/inbox?last={last_of(14)}&lang=en").text  # of another town: as if there were nobody
    assert names(page) == []
    assert "Nothing here matches" in page
    assert declarations.resident_id(12) not in worker.get(f"/inbox?last={last_of(12)}").text


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize("typed", ["12", "12345678901234567890123", "'--", "%"])
def test_what_cannot_be_the_last_four_is_said_and_finds_nobody(worker: FlaskClient, typed: str) -> None:
    page = worker.get("/inbox", query_string={"last": typed, "lang": "en"})
    assert page.status_code == 200
    assert names(page.text) == []
    assert "Type exactly four digits or letters." in page.text


@pytest.mark.usefixtures("family")
def test_bunches_by_village_family_and_vehicle(worker: FlaskClient) -> None:
    village = headings(worker.get("/inbox?by=village").text)
    assert sorted(village) == [("乍浦镇 八字村", "2"), ("乍浦镇 雅山社区", "1")]
    family = headings(worker.get("/inbox?by=family&lang=en").text)
    assert [(title[:16], number) for title, number in family] == [("Travelling with ", "2"), ("Travelling alone", "1")]
    vehicle = headings(worker.get("/inbox?by=vehicle&lang=en").text)
    assert vehicle == [("浙F0***1", "2"), ("Without a number plate", "1")]
    assert headings(worker.get("/inbox?by=nonsense").text) == []


def test_only_what_is_asked_for_is_shown(app: Flask, worker: FlaskClient) -> None:
    with app.app_context():
        people.village_worker()  # somebody is there: nothing is told to the town at once
        higher = alerting.alert(VILLAGE, "yellow", at=NOW - timedelta(hours=1))
        alerting.escalate(timedelta(0))
        late = alerting.alert(VILLAGE, "red", at=NOW - timedelta(hours=1))
        red, yellow = alerting.alert(VILLAGE, "red"), alerting.alert(VILLAGE, "yellow")
        db.session.get_one(Alert, yellow).state = "acknowledged"
        db.session.commit()

    def shown(only: str) -> set[str]:
        return set(re.findall(r'data-alert="([0-9a-f-]{36})"', worker.get(f"/inbox?only={only}").text))

    assert shown("red") == {str(late), str(red)}
    assert shown("open") == {str(late), str(red), str(higher)}
    assert shown("overdue") == {str(late)}
    assert shown("escalated") == {str(higher)}
    assert shown("nonsense") == {str(late), str(red), str(yellow), str(higher)}


def test_no_more_than_the_bound_is_opened_and_the_page_says_so(
    app: Flask, worker: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_sift, "MOST", 2)
    with app.app_context():
        for number in (21, 22, 23):
            travelling.declared(number=number)
    pages = [worker.get(f"/inbox?last={last_of(number)}&lang=en").text for number in (21, 22, 23)]
    assert sum(len(names(page)) for page in pages) == 2
    assert all("Only the 2 most urgent alerts were searched." in page for page in pages)


@pytest.mark.parametrize("fragment", [True, False])
def test_the_card_says_that_somebody_has_arrived(app: Flask, worker: FlaskClient, *, fragment: bool) -> None:
    with app.app_context():
        inside = travelling.admitted(number=31)
        visit = db.session.scalars(select(FollowUp.id).where(FollowUp.kind == "arrival_visit")).one()
        alert = db.session.scalars(select(Alert.id).where(Alert.kind == "arrival")).one()
        assert inside.row.state == "inside"
    page = worker.get("/inbox").text
    assert f'action="/inbox/followups/{visit}"' in page.partition("inbox-aside")[0]
    body = {"result": "arrived", "alert": str(alert)}
    headers = {"X-Fragment": "1"} if fragment else {}
    answer = worker.post(f"/inbox/followups/{visit}", data=body, headers=headers)
    if fragment:
        assert f'id="alert-{alert}"' in answer.text
        assert f"/inbox/followups/{visit}" not in answer.text  # said once
    else:
        assert answer.status_code == 303
        assert answer.location.endswith(f"#alert-{alert}")
    with app.app_context():
        assert db.session.get_one(FollowUp, visit).result == "arrived"


def test_an_alert_of_somebody_else_is_not_told_by_a_finished_visit(app: Flask, worker: FlaskClient) -> None:
    with app.app_context():
        travelling.admitted(number=31)
        visit = db.session.scalars(select(FollowUp.id).where(FollowUp.kind == "arrival_visit")).one()
        foreign = alerting.alert(OTHER_VILLAGE, "red")
    for alert, status in ((foreign, 404), (uuid.uuid4(), 404), ("no-id", 422)):
        answer = worker.post(f"/inbox/followups/{visit}", data={"result": "arrived", "alert": str(alert)})
        assert answer.status_code == status
    with app.app_context():
        assert db.session.get_one(FollowUp, visit).state == "open"
