"""Signing in and out, what a route demands, and the protection of writes that ride on a cookie."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from checkpoint import clock
from checkpoint.accounts import service, sessions
from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Permission
from checkpoint.web.auth import current_actor, public, requires, safe_next
from tests.factories import NOW, people
from tests.factories.divisions import SITE, TOWN, VILLAGE


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application with a few routes that only say who asks."""

    def who() -> dict[str, str]:
        return {"kind": current_actor().kind, "division": current_actor().division}

    @requires(Permission.ALERTS_READ)
    def guarded() -> dict[str, str]:
        return who()

    @requires(Permission.USERS_WRITE)
    def chief() -> dict[str, str]:
        return who()

    @public
    def anybody() -> dict[str, bool]:
        return {"open": True}

    for rule, view in (("guarded", guarded), ("chief", chief), ("anybody", anybody)):
        app.add_url_rule(f"/test/{rule}", f"page_{rule}", view, methods=["GET", "POST"])
        app.add_url_rule(f"/api/v1/test/{rule}", f"api_{rule}", view, methods=["GET", "POST"])
    return app


def make_user(app: Flask, login: str, role: Role, division: str) -> None:
    with app.app_context():
        people.user(login, role, division)


def sign_in(client: FlaskClient, login: str, password: str = people.PASSWORD, **more: str) -> TestResponse:
    return client.post("/login", data={"login": login, "password": password, **more})


@pytest.mark.parametrize(
    ("role", "division", "home"),
    [
        (Role.VILLAGE, VILLAGE, "/inbox"),
        (Role.TOWN, TOWN, "/inbox"),
        (Role.COMMAND, SITE, "/command"),
        (Role.AUDITOR, SITE, "/audit"),
        (Role.OFFICER, SITE, "/gate"),
    ],
)
def test_each_role_lands_on_its_own_face(app: Flask, client: FlaskClient, role: Role, division: str, home: str) -> None:
    make_user(app, "somebody", role, division)
    answer = sign_in(client, "somebody")
    assert (answer.status_code, answer.location) == (302, home)


def test_a_session_opens_what_the_role_may_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    sign_in(client, "village")
    assert client.get("/test/guarded").json == {"kind": "user", "division": VILLAGE}
    assert client.get("/test/chief").status_code == 403
    assert client.get("/api/v1/test/chief").status_code == 403


def test_without_credentials_a_browser_is_led_to_the_login_and_an_api_client_told(client: FlaskClient) -> None:
    page = client.get("/test/guarded?a=1&b=2")
    assert (page.status_code, page.location) == (302, "/login?next=/test/guarded?a%3D1%26b%3D2")
    api = client.get("/api/v1/test/guarded")
    assert api.status_code == 401
    assert api.mimetype == "application/problem+json"
    assert api.headers["WWW-Authenticate"] == "Bearer"
    assert client.get("/api/v1/test/anybody").json == {"open": True}


def test_after_signing_in_one_goes_back_to_where_one_wanted(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    assert sign_in(client, "village", next="/inbox/1?x=y").location == "/inbox/1?x=y"
    client.post("/logout")
    assert sign_in(client, "village", next="https://evil.example/").location == "/inbox"


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/inbox", True),
        ("/inbox?a=//b", True),
        (None, False),
        ("", False),
        ("inbox", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/a\\b", False),
        ("https://evil.example/inbox", False),
        ("javascript:alert(1)", False),
        ("/\tinbox\r\nSet-Cookie: a=b", False),
    ],
)
def test_only_paths_of_this_site_are_gone_back_to(target: str | None, safe: bool) -> None:
    assert safe_next(target) == (target if safe else None)


def test_a_wrong_password_keeps_the_login_and_not_the_password(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    answer = sign_in(client, "village", "wrong-password-1")
    assert answer.status_code == 422
    assert 'value="village"' in answer.text
    assert "wrong-password-1" not in answer.text
    assert 'role="alert"' in answer.text


def test_repeated_failures_must_wait(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    for _attempt in range(5):
        assert sign_in(client, "village", "wrong").status_code == 422
    answer = sign_in(client, "village")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 300


def test_signing_out_ends_the_session(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    sign_in(client, "village")
    assert client.get("/logout").status_code == 405
    client.post("/logout")
    assert client.get("/api/v1/test/guarded").status_code == 401


def test_a_new_epoch_ends_every_session(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    sign_in(client, "village")
    assert client.get("/api/v1/test/guarded").status_code == 200
    with app.app_context():
        user = service.queries.user_by_login("village")
        assert user is not None
        service.deactivate(user.id, actor=people.operator(), at=NOW)
    assert client.get("/api/v1/test/guarded").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "00000000-0000-0000-0000-000000000000.aa"])
def test_a_cookie_of_our_own_with_a_wrong_name_is_nobody(client: FlaskClient, cookie: str) -> None:
    with client.session_transaction() as session:
        session["_user_id"] = cookie
    assert client.get("/api/v1/test/guarded").status_code == 401


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    cookie = sign_in(client, "village").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("prefix", ["/api/v1/test", "/test"])
def test_a_bearer_token_is_looked_at_alone(app: Flask, client: FlaskClient, prefix: str) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    with app.app_context():
        token = people.token(Role.TOWN, TOWN)
    sign_in(client, "village")
    answer = client.get(f"{prefix}/guarded", headers=people.bearer(token))
    assert answer.json == {"kind": "token", "division": TOWN}
    assert client.get(f"{prefix}/chief", headers=people.bearer(token)).status_code == 403
    wrong = client.get(f"{prefix}/guarded", headers=people.bearer("cpt_wrong"))
    assert wrong.status_code == 401, "the session must not stand in for a wrong token"
    assert client.get(f"{prefix}/guarded", headers={"Authorization": "Basic eDp5"}).json == {
        "kind": "user",
        "division": VILLAGE,
    }


def test_a_tablet_is_known_by_its_token(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        tablet = people.tablet()
    assert client.get("/api/v1/test/guarded", headers=people.bearer(tablet.token)).status_code == 403


class TestForgedRequests:
    """Cross-site request protection, on as in production."""

    @pytest.fixture(autouse=True)
    def _on(self, app: Flask) -> None:
        app.config["WTF_CSRF_ENABLED"] = True

    def signed_in(self, app: Flask, client: FlaskClient) -> str:
        make_user(app, "village", Role.VILLAGE, VILLAGE)
        token = self.token_in(client.get("/login"))
        assert sign_in(client, "village", csrf_token=token).status_code == 302
        return self.token_in(client.get("/account"))

    @staticmethod
    def token_in(page: TestResponse) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None
        return found[1]

    def test_a_login_from_elsewhere_is_refused(self, app: Flask, client: FlaskClient) -> None:
        make_user(app, "village", Role.VILLAGE, VILLAGE)
        assert sign_in(client, "village").status_code == 400

    def test_a_write_on_a_session_needs_the_token(self, app: Flask, client: FlaskClient) -> None:
        token = self.signed_in(app, client)
        for path in ("/test/guarded", "/api/v1/test/guarded", "/api/v1/test/anybody"):
            assert client.post(path).status_code == 400
            assert client.post(path, json={}).status_code == 400
            assert client.post(path, headers={"X-CSRFToken": token}).status_code == 200
        assert client.get("/test/guarded").status_code == 200

    def test_the_api_without_a_session_needs_none(self, client: FlaskClient) -> None:
        assert client.post("/api/v1/test/anybody", json={}).status_code == 200
        assert client.post("/test/anybody", json={}).status_code == 200
        assert client.post("/test/anybody", data={"a": "b"}).status_code == 400

    def test_a_bearer_token_needs_none(self, app: Flask, client: FlaskClient) -> None:
        self.signed_in(app, client)
        with app.app_context():
            token = people.token(Role.TOWN, TOWN)
        assert client.post("/api/v1/test/guarded", headers=people.bearer(token)).status_code == 200
        assert client.post("/api/v1/test/guarded", headers=people.bearer("cpt_wrong")).status_code == 401


def test_the_own_password_is_changed_and_other_sessions_end(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    other = app.test_client()
    for browser in (client, other):
        sign_in(browser, "village")
    differing = client.post("/account/password", data={"old": people.PASSWORD, "new": "a" * 12, "again": "b" * 12})
    assert differing.status_code == 422
    assert 'id="again-error"' in differing.text
    wrong = client.post("/account/password", data={"old": "no", "new": "a" * 12, "again": "a" * 12})
    assert wrong.status_code == 422
    assert 'id="old-error"' in wrong.text
    done = client.post("/account/password", data={"old": people.PASSWORD, "new": "a" * 12, "again": "a" * 12})
    assert (done.status_code, done.location) == (302, "/account")
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


def test_sessions_are_listed_and_ended(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    phone, thief = app.test_client(), app.test_client()
    sign_in(client, "village")
    android = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
    for browser in (phone, thief):
        browser.post("/login", data={"login": "village", "password": people.PASSWORD}, headers={"User-Agent": android})
    page = client.get("/account").text
    assert page.count("Chrome, Android") == 2
    assert "127.0.0.0/24" in page
    [first, _second] = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page)
    assert thief.post("/account/sessions/00000000-0000-7000-8000-000000000000/end").status_code == 404
    client.post(first)
    assert [browser.get("/account").status_code for browser in (phone, thief)].count(302) == 1
    client.post("/account/sessions/end-others")
    assert [browser.get("/account").status_code for browser in (client, phone, thief)] == [200, 302, 302]


def test_nobody_ends_the_session_of_another(app: Flask, client: FlaskClient) -> None:
    for login in ("village", "other"):
        make_user(app, login, Role.VILLAGE, VILLAGE)
    other = app.test_client()
    sign_in(client, "village")
    sign_in(other, "other")
    with app.app_context():
        user = service.queries.user_by_login("other")
        assert user is not None
        [row] = sessions.listed(user.id, at=clock.now())
    assert client.post(f"/account/sessions/{row.id}/end").status_code == 404
    assert other.get("/account").status_code == 200


def test_a_copied_cookie_dies_with_the_sign_out(app: Flask, client: FlaskClient) -> None:
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    sign_in(client, "village")
    cookie = client.get_cookie("session")
    assert cookie is not None
    client.post("/logout")
    copied = app.test_client()
    copied.set_cookie("session", cookie.value)
    assert copied.get("/api/v1/test/guarded").status_code == 401


@pytest.mark.parametrize(("hours", "status"), [(11, 200), (13, 401)])
def test_a_session_without_a_request_runs_out(
    app: Flask, client: FlaskClient, freeze: Callable[[datetime], None], hours: int, status: int
) -> None:
    freeze(NOW)
    make_user(app, "village", Role.VILLAGE, VILLAGE)
    sign_in(client, "village")
    freeze(NOW + timedelta(hours=hours))
    assert client.get("/api/v1/test/guarded").status_code == status
