"""Rosters, handing over and opening again, as a browser without scripts does it; and what the inbox notes of being seen."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.alerts import service
from checkpoint.alerts.models import Alert, DutyShift
from checkpoint.database import db
from tests.factories import NOW, TODAY, alerting, people
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, TOWN, VILLAGE
from tests.web.api_support import stored

FRAGMENT = {"X-Fragment": "1", "Accept": "application/json"}


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def signed_in(app: Flask, client: FlaskClient, role: Role = Role.VILLAGE, division: str = VILLAGE) -> uuid.UUID:
    """Sign in as a new worker; returns their id."""
    with app.app_context():
        user_id = people.user("worker", role, division).id
    client.post("/login", data={"login": "worker", "password": people.PASSWORD})
    return user_id


def raised(app: Flask, division: str = VILLAGE, tier: str = "yellow") -> uuid.UUID:
    with app.app_context():
        return alerting.alert(division, tier)


def row(app: Flask, alert_id: uuid.UUID) -> Alert:
    with app.app_context():
        return db.session.get_one(Alert, alert_id)


def test_shifts_are_entered_shown_and_removed(app: Flask, client: FlaskClient) -> None:
    me = signed_in(app, client)
    assert "No rosters yet" in client.get("/duty?lang=en").text
    form = {"user": str(me), "first": TODAY.isoformat(), "days": "3", "begins": "08:00", "ends": "20:00"}
    assert client.post("/duty", data=form).status_code == 303
    page = client.get("/duty?lang=en").text
    assert "on duty now: worker 测试" in page
    assert "Nobody in the next 7 days" in page
    with app.app_context():
        shift = db.session.query(DutyShift).first()
        assert shift is not None
    assert client.post(f"/duty/shifts/{shift.id}/remove").status_code == 303
    assert stored(app, DutyShift) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user": "nobody"}, "Choose somebody who answers alerts."),
        ({"first": "soon"}, "Choose a date."),
        ({"days": "0"}, "From 1 to 62 days."),
        ({"begins": "morning"}, "A time like 08:00."),
    ],
)
def test_what_is_wrong_with_a_shift_is_said(
    app: Flask, client: FlaskClient, changes: dict[str, str], words: str
) -> None:
    me = signed_in(app, client)
    form = {"user": str(me), "first": TODAY.isoformat(), "days": "3", "begins": "08:00", "ends": "20:00", **changes}
    answer = client.post("/duty?lang=en", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert stored(app, DutyShift) == 0


def test_an_alert_is_handed_to_a_colleague_who_may_see_it(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client)
    alert = raised(app)
    with app.app_context():
        town = people.user("town", Role.TOWN, TOWN).id
        people.user("elsewhere", Role.VILLAGE, SECOND_VILLAGE)
    page = client.get(f"/duty/hand/{alert}").text
    assert "town 测试" in page
    assert "elsewhere 测试" not in page
    assert client.post(f"/duty/hand/{alert}", data={"to": str(town)}).status_code == 303
    assert (row(app, alert).assigned_to, row(app, alert).responsible_level) == (town, 4)
    card = client.get("/inbox?lang=en").text
    assert "with town 测试" in card


def test_nobody_else_can_be_chosen(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client)
    alert, foreign = raised(app), raised(app, OTHER_VILLAGE)
    with app.app_context():
        stranger = people.user("elsewhere", Role.VILLAGE, SECOND_VILLAGE).id
    for to in (str(stranger), "", "nobody"):
        assert client.post(f"/duty/hand/{alert}", data={"to": to}).status_code == 422
    assert client.get(f"/duty/hand/{foreign}").status_code == 404
    assert client.post(f"/duty/hand/{foreign}", data={"to": str(stranger)}).status_code == 404
    assert row(app, alert).assigned_to is None


def test_everything_in_hand_is_handed_over(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client)
    alerts = [raised(app) for _ in range(3)]
    for alert in alerts[:2]:
        client.post(f"/inbox/alerts/{alert}/acknowledge")
    with app.app_context():
        colleague = people.user("second", Role.VILLAGE, VILLAGE).id
    page = client.get("/duty/hand-over").text
    assert page.count('name="alert"') == 2
    answer = client.post("/duty/hand-over", data={"alert": [str(one) for one in alerts[:2]], "to": str(colleague)})
    assert answer.status_code == 303
    assert [row(app, one).assigned_to for one in alerts] == [colleague, colleague, None]
    assert "You have nothing in hand" in client.get("/duty/hand-over?lang=en").text
    assert client.post("/duty/hand-over", data={"to": str(colleague)}).status_code == 422
    assert client.post("/duty/hand-over", data={"alert": "x", "to": str(colleague)}).status_code == 422


def test_a_closed_alert_is_opened_again_with_a_reason(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client)
    alert = raised(app)
    client.post(f"/inbox/alerts/{alert}/resolve", data={"result": "handled"})
    assert "Open again" in client.get("/inbox?view=done&lang=en").text
    assert client.post(f"/duty/reopen/{alert}", data={"note": " "}, headers=FRAGMENT).status_code == 422
    part = client.post(f"/duty/reopen/{alert}", data={"note": "门又开了", "view": "done"}, headers=FRAGMENT).text
    assert part.lstrip().startswith("<article")
    assert (row(app, alert).state, row(app, alert).wave) == ("open", 1)
    with app.app_context():
        assert db.session.get_one(Alert, alert).note == "门又开了"


def test_a_list_is_told_and_a_look_is_seen(app: Flask, client: FlaskClient, freeze: Callable[[datetime], None]) -> None:
    me = signed_in(app, client)
    first, second, foreign = raised(app), raised(app), raised(app, OTHER_VILLAGE)
    client.get("/inbox")
    assert (row(app, first).delivered_at, row(app, first).seen_at) == (NOW, None)
    later = NOW + timedelta(minutes=3)
    freeze(later)
    answer = client.post("/inbox/seen", data={"alert": [str(first), str(foreign), str(uuid.uuid4())]})
    assert answer.get_json() == {"new": 1}
    assert (row(app, first).seen_at, row(app, first).seen_by) == (later, f"user:{me}")
    assert (row(app, second).seen_at, row(app, foreign).seen_at) == (None, None)
    client.get(f"/inbox/alerts/{second}")
    assert row(app, second).seen_at == later
    page = client.get("/inbox?lang=en").text
    assert "seen 12 Apr" in page
    assert client.post("/inbox/seen", data={"alert": "x"}, headers=FRAGMENT).status_code == 422


def test_an_alert_that_went_up_at_once_says_so(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client, Role.TOWN, TOWN)
    raised(app)
    assert "escalated to the town" in client.get("/inbox?lang=en").text


def test_who_may_come_in(app: Flask, client: FlaskClient) -> None:
    alert = raised(app)
    assert client.get("/duty").location == "/login?next=/duty"
    signed_in(app, client, Role.OFFICER, VILLAGE)
    for path in ("/duty", "/duty/hand-over", f"/duty/hand/{alert}", "/channels", "/command/watch"):
        assert client.get(path).status_code == 403, path
    with app.app_context():
        assert service.subject_alert(uuid.uuid4()) is None
