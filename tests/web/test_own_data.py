"""A traveller's copy and erasure by the pass: what is asked for, what is shown, what waits, and that nothing is left."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Pass, Registration, Traveller
from checkpoint.registrations.queries import pass_path
from checkpoint.retention.models import ErasureRequest
from tests.factories import NOW, declarations, inside, people

LAST = declarations.resident_id(1)[-4:]


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None], client: FlaskClient) -> None:
    freeze(NOW)
    client.set_cookie("lang", "en")


@pytest.fixture
def path(app: Flask) -> str:
    """The pass of somebody who was let in."""
    with app.app_context():
        return pass_path(inside.let_in(people.tablet(), 1).id)


def count(app: Flask, model: type) -> int:
    with app.app_context():
        return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def acts(app: Flask) -> list[str]:
    with app.app_context():
        found = select(AuditEntry.act).where(AuditEntry.act.like("data.%")).order_by(AuditEntry.id)
        return list(db.session.scalars(found))


def left(app: Flask, at: datetime = NOW) -> None:
    """Their time here ended, nothing is open, and the pass is over."""
    with app.app_context(), transaction() as session:
        session.execute(update(Registration).values(state="left", released_at=at, updated_at=at))
        session.execute(update(Alert).values(state="resolved"))
        session.execute(update(Pass).values(expires_at=at - timedelta(hours=1)))


def test_the_pass_leads_to_the_page(client: FlaskClient, path: str) -> None:
    assert f'href="{path}/data"' in client.get(path).text
    page = client.get(f"{path}/data")
    assert page.status_code == 200
    assert "30 days after your release" in page.text
    assert "You are still here" in page.text
    assert declarations.phone(1) not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_copy_in_full_for_whom_the_document_is(app: Flask, client: FlaskClient, path: str) -> None:
    page = client.post(f"{path}/data", data={"document": LAST.lower(), "as": "page"}).text
    for secret in (declarations.name(1), declarations.resident_id(1), declarations.phone(1), "八字村 3 组 12 号"):
        assert secret in page
    assert "let in" in page
    assert "为了测试" not in page  # the officer's own note
    file = client.post(f"{path}/data", data={"document": LAST, "as": "json"})
    assert file.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    body = json.loads(file.text)
    assert body["person"] == {
        "name": declarations.name(1),
        "id_type": "resident_id",
        "id_number": declarations.resident_id(1),
        "phone": f"+86{declarations.phone(1)}",
    }
    assert [one["decision"] for one in body["crossings"][0]["decisions"]] == ["admitted"]
    assert "inside" in body["kept"]["held_by"]
    assert acts(app) == ["data.copy", "data.copy"]


def test_wrong_characters_give_nothing_and_are_counted(app: Flask, client: FlaskClient, path: str) -> None:
    for _ in range(5):
        answer = client.post(f"{path}/data", data={"document": "0000", "as": "json"})
        assert answer.status_code == 422
        assert "not the last four characters" in answer.text
        assert declarations.phone(1) not in answer.text
    assert client.post(f"{path}/data", data={"document": LAST, "as": "json"}).status_code == 429
    assert client.post(f"{path}/data/erase", data={"document": LAST}).status_code == 429
    assert acts(app) == []


def test_erasure_at_once_when_nothing_holds_it(app: Flask, client: FlaskClient, path: str) -> None:
    left(app)
    sent = {"document": LAST, "client_id": "0190c5f4-0000-7000-8000-000000000001"}
    assert client.post(f"{path}/data/erase", data=sent).location == f"{path}/erased"
    assert "Your data is erased" in client.get(f"{path}/erased").text
    assert count(app, Registration) == count(app, Traveller) == count(app, Pass) == 0
    assert client.get(path).status_code == 404
    assert client.get(f"{path}/data").status_code == 404
    assert client.post(f"{path}/data/erase", data=sent).location == f"{path}/erased"
    assert acts(app) == ["data.erasure_asked", "data.erase"]


def test_erasure_waits_for_the_release_and_the_village_hears_of_it(app: Flask, client: FlaskClient, path: str) -> None:
    sent = {"document": LAST}
    assert client.post(f"{path}/data/erase", data=sent).location == f"{path}/data"
    assert client.post(f"{path}/data/erase", data=sent).location == f"{path}/data"
    assert "You have asked for it" in client.get(f"{path}/data").text
    assert count(app, ErasureRequest) == 1
    with app.app_context():
        states = list(db.session.scalars(select(Alert.state).where(Alert.kind == "erasure_asked")))
    assert states == ["notice"]
    assert client.get(f"{path}/erased").location == f"{path}/data"
    left(app)
    runner = app.test_cli_runner()
    assert json.loads(runner.invoke(args=["purge"]).output)["gone"]["registration"] == 1
    assert count(app, Registration) == 0


def test_the_request_can_be_taken_back(app: Flask, client: FlaskClient, path: str) -> None:
    client.post(f"{path}/data/erase", data={"document": LAST})
    assert client.post(f"{path}/data/keep").location == f"{path}/data"
    assert client.post(f"{path}/data/keep").location == f"{path}/data"
    assert count(app, ErasureRequest) == 0
    assert acts(app) == ["data.erasure_asked", "data.erasure_back"]


def test_whoever_has_not_come_withdraws_by_it(app: Flask, client: FlaskClient, freeze: Callable[..., None]) -> None:
    """Tablets must know that the pass is withdrawn as long as it could be shown; then it goes."""
    with app.app_context():
        path = pass_path(inside.register(1).id)
    assert "you are not coming" in client.get(f"{path}/data").text
    assert client.post(f"{path}/data/erase", data={"document": LAST}).location == f"{path}/data"
    with app.app_context():
        assert db.session.scalars(select(Registration.state)).one() == "withdrawn"
    assert "Your code could still be shown" in client.get(f"{path}/data").text
    freeze(NOW + timedelta(days=9))
    assert json.loads(app.test_cli_runner().invoke(args=["purge"]).output)["gone"]["registration"] == 1


def test_an_inquiry_is_not_told_to_whom_it_asks_for(app: Flask, client: FlaskClient, path: str) -> None:
    left(app)
    with app.app_context(), transaction() as session:
        session.execute(update(Alert).values(state="open"))
    page = client.get(f"{path}/data").text
    assert "a matter that is still open" in page
    assert not re.search("inquiry|alert is open", page)


def test_a_link_that_is_not_ours_opens_nothing(client: FlaskClient) -> None:
    for address in ("/p/nothing/data", "/p/nothing/erased"):
        assert client.get(address).status_code == 404
    for address in ("/p/nothing/data", "/p/nothing/data/erase", "/p/nothing/data/keep"):
        assert client.post(address, data={"document": LAST}).status_code == 404
