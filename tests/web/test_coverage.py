"""Who is missing, on screen: shares by village, names on demand, files that no spreadsheet takes for formulas, and any day again."""

import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from checkpoint.accounts.models import Role
from checkpoint.audit.models import AuditEntry
from checkpoint.companies import watching
from checkpoint.coverage import service
from checkpoint.coverage.models import CoverageVillage
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Registration
from checkpoint.web.sheets import sheet
from tests.factories import NOW, companies, people
from tests.factories.divisions import OTHER_VILLAGE, SITE, TOWN, VILLAGE
from tests.services.test_coverage import EVENING, NIGHT, _do, _let_in
from tests.web.test_command import signed_in


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(EVENING)


def _numbers(page: str, question: str) -> tuple[int, int, int]:
    row = page.split(f'data-question="{question}"')[1].split("</tr>")[0]
    met, asked = re.findall(r'data-met="(\d+)" data-asked="(\d+)"', row)[0]
    return int(met), int(asked), int(re.findall(r'data-missing="(\d+)"', row)[0])


def _arrivals(app: Flask) -> None:
    with app.app_context():
        one, _two, _three = _let_in()
        _do(one, "arrival_visit", "arrived")


def test_command_sees_the_share_the_villages_and_who_it_is(app: Flask, client: FlaskClient) -> None:
    _arrivals(app)
    chief = signed_in(app, client, Role.COMMAND, SITE)
    page = chief.get("/command/coverage?lang=en").text
    assert _numbers(page, "arrival") == (1, 3, 2)
    page = chief.get("/command/coverage/arrival?lang=en").text
    assert "33.3 %" in page
    assert "1 of 3, 2 missing" in page
    assert "八字村" in page
    link = re.findall(rf'href="(/command/coverage/arrival/people\?[^"]*{VILLAGE})"', page)[0].replace("&amp;", "&")
    page = chief.get(f"{link}&lang=en").text
    with app.app_context():
        trips = db.session.scalars(select(Registration).order_by(Registration.created_at, Registration.id)).all()
        assert page.count("/inbox/people/") == 1
        assert f"/inbox/people/{trips[1].id}" in page
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "coverage.names")).one()
        assert entry.data == {"question": "arrival", "day": "2022-04-12", "people": 1, "how": "screen"}
    assert "*" in page.split("<tbody>")[1]


def test_a_village_sees_its_own_without_the_tabs_of_command(app: Flask, client: FlaskClient) -> None:
    _arrivals(app)
    worker = signed_in(app, client, Role.VILLAGE, VILLAGE)
    page = worker.get("/command/coverage?lang=en").text
    assert _numbers(page, "arrival") == (1, 2, 1)
    assert "Parts of command" not in page
    assert 'href="/command/coverage"' in page  # in the main menu
    assert "新埭" not in worker.get("/command/coverage/arrival?lang=en").text
    assert worker.get(f"/command/coverage/arrival/people?division={OTHER_VILLAGE}").status_code == 404
    assert worker.get("/command/coverage/company/people").status_code == 403


def test_an_auditor_checks_the_numbers_and_sees_no_names(app: Flask, client: FlaskClient) -> None:
    _arrivals(app)
    auditor = signed_in(app, client, Role.AUDITOR, SITE)
    assert _numbers(auditor.get("/command/coverage").text, "arrival") == (1, 3, 2)
    assert "/people" not in auditor.get("/command/coverage/arrival").text
    assert auditor.get("/command/coverage/arrival/people").status_code == 403


def test_a_day_of_the_past_shows_what_was_counted_and_whether_it_still_holds(
    app: Flask, client: FlaskClient, freeze: Callable[[datetime], None]
) -> None:
    _arrivals(app)
    freeze(NIGHT)
    with app.app_context():
        service.count_due(NIGHT)
    chief = signed_in(app, client, Role.COMMAND, SITE)
    assert "2022-04-12" in chief.get("/command/coverage?lang=en").text
    page = chief.get("/command/coverage?day=2022-04-12&lang=en").text
    assert _numbers(page, "arrival") == (1, 3, 2)
    assert page.count("as sealed") == 7
    with app.app_context(), transaction() as session:
        session.execute(update(CoverageVillage).where(CoverageVillage.question == "arrival").values(met=1))
    page = chief.get("/command/coverage?day=2022-04-12&lang=en").text
    assert (page.count("as sealed"), page.count("changed since it was counted")) == (6, 1)
    assert 'role="alert"' in page
    page = chief.get("/command/coverage?day=2022-04-11&lang=en").text
    assert page.count("cannot be asked afterwards") == 2
    for wrong in ("day=2022-04-14", "day=x"):
        assert chief.get(f"/command/coverage?{wrong}").status_code == 404
    assert chief.get("/command/coverage/nothing").status_code == 404


def test_the_files_hold_the_same_and_no_formula(app: Flask, client: FlaskClient) -> None:
    _arrivals(app)
    with app.app_context():
        _company, liaison = companies.active(town=people.town_worker(), name="=平湖机械有限公司")
        companies.listed(liaison, 9)
        watching.look(EVENING)
    worker = signed_in(app, client, Role.TOWN, TOWN)
    counts = worker.get("/command/coverage/arrival/counts.csv?lang=en")
    assert counts.headers["Cache-Control"] == "no-store"
    lines = counts.data.decode("utf-8-sig").splitlines()
    assert lines[1:] == ["乍浦镇,八字村,330482101203,2,1,1,50 %", "All together,,,2,1,1,50 %"]
    book = openpyxl.load_workbook(io.BytesIO(worker.get("/command/coverage/company/people.xlsx").data))
    rows = list(book.active.iter_rows(values_only=True))
    assert len(rows) == 2
    assert "=平湖机械有限公司" in rows[1][2]
    assert worker.get("/command/coverage/arrival/counts.pdf").status_code == 404
    with app.app_context():
        shown = [
            entry.data for entry in db.session.scalars(select(AuditEntry).where(AuditEntry.act == "coverage.names"))
        ]
        assert [one["how"] for one in shown if one] == ["xlsx"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_cell_is_never_a_formula(form: str) -> None:
    answer = sheet([["=1+1", "@x", "-5", "张三", 7]], "x", form)
    if form == "csv":
        assert answer.data.decode("utf-8-sig").strip() == "'=1+1,'@x,'-5,张三,7"
        return
    cells = next(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows())
    assert [cell.data_type for cell in cells] == ["s", "s", "s", "s", "n"]
    assert cells[0].value == "'=1+1"


def test_the_night_waits_for_the_last_moment_of_the_day(app: Flask) -> None:
    with app.app_context():
        assert service.count_due(NOW + timedelta(hours=14, minutes=29)) == 0
        assert service.count_due(NOW + timedelta(hours=14, minutes=30)) == 7
