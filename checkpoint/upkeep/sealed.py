"""Every sealed column there is, found in the tables themselves, so that none can be forgotten.

The rule of the house: a column called `<name>_sealed` holds bytes that are bound to `table|name|id`, and its table has a UUID `id`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Table, Uuid, and_, func, or_

from checkpoint.database import db

SUFFIX = "_sealed"


class OddColumn(TypeError):
    """A column is called sealed and cannot be: it must hold bytes, and its table must have a UUID `id`."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with the names of its sealed values as they are bound: `name`, where the column is `name_sealed`."""

    table: Table
    values: tuple[str, ...]

    def column(self, value: str) -> ColumnElement[Any]:
        """The column that holds a value."""
        return self.table.c[value + SUFFIX]

    def key_of(self, value: str) -> ColumnElement[bytes]:
        """The byte that names the key under which a value is sealed; null where there is no value."""
        return func.substr(self.column(value), 1, 1, type_=LargeBinary)

    def under(self, key_id: int) -> ColumnElement[bool]:
        """Rows with a value that is sealed under a key."""
        return or_(*(self.key_of(value) == bytes((key_id,)) for value in self.values))

    def not_under(self, key_id: int) -> ColumnElement[bool]:
        """Rows with a value that is sealed under any other key."""
        return or_(
            *(and_(self.column(value).is_not(None), self.key_of(value) != bytes((key_id,))) for value in self.values)
        )


def sealed_tables() -> Iterator[SealedTable]:
    """All tables with sealed columns, by name. Raises OddColumn."""
    for name in sorted(db.metadata.tables):
        table = db.metadata.tables[name]
        values = tuple(column.name.removesuffix(SUFFIX) for column in table.c if column.name.endswith(SUFFIX))
        if not values:
            continue
        is_bytes = all(isinstance(table.c[value + SUFFIX].type, LargeBinary) for value in values)
        if not is_bytes or "id" not in table.c or not isinstance(table.c.id.type, Uuid):
            raise OddColumn(f"{name}: {OddColumn.__doc__}")
        yield SealedTable(table, values)
