"""A second instance beside the one of the test: its own folder, its own keys, an empty database of either kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask

from checkpoint import create_app
from tests.factories import databases


@contextmanager
def empty(kind: str, data: Path, postgres: databases.Server, *, migrated: bool = True, **more: str) -> Iterator[Flask]:
    """An application that nobody has used, with its context pushed."""
    name = postgres.create() if kind == "postgresql" else ""
    app = create_app(databases.environment(data, postgres.url_of(name) if name else "", **more))
    try:
        with app.app_context():
            if migrated:
                flask_migrate.upgrade()
            yield app
    finally:
        databases.close(app)
        if name:
            postgres.drop(name)
