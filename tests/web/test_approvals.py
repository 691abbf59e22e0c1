"""The office's pages of applications: what waits, what each stage sees, the editor, the answers, papers; and what nobody else sees."""

import io
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.approvals import queries, service
from checkpoint.approvals.models import Approval, ApprovalKind
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from tests.factories import NOW, lists, people
from tests.factories.applications import DRIVER, applicant, applied, photo
from tests.factories.divisions import OTHER_VILLAGE, SITE, TOWN, VILLAGE
from tests.web.test_applying import filled

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[Any], None]) -> None:
    freeze(NOW + HOUR)


def signed_in(app: Flask, role: Role = Role.VILLAGE, division: str = VILLAGE, login: str = "worker") -> FlaskClient:
    with app.app_context():
        people.user(login, role, division)
    client = app.test_client()
    assert client.post("/login", data={"login": login, "password": people.PASSWORD}).status_code == 302
    return client


def made(app: Flask, kind: ApprovalKind = ApprovalKind.PERSON, **changes: Any) -> uuid.UUID:
    with app.app_context():
        return applied(kind, **changes).id


def editor(page: str, **changes: Any) -> dict[str, Any]:
    """The fields of the editor as the page fills them, and the hidden ones of its form."""
    form = page.split("/approve")[1].split("</form>")[0]
    found: dict[str, Any] = dict(re.findall(r'name="([\w.]+)" (?:type="[\w-]+" )?value="([^"]*)"', form))
    found |= {"covers": (re.findall(r'<option value="(\w+)" selected', form) or ["yellow"])[0]}
    return {name: value for name, value in found.items() if name not in ("days", "posts", "binding")} | changes


def test_the_village_sees_what_it_needs_and_hands_on(app: Flask) -> None:
    with app.app_context():
        lists.in_force()
        asked = applied(pictures=(photo(),)).id
    village = signed_in(app)
    assert f"/approvals/{asked}" in village.get("/inbox?lang=en").text  # the alert leads there
    assert f"/approvals/{asked}" in village.get("/approvals").text
    page = village.get(f"/approvals/{asked}?lang=en").text
    for words in (
        "给村里的厂送货",
        "周**",
        "Fengjing" if "Fengjing" in page else "枫泾镇",
        "goes to the town or street",
    ):
        assert words in page
    assert re.search(r"tier-(red|yellow)", page)  # what the lists say of the origin
    assert DRIVER.id_number not in page
    assert "/pages/" not in page
    with app.app_context():
        [one] = queries.pages(asked)
    assert village.get(f"/approvals/{asked}/pages/{one.id}.jpg").status_code == 409  # nobody has said what for
    page = village.post(f"/approvals/{asked}/reveal?lang=en", data={"purpose": "identify"}).text
    shown = village.get(re.findall(rf'"(/approvals/{asked}/pages/[^"]+)"', page)[0])
    assert (shown.mimetype, shown.data[:2], "sandbox" in shown.headers["Content-Security-Policy"]) == (
        "image/jpeg",
        b"\xff\xd8",
        True,
    )
    done = village.post(f"/approvals/{asked}/approve", data=editor(page, hours_from="08:00", hours_to="18:00"))
    assert done.status_code == 303
    with app.app_context():
        stored = db.session.get_one(Approval, asked)
        proposed = queries.proposed(stored)
    assert (stored.stage, proposed.hours, proposed.covers) == (4, ("08:00", "18:00"), "yellow")
    assert "they answer it" in village.get(f"/approvals/{asked}?lang=en").text
    town = signed_in(app, Role.TOWN, TOWN, "town")
    page = town.get(f"/approvals/{asked}?lang=en").text
    assert "Yours is the last word" in page
    given = editor(page, days=["2", "4"], binding="1", test_hours="24", text="按此执行", posts=[])
    assert town.post(f"/approvals/{asked}/approve", data=given).status_code == 303
    with app.app_context():
        stored = db.session.get_one(Approval, asked)
    assert stored.state == "granted"
    assert stored.conditions is not None
    assert (stored.conditions["days"], stored.conditions["binding"], stored.conditions["test_hours"]) == (
        [2, 4],
        True,
        24,
    )
    assert (stored.valid_from, stored.valid_until) == (NOW, NOW + timedelta(days=3))
    # What the town granted it may also revoke.
    assert town.post(f"/approvals/{asked}/revoke", data={"why": ""}).status_code == 422
    assert town.post(f"/approvals/{asked}/revoke", data={"why": "新增病例"}).status_code == 303
    assert "新增病例" in town.get(f"/approvals/{asked}").text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from": ""}, "from"),
        ({"until": "2022-04-11T00:00"}, "until"),
        ({"until": "2022-08-11T00:00"}, "until"),
        ({"hours_from": "08:00"}, "hours_from"),
        ({"hours_from": "08:00", "hours_to": "29:00"}, "hours_from"),
        ({"test_hours": "x"}, "test_hours"),
        ({"test_hours": "999"}, "test_hours"),
        ({"posts": "NOWHERE"}, "posts"),
        ({"covers": "blue"}, "covers"),
        ({"note": "长" * 250}, "note"),
        ({"route_to.0_text": "不知道的地方"}, "route_from"),
    ],
)
def test_the_editor_says_what_is_wrong(app: Flask, changes: dict[str, Any], field: str) -> None:
    with app.app_context():
        people.checkpoint()
    asked = made(app)
    village = signed_in(app)
    page = village.get(f"/approvals/{asked}").text
    answer = village.post(f"/approvals/{asked}/approve", data=editor(page, **changes))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    with app.app_context():
        assert db.session.get_one(Approval, asked).stage == 5


def test_asking_and_refusing(app: Flask) -> None:
    asked = made(app)
    village = signed_in(app)
    assert village.post(f"/approvals/{asked}/ask", data={"text": ""}).status_code == 422
    assert village.post(f"/approvals/{asked}/ask", data={"text": "几点到？"}).status_code == 303
    page = village.get(f"/approvals/{asked}?lang=en").text
    assert "Waiting for the applicant" in page
    assert "几点到？" in page
    assert village.post(f"/approvals/{asked}/refuse", data={"why": ""}).status_code == 422
    assert village.post(f"/approvals/{asked}/refuse", data={"why": "无住处"}).status_code == 303
    assert "Not granted by the village" in village.get(f"/approvals/{asked}?lang=en").text


def test_who_comes_second_is_told(app: Flask) -> None:
    asked = made(app)
    village = signed_in(app)
    old = village.get(f"/approvals/{asked}?lang=en").text
    seen = editor(old)["seen"]
    assert village.post(f"/approvals/{asked}/ask", data={"text": "几点？", "seen": seen}).status_code == 303
    with app.app_context():
        service.reply(asked, "八点", actor=applicant(asked), at=NOW + 2 * HOUR)
    late = village.post(f"/approvals/{asked}/refuse?lang=en", data={"why": "没回", "seen": seen}, follow_redirects=True)
    assert "Somebody else has worked on this application" in late.text
    with app.app_context():
        assert db.session.get_one(Approval, asked).state == "open"


def test_names_and_numbers_are_opened_with_a_purpose_and_written_down(app: Flask) -> None:
    asked = made(app)
    village = signed_in(app)
    assert village.post(f"/approvals/{asked}/reveal", data={}).status_code == 422
    page = village.post(f"/approvals/{asked}/reveal?lang=en", data={"purpose": "call"}).text
    assert DRIVER.id_number is not None
    assert DRIVER.id_number in page
    assert "139 0000 0001" in page
    with app.app_context():
        [entry] = [one for one in db.session.scalars(select(AuditEntry)) if one.act == "people.unmask"]
        assert (entry.object_id, entry.purpose) == (str(asked), "call")
        assert DRIVER.id_number not in str(entry.data)


def test_what_lies_elsewhere_does_not_exist(app: Flask) -> None:
    asked = made(app, pictures=(photo(),))
    with app.app_context():
        page = queries.pages(asked)[0].id
    far = signed_in(app, division=OTHER_VILLAGE)
    assert str(asked) not in far.get("/approvals").text
    for path in (f"/approvals/{asked}", f"/approvals/{asked}/pages/{page}.jpg"):
        assert far.get(path).status_code == 404
    for act in ("ask", "approve", "refuse", "revoke", "reveal"):
        form = {
            "text": "x",
            "why": "x",
            "purpose": "call",
            "from": "2022-04-12",
            "until": "2022-04-13",
            "covers": "green",
        }
        assert far.post(f"/approvals/{asked}/{act}", data=form).status_code == 404
    other = made(app, holders=(DRIVER,))
    own = signed_in(app, login="own")
    own.post(f"/approvals/{other}/reveal", data={"purpose": "call"})
    assert own.get(f"/approvals/{other}/pages/{page}.jpg").status_code == 404  # a page of another application
    auditor = signed_in(app, Role.AUDITOR, SITE, "auditor")
    assert auditor.get("/approvals").status_code == 403


def test_a_town_does_not_answer_over_a_village_that_is_not_silent(app: Flask) -> None:
    village = signed_in(app)
    asked = made(app)
    town = signed_in(app, Role.TOWN, TOWN, "town")
    answer = town.post(f"/approvals/{asked}/refuse?lang=en", data={"why": "不行"}, follow_redirects=True)
    assert "another level" in answer.text
    assert "Your answer" not in town.get(f"/approvals/{asked}?lang=en").text
    assert "Your answer" in village.get(f"/approvals/{asked}?lang=en").text


def test_an_officer_takes_a_paper_and_prints_the_slip(app: Flask) -> None:
    officer = signed_in(app, Role.OFFICER, SITE, "officer")
    assert officer.get("/approvals/paper").status_code == 200
    assert officer.get("/approvals/paper/staff").status_code == 404
    assert officer.get("/approvals").status_code == 403
    without = officer.post("/approvals/paper/person", data=filled())
    assert (without.status_code, 'id="pictures-error"' in without.text) == (422, True)
    form = filled(**{"people.0.phone": ""})
    pages = [(io.BytesIO(photo()), "1.png"), (io.BytesIO(photo()), "2.png")]
    done = officer.post("/approvals/paper/person", data=form | {"pictures": pages})
    assert done.status_code == 303
    assert done.location.endswith("/slip")
    with app.app_context():
        stored = db.session.scalars(select(Approval)).one()
        assert (stored.on_paper, len(queries.pages(stored.id))) == (True, 2)
        assert (stored.made_by or "").startswith("user:")
    assert app.test_client().get(done.location).status_code == 200
    assert app.test_client().get("/approvals/paper").status_code == 302
