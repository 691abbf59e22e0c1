"""The way to write: one transaction, joined by inner ones, with calls after the commit; the same on both databases."""

import threading
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from checkpoint.audit.models import Heartbeat
from checkpoint.database import after_commit, db, transaction
from checkpoint.regions.models import Division
from checkpoint.risk.models import RiskState
from checkpoint.risk.service import ensure_state
from tests.factories import NOW, divisions


def beats() -> int:
    return db.session.scalar(select(func.count()).select_from(Heartbeat)) or 0


def test_the_tree_is_there(app: Flask) -> None:
    """The fixture's own promise: the database is the one that was asked for, migrated and filled."""
    site = db.session.get(Division, divisions.SITE)
    assert site is not None
    assert (site.name, site.full_name, site.level) == ("平湖市", "浙江省嘉兴市平湖市", 3)
    village = db.session.get(Division, divisions.VILLAGE)
    assert village is not None
    assert village.full_name == "浙江省嘉兴市平湖市乍浦镇八字村村民委员会"
    assert site.contains(village)
    assert db.session.scalar(select(func.count()).select_from(Division)) == len(divisions.rows())
    assert db.engine.dialect.name == app.extensions["settings"].database_url.split("+")[0].split(":")[0]


def test_databases_are_not_shared_between_tests_first() -> None:
    _beat("shared", NOW)
    assert beats() == 1


def test_databases_are_not_shared_between_tests_second() -> None:
    _beat("shared", NOW)
    assert beats() == 1


def _beat(name: str, at: datetime) -> None:
    with transaction() as session:
        session.execute(insert(Heartbeat), {"name": name, "at": at})


def test_an_inner_transaction_joins_the_outer_one() -> None:
    class RefusedError(Exception):
        pass

    def both() -> None:
        with transaction():
            _beat("inner", NOW)
            raise RefusedError

    with pytest.raises(RefusedError):
        both()
    assert beats() == 0


def test_calls_after_the_commit_run_once_and_only_after_it() -> None:
    seen: list[int] = []
    with transaction():
        _beat("one", NOW)
        after_commit(lambda: seen.append(beats()))
        assert seen == []
    assert seen == [1]
    _beat("two", NOW)
    assert seen == [1]


def test_calls_after_the_commit_are_forgotten_on_a_rollback() -> None:
    seen: list[str] = []

    def twice() -> None:
        with transaction():
            after_commit(lambda: seen.append("ran"))
            _beat("same", NOW)
            _beat("same", NOW)

    with pytest.raises(IntegrityError):
        twice()
    assert seen == []
    assert beats() == 0


def test_instants_come_back_aware_and_equal() -> None:
    _beat("clock", NOW)
    stored = db.session.scalar(select(Heartbeat.at))
    assert stored == NOW
    assert stored is not None
    assert stored.tzinfo is not None


def test_foreign_keys_are_enforced() -> None:
    row = {
        "code": "999999000000",
        "name": "x",
        "level": 3,
        "parent_code": "999900000000",
        "full_name": "x",
        "retired": False,
    }

    def store() -> None:
        with transaction() as session:
            session.execute(insert(Division), row)

    with pytest.raises(IntegrityError):
        store()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_sqlite_is_durable_and_concurrent() -> None:
    """A success answer means on disk (synchronous FULL = 2), and readers do not wait for the writer (WAL)."""
    assert db.session.scalar(text("PRAGMA journal_mode")) == "wal"
    assert db.session.scalar(text("PRAGMA synchronous")) == 2
    assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


def test_two_who_begin_at_once_inside_transactions_of_their_own_share_one_state(app: Flask) -> None:
    """The first use of what is in force may lie in the middle of somebody's transaction, on both sides at once."""
    assert db.session.get(RiskState, 1) is None
    db.session.remove()
    meet, states, errors = threading.Barrier(2), [], []

    def begin() -> None:
        try:
            with app.app_context(), transaction() as session:
                if db.engine.dialect.name == "postgresql":  # SQLite lets one writer in at a time
                    meet.wait(5)
                states.append(ensure_state(NOW).policy_id)
                session.execute(select(1))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=begin) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == []
    assert len(states) == 2
    assert len(set(states)) == 1
