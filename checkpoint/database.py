"""The database: one declarative base, column types that behave the same on SQLite and PostgreSQL, one way to write.

Every write happens inside `transaction()`. On SQLite it takes a fair file lock and then BEGIN IMMEDIATE, because a deferred
transaction that reads and then writes fails under load whatever the busy timeout; reads use BEGIN DEFERRED and never wait.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import uuid_utils.compat
from flask import has_request_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Insert,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    create_engine,
    event,
    insert,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from checkpoint.filelock import lock_on

REQUEST_PATIENCE = 5.0  # seconds that somebody who waits for an answer waits for other writers
PROCESS_PATIENCE = 60.0
# What PostgreSQL is told to give up by itself for a process that answers requests: a lock, a statement, a transaction left open.
REQUEST_LIMITS = {"lock_timeout": "5s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables; constraint names are spelled out so that batch migrations can find them on SQLite."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC on both databases; a naive value is a mistake and raises."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: every instant in the database has a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")
Document = JSON().with_variant(JSONB, "postgresql")


def new_id() -> uuid.UUID:
    """A time-ordered UUID (version 7): unique without a round trip, and kind to B-trees."""
    return uuid_utils.compat.uuid7()


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event says BEGIN, the driver never does
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a success answer means on disk
        "busy_timeout=5000",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is purged is overwritten, not only unlinked
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def prepare_engine(engine: Engine) -> None:
    """Give a SQLite engine its pragmas and its explicit BEGIN; PostgreSQL needs nothing."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)


def bound_requests(engine: Engine) -> None:
    """Let no statement of this process keep PostgreSQL, or the person who waits for it, for long. Call it before the first connection."""
    if engine.dialect.name != "postgresql":
        return
    limits = " ".join(f"-c {name}={value}" for name, value in REQUEST_LIMITS.items())

    @event.listens_for(engine, "do_connect")
    def add_limits(_dialect: Dialect, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        given = parameters.get("options") or ""
        if limits not in given:
            parameters["options"] = f"{given} {limits}".strip()


def standalone_engine(url: str) -> Engine:
    """An engine outside the application context, for listeners and benchmarks, with the same manners."""
    engine = create_engine(url, pool_pre_ping=True)
    prepare_engine(engine)
    return engine


class LockTimeout(PoolTimeout):
    """Other writers were before this one for too long; nothing was written."""


@contextmanager
def _queued(engine: Engine) -> Iterator[None]:
    """On SQLite the place of this writer among those of all processes: a person waits seconds for it, a background process longer."""
    if engine.dialect.name != "sqlite" or engine.url.database in (None, "", ":memory:"):
        yield
        return
    patience = REQUEST_PATIENCE if has_request_context() else PROCESS_PATIENCE
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_on(f"{engine.url.database}.lock").held(patience))
        except TimeoutError as error:
            raise LockTimeout("the queue of writers did not move") from error
        yield


def after_commit(callback: Callable[[], None]) -> None:
    """Run `callback` once the transaction under way has been committed; never if it is rolled back."""
    db.session().info.setdefault("after_commit", []).append(callback)


_inserts: dict[type[Base], Insert] = {}


def insert_rows(model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert plain rows of one table inside the transaction under way, past the ORM's unit of work.

    A hot path inserts into ten tables; the statement of each is made once. All rows must have the same keys.
    """
    if not rows:
        return
    statement = _inserts.get(model)
    if statement is None:
        statement = _inserts[model] = insert(cast(Table, model.__table__))
    db.session.connection().execute(statement, rows)


def insert_unless_there(model: type[Base], row: Mapping[str, Any], *key: str) -> bool:
    """Insert a row inside the transaction under way unless one with the same `key` columns is there; whether it was inserted.

    Unlike a caught IntegrityError it leaves the transaction usable when another process was first.
    """
    connection = db.session.connection()
    maker: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[connection.dialect.name]
    table = cast(Table, model.__table__)
    statement = maker(table).values(row).on_conflict_do_nothing(index_elements=list(key)).returning(table.c[key[0]])
    return connection.execute(statement).first() is not None


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of writing. An inner call joins the outer one; the outermost commits, or rolls back on any exception."""
    session: Session = db.session()
    if session.info.get("writing"):
        yield session
        return
    if session.in_transaction():
        session.commit()  # end the read that came before: a deferred transaction cannot become a writer safely
    with _queued(db.engine):
        session.info["writing"] = True
        session.info["after_commit"] = []
        try:
            session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            session.info["after_commit"] = []
            raise
        finally:
            session.info["writing"] = False
    callbacks: list[Callable[[], None]] = session.info.pop("after_commit", [])
    for callback in callbacks:
        callback()
