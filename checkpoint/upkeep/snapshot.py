"""Rows as plain values that are the same on SQLite and PostgreSQL, read from one snapshot and written in one transaction.

A batch is CBOR: a list of rows, each a list of values in the order of the columns. Each column has a kind: uuid, bytes, instant, date,
boolean, integer, float, text, document (JSON as its own text, so that JSON's null and none at all stay apart).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cbor2
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from checkpoint.database import Document, UtcDateTime, db

BATCH = 2000
_TYPES: dict[str, Any] = {
    "uuid": sa.Uuid(),
    "bytes": sa.LargeBinary(),
    "instant": UtcDateTime(),
    "date": sa.Date(),
    "boolean": sa.Boolean(),
    "integer": sa.BigInteger(),
    "float": sa.Float(),
    "text": sa.Text(),
    "document": Document,
}
# The first that fits: a boolean is no integer, and an instant is a decorated type.
_KINDS: tuple[tuple[str, Any], ...] = (
    ("uuid", sa.Uuid),
    ("bytes", sa.LargeBinary),
    ("instant", UtcDateTime),
    ("date", sa.Date),
    ("boolean", sa.Boolean),
    ("integer", sa.Integer),
    ("float", sa.Float),
    ("document", sa.JSON),
    ("text", sa.String),
)


class UnknownColumn(TypeError):
    """A column has a type that backups do not know."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A table as a backup knows it: its name, and the name and kind of each column."""

    table: str
    columns: tuple[tuple[str, str], ...]

    def as_table(self) -> sa.Table:
        """The table for reading and writing, without its keys."""
        return sa.Table(self.table, sa.MetaData(), *(sa.Column(name, _TYPES[kind]) for name, kind in self.columns))


def tables() -> Iterator[Columns]:
    """Every table of the models, parents first."""
    for table in db.metadata.sorted_tables:
        yield Columns(table.name, tuple((column.name, _kind(column)) for column in table.columns))


def _kind(column: sa.Column[Any]) -> str:
    for kind, wanted in _KINDS:
        if isinstance(column.type, wanted):
            return kind
    raise UnknownColumn(f"{column}: {UnknownColumn.__doc__}")


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection that sees the database as it is now, whatever is written meanwhile; it blocks nobody."""
    if db.engine.dialect.name == "postgresql":
        frozen = db.engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    else:
        frozen = db.engine.connect()  # BEGIN DEFERRED on the write-ahead log is a snapshot from its first read on
    with frozen as connection:
        if connection.dialect.name == "postgresql":
            # A city's rows take minutes, longer than any request may.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection


def revision(connection: Connection) -> str | None:
    """The revision of the database; none where there are no tables yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def batches(connection: Connection, of: Columns) -> Iterator[tuple[int, bytes]]:
    """The rows of a table: how many a batch holds, and the batch."""
    table = of.as_table()
    wanted = [sa.cast(table.c[name], sa.Text) if kind == "document" else table.c[name] for name, kind in of.columns]
    rows = connection.execute(sa.select(*wanted).execution_options(yield_per=BATCH))
    for part in rows.partitions():
        yield len(part), cbor2.dumps([list(row) for row in part], date_as_datetime=False)


def insert(connection: Connection, of: Columns, batch: bytes) -> int:
    """Insert a batch; returns how many rows it had."""
    names = [name for name, _kind in of.columns]
    rows: Sequence[Sequence[Any]] = cbor2.loads(batch)
    values: Mapping[str, Any] = {
        name: _document(name, connection.dialect.name) if kind == "document" else sa.bindparam(name)
        for name, kind in of.columns
    }
    statement = of.as_table().insert().values(values)
    connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
    return len(rows)


def _document(name: str, dialect: str) -> Any:
    given = sa.bindparam(name, type_=sa.Text())
    return sa.cast(given, JSONB) if dialect == "postgresql" else given


@contextmanager
def unordered(connection: Connection) -> Iterator[None]:
    """Let rows be inserted before those that they refer to; all references are checked at the end, inside the same transaction."""
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield
        return
    found = connection.execute(
        sa.text("SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint "
                "WHERE contype = 'f' AND NOT condeferrable AND connamespace = current_schema()::regnamespace")
    ).all()  # fmt: skip
    for table, name in found:
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED")
    yield
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table, name in found:
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE")


def count_on(connection: Connection) -> None:
    """Let the numbers that the database gives out go on behind those that were inserted; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in db.metadata.sorted_tables:
        for column in table.primary_key:
            owned = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
            if owned is not None:
                highest = connection.scalar(sa.select(sa.func.max(column)))
                connection.execute(sa.select(sa.func.setval(owned, highest or 1, highest is not None)))
