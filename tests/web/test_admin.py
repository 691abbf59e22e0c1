"""Administration: each page, each act, what is shown once, and who may not come in."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts import pins, posts, queries
from checkpoint.accounts.models import Role
from checkpoint.regions import queries as divisions
from tests.factories import NOW, people
from tests.factories.divisions import SITE, TOWN, VILLAGE

PAGES = ("/admin/users", "/admin/tokens", "/admin/checkpoints", "/admin/devices", "/admin/aliases")

VERBS = ("invite", "revoke-invitation", "end-sessions", "reset-second-step", "pin", "close", "open")


@pytest.fixture
def chief(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser in which the city's command has signed in."""
    with app.app_context():
        people.user("command", Role.COMMAND, SITE)
    client.post("/login", data={"login": "command", "password": people.PASSWORD})
    return client


def secret(page: str) -> str:
    """What a page shows once."""
    found = re.search(r"data-secret>([^<]+)<", page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_empty_and_in_both_languages(chief: FlaskClient, path: str) -> None:
    for language in ("zh", "en"):
        page = chief.get(f"{path}?lang={language}")
        assert page.status_code == 200
        assert "<h1>" in page.text
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("role", [Role.VILLAGE, Role.TOWN, Role.OFFICER, Role.AUDITOR])
def test_nobody_but_the_command_comes_in(app: Flask, client: FlaskClient, role: Role) -> None:
    with app.app_context():
        people.user("somebody", role, VILLAGE)
        people.checkpoint("G60")
    client.post("/login", data={"login": "somebody", "password": people.PASSWORD})
    for path in (*PAGES, "/admin/checkpoints/G60/poster"):
        assert client.get(path).status_code == 403
    for path in PAGES:
        assert client.post(path, data={}).status_code == 403


def path_of(page: str) -> str:
    """The path of the link that a page shows once."""
    return secret(page).partition("://")[2].partition("/")[2]


def choose(browser: FlaskClient, path: str) -> int:
    """Choose the password by a link; gives the status."""
    given = {"password": people.PASSWORD, "again": people.PASSWORD}
    return browser.post(f"/{path}", data=given).status_code


def test_a_user_is_invited_by_a_link_that_is_shown_once(app: Flask, chief: FlaskClient) -> None:
    form = {"login": "lina", "name": "李娜<script>", "role": "village", "division_code": VILLAGE, "division_text": ""}
    page = chief.post("/admin/users", data=form)
    assert page.status_code == 200
    path = path_of(page.text)
    assert '<svg class="qr"' in page.text
    assert "<script>" not in page.text.replace("<script type=", "")
    assert path not in chief.get("/admin/users").text
    other = app.test_client()
    assert choose(other, path) == 302
    assert other.get("/account").status_code == 200, "signed in by it"
    assert choose(app.test_client(), path) == 410
    assert other.post("/login", data={"login": "lina", "password": people.PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    ("typed", "code"),
    [("平湖市乍浦镇", TOWN), (VILLAGE, VILLAGE), ("乍浦镇八字村", VILLAGE)],
)
def test_without_scripts_the_typed_place_is_resolved(app: Flask, chief: FlaskClient, typed: str, code: str) -> None:
    form = {"login": "lina", "role": "village", "division_code": "", "division_text": typed}
    assert chief.post("/admin/users", data=form).status_code == 200
    with app.app_context():
        user = queries.user_by_login("lina")
        assert user is not None
        assert user.division_code == code


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"login": "x", "role": "village", "division_code": VILLAGE}, ["login"]),
        ({"login": "lina", "role": "king", "division_code": VILLAGE}, ["role"]),
        ({"login": "lina", "role": "village", "division_text": "没有这个地方吧"}, ["division"]),
        ({"login": "lina", "role": "village", "division_text": "朝阳"}, ["division"]),
        ({"login": "lina", "role": "village", "division_text": ""}, ["division"]),
        ({"login": "lina", "role": "village", "division_code": "999999999999"}, ["division"]),
    ],
)
def test_wrong_fields_of_a_user_stand_beside_them(chief: FlaskClient, form: dict[str, str], fields: list[str]) -> None:
    page = chief.post("/admin/users", data=form)
    assert page.status_code == 422
    for field in fields:
        assert f'id="{field}-error"' in page.text
    assert f'value="{form["login"]}"' in page.text, "what was typed is kept"


def test_a_user_gets_a_new_link_and_is_deactivated_and_reactivated(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        user = people.user("lina")
    theirs = app.test_client()
    theirs.post("/login", data={"login": "lina", "password": people.PASSWORD})
    path = path_of(chief.post(f"/admin/users/{user.id}/invite").text)
    assert theirs.get("/account").status_code == 302, "signed out"
    assert theirs.post("/login", data={"login": "lina", "password": people.PASSWORD}).status_code == 422
    assert chief.post(f"/admin/users/{user.id}/close").location == "/admin/users"
    assert theirs.get(f"/{path}").status_code == 410
    chief.post(f"/admin/users/{user.id}/open")
    assert choose(theirs, path) == 302


def test_a_link_is_taken_back(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        user = people.user("lina")
    path = path_of(chief.post(f"/admin/users/{user.id}/invite").text)
    assert "/revoke-invitation" in chief.get(f"/admin/users/{user.id}").text
    chief.post(f"/admin/users/{user.id}/revoke-invitation")
    assert "/revoke-invitation" not in chief.get(f"/admin/users/{user.id}").text
    assert choose(app.test_client(), path) == 410


def test_somebody_is_signed_out_everywhere(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        user = people.user("lina")
    theirs = app.test_client()
    theirs.post("/login", data={"login": "lina", "password": people.PASSWORD})
    assert "/end-sessions" in chief.get(f"/admin/users/{user.id}").text
    chief.post(f"/admin/users/{user.id}/end-sessions")
    assert theirs.get("/account").status_code == 302
    assert "/end-sessions" not in chief.get(f"/admin/users/{user.id}").text


def test_a_token_is_issued_with_what_it_may_and_revoked(app: Flask, chief: FlaskClient) -> None:
    form = {"role": "town", "label": "大屏", "division_code": TOWN, "days": "30", "scopes": ["alerts.read"]}
    text = secret(chief.post("/admin/tokens", data=form).text)
    assert text not in chief.get("/admin/tokens").text
    calling = app.test_client()
    assert calling.get("/api/v1/alerts", headers=people.bearer(text)).status_code == 200
    assert calling.get("/duty", headers=people.bearer(text)).status_code == 403, "a town may, this token not"
    with app.app_context():
        [row] = queries.tokens(people.operator())
    assert row.last_used_at is not None
    assert chief.post(f"/admin/tokens/{row.id}/revoke").status_code == 303
    assert calling.get("/api/v1/alerts", headers=people.bearer(text)).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"days": "0"}, "days"),
        ({"days": "x"}, "days"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["users.write"]}, "scopes"),
        ({"role": "auditor", "scopes": ["audit.read"]}, "scopes"),
        ({"division_code": "110101001000"}, "division"),
    ],
)
def test_a_wrong_token_is_not_issued(
    app: Flask, chief: FlaskClient, change: dict[str, str | list[str]], field: str
) -> None:
    form = {"role": "town", "label": "大屏", "division_code": TOWN, "days": "30", "scopes": ["alerts.read"], **change}
    page = chief.post("/admin/tokens", data=form)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    with app.app_context():
        assert queries.tokens(people.operator()) == []


def test_an_officer_gets_a_pin_that_is_shown_once_and_nobody_else_does(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        officer, clerk = people.user("wang", Role.OFFICER, SITE), people.user("clerk")
        tablet = people.tablet().actor
    assert chief.get("/admin/users").text.count("/pin") == 1
    pin = secret(chief.post(f"/admin/users/{officer.id}/pin").text)
    assert pin not in chief.get("/admin/users").text
    with app.test_request_context():
        assert pins.check_pin(tablet, officer.id, pin).id == officer.id
    assert chief.post(f"/admin/users/{clerk.id}/pin").status_code == 409


def test_the_own_account_cannot_be_deactivated(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        me = queries.user_by_login("command")
    assert me is not None
    assert chief.post(f"/admin/users/{me.id}/close").status_code == 409
    assert chief.get("/admin/users").status_code == 200


def test_a_checkpoint_is_added_with_its_poster(app: Flask, chief: FlaskClient) -> None:
    form = {"code": "g60", "name": "平湖出口", "kind": "expressway", "division_code": TOWN}
    assert chief.post("/admin/checkpoints", data=form).status_code == 302
    assert "平湖出口" in chief.get("/admin/checkpoints").text
    page = chief.get("/admin/checkpoints/G60/poster").text
    assert f"{app.extensions['settings'].public_url}/c/G60" in page
    assert '<svg class="qr"' in page
    assert "Register before you enter" in page
    assert chief.get("/admin/checkpoints/NONE/poster").status_code == 404


def test_wrong_fields_of_a_checkpoint_stand_beside_them(chief: FlaskClient) -> None:
    page = chief.post("/admin/checkpoints", data={"code": "?", "name": "", "kind": "moat", "division_code": TOWN})
    assert page.status_code == 422
    for field in ("code", "name", "kind"):
        assert f'id="{field}-error"' in page.text


def test_a_tablet_is_enrolled_by_the_code_shown_once_and_revoked(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        people.checkpoint("G60")
    page = chief.post("/admin/devices", data={"checkpoint": "G60", "label": "1号", "minutes": "15"})
    code = secret(page.text)
    assert '<svg class="qr"' in page.text
    assert code not in chief.get("/admin/devices").text
    with app.app_context():
        done = posts.enrol_device(code, "192.0.2.1", at=NOW)
    assert done.device.label == "1号"
    renewed = secret(chief.post(f"/admin/devices/{done.device.id}/renew").text)
    assert renewed != code
    chief.post(f"/admin/devices/{done.device.id}/revoke")
    with app.app_context():
        assert queries.device(people.operator(), done.device.id).device.revoked_at is not None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"checkpoint": "NONE"}, "checkpoint"),
        ({"checkpoint": "G60", "label": "长" * 65}, "label"),
        ({"checkpoint": "G60", "minutes": "1"}, "minutes"),
    ],
)
def test_wrong_fields_of_a_tablet_stand_beside_them(
    app: Flask, chief: FlaskClient, form: dict[str, str], field: str
) -> None:
    with app.app_context():
        people.checkpoint("G60")
    page = chief.post("/admin/devices", data=form)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text


def test_a_place_name_is_added_and_removed(app: Flask, chief: FlaskClient) -> None:
    form = {"text": "平湖经开区", "division_code": TOWN, "note": "园区"}
    assert chief.post("/admin/aliases", data=form).status_code == 303
    assert "平湖经开区" in chief.get("/admin/aliases").text
    assert chief.post("/admin/aliases", data=form).status_code == 422
    with app.app_context():
        [(alias, _division)] = divisions.aliases()
    assert chief.post(f"/admin/aliases/{alias.id}/remove").status_code == 303
    assert chief.post(f"/admin/aliases/{alias.id}/remove").status_code == 404


def test_what_is_of_another_city_is_not_there(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people.user("town-chief", Role.COMMAND, TOWN)
        other = people.user("other", Role.VILLAGE, "330482102006")
        tablet = people.tablet(people.checkpoint("X1", "330482102000"))
    client.post("/login", data={"login": "town-chief", "password": people.PASSWORD})
    assert "other" not in client.get("/admin/users").text
    for path in (*(f"/admin/users/{other.id}/{verb}" for verb in VERBS), "/admin/checkpoints/X1/close"):
        assert client.post(path).status_code == 404
    assert client.post(f"/admin/devices/{tablet.device.id}/revoke").status_code == 404
    assert client.get("/admin/checkpoints/X1/poster").status_code == 404
