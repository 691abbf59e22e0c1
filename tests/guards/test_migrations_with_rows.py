"""A database of any released revision comes up to the program with everything that was in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask

from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from tests.factories import anything, databases, instances

REVISIONS = [
    script.revision
    for script in ScriptDirectory(str(PROJECT_ROOT / "migrations")).walk_revisions(base="base", head="heads")
][::-1]


@pytest.fixture
def empty(backend: str, tmp_path: Path, postgres: databases.Server) -> Iterator[Flask]:
    """An application on a database that has no tables yet."""
    with instances.empty(backend, tmp_path / "data", postgres, migrated=False) as app:
        yield app


def tables() -> list[sa.Table]:
    """The tables as the database has them, parents first."""
    found = sa.MetaData()
    found.reflect(db.engine)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def test_rows_of_every_revision_come_up_to_the_newest(empty: Flask) -> None:
    """At each revision two rows go into every table that it has; all of them then pass through every revision that follows."""
    assert len(REVISIONS) > 10
    put: list[tuple[str, dict[str, list[anything.Row]]]] = []
    for revision in REVISIONS:
        flask_migrate.upgrade(revision=revision)
        with db.engine.begin() as connection:
            put.append((revision, anything.fill(connection, tables())))
    newest = {table.name: table for table in tables()}
    assert set(newest) == set(db.metadata.tables)
    with db.engine.connect() as connection:
        there = {name: _by_key(table, connection) for name, table in newest.items()}
    lost = [
        f"{revision}: {name}: {sorted(row)}"
        for revision, made in put
        for name, rows in made.items()
        for row in rows
        if not _is_kept(row, there[name].get(_key(newest[name], row)))
    ]
    assert lost == []


def _key(table: sa.Table, row: Any) -> tuple[Any, ...]:
    return tuple(row[part.name] for part in table.primary_key)


def _by_key(table: sa.Table, connection: sa.Connection) -> dict[tuple[Any, ...], Any]:
    rows = connection.execute(sa.select(table)).mappings()
    return {_key(table, row): row for row in rows}


def _is_kept(row: anything.Row, kept: Any) -> bool:
    """Whether a row is there with all that has kept its name."""
    return kept is not None and all(kept[name] == value for name, value in row.items() if name in kept)
