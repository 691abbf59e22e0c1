"""The second step in the browser: setting it up, the code after the password, recovery codes, roles that need it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from checkpoint.accounts import totp
from checkpoint.accounts.models import Role
from tests.factories import NOW, people
from tests.factories.divisions import SITE

STEP = timedelta(seconds=totp.STEP_SECONDS)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def strict(app: Flask) -> Iterator[None]:
    """An instance on which command and auditors need the second step."""
    app.extensions["settings"] = replace(app.extensions["settings"], totp_roles=("command", "auditor"))
    return


@pytest.fixture
def chief(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser in which the city's command has given the password."""
    with app.app_context():
        people.user("command", Role.COMMAND, SITE)
    password(client)
    return client


def password(client: FlaskClient) -> TestResponse:
    return client.post("/login", data={"login": "command", "password": people.PASSWORD, "next": "/admin/users"})


def set_up(client: FlaskClient) -> tuple[str, list[str]]:
    """Turn the second step on; gives the secret and the recovery codes."""
    assert client.post("/account/second-step").location == "/account/second-step"
    shown = re.search(r"data-secret>([A-Z2-7 ]+)<", client.get("/account/second-step").text)
    assert shown is not None
    secret = shown[1].replace(" ", "")
    done = client.post("/account/second-step/confirm", data={"code": code(secret, NOW)})
    assert done.status_code == 200
    return secret, re.findall(r"<li>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</li>", done.text)


def code(secret: str, at: datetime) -> str:
    return totp.code_at(secret, totp.step_of(at))


def test_a_code_is_asked_for_after_the_password(
    app: Flask, chief: FlaskClient, freeze: Callable[[datetime], None]
) -> None:
    secret, codes = set_up(chief)
    assert len(set(codes)) == 10
    other = app.test_client()
    assert other.get("/login/code").location == "/login"
    assert password(other).location == "/login/code"
    page = other.get("/login/code").text
    assert 'autocomplete="one-time-code"' in page
    assert other.get("/admin/users").status_code == 302, "the password alone opens nothing"
    used = other.post("/login/code", data={"code": code(secret, NOW)})
    assert used.status_code == 422, "the code that turned it on opens nothing more"
    freeze(NOW + STEP)
    assert other.post("/login/code", data={"code": code(secret, NOW + STEP)}).location == "/admin/users"
    assert other.get("/admin/users").status_code == 200


def test_the_time_between_password_and_code_is_short(
    app: Flask, chief: FlaskClient, freeze: Callable[[datetime], None]
) -> None:
    secret, _codes = set_up(chief)
    other = app.test_client()
    password(other)
    later = NOW + timedelta(minutes=11)
    freeze(later)
    assert other.post("/login/code", data={"code": code(secret, later)}).location == "/login"


def test_a_recovery_code_opens_once(app: Flask, chief: FlaskClient) -> None:
    _secret, codes = set_up(chief)
    statuses = []
    for _turn in range(2):
        other = app.test_client()
        password(other)
        assert 'name="recovery"' in other.get("/login/code?recovery=1").text
        statuses.append(other.post("/login/code", data={"code": codes[0].upper(), "recovery": "1"}).status_code)
    assert statuses == [302, 422]


def test_guessing_codes_must_wait(app: Flask, chief: FlaskClient) -> None:
    set_up(chief)
    other = app.test_client()
    password(other)
    for _attempt in range(5):
        assert other.post("/login/code", data={"code": "000000"}).status_code == 422
    refused = other.post("/login/code", data={"code": "000000"})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.usefixtures("strict")
def test_a_role_that_needs_it_can_do_nothing_before(chief: FlaskClient) -> None:
    for path in ("/command", "/admin/users", "/account", "/inbox"):
        page = chief.get(path)
        assert (page.status_code, page.location) == (303, "/account/second-step")
    assert chief.post("/admin/users", data={"login": "x"}).location == "/account/second-step"
    assert chief.post("/account/password", data={}).location == "/account/second-step"
    answer = chief.get("/api/v1/alerts")
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["type"].endswith("second_step_missing")
    assert chief.get("/api/v1/stream").status_code == 403
    assert chief.get("/login").status_code == 302
    set_up(chief)
    assert chief.get("/admin/users").status_code == 200
    assert chief.post("/account/second-step/off", data={"password": people.PASSWORD}).status_code == 409


@pytest.mark.usefixtures("strict")
def test_other_roles_and_tokens_go_on_without(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people.user("village")
        token = people.token(Role.COMMAND, SITE)
    client.post("/login", data={"login": "village", "password": people.PASSWORD})
    assert client.get("/account").status_code == 200
    assert app.test_client().get("/api/v1/alerts", headers=people.bearer(token)).status_code == 200


def test_it_is_turned_off_and_the_codes_are_renewed_by_the_password_alone(chief: FlaskClient) -> None:
    set_up(chief)
    for verb in ("codes", "off"):
        assert chief.post(f"/account/second-step/{verb}", data={"password": "wrong"}).status_code == 422
    renewed = chief.post("/account/second-step/codes", data={"password": people.PASSWORD})
    assert len(re.findall(r"<li>[a-z2-9-]{14}</li>", renewed.text)) == 10
    assert chief.post("/account/second-step/off", data={"password": people.PASSWORD}).location == "/account"
    assert password(chief).location == "/admin/users"


def test_an_administrator_resets_the_second_step_of_another_and_never_the_own(app: Flask, chief: FlaskClient) -> None:
    set_up(chief)
    with app.app_context():
        helper = people.user("helper", Role.COMMAND, SITE)
    second = app.test_client()
    second.post("/login", data={"login": "helper", "password": people.PASSWORD})
    assert second.post(f"/admin/users/{helper.id}/reset-second-step").status_code == 409
    page = second.get("/admin/users").text
    [path] = set(re.findall(r'href="(/admin/users/[0-9a-f-]{36})"', page)) - {f"/admin/users/{helper.id}"}
    assert "/reset-second-step" in second.get(path).text
    assert second.post(f"{path}/reset-second-step").status_code == 303
    assert chief.get("/account").status_code == 302, "signed out"
    assert password(chief).location == "/admin/users", "no code any more"


def test_the_new_phone_counts_from_its_first_code(
    app: Flask, chief: FlaskClient, freeze: Callable[[datetime], None]
) -> None:
    old, _codes = set_up(chief)
    chief.post("/account/second-step")
    freeze(NOW + STEP)
    other = app.test_client()
    password(other)
    assert other.post("/login/code", data={"code": code(old, NOW + STEP)}).status_code == 302
