"""The review queue in a browser without scripts: one pair after the other, masked, answered, taken back."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.crossmatch import reviews
from checkpoint.database import db
from checkpoint.inquiries.models import InquiryHit
from tests.factories import NOW, inquiries, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import SITE, TOWN
from tests.factories.inside import register


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def enter(app: Flask, login: str, role: Role = Role.COMMAND, division: str = SITE) -> FlaskClient:
    """A browser of its own in which somebody has signed in."""
    with app.app_context():
        people.user(login, role, division)
    client = app.test_client()
    client.post("/login", data={"login": login, "password": people.PASSWORD})
    return client


@pytest.fixture
def chief(app: Flask) -> FlaskClient:
    return enter(app, "chief")


def wrong(number: int) -> str:
    """A document with one wrong digit."""
    return f"{resident_id(number)[:8]}9{resident_id(number)[9:]}"


@pytest.fixture
def queue(app: Flask, tmp_path: Path) -> list[str]:
    """Three people who wait for a reviewer; the ids of their hits, the longest waiting first."""
    with app.app_context():
        for number in (1, 2, 3):
            register(number)
        inquiries.read(inquiries.write(tmp_path, [f",{wrong(number)},,," for number in (1, 2, 3)]))
        found = db.session.scalars(select(InquiryHit).order_by(InquiryHit.found_at, InquiryHit.id)).all()
        return [str(one.id) for one in found]


def row(page: str) -> str:
    found = re.search(r'name="row" value="(\d+)"', page)
    assert found is not None
    return found[1]


def shown(page: str) -> str | None:
    found = re.search(r'data-review="([0-9a-f-]{36})"', page)
    return found[1] if found else None


def answer(client: FlaskClient, hit: str, decision: str) -> str:
    """Answer the pair that is on screen; the page that follows."""
    page = client.get(f"/command/reviews/{hit}?lang=en").get_data(as_text=True)
    data = {"row": row(page), "decision": decision}
    return client.post(f"/command/reviews/{hit}", data=data, follow_redirects=True).get_data(as_text=True)


def alerts(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Alert.state).where(Alert.kind == "inquiry").order_by(Alert.id)))


def test_the_queue_is_answered_one_pair_after_the_other(app: Flask, chief: FlaskClient, queue: list[str]) -> None:
    page = chief.get("/command/reviews?lang=en").get_data(as_text=True)
    assert shown(page) == queue[0]
    assert "3 wait" in page
    page = answer(chief, queue[0], "same")
    assert shown(page) == queue[1]
    assert "You have said: the same person." in page
    assert alerts(app) == ["open"]
    page = answer(chief, queue[1], "other")
    assert shown(page) == queue[2]
    page = answer(chief, queue[2], "other")
    assert shown(page) is None
    assert "Nobody waits" in page
    page = chief.post("/command/reviews/undo", follow_redirects=True).get_data(as_text=True)
    assert shown(page) == queue[2]
    assert "1 waits" in page
    assert "Undo" not in re.sub(r"<dialog.*?</dialog>", "", page, flags=re.DOTALL)


def test_nothing_personal_is_on_the_page_until_somebody_says_what_for(
    app: Flask, chief: FlaskClient, queue: list[str]
) -> None:
    page = chief.get(f"/command/reviews/{queue[0]}?lang=zh").get_data(as_text=True)
    for secret in (name(1), phone(1), resident_id(1), wrong(1)):
        assert secret not in page
    assert resident_id(1)[-4:] in page
    assert "差一处笔误" in page
    assert chief.post(f"/command/reviews/{queue[0]}/reveal", data={"purpose": "curiosity"}).status_code == 422
    opened = chief.post(f"/command/reviews/{queue[0]}/reveal", data={"purpose": "review"})
    assert opened.headers["Cache-Control"] == "no-store"
    for secret in (name(1), phone(1), resident_id(1), wrong(1)):
        assert secret in opened.get_data(as_text=True)
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "people.unmask")).one()
        assert (entry.purpose, entry.object_id) == ("review", queue[0])


def test_the_second_of_two_reviewers_is_told_kindly(app: Flask, chief: FlaskClient, queue: list[str]) -> None:
    other = enter(app, "other")
    page = other.get(f"/command/reviews/{queue[0]}?lang=en").get_data(as_text=True)
    answer(chief, queue[0], "other")
    data = {"row": row(page), "decision": "same"}
    after = other.post(f"/command/reviews/{queue[0]}", data=data, follow_redirects=True).get_data(as_text=True)
    assert "chief 测试 was faster and has said: not the same person. That stands." in after
    assert shown(after) == queue[1]
    assert "You have said" not in after
    assert alerts(app) == []
    assert "has said on" in other.get(f"/command/reviews/{queue[0]}").get_data(as_text=True)


def test_an_answer_sent_twice_is_one(app: Flask, chief: FlaskClient, queue: list[str]) -> None:
    page = chief.get(f"/command/reviews/{queue[0]}").get_data(as_text=True)
    for _time in range(3):
        data = {"row": row(page), "decision": "same"}
        assert chief.post(f"/command/reviews/{queue[0]}", data=data).status_code == 303
    assert alerts(app) == ["open"]
    for _time in range(2):
        assert chief.post("/command/reviews/undo").status_code == 303
    assert alerts(app) == ["retracted"]


def test_what_is_no_answer_is_refused(chief: FlaskClient, queue: list[str]) -> None:
    for data in ({}, {"row": "0", "decision": "maybe"}, {"row": "x", "decision": "same"}):
        assert chief.post(f"/command/reviews/{queue[0]}", data=data).status_code == 422
    missing = "/command/reviews/00000000-0000-7000-8000-000000000000"
    assert chief.get(missing).status_code == 404
    assert chief.get("/command/reviews?inquiry=x&order=y").status_code == 200


def test_the_queue_of_one_list_in_an_order_is_kept_while_walking(
    app: Flask, chief: FlaskClient, queue: list[str], tmp_path: Path
) -> None:
    with app.app_context():
        register(4)
        other = inquiries.read(inquiries.write(tmp_path, [f",{wrong(4)},,,"], name="other.csv"), source="湖州市").id
    page = chief.get(f"/command/reviews?inquiry={other}&order=strongest&lang=en").get_data(as_text=True)
    assert "1 of 1" in page
    assert shown(page) not in queue
    page = chief.get("/command/reviews?order=strongest").get_data(as_text=True)
    following = re.search(r'data-key="j" href="([^"]+)"', page)
    assert following is not None
    assert "order=strongest" in following[1]
    assert 'data-key="k"' in chief.get(following[1]).get_data(as_text=True)


def test_only_reviewers_may_look(app: Flask, queue: list[str]) -> None:
    for login, role, division in (("town", Role.TOWN, TOWN), ("auditor", Role.AUDITOR, SITE)):
        client = enter(app, login, role, division)
        assert client.get("/command/reviews").status_code == 403
        assert client.post(f"/command/reviews/{queue[0]}", data={"row": "0", "decision": "same"}).status_code == 403
        assert client.post(f"/command/reviews/{queue[0]}/reveal", data={"purpose": "review"}).status_code == 403
    assert "/command/reviews" not in client.get("/command").get_data(as_text=True)


def test_the_inbox_leads_to_a_queue_that_nobody_looks_at(app: Flask, chief: FlaskClient, queue: list[str]) -> None:
    with app.app_context():
        reviews.remind(at=NOW + reviews.REVIEW_WITHIN)
    page = chief.get("/inbox?lang=en").get_data(as_text=True)
    assert "3 people may be named by it" in page
    assert "Go to the reviews" in page
    assert "/command/reviews" in chief.get("/command/inquiries").get_data(as_text=True)
