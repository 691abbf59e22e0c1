"""Nobody waits for ever: not for SQLite's other writers, not for a lock or a statement of PostgreSQL."""

import fcntl
import os
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from checkpoint import database
from checkpoint.audit.service import beat
from checkpoint.config import Settings
from checkpoint.database import LockTimeout, bound_requests, standalone_engine, transaction
from tests.factories import NOW

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@pytest.fixture
def stuck(app: Flask) -> Iterator[int]:
    """A writer of another process that does not end."""
    settings: Settings = app.extensions["settings"]
    handle = os.open(settings.data / "checkpoint.sqlite.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    yield handle
    os.close(handle)


@on_sqlite
def test_a_person_is_sent_away_and_nothing_is_written(app: Flask, stuck: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REQUEST_PATIENCE", 0.05)
    with app.test_request_context(), pytest.raises(LockTimeout), transaction():
        pytest.fail("somebody else writes")
    fcntl.flock(stuck, fcntl.LOCK_UN)
    with app.test_request_context(), transaction():
        beat("after", NOW)


@on_sqlite
def test_a_background_process_waits_longer(app: Flask, stuck: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REQUEST_PATIENCE", 0.0)
    timer = threading.Timer(0.1, fcntl.flock, (stuck, fcntl.LOCK_UN))
    timer.start()
    with transaction():
        beat("patient", NOW)
    timer.join()


@on_postgresql
def test_a_process_that_answers_requests_tells_postgresql_its_limits(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    engine = standalone_engine(settings.database_url)
    bound_requests(engine)
    with engine.connect() as connection:
        for name, value in {**database.REQUEST_LIMITS, "idle_in_transaction_session_timeout": "1min"}.items():
            assert connection.scalar(text(f"SHOW {name}")) == value
    engine.dispose()


@on_postgresql
def test_a_lock_that_does_not_come_is_given_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REQUEST_LIMITS", {"lock_timeout": "50ms"})
    settings: Settings = app.extensions["settings"]
    engine = standalone_engine(settings.database_url)
    bound_requests(engine)
    with engine.connect() as holder, engine.connect() as waiting:
        holder.execute(text("LOCK TABLE heartbeat IN EXCLUSIVE MODE"))
        with pytest.raises(OperationalError):
            waiting.execute(text("LOCK TABLE heartbeat IN EXCLUSIVE MODE"))
    engine.dispose()
