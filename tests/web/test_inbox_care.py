"""Appeals, told tests and posters on the worker's screen; the way of a person in one line; barrier to door for command."""

import io
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import traveller_actor
from checkpoint.appeals import service as appeals
from checkpoint.appeals.queries import of_registration as appeals_of
from checkpoint.followups import queries, reports
from checkpoint.followups import service as followups
from checkpoint.followups.tallies import Closing, closing_by_place
from tests.factories import NOW, lists, people
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, SITE, TOWN, VILLAGE
from tests.factories.travelling import Inside, admitted, declared

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + HOUR)


def signed_in(app: Flask, role: Role = Role.VILLAGE, division: str = VILLAGE, login: str = "worker") -> FlaskClient:
    with app.app_context():
        people.user(login, role, division)
    client = app.test_client()
    assert client.post("/login", data={"login": login, "password": people.PASSWORD}).status_code == 302
    return client


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(out, "JPEG")
    return out.getvalue()


def appealed(app: Flask) -> tuple[uuid.UUID, uuid.UUID]:
    """A red traveller's appeal with a picture: its id and the registration's."""
    with app.app_context():
        lists.in_force()
        own = declared(origin={"code": NEIGHBOUR_TOWN}).registration.id
        asked = appeals.submit(
            own, uuid.uuid4(), "我不在那个小区，<b>真的</b>", picture(), actor=traveller_actor(own, SITE), at=NOW
        )
        return asked.id, own


def test_an_appeal_is_answered_on_its_page(app: Flask) -> None:
    asked, own = appealed(app)
    worker = signed_in(app)
    assert f"/inbox/appeals/{asked}" in worker.get("/inbox?lang=en").text  # the alert leads there
    assert f"/inbox/appeals/{asked}" in worker.get("/inbox/appeals").text
    page = worker.get(f"/inbox/appeals/{asked}?lang=en").text
    assert "&lt;b&gt;真的" in page
    assert re.search(r'name="set_aside" value="0" checked', page)
    shown = worker.get(f"/inbox/appeals/{asked}/picture.jpg")
    assert (shown.mimetype, shown.data[:2], "sandbox" in shown.headers["Content-Security-Policy"]) == (
        "image/jpeg",
        b"\xff\xd8",
        True,
    )
    wrong = worker.post(f"/inbox/appeals/{asked}/grant?lang=en", data={"why": " ", "days": "14", "set_aside": "0"})
    assert (wrong.status_code, "Say why" in wrong.text) == (422, True)
    none = worker.post(f"/inbox/appeals/{asked}/grant?lang=en", data={"why": "ok", "days": "14"})
    assert (none.status_code, "at least one reason" in none.text) == (422, True)
    days = worker.post(f"/inbox/appeals/{asked}/grant?lang=en", data={"why": "ok", "days": "900", "set_aside": "0"})
    assert (days.status_code, "From 1 to 60 days" in days.text) == (422, True)
    done = worker.post(f"/inbox/appeals/{asked}/grant", data={"why": "已核实", "days": "7", "set_aside": "0"})
    assert (done.status_code, done.location) == (303, f"/inbox/people/{own}")
    page = worker.get(f"/inbox/people/{own}?lang=en").text
    for step in ("The traveller appeals", "Appeal granted", "Assessed: Green"):
        assert step in page
    assert "Granted by" in worker.get(f"/inbox/appeals/{asked}?lang=en").text


def test_refused_with_a_reason(app: Flask) -> None:
    asked, own = appealed(app)
    worker = signed_in(app)
    assert worker.post(f"/inbox/appeals/{asked}/refuse", data={"why": ""}).status_code == 422
    assert worker.post(f"/inbox/appeals/{asked}/refuse", data={"why": "录像显示到过"}).status_code == 303
    with app.app_context():
        assert [one.state for one in appeals_of(own)] == ["refused"]


def test_what_lies_elsewhere_does_not_exist(app: Flask) -> None:
    asked, _own = appealed(app)
    far = signed_in(app, division=OTHER_VILLAGE)
    for path in (f"/inbox/appeals/{asked}", f"/inbox/appeals/{asked}/picture.jpg", f"/inbox/door/{VILLAGE}"):
        assert far.get(path).status_code == 404
    for act in ("grant", "refuse"):
        assert far.post(f"/inbox/appeals/{asked}/{act}", data={"why": "x", "days": "1"}).status_code == 404
    auditor = signed_in(app, Role.AUDITOR, SITE, "auditor")
    assert auditor.post(f"/inbox/appeals/{asked}/grant", data={"why": "x"}).status_code == 403


def test_the_poster_of_a_village(app: Flask) -> None:
    worker = signed_in(app)
    answer = worker.get("/inbox/door")
    assert answer.location == f"/inbox/door/{VILLAGE}"
    page = worker.get(answer.location).text
    assert ("八字村" in page, "<svg" in page) == (True, True)
    town = signed_in(app, Role.TOWN, TOWN, "town")
    assert f"/inbox/door/{VILLAGE}" in town.get("/inbox/door").text
    assert town.get(f"/inbox/door/{SITE}").status_code == 404


def inside(app: Flask) -> Inside:
    with app.app_context():
        lists.in_force()
        return admitted()


def test_what_was_told_stands_on_the_work_and_alone(app: Flask) -> None:
    person = inside(app)
    with app.app_context():
        reports.report_arrival(person.id, uuid.uuid4(), place_code=None, actor=person.holder, at=NOW + HOUR)
        alone = reports.report_test(
            person.id, uuid.uuid4(), kind="pcr", result="negative", taken_at=NOW, actor=person.holder, at=NOW + HOUR
        )
    worker = signed_in(app)
    page = worker.get(f"/inbox/people/{person.id}?lang=en").text
    assert ("has arrived" in page, "Told by the traveller, not confirmed" in page) == (True, True)
    assert "told at 11:00: has arrived" in worker.get("/inbox?view=followups&lang=en").text
    assert worker.post(f"/inbox/reports/{alone.id}", data={"confirmed": "1"}).status_code == 303
    assert "not confirmed" not in worker.get(f"/inbox/people/{person.id}?lang=en").text


def test_the_way_in_one_line_with_its_delays(app: Flask) -> None:
    person = inside(app)
    worker = signed_in(app)
    worker.get("/inbox")
    with app.app_context():
        visit = queries.of_registration(person.id)[0]
        followups.complete(visit.id, "arrived", None, actor=people.operator(), at=NOW + 2 * HOUR)
    page = worker.get(f"/inbox/people/{person.id}?lang=en").text
    assert "2 h 0 min from barrier to door" in page
    titles = re.findall(
        r'<time datetime="[^"]+">[^<]*</time>(?: <span class="muted step-after">\+([^<]*)</span>)?', page
    )
    assert all(titles[1:])  # every step after the first says how long it took


def test_the_share_at_the_door_in_time(app: Flask) -> None:
    with app.app_context():
        lists.in_force()
        tablet = people.tablet()
        arrivals = {"in_time": 3, "late": 5, "silent": None, "running": None}
        for number, (name, hours) in enumerate(arrivals.items()):
            entered = NOW + (8 * HOUR if name == "running" else timedelta())
            one = admitted(tablet, entered, name="王" + "安宁清平"[number])
            if hours is not None:
                visit = next(task for task in queries.of_registration(one.id) if task.kind == "arrival_visit")
                followups.complete(visit.id, "arrived", None, actor=people.operator(), at=NOW + hours * HOUR)
        # Somebody was not at the door in time and was met later: late, and counted once.
        again = admitted(tablet, NOW, name="王晓")
        visit = next(task for task in queries.of_registration(again.id) if task.kind == "arrival_visit")
        followups.complete(visit.id, "not_here", None, actor=people.operator(), at=NOW + 4 * HOUR)
        visit = next(task for task in queries.of_registration(again.id) if task.state == "open")
        followups.complete(visit.id, "arrived", None, actor=people.operator(), at=NOW + 5 * HOUR)
        at = NOW + 9 * HOUR
        found = closing_by_place(people.commander(), NOW - 7 * 24 * HOUR, NOW - HOUR, at)
    assert found == {TOWN: (Closing(4, 1, 1), Closing(4, 1, 1))}


def test_command_sees_the_share(app: Flask, freeze: Callable[[datetime], None]) -> None:
    person = inside(app)
    with app.app_context():
        visit = queries.of_registration(person.id)[0]
        followups.complete(visit.id, "arrived", None, actor=people.operator(), at=NOW + HOUR)
    freeze(NOW + 2 * HOUR)
    page = signed_in(app, Role.COMMAND, SITE, "command").get("/command?lang=en").text
    assert re.search(r'data-stat="closed-today">100 %', page)
    assert "answered the same day: 0 of 0" in page
