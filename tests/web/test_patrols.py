"""Patrols on screen: who may come in, today's rounds, photos, and command's points, routes and times."""

import io
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.patrols import queries
from checkpoint.patrols.models import PatrolPoint, PatrolRoute
from checkpoint.patrols.rounds import tell_missed
from tests.factories import NOW, patrols, people
from tests.factories.divisions import OTHER_TOWN, SITE, TOWN, VILLAGE

INSIDE = NOW + timedelta(minutes=45)
PAGES = ("/patrols", "/patrols/points", "/patrols/points/sheet", "/patrols/routes")


@pytest.fixture(autouse=True)
def _stopped(freeze: Callable[[datetime], None]) -> None:
    freeze(INSIDE)


def signed_in(app: Flask, role: Role, division: str) -> FlaskClient:
    """A browser in which somebody has signed in."""
    with app.app_context():
        people.user(role.value, role, division)
    browser = app.test_client()
    browser.post("/login", data={"login": role.value, "password": people.PASSWORD})
    return browser


@pytest.fixture
def chief(app: Flask) -> FlaskClient:
    """Command's browser."""
    return signed_in(app, Role.COMMAND, SITE)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_empty_and_in_both_languages(chief: FlaskClient, path: str) -> None:
    for language in ("zh", "en"):
        page = chief.get(f"{path}?lang={language}")
        assert page.status_code == 200
        assert "<h1>" in page.text
        assert not re.search(r'\s(style|on\w+)="', page.text)


@pytest.mark.parametrize(
    ("role", "division", "reads"),
    [
        (Role.VILLAGE, VILLAGE, True),
        (Role.TOWN, TOWN, True),
        (Role.AUDITOR, SITE, True),
        (Role.OFFICER, SITE, False),
    ],
)
def test_only_command_changes_what_is_walked(app: Flask, role: Role, division: str, reads: bool) -> None:
    with app.app_context():
        point = patrols.point()
        route = patrols.route(point)
    browser = signed_in(app, role, division)
    assert browser.get("/patrols").status_code == (200 if reads else 403)
    assert browser.get(f"/patrols/points/{point.id}").status_code == (200 if reads else 403)
    for path in ("/patrols/points", "/patrols/points/sheet", "/patrols/routes", f"/patrols/routes/{route.id}"):
        assert browser.get(path).status_code == 403
    for path in (
        "/patrols/points",
        f"/patrols/points/{point.id}/edit",
        f"/patrols/points/{point.id}/close",
        "/patrols/routes",
        f"/patrols/routes/{route.id}/points",
        f"/patrols/routes/{route.id}/times",
        f"/patrols/times/{uuid.uuid4()}/remove",
        f"/patrols/routes/{route.id}/close",
    ):
        assert browser.post(path, data={}).status_code == 403


def test_today_shows_what_is_done_due_and_missed(app: Flask, freeze: Callable[[datetime], None]) -> None:
    with app.app_context():
        seen, bad, due = patrols.point("白沙湾"), patrols.point("老渡口"), patrols.point("机耕路")
        patrols.route(seen, bad, due)
        tablet = people.tablet()
        patrols.visit(seen, tablet, INSIDE, photo=patrols.photo())
        patrols.visit(bad, tablet, INSIDE, "open")
    browser = signed_in(app, Role.TOWN, TOWN)
    page = browser.get("/patrols?lang=en").text
    assert "2 / 3" in page
    assert page.count("patrol-point is-done") == 2
    assert page.count("patrol-point is-due") == 1
    assert "is-open" in page
    assert page.count("/patrols/photos/") == 1
    later = NOW + timedelta(hours=3)
    freeze(later)
    with app.app_context():
        tell_missed(later)
    assert browser.get("/patrols").text.count("patrol-point is-missed") == 1
    assert "no rounds" in browser.get("/patrols?lang=en&day=2022-04-01").text.lower()
    assert browser.get("/patrols?day=nonsense").status_code == 200


def test_the_town_reads_in_its_inbox_what_happened(app: Flask) -> None:
    with app.app_context():
        point = patrols.point("老渡口")
        patrols.route(point)
        patrols.visit(point, people.tablet(), INSIDE, "crossing")
    page = signed_in(app, Role.TOWN, TOWN).get("/inbox?lang=en").text
    assert "Closed crossing open or damaged" in page
    assert "老渡口: People are crossing" in page


def test_a_photo_is_for_those_who_may_see_its_point_and_audited(app: Flask) -> None:
    with app.app_context():
        point = patrols.point()
        taken = patrols.visit(point, people.tablet(), INSIDE, photo=patrols.photo(), note="护栏完好")
    path = f"/patrols/photos/{taken.visit.id}"
    village = signed_in(app, Role.VILLAGE, VILLAGE)
    answer = village.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "private, max-age=600"
    assert Image.open(io.BytesIO(answer.data)).size == (640, 480)
    assert "护栏完好" in village.get(f"/patrols/points/{point.id}").text
    stranger = signed_in(app, Role.TOWN, OTHER_TOWN)
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"/patrols/points/{point.id}").status_code == 404
    assert village.get(f"/patrols/photos/{uuid.uuid4()}").status_code == 404
    assert app.test_client().get(path).status_code == 302
    with app.app_context():
        acts = list(db.session.scalars(select(AuditEntry.act).where(AuditEntry.act == "patrol_photo.open")))
    assert len(acts) == 1


def test_a_point_is_put_up_printed_changed_and_taken_down(app: Flask, chief: FlaskClient) -> None:
    form = {"name": "老渡口<b>", "division_code": VILLAGE, "latitude": "30.6766", "longitude": "121.0158"}
    assert chief.post("/patrols/points", data=form).status_code == 302
    with app.app_context():
        point = db.session.scalars(select(PatrolPoint)).one()
        code = patrols.code(point)
    page = chief.get("/patrols/points").text
    assert "老渡口&lt;b&gt;" in page
    sheet = chief.get("/patrols/points/sheet").text
    assert sheet.count("patrol-sheet") - sheet.count("patrol-sheet.css") == 1
    assert code not in sheet, "the code is drawn, not written: nobody copies it from a page's source"
    assert chief.get(f"/patrols/points/sheet?point={uuid.uuid4()}").text.count('class="sheet-code"') == 0
    assert 'value="30.6766"' in chief.get(f"/patrols/points/{point.id}/edit").text
    changed = {**form, "name": "新渡口", "latitude": "", "longitude": ""}
    assert chief.post(f"/patrols/points/{point.id}/edit", data=changed).status_code == 302
    assert chief.post(f"/patrols/points/{point.id}/close").status_code == 302
    with app.app_context():
        stored = db.session.get_one(PatrolPoint, point.id)
        assert (stored.name, stored.latitude, stored.active) == ("新渡口", None, False)
    chief.post(f"/patrols/points/{point.id}/open")
    assert chief.post(f"/patrols/points/{point.id}/burn").status_code == 404


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"name": "", "division_code": VILLAGE}, ["name"]),
        ({"name": "甲", "division_text": ""}, ["division"]),
        ({"name": "甲", "division_code": VILLAGE, "latitude": "99", "longitude": "1"}, ["latitude"]),
        ({"name": "甲", "division_code": VILLAGE, "checkpoint": "NONE"}, ["checkpoint"]),
    ],
)
def test_wrong_fields_of_a_point_stand_beside_them(chief: FlaskClient, form: dict[str, str], fields: list[str]) -> None:
    page = chief.post("/patrols/points", data=form)
    assert page.status_code == 422
    for field in fields:
        assert f'id="{field}-error"' in page.text


def test_a_route_gets_its_points_and_times(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        first, second, third = (patrols.point(name).id for name in ("一", "二", "三"))
    made = chief.post("/patrols/routes", data={"name": "北线", "division_code": TOWN})
    assert made.status_code == 302
    order = {f"order-{first}": "20", f"order-{second}": "5", f"order-{third}": ""}
    assert chief.post(f"{made.location}/points", data=order).status_code == 302
    time = {"starts": "13:00", "window": "90", "weekdays": ["0", "1", "2"]}
    assert chief.post(f"{made.location}/times", data=time).status_code == 302
    with app.app_context():
        route = db.session.scalars(select(PatrolRoute)).one()
        assert [stop.id for stop in queries.stops(route.id)] == [second, first]
        (slot,) = queries.slots(route.id)
        assert (slot.starts_minute, slot.window_minutes, slot.weekdays) == (780, 90, 0b111)
    page = chief.get(f"{made.location}?lang=en").text
    assert "Mon, Tue, Wed" in page
    wrong = chief.post(f"{made.location}/times", data={"starts": "14:00", "window": "9"})
    assert wrong.status_code == 422
    assert 'id="window-error"' in wrong.text
    assert 'id="weekdays-error"' in wrong.text
    numbers = chief.post(f"{made.location}/points", data={f"order-{first}": "x"})
    assert numbers.status_code == 422
    assert f'id="order-{first}-error"' in numbers.text
    assert chief.post(f"/patrols/times/{slot.id}/remove").status_code == 302
    assert chief.post(f"{made.location}/close").status_code == 302
    assert chief.post("/patrols/routes", data={"name": "", "division_code": "1"}).status_code == 422
