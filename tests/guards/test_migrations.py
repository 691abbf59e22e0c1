"""The revisions are one line, describe the models exactly, and can be taken back."""

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect

from checkpoint import create_app
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from tests.factories import databases


@pytest.fixture
def empty(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """An application on an empty database."""
    url = name = ""
    if backend == "postgresql":
        server: databases.Server = request.getfixturevalue("postgres")
        name = server.create()
        url = server.url_of(name)
    app = create_app(databases.environment(tmp_path / "data", url))
    with app.app_context():
        yield app
    databases.close(app)
    if name:
        server.drop(name)


def test_there_is_one_head() -> None:
    scripts = ScriptDirectory(str(PROJECT_ROOT / "migrations"))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


def test_revisions_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (PROJECT_ROOT / "migrations" / "versions").glob("*.py"))
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]


def test_the_database_is_what_the_models_say(empty: Flask) -> None:
    """What `flask db check` does; it ends the program when it finds a difference."""
    flask_migrate.upgrade()
    flask_migrate.check()
    assert set(inspect(db.engine).get_table_names()) - {"alembic_version"} == set(db.metadata.tables)


def test_revisions_can_be_taken_back(empty: Flask) -> None:
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    flask_migrate.upgrade()
    assert "registration" in inspect(db.engine).get_table_names()
