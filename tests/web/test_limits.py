"""Limits by phone and by tablet, counted across processes; a dead counter keeps nobody out."""

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint import create_app
from checkpoint.accounts.models import Role
from checkpoint.extensions import limiter
from checkpoint.limiting import FileStorage
from tests.factories import NOW, databases, people
from tests.factories.declarations import declaration
from tests.factories.divisions import SITE

PHONE, OTHER = "13800138000", "13900139000"


@pytest.fixture(autouse=True)
def _now(freeze: Callable[..., None]) -> None:
    freeze(NOW)


def _register(client: FlaskClient, phone: str, client_id: str | None = None) -> int:
    sent = declaration(phone=phone, client_id=client_id or str(uuid.uuid4()))
    return client.post("/api/v1/registrations", json=sent).status_code


def test_one_phone_may_register_so_often_in_all_processes(environment: dict[str, str]) -> None:
    apps = [create_app({**environment, "PHONE_LIMIT": "2 per hour"}) for _ in range(2)]
    try:
        first, second = (app.test_client() for app in apps)
        repeated = str(uuid.uuid4())
        assert _register(first, PHONE, repeated) == 201
        assert _register(second, PHONE, repeated) == 200
        assert _register(second, PHONE) == 201
        refused = first.post("/api/v1/registrations", json=declaration(phone=PHONE, client_id=str(uuid.uuid4())))
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json is not None
        assert PHONE not in refused.text
        assert _register(first, OTHER) == 201
    finally:
        for app in apps:
            databases.close(app)


def test_one_tablet_may_send_so_often(environment: dict[str, str]) -> None:
    app = create_app({**environment, "DEVICE_LIMIT": "2 per hour"})
    try:
        with app.app_context():
            post = people.checkpoint()
            headers = [people.bearer(people.tablet(post).token) for _ in range(2)]
        client = app.test_client()

        def scan(which: int) -> int:
            sent = {"scan_id": str(uuid.uuid4()), "token": "CP1:NO", "scanned_at": NOW.isoformat()}
            return client.post("/api/v1/scans", json=sent, headers=headers[which]).status_code

        assert [scan(0), scan(0), scan(0), scan(1)] == [200, 200, 429, 200]
    finally:
        databases.close(app)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_broken_counter_keeps_nobody_out(environment: dict[str, str], app: Flask) -> None:
    Path(environment["CHECKPOINT_DATA"], "limits.sqlite").write_bytes(b"no database" * 1000)
    with app.app_context():
        people.user("chief", Role.COMMAND, SITE)
    client = app.test_client()
    assert _register(client, PHONE) == 201
    assert client.post("/login", data={"login": "chief", "password": people.PASSWORD}).status_code in (302, 303)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_dead_redis_keeps_nobody_out(environment: dict[str, str]) -> None:
    app = create_app({**environment, "REDIS_URL": "redis://127.0.0.1:1"})
    try:
        assert _register(app.test_client(), PHONE) == 201
    finally:
        databases.close(app)


def test_two_requests_may_meet_a_counter_that_has_just_died(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first turns to the counter in memory; the second finds it turned already, and is answered all the same."""

    def died(*_args: object, **_named: object) -> int:
        limiter._storage_dead = True  # what the other thread has just done
        raise sqlite3.OperationalError("disk I/O error")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(FileStorage, "incr", died)
    assert _register(client, PHONE) == 201
