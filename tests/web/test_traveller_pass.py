"""The pass page: the code, its states, changing and withdrawing."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from checkpoint.database import db, transaction
from checkpoint.registrations.models import Pass, Registration
from checkpoint.registrations.queries import pass_path
from tests.factories import NOW, declarations
from tests.web.test_traveller_form import only, stored, typed

SVG = "{http://www.w3.org/2000/svg}svg"


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def path(client: FlaskClient) -> str:
    """The pass of a stored registration with one companion."""
    companion = {
        "companions.0.name": declarations.name(2),
        "companions.0.id_type": "resident_id",
        "companions.0.id_number": declarations.resident_id(2),
    }
    return client.post("/", data=typed(**companion)).location


def set_state(app: Flask, state: str) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Registration).values(state=state))


def current(app: Flask) -> Pass:
    with app.app_context():
        query = select(Pass).where(Pass.registration_id == only(app).id, Pass.revoked_at.is_(None))
        return db.session.scalars(query).one()


def test_the_page_shows_code_colour_reason_and_whom_to_call(app: Flask, client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    short = current(app).short_code
    assert f"{short[:4]} {short[4:]}" in page
    assert 'href="tel:12345"' in page
    assert "tier-shape" in page
    assert f"{path}/qr.svg" in page
    assert f"{path}/amend" in page
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_the_code_is_a_small_svg_that_is_asked_for_again_by_its_serial(client: FlaskClient, path: str) -> None:
    answer = client.get(f"{path}/qr.svg")
    assert answer.mimetype == "image/svg+xml"
    root = ElementTree.fromstring(answer.text)  # noqa: S314 - our own picture
    assert root.tag == SVG
    modules = int(root.attrib["viewBox"].split()[2]) - 8
    assert modules in (45, 49)  # QR version 7 or 8: the alphanumeric mode was used
    etag = answer.headers["ETag"]
    assert client.get(f"{path}/qr.svg", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("handle", ["x", "A" * 35, "é", "A" * 5000])
def test_a_wrong_handle_is_a_kind_404(client: FlaskClient, handle: str) -> None:
    for tail in ("", "/qr.svg", "/amend", "/withdraw"):
        answer = client.get(f"/p/{handle}{tail}")
        assert answer.status_code == 404
        assert "short-code" not in answer.text


@pytest.mark.parametrize("position", [5, 15, -5])
def test_another_registration_cannot_be_reached_by_changing_the_handle(
    client: FlaskClient, path: str, position: int
) -> None:
    letters = list(path)
    letters[position] = "A" if letters[position] != "A" else "B"
    assert client.get("".join(letters)).status_code == 404


def test_a_companion_has_an_own_pass_and_cannot_open_the_others(app: Flask, client: FlaskClient, path: str) -> None:
    with app.app_context():
        follower = db.session.scalars(select(Registration).where(Registration.lead_id.is_not(None))).one()
        own = pass_path(follower.id)
    assert own in client.get(path).text
    page = client.get(own).text
    assert "short-code" in page
    assert path not in page
    assert client.get(f"{own}/amend").location == own


@pytest.mark.parametrize(("state", "has_code"), [("inside", True), ("turned_back", True), ("left", False)])
def test_each_state_has_its_words(app: Flask, client: FlaskClient, path: str, state: str, has_code: bool) -> None:
    before = client.get(path).text
    set_state(app, state)
    page = client.get(path).text
    said = re.compile(
        r'class="notice[^>]*(?<! hidden)>'
    )  # the page's own word on how old it is stays hidden until it is old
    assert said.search(page)
    assert not said.search(before)
    assert ("short-code" in page) is has_code
    assert client.get(f"{path}/qr.svg").status_code == (200 if has_code else 404)


def test_an_expired_pass_shows_no_code(client: FlaskClient, path: str, freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(days=30))
    page = client.get(path).text
    assert "short-code" not in page
    assert "data-over" in page
    assert client.get(f"{path}/qr.svg").status_code == 404


def test_the_holder_finds_everything_filled_in_to_change(client: FlaskClient, path: str) -> None:
    page = client.get(f"{path}/amend").text
    for value in (declarations.name(1), declarations.resident_id(1), "3 组 12 号", "浙F12345", declarations.name(2)):
        assert f'value="{value}"' in page


def test_a_change_gives_a_new_code_under_the_same_link(app: Flask, client: FlaskClient, path: str) -> None:
    before = current(app).serial
    fields = typed(**{"destination.address": "5 组 1 号"})
    answer = client.post(f"{path}/amend", data=fields)
    assert (answer.status_code, answer.location) == (303, f"{path}?amended=1")
    with app.app_context():
        assert only(app).address == "5 组 1 号"
    assert current(app).serial != before
    after = current(app).serial
    client.post(f"{path}/amend", data=fields)  # sent twice: one change
    assert current(app).serial == after


def test_a_wrong_change_changes_nothing(app: Flask, client: FlaskClient, path: str) -> None:
    before = current(app).serial
    assert client.post(f"{path}/amend", data=typed(phone="1")).status_code == 422
    assert current(app).serial == before


def test_withdrawing_asks_first_and_ends_every_code_of_the_trip(app: Flask, client: FlaskClient, path: str) -> None:
    asked = client.get(f"{path}/withdraw")
    assert asked.status_code == 200
    own = re.search(r'name="client_id" value="([0-9a-f-]{36})"', asked.text)
    assert own
    for _ in range(2):
        assert client.post(f"{path}/withdraw", data={"client_id": own[1]}).location == path
    page = client.get(path).text
    assert "short-code" not in page
    assert f"{path}/amend" not in page
    with app.app_context():
        assert set(db.session.scalars(select(Registration.state))) == {"withdrawn"}
    assert client.get(f"{path}/amend").location == path
    assert stored(app) == 2


def test_somebody_inside_cannot_withdraw(app: Flask, client: FlaskClient, path: str) -> None:
    set_state(app, "inside")
    assert client.get(f"{path}/withdraw").location == path
    assert client.post(f"{path}/withdraw", data={"client_id": str(uuid.uuid4())}).status_code == 409
    with app.app_context():
        assert only(app).state == "inside"
