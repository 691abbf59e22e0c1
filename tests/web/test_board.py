"""Where a division stands: the city's page, a town's, the wall, and the report of a day as a file."""

import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from checkpoint.accounts.models import Role
from checkpoint.database import transaction
from checkpoint.standing.models import ReportDelivery, ReportRound
from tests.factories import NOW, TODAY, inside, people
from tests.factories.divisions import OTHER_TOWN, OTHER_VILLAGE, SITE, TOWN
from tests.factories.outboxes import hook


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(hours=1))


def signed_in(app: Flask, client: FlaskClient, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user("somebody", role, division)
    client.post("/login", data={"login": "somebody", "password": people.PASSWORD})
    return client


@pytest.fixture
def _people(app: Flask) -> None:
    with app.app_context():
        inside.let_in(people.tablet(), 1)
        inside.register(2, destination={"code": OTHER_VILLAGE, "address": "1 号"})


def stats(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-stat="([a-z-]+)">([^<]+)<', page))


@pytest.mark.usefixtures("_people")
def test_command_goes_from_the_city_to_a_town(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    city = chief.get("/command?lang=en").text
    assert (stats(city)["inside"], stats(city)["declared"], stats(city)["admitted"]) == ("1", "1", "1")
    assert stats(city)["closed-today"] == "–"
    assert f'href="/command/places/{TOWN}"' in city
    for chart in ("hours", "people", "door", "decisions"):
        assert f'data-chart="{chart}"' in city
    assert "style=" not in city
    town = chief.get(f"/command/places/{TOWN}?lang=en").text
    assert (stats(town)["inside"], stats(town)["declared"]) == ("1", "0")
    assert "八字村村民委员会" in town
    assert "新埭镇" not in town
    for wrong in ("110105001000", "33048210100", "x" * 12):
        assert chief.get(f"/command/places/{wrong}").status_code == 404


@pytest.mark.usefixtures("_people")
def test_a_town_sees_itself_alone(app: Flask, client: FlaskClient) -> None:
    town = signed_in(app, client, Role.TOWN, OTHER_TOWN)
    page = town.get("/command/here?lang=en").text
    assert (stats(page)["inside"], stats(page)["declared"]) == ("0", "1")
    assert "command-tabs" not in page  # the pages of command are not for it
    assert 'href="/command/here"' in page
    assert town.get(f"/command/places/{TOWN}").status_code == 404
    assert town.get("/command").status_code == 403
    part = town.get("/command/here", headers={"X-Fragment": "1"}).text
    assert part.lstrip().startswith('<div id="standing"')
    assert stats(part) == stats(page)


@pytest.mark.usefixtures("_people")
def test_the_wall_shows_the_same_figures(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.AUDITOR, SITE)
    wall, page = chief.get("/command/screen?lang=en").text, chief.get("/command?lang=en").text
    assert "style=" not in wall
    shared = stats(wall).items() & stats(page).items()
    assert {"inside", "admitted", "median", "door", "live", "overdue", "not-arrived"} <= {name for name, _ in shared}
    assert "data-stale" in wall


@pytest.mark.usefixtures("_people")
def test_the_report_of_a_day_as_a_file(app: Flask, client: FlaskClient) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    pdf = chief.get(f"/command/report/{TODAY}.pdf")
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    assert f"checkpoint-{SITE}-{TODAY}.pdf" in pdf.headers["Content-Disposition"]
    book = load_workbook(io.BytesIO(chief.get(f"/command/report/{TODAY}.xlsx?lang=en").data))
    assert [row[2] for row in book["Crossings by checkpoint"].iter_rows(values_only=True)] == ["Scans", 1, 1]
    for wrong in (f"{TODAY + timedelta(days=1)}.pdf", f"{TODAY}.doc", "2022-02-30.pdf", "today.pdf"):
        assert chief.get(f"/command/report/{wrong}").status_code == 404


def test_a_report_that_nobody_took_is_told(app: Flask, client: FlaskClient) -> None:
    yesterday = TODAY - timedelta(days=1)
    with app.app_context():
        target = hook(people.commander())
        with transaction() as session:
            session.add(ReportRound(day=yesterday, planned_at=NOW, targets=1))
            session.flush()
            session.add(ReportDelivery(day=yesterday, target_id=target.id, state="dead", attempts=8))
    chief = signed_in(app, client, Role.COMMAND, SITE)
    assert "could not be sent to 1 channels" in chief.get("/command?lang=en").text
