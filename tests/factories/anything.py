"""Rows for any table that is only known by its columns: of the models, or as a database of an older revision shows it."""

import itertools
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from checkpoint.database import UtcDateTime

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_START = datetime(2022, 3, 1, 8, tzinfo=UTC)
_numbers = itertools.count(1)

Row = dict[str, Any]


def fill(connection: Connection, tables: Iterable[sa.Table], *, rounds: int = 2) -> dict[str, list[Row]]:
    """Insert `rounds` rows into each table, parents first, every column filled; returns them by table.

    A foreign key of the n-th row points at the n-th of its table. No two values of a column are the same, where its type has room for that.
    """
    made: dict[str, list[Row]] = {}
    for table in tables:
        for at in range(rounds):
            row = {
                column.name: _referred(column, made, at)
                if column.foreign_keys
                else value(column, connection.dialect.name)
                for column in table.columns
            }
            connection.execute(table.insert(), row)
            made.setdefault(table.name, []).append(row)
    return made


def _referred(column: sa.Column[Any], made: Mapping[str, list[Row]], at: int) -> Any:
    key = next(iter(column.foreign_keys))
    table, _, name = key.target_fullname.rpartition(".")
    rows = made.get(table, [])
    return rows[at][name] if at < len(rows) else None


def value(column: sa.Column[Any], dialect: str) -> Any:  # noqa: C901 - one line for each type there is
    """Something that a column can hold, and that no other row has."""
    number, kind = next(_numbers), column.type
    if isinstance(kind, sa.Uuid):
        return uuid.UUID(int=(0x01800000_0000_7000_8000 << 48) + number)
    if isinstance(kind, sa.CHAR) and kind.length == 32:  # a UUID as SQLite keeps it
        return uuid.UUID(int=(0x01800000_0000_7000_8000 << 48) + number).hex
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, sa.SmallInteger):
        return number % 30_000
    if isinstance(kind, sa.Integer):
        return number
    if isinstance(kind, sa.Float | sa.Numeric):
        return number / 4
    if isinstance(kind, sa.String):
        return _word(number, min(kind.length or 40, 40))
    if isinstance(kind, sa.LargeBinary):
        return number.to_bytes(min(kind.length or 40, 40), "big")
    if isinstance(kind, UtcDateTime):
        return _START + timedelta(seconds=number, microseconds=number)
    if isinstance(kind, sa.DateTime):
        instant = _START + timedelta(seconds=number)
        return instant.replace(tzinfo=None) if dialect == "sqlite" else instant
    if isinstance(kind, sa.Date):
        return date(2022, 1, 1) + timedelta(days=number % 20_000)
    if isinstance(kind, sa.JSON):
        return {"number": number, "word": "研判", "none": None, "parts": [1.5, True]}
    raise TypeError(f"{column}: nothing is known about {kind!r}")


def _word(number: int, length: int) -> str:
    """A number as a text that fills the column, so that a column that has become shorter would show."""
    shown = ""
    while number:
        number, digit = divmod(number, 36)
        shown = _DIGITS[digit] + shown
    return shown.rjust(length, "0")[-length:]
