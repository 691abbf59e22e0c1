"""Databases for tests: a migrated template with the small division tree, copied for each test, on both databases.

A PostgreSQL database is called `checkpoint_test_<process>_<worker>_<number>`, so that several test runs and all workers
of one run can share a server; what a killed run left behind is dropped by the next one on the same machine.
"""

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import NullPool, create_engine, select, text

from checkpoint import create_app
from checkpoint.database import db, transaction
from checkpoint.regions.build import build_index
from tests.factories import divisions

DEFAULT_SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
UNREACHABLE = (
    "No PostgreSQL for the tests: set TEST_DATABASE_URL=postgresql://user:password@host:port/postgres (a user who may "
    "create databases), or run scripts/test, which starts one."
)
_NAME = re.compile(r"checkpoint_test_(\d+)_")
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
_numbers = itertools.count(1)


def environment(data: Path, database_url: str = "", **more: str) -> dict[str, str]:
    """The settings of a test instance: its own folder, no Redis, no limit that a test would meet by accident."""
    values = {"CHECKPOINT_DATA": str(data), "REGISTRATION_LIMIT": "100000 per minute", "WEB_THREADS": "4", **more}
    if database_url:
        values["DATABASE_URL"] = database_url
    return values


def close(app: Flask) -> None:
    """Give back every connection of an application."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def prepare(app: Flask) -> None:
    """Migrate as an operator does, then store the tree."""
    with app.app_context():
        flask_migrate.upgrade()
        with transaction() as session:
            divisions.insert_divisions(session)
    close(app)


def make_template(folder: Path) -> Path:
    """A data folder with keys, region index and a migrated SQLite file, to be copied for each test."""
    app = create_app(environment(folder))
    build_index(divisions.rows(), folder / "regions.idx")
    prepare(app)
    (folder / "checkpoint.sqlite").chmod(0o600)
    return folder


def copy_template(template: Path, data: Path, *, with_database: bool) -> Path:
    """A fresh data folder for one test."""
    shutil.copytree(template, data, ignore=None if with_database else shutil.ignore_patterns("*.sqlite*"))
    return data


class Server:
    """A PostgreSQL server on which tests may create databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError as error:
            raise RuntimeError(f"{UNREACHABLE} ({error})") from error

    def url_of(self, database: str) -> str:
        """The SQLAlchemy address of a database on this server."""
        base, _, query = self.url.partition("?")
        address = base.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://", 1)
        return f"{address}/{database}" + (f"?{query}" if query else "")

    def create(self) -> str:
        """A new empty database; returns its name."""
        name = f"checkpoint_test_{os.getpid()}_{_WORKER}_{next(_numbers)}"
        empty = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        self._connection.execute(sql.SQL(empty).format(sql.Identifier(name)))
        return name

    def drop(self, name: str) -> None:
        """Drop a database, also when a test left a connection to it."""
        self._connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def disconnect(self, name: str, but: int = 0) -> None:
        """End every session in a database, except that of the server process `but`."""
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
        self._connection.execute(query, [name, but])

    def drop_left_over(self) -> None:
        """Drop the databases of test runs on this machine whose process is gone."""
        rows = self._connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'checkpoint_test_%'"
        ).fetchall()
        for (name,) in rows:
            match = _NAME.match(name)
            if match and self._connection.info.host in ("127.0.0.1", "localhost", "::1") and not _alive(int(match[1])):
                self.drop(name)

    def close(self) -> None:
        self._connection.close()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def server() -> Iterator[Server]:
    """The server that TEST_DATABASE_URL names, or the one on the loopback."""
    url = os.environ.get("TEST_DATABASE_URL", "").strip() or DEFAULT_SERVER
    found = Server(url.replace("postgresql+psycopg://", "postgresql://", 1))
    found.drop_left_over()
    try:
        yield found
    finally:
        found.close()


_USED_SEQUENCES = "SELECT quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"


class Shared:
    """One migrated PostgreSQL database that the tests of a worker use one after another, each finding it fresh.

    Emptying the tables takes milliseconds; making and dropping a database for each test would make the server write a
    checkpoint each time.
    """

    def __init__(self, on: Server, folder: Path) -> None:
        self._server = on
        self.name = on.create()
        self.url = on.url_of(self.name)
        prepare(create_app(environment(folder, self.url)))
        self._engine = create_engine(self.url, poolclass=NullPool)
        self._tables = db.metadata.sorted_tables
        with self._engine.connect() as connection:
            found = {table: connection.execute(select(table)).mappings().all() for table in self._tables}
            self._rows = {table: [dict(row) for row in rows] for table, rows in found.items() if rows}
        # Most tests write to a few of a hundred tables: asking which is quicker than emptying all.
        asked = (f'SELECT {at} WHERE EXISTS (SELECT FROM "{one.name}")' for at, one in enumerate(self._tables))  # noqa: S608
        self._written = " UNION ALL ".join(asked)
        self._open = (
            self._engine.connect()
        )  # kept, since a new session would have to read the catalogue of them all again

    def reset(self) -> None:
        """Bring the database back to its first state, ending whatever a test left connected."""
        connection = self._open
        self._server.disconnect(self.name, but=connection.connection.dbapi_connection.info.backend_pid)
        with connection.begin():
            connection.exec_driver_sql(
                "SET LOCAL checkpoint.rewrite_audit = 'on'"
            )  # the trail refuses to be emptied else
            written = [self._tables[at] for at in sorted(connection.exec_driver_sql(self._written).scalars())]
            sequences = connection.scalars(text(_USED_SEQUENCES)).all()
            empty = [f'DELETE FROM "{table.name}"' for table in reversed(written)]  # noqa: S608 - our own names
            empty += [f"ALTER SEQUENCE {name} RESTART" for name in sequences]
            if empty:
                connection.exec_driver_sql("; ".join(empty))
            for table in self._tables:
                if table in self._rows:
                    connection.execute(table.insert(), self._rows[table])

    def drop(self) -> None:
        """Remove it from the server."""
        self._open.close()
        self._engine.dispose()
        self._server.drop(self.name)
