"""How migrations run: on the application's own engine, in one transaction, with batch mode for SQLite."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from checkpoint.database import UtcDateTime

target = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types into revisions: a revision must not change when the code does."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def compare_type(_context: Any, _inspected: Any, _column: Any, found: Any, wanted: Any) -> bool | None:
    """UtcDateTime is a plain timestamp underneath; let Alembic compare the rest."""
    if isinstance(wanted, UtcDateTime):
        return not isinstance(found, sa.DateTime)
    return None


def run() -> None:
    """Upgrade or compare on the application's database."""
    settings = dict(current_app.extensions["migrate"].configure_args)
    settings.update(render_item=render_item, compare_type=compare_type, render_as_batch=True)
    with target.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target.metadata, **settings)
        with context.begin_transaction():
            context.run_migrations()


run()
