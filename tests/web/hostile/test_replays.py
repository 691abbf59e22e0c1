"""What was good once, sent again: sessions, tokens, codes, links and passes that have ended; and forged ones at the barrier."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from checkpoint.accounts import invitations, posts
from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import ApiToken, Role
from checkpoint.companies import service as companies_service
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.registrations import service as registrations
from tests.factories import NOW, companies, lists, people
from tests.factories.divisions import VILLAGE
from tests.factories.forged import forgeries
from tests.factories.travelling import declared
from tests.web.api_support import Api, scan_of, tablet

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
NEW = "four-words-that-are-new"


@pytest.fixture(autouse=True)
def _now(app: Flask, freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)
    with app.app_context():
        lists.in_force()


def cookie_of(app: Flask, login: str, password: str = people.PASSWORD) -> dict[str, str]:
    client = app.test_client()
    assert client.post("/login", data={"login": login, "password": password}).status_code == 302
    return {"Cookie": "; ".join(f"{one.key}={one.value}" for one in client._cookies.values())}


def opens(app: Flask, headers: dict[str, str], path: str = "/account") -> bool:
    answer = app.test_client(use_cookies=False).get(path, headers=headers)
    assert answer.status_code in (200, 302, 401)
    return answer.status_code == 200


@pytest.mark.parametrize("ended_by", ["signing out", "a new password", "closing the account", "ending the others"])
def test_a_stolen_cookie_ends_with_its_session(app: Flask, ended_by: str) -> None:
    with app.app_context():
        user_id = people.user("worker").id
    stolen, own = cookie_of(app, "worker"), cookie_of(app, "worker")
    assert opens(app, stolen)
    bare = app.test_client(use_cookies=False)
    if ended_by == "signing out":
        bare.post("/logout", headers=stolen)
    elif ended_by == "a new password":
        bare.post("/account/password", headers=own, data={"old": people.PASSWORD, "new": NEW, "again": NEW})
    elif ended_by == "ending the others":
        bare.post("/account/sessions/end-others", headers=own)
    else:
        with app.app_context():
            accounts.set_active(user_id, False, actor=people.operator(), at=NOW)
    assert not opens(app, stolen)


def test_an_altered_cookie_is_nobodys(app: Flask) -> None:
    with app.app_context():
        people.user("worker")
    right = cookie_of(app, "worker")["Cookie"]
    value = right.partition("session=")[2].partition(";")[0]
    for wrong in (
        value[:-2] + "AA",
        value[:20] + "A" + value[21:],
        value.split(".")[0],
        ".".join(reversed(value.split("."))),
        "",
    ):
        assert not opens(app, {"Cookie": f"session={wrong}"})


def test_an_invitation_a_code_and_a_token_work_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        row = people.user("invited")
        link = invitations.invite(row.id, actor=people.operator(), at=NOW).token
        code = posts.create_device(people.checkpoint().code, actor=people.operator(), at=NOW, label="平板").code
        issued = people.token(Role.INTEGRATION)
    given = {"password": NEW, "again": NEW}
    assert client.post(f"/invitation/{link}", data=given).status_code in (302, 303)
    assert app.test_client().get(f"/invitation/{link}").status_code in (404, 410)
    assert app.test_client().post(f"/invitation/{link}", data=given | {"password": "x" * 20}).status_code in (404, 410)
    first = client.post("/gate/enroll", json={"code": code})
    assert (first.status_code, client.post("/gate/enroll", json={"code": code}).status_code) == (200, 404)
    old = Api(app.test_client(), first.get_json()["token"])
    new = Api(app.test_client(), old.post("/gate/token/roll").get_json()["token"])
    assert new.get("/gate/snapshot").status_code == 200
    assert old.get("/gate/snapshot").status_code == 401
    with app.app_context():
        found = db.session.scalars(select(ApiToken.id)).one()
        accounts.revoke_token(found, actor=people.operator(), at=NOW)
    assert Api(app.test_client(), issued).get("/alerts").status_code == 401


def test_the_old_link_of_a_company_opens_nothing(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        company, _liaison = companies.active(town=people.town_worker())
        old = companies_service.handle_of(company)
        companies_service.invite(company.id, actor=people.operator(), at=NOW)
        new = companies_service.handle_of(db.session.get_one(type(company), company.id, populate_existing=True))
    assert client.get(f"/companies/application/{new}").status_code == 200
    assert client.get(f"/companies/application/{old}").status_code == 404
    given = {"password": NEW, "again": NEW}
    assert client.post(f"/companies/application/{old}/password", data=given).status_code == 404


def test_another_persons_form_token_is_refused(app: Flask) -> None:
    with app.app_context():
        people.user("one", Role.VILLAGE, VILLAGE)
        people.user("two", Role.VILLAGE, VILLAGE)
    one, two = cookie_of(app, "one"), cookie_of(app, "two")
    app.config["WTF_CSRF_ENABLED"] = True
    bare = app.test_client(use_cookies=False)
    page = bare.get("/account", headers=one)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    kept = one | {"Cookie": f"{one['Cookie']}"}
    assert bare.post("/account/sessions/end-others", headers=two, data={"csrf_token": found[1]}).status_code == 400
    assert opens(app, kept)


def test_a_pass_that_was_taken_back_is_refused_whatever_is_shown(app: Flask, client: FlaskClient) -> None:
    gate = tablet(app, client)
    with app.app_context():
        made = declared(number=1)
        registrations.withdraw(
            made.registration.id, uuid.uuid4(), actor=people.operator(), at=NOW + timedelta(minutes=1)
        )
        shown = (made.issued.token, made.issued.short_code)
    for text in shown:
        answer = gate.post("/scans", scan_of(text)).get_json()
        assert (answer["verdict"], [one["rule"] for one in answer["reasons"]]) == ("refuse", ["pass_withdrawn"])


def test_every_forged_pass_is_a_stored_refusal(app: Flask, client: FlaskClient) -> None:
    gate = tablet(app, client)
    made = forgeries(app.extensions["keyring"], NOW + timedelta(days=8))
    let_in = []
    for name, token in made.items():
        answer = gate.post("/scans", scan_of(token[:4000] or "x"))
        if answer.status_code != 422 and answer.get_json()["verdict"] != "refuse":
            let_in.append(f"{name}: {answer.get_json()['verdict']}")
    assert let_in == []
    with app.app_context():
        assert int(db.session.scalar(select(func.count()).select_from(Crossing)) or 0) > 40
        assert db.session.scalar(select(func.count()).where(Crossing.registration_id.is_not(None))) == 0


def test_a_forged_pass_is_no_bearer_token(app: Flask, client: FlaskClient) -> None:
    made = Api(client).declare(1)
    for token in forgeries(app.extensions["keyring"], NOW + timedelta(days=8)).values():
        headers = people.bearer(token.encode("ascii", "replace").decode())
        assert client.get(f"/api/v1/registrations/{made['id']}", headers=headers).status_code == 401
