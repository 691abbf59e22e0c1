"""What an operator is told: which part of the system does not work, and what goes on all the same."""

import shutil
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from checkpoint.accounts.models import Role
from checkpoint.audit.sealing import seal_all
from checkpoint.audit.service import beat
from checkpoint.benchmarks.fleet import free_port
from checkpoint.config import Settings
from checkpoint.database import db, transaction
from checkpoint.risk.models import RiskState
from checkpoint.surveillance.models import RiskFeed
from checkpoint.upkeep.scheduled import name_at
from tests.factories import NOW, lists, people
from tests.factories.divisions import SITE

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def _settings(app: Flask, **changes: object) -> None:
    known: Settings = app.extensions["settings"]
    app.extensions["settings"] = replace(known, **changes)  # type: ignore[arg-type]


def parts(client: FlaskClient) -> dict[str, str]:
    found: dict[str, str] = client.get("/readyz").get_json()["parts"]
    return found


def test_an_instance_that_was_only_installed(client: FlaskClient) -> None:
    found = parts(client)
    assert {name: found[name] for name in ("database", "migrations", "list", "scheduler", "redis", "feeds", "channels", "backup")} == {
        "database": "fine", "migrations": "fine", "list": "down", "scheduler": "down", "redis": "off", "feeds": "off",
        "channels": "off", "backup": "off",
    }  # fmt: skip


@pytest.mark.parametrize(("minutes", "grade"), [(1, "fine"), (4, "down")])
def test_the_scheduler_by_its_beat(context: Flask, client: FlaskClient, minutes: int, grade: str) -> None:
    with transaction():
        beat("scheduler", NOW - timedelta(minutes=minutes))
    assert parts(client)["scheduler"] == grade


@pytest.mark.parametrize(("hours", "grade"), [(1, "fine"), (24 * 30, "failing")])
def test_the_list_by_its_age(context: Flask, client: FlaskClient, hours: int, grade: str) -> None:
    lists.in_force()
    with transaction() as session:
        session.execute(update(RiskState).values(confirmed_at=NOW - timedelta(hours=hours)))
    assert parts(client)["list"] == grade


def test_a_dead_redis_is_named_and_the_process_is_ready_all_the_same(app: Flask, client: FlaskClient) -> None:
    _settings(app, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["parts"]["redis"]) == (200, "down")


@pytest.mark.parametrize(("free", "grade"), [(50, "fine"), (5, "failing"), (1, "down")])
def test_the_disk_by_its_room(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, free: int, grade: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(100 << 20, (100 - free) << 20, free << 20))
    assert parts(client)["disk"] == grade


@pytest.mark.parametrize(("hours", "grade"), [(1, "fine"), (49, "failing"), (None, "down")])
def test_backups_by_the_newest(app: Flask, client: FlaskClient, tmp_path: Path, hours: int | None, grade: str) -> None:
    _settings(app, backup_folder=tmp_path)
    if hours is not None:
        (tmp_path / name_at(NOW - timedelta(hours=hours))).write_bytes(b"")
    assert parts(client)["backup"] == grade


@pytest.mark.parametrize(
    ("problems", "grade"), [([None, None], "fine"), ([None, "status"], "failing"), (["status"], "down")]
)
def test_the_sources_of_lists(context: Flask, client: FlaskClient, problems: list[str | None], grade: str) -> None:
    with transaction() as session:
        for problem in problems:
            feed = {"name": "源", "url": "https://example.org/list", "interval_minutes": 60, "silent_hours": 24}
            more = {"publishes": False, "active": True, "created_at": NOW, "heard_at": NOW, "problem": problem}
            session.execute(insert(RiskFeed), {**feed, **more})
    assert parts(client)["feeds"] == grade


def test_acts_that_nobody_seals(context: Flask, client: FlaskClient, freeze: Callable[[datetime], None]) -> None:
    people.commander()
    lists.in_force()
    assert parts(client)["audit"] == "fine"
    freeze(NOW + timedelta(minutes=11))
    assert parts(client)["audit"] == "failing"
    seal_all(NOW + timedelta(minutes=11))
    assert parts(client)["audit"] == "fine"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # it breaks a database that is its own
def test_without_its_database_the_process_says_what_it_still_knows(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["database"]) == (503, False)
    assert set(answer.get_json()["parts"]) == {"disk", "redis"}


@pytest.mark.parametrize("role", [Role.COMMAND, Role.AUDITOR])
def test_the_page_says_it_in_words(app: Flask, context: Flask, client: FlaskClient, role: Role) -> None:
    _settings(app, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    headers = people.bearer(people.token(role, SITE))
    page = client.get("/command/health?lang=en", headers=headers)
    assert page.status_code == 200
    assert 'data-part="redis" data-grade="down"' in page.text
    assert "Each process counts its limits by itself" in page.text
    assert "Run the upgrade" not in page.text
