"""The first start: everything to try the system with, once, and passwords that open the accounts."""

import re
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint import create_app
from checkpoint.accounts import pins
from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import Checkpoint, CheckpointKind, Device, Role, User
from checkpoint.cli import demo
from checkpoint.config import Settings
from checkpoint.database import Base, db
from checkpoint.errors import ConfigurationError
from checkpoint.patrols import queries
from checkpoint.patrols.models import PatrolPoint
from checkpoint.regions.models import contains
from checkpoint.risk.queries import in_force
from tests.factories import NOW, databases, divisions, people


def count(model: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def test_the_first_start_prints_accounts_that_open(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    demo._first_start(settings, NOW)
    shown = capsys.readouterr().out
    users = {user.login: user for user in db.session.scalars(select(User))}
    assert {user.role for user in users.values()} == {
        Role.COMMAND,
        Role.TOWN,
        Role.VILLAGE,
        Role.AUDITOR,
        Role.OFFICER,
    }
    for login, user in users.items():
        row = re.search(rf"{login} +│ +(\S+) +│", shown)
        assert row, f"{login} is not in the table"
        opened = accounts.authenticate(login, row[1], "127.0.0.1", at=NOW)
        assert opened is not None
        assert opened.id == user.id
    assert contains(users["town"].division_code, users["village"].division_code)
    pin = re.search(r"officer +│.*│ +(\d{6}) +│", shown)
    assert pin, "the officer has no PIN"
    post = db.session.scalars(select(Checkpoint)).first()
    assert post is not None
    assert pins.check_pin(people.tablet(post).actor, users["officer"].id, pin[1]).login == "officer"


def test_the_first_start_publishes_a_list_and_opens_posts(settings: Settings) -> None:
    demo._first_start(settings, NOW)
    assert in_force() is not None
    staffed = db.session.scalars(select(Checkpoint).where(Checkpoint.kind != CheckpointKind.CLOSED)).all()
    towns = {post.division_code for post in staffed}
    assert len(towns) == len(staffed) == 3
    assert all(contains(divisions.SITE, town) for town in towns)
    assert count(Device) == 1


def test_the_first_start_walks_past_closed_crossings(settings: Settings) -> None:
    demo._first_start(settings, NOW)
    closed = db.session.scalars(select(Checkpoint).where(Checkpoint.kind == CheckpointKind.CLOSED)).all()
    assert len(closed) == 3
    assert {point.checkpoint_id for point in db.session.scalars(select(PatrolPoint))} == {post.id for post in closed}
    (view, *_others) = queries.rounds(people.operator(), NOW, NOW + timedelta(days=1))
    assert view.total == count(PatrolPoint) == 4


def test_a_first_start_that_breaks_off_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.posts, "create_device", break_off)
    with pytest.raises(KeyboardInterrupt):
        demo._first_start(settings, NOW)
    assert (count(User), count(Checkpoint)) == (0, 0)
    assert in_force() is None


def test_a_site_that_is_no_county_is_told(environment: dict[str, str]) -> None:
    other = create_app({**environment, "SITE_DIVISION": "999999000000"})
    with other.app_context(), pytest.raises(ConfigurationError, match="999999000000"):
        demo._first_start(other.extensions["settings"], NOW)
    databases.close(other)


def test_addresses_name_every_face(app: Flask, settings: Settings) -> None:
    demo._first_start(settings, NOW)
    shown = dict(demo.addresses(app))
    assert [address.removeprefix(settings.public_url) for address in shown.values()] == [
        "/", "/c/K01", "/gate", "/inbox", "/command",
    ]  # fmt: skip


def test_making_the_application_starts_no_thread(environment: dict[str, str]) -> None:
    """The start script and gunicorn fork after loading it; a thread would not live on in the child."""
    before = set(threading.enumerate())
    made = create_app(environment)
    with made.app_context():
        db.session.scalar(select(func.count()).select_from(User))
    begun = set(threading.enumerate()) - before
    for thread in begun:
        thread.join(timeout=2)  # the rate limiter's store in memory tidies itself once, in a timer of 10 ms
    assert {thread for thread in begun if thread.is_alive()} == set()
    databases.close(made)
