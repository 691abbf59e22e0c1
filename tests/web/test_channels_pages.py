"""The pages of channels and of the watch rules, without scripts; and what a browser that subscribes sends."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.channels.models import ChannelTarget, Delivery
from checkpoint.database import db
from checkpoint.watch.models import WatchRule
from tests.factories import NOW, alerting, people, receivers
from tests.factories.divisions import OTHER_VILLAGE, SITE, TOWN, VILLAGE
from tests.factories.outboxes import HOOK, Outbox, hook, states, told
from tests.web.api_support import stored

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def signed_in(app: Flask, client: FlaskClient, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user("worker", role, division)
    client.post("/login", data={"login": "worker", "password": people.PASSWORD})
    return client


@pytest.fixture
def worker(app: Flask, client: FlaskClient) -> FlaskClient:
    return signed_in(app, client, Role.VILLAGE, VILLAGE)


@pytest.fixture
def command(app: Flask, client: FlaskClient) -> FlaskClient:
    return signed_in(app, client, Role.COMMAND, SITE)


@pytest.fixture
def loopback(app: Flask) -> Iterator[None]:
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, allow_private_targets=True)
    yield
    app.extensions["settings"] = before


FORM = {"kind": "webhook", "address": HOOK, "label": "系统", "lowest_tier": "red", "language": "zh"}


def only(app: Flask) -> ChannelTarget:
    with app.app_context():
        return db.session.scalars(select(ChannelTarget)).one()


def test_a_channel_is_added_silenced_and_removed_and_its_address_is_never_shown(
    app: Flask, worker: FlaskClient
) -> None:
    assert worker.post("/channels", data={**FORM, "quiet_from": "22:00", "quiet_to": "07:00"}).status_code == 303
    page = worker.get("/channels?lang=en").text
    assert "22:00–07:00" in page
    assert "only red" in page
    assert "93.184" not in page
    target = only(app)
    assert worker.post(f"/channels/{target.id}/off").status_code == 303
    assert only(app).active is False
    worker.post(f"/channels/{target.id}/on")
    assert only(app).active is True
    worker.post(f"/channels/{target.id}/remove")
    assert stored(app, ChannelTarget) == 0


def test_what_is_wrong_is_said_and_the_address_is_not_sent_back(app: Flask, worker: FlaskClient) -> None:
    answer = worker.post("/channels?lang=en", data={**FORM, "address": "https://10.0.0.1/secret", "quiet_from": "x"})
    assert answer.status_code == 422
    assert "private network" in answer.text
    assert "A time like 22:00" in answer.text
    assert "secret" not in answer.text
    assert stored(app, ChannelTarget) == 0


@pytest.mark.usefixtures("loopback")
def test_a_trial_says_what_became_of_it(app: Flask, worker: FlaskClient) -> None:
    with receivers.receiver(200, 503) as found:
        worker.post("/channels", data={**FORM, "address": found.url})
        target = only(app)
        assert "The trial was taken" in worker.post(f"/channels/{target.id}/try?lang=en", follow_redirects=True).text
        assert "answered 503" in worker.post(f"/channels/{target.id}/try?lang=en", follow_redirects=True).text
    assert found.bodies[0]["counts"] == {"red": 0, "yellow": 0, "green": 0}


@pytest.mark.usefixtures("loopback")
def test_a_browser_subscribes_once_and_forgets(app: Flask, worker: FlaskClient) -> None:
    key = worker.get("/channels/push", headers=JSON).get_json()["key"]
    assert len(key) == 87
    browser = receivers.Browser("http://127.0.0.1:9/push")
    form = {"subscription": json.dumps({**browser.subscription, "expirationTime": None}), "language": "zh"}
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 12) Chrome/156"}
    first = worker.post("/channels/push", data=form, headers={**JSON, **agent})
    assert first.status_code == 200
    assert worker.post("/channels/push", data=form, headers=JSON).get_json() == first.get_json()
    assert (only(app).kind, stored(app, ChannelTarget)) == ("webpush", 1)
    assert worker.post("/channels/push", data={"subscription": "{}"}, headers=JSON).status_code == 422
    assert worker.post("/channels/push/forget", data=form, headers=JSON).status_code == 200
    assert stored(app, ChannelTarget) == 0


def test_the_worker_script_is_public_and_never_kept_old(client: FlaskClient) -> None:
    with client.get("/channels/worker.js") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        assert answer.headers["Cache-Control"] == "no-cache"


def test_command_sets_the_channel_of_a_village_and_a_village_does_not(app: Flask, command: FlaskClient) -> None:
    form = {**FORM, "division_code": VILLAGE}
    assert command.post("/channels/divisions", data=form).status_code == 303
    assert "八字村" in command.get("/channels/divisions").text
    assert only(app).division_code == VILLAGE
    command.post("/logout")
    with app.app_context():
        people.user("village2", Role.VILLAGE, VILLAGE)
        people.user("town2", Role.TOWN, TOWN)
    command.post("/login", data={"login": "village2", "password": people.PASSWORD})
    assert command.get("/channels/divisions").status_code == 403
    assert command.post(f"/channels/{only(app).id}/remove").status_code == 404
    command.post("/logout")
    command.post("/login", data={"login": "town2", "password": people.PASSWORD})
    outside = command.post("/channels/divisions", data={**form, "division_code": OTHER_VILLAGE})
    assert outside.status_code == 422
    assert stored(app, ChannelTarget) == 1


def test_what_could_not_be_delivered_is_seen_retried_and_taken_off(app: Flask, command: FlaskClient) -> None:
    with app.app_context():
        target = hook(people.village_worker())
        alerting.alert()
        told(box=Outbox("gone"))
        assert states() == ["dead"]
    page = command.get("/channels/undelivered?lang=en").text
    assert "village 测试" in page
    assert "no longer knows this address" in page
    assert "93.184" not in page
    assert command.post(f"/channels/undelivered/{target.id}/retry").status_code == 303
    with app.app_context():
        assert states() == ["waiting"]
        told(after=60, box=Outbox("gone"))
    assert command.post(f"/channels/undelivered/{target.id}/discard").status_code == 303
    assert "Everything was delivered" in command.get("/channels/undelivered?lang=en").text
    assert stored(app, Delivery) == 1


def test_the_watch_rules_are_listed_set_and_tried_out(app: Flask, command: FlaskClient) -> None:
    page = command.get("/command/watch?lang=en").text
    for label in ("Let in and not arrived", "At two checkpoints at once", "A checkpoint is silent"):
        assert label in page
    form = {"enabled": "1", "tier": "red", "hours": "2", "least": "1"}
    assert command.post("/command/watch/unopened_inbox", data=form).status_code == 303
    with app.app_context():
        row = db.session.get_one(WatchRule, "unopened_inbox")
        assert (row.tier, row.params) == ("red", {"hours": 2, "least": 1})
        alerting.alert(at=NOW - timedelta(hours=30))
        alerting.alert(at=NOW - timedelta(hours=5))
    page = command.get("/command/watch/unopened_inbox?days=3&hours=2&least=1&lang=en").text
    assert "2 alerts in 3 d" in page
    assert "八字村" in page
    assert "1 alert in 3 d" in command.get("/command/watch/unopened_inbox?days=3&hours=10&least=1&lang=en").text


def test_wrong_limits_are_named_and_unknown_rules_are_not_there(app: Flask, command: FlaskClient) -> None:
    answer = command.post("/command/watch/one_phone?lang=en", data={"enabled": "1", "tier": "red", "people": "1"})
    assert answer.status_code == 422
    assert "From 2 to 200." in answer.text
    assert command.get("/command/watch/one_phone?days=3&people=x&lang=en").status_code == 422
    assert command.get("/command/watch/one_phone?days=x").status_code == 422
    assert command.get("/command/watch/nonsense").status_code == 404
    assert command.post("/command/watch/nonsense", data={}).status_code == 404
    assert stored(app, WatchRule) == 0


def test_an_auditor_looks_and_does_not_set(app: Flask, client: FlaskClient) -> None:
    auditor = signed_in(app, client, Role.AUDITOR, SITE)
    assert auditor.get("/command/watch").status_code == 200
    assert auditor.get("/command/watch/one_phone?days=1&people=8").status_code == 200
    assert auditor.post("/command/watch/one_phone", data={"tier": "red", "people": "5"}).status_code == 403
