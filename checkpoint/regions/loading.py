"""Bringing the national tree into the database: compare first, then write only what differs.

A division that has vanished from the source is marked retired and never deleted, because stays, people and listed areas
point at it by foreign key. Both databases take the rows by their fastest door: COPY on PostgreSQL, one prepared INSERT on SQLite.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkpoint.database import db
from checkpoint.regions.models import Division
from checkpoint.regions.places import DivisionRow
from checkpoint.regions.source import full_name

Progress = Callable[[str, int, int | None], None]
"""Called with the stage ("compare", "write", "index"), the rows done so far, and the rows in all if they are known."""

Row = tuple[str, str, int, str | None, str, bool]
_COLUMNS = "code, name, level, parent_code, full_name, retired"
_BATCH = 20_000
T = TypeVar("T")


@dataclass(slots=True)
class Difference:
    """What the database lacks (`new`), has otherwise (`changed`), and has but the source no longer does (`gone`: codes)."""

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    total: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def with_full_names(rows: Iterable[DivisionRow]) -> Iterator[Row]:
    """The rows as the table holds them. Parents come first, so that each name is one append to its parent's."""
    lineage: dict[str, tuple[str, ...]] = {}
    for row in rows:
        path = (*lineage.get(row.parent or "", ()), row.name)
        if row.level < 5:
            lineage[row.code] = path
        yield row.code, row.name, row.level, row.parent, full_name(path), False


def _stored() -> dict[str, tuple[int, bool]]:
    """Code → (hash of the row, retired). Hashes, because 665,000 rows of text twice would take 500 MB."""
    connection = db.session.connection()
    result = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(
        select(Division.code, Division.name, Division.level, Division.parent_code, Division.full_name, Division.retired)
    )
    return {row[0]: (hash(tuple(row)), row[5]) for row in result}


def compare(rows: Iterable[DivisionRow], progress: Progress) -> Difference:
    """The difference between the source and the database."""
    stored = _stored()
    difference = Difference()
    for done, row in enumerate(with_full_names(rows), 1):
        known = stored.pop(row[0], None)
        if known is None:
            difference.new.append(row)
        elif known[0] != hash(row):
            difference.changed.append(row)
        if done % _BATCH == 0:
            progress("compare", done, None)
        difference.total = done
    difference.gone = [code for code, (_, retired) in stored.items() if not retired]
    progress("compare", difference.total, difference.total)
    return difference


def write(session: Session, difference: Difference, progress: Progress) -> None:
    """Insert, update, retire; inside the caller's transaction."""
    total = len(difference.new) + len(difference.changed) + len(difference.gone)
    done = 0
    insert = _copy if session.connection().dialect.name == "postgresql" else _insert
    for batch in _batches(difference.new):
        insert(session, batch)
        done += len(batch)
        progress("write", done, total)
    for batch in _batches(difference.changed):
        _update(session, batch)
        done += len(batch)
        progress("write", done, total)
    retire = Division.__table__.update()  # type: ignore[attr-defined]
    for codes in _batches(difference.gone, 500):
        session.execute(retire.where(Division.code.in_(codes)).values(retired=True))
        done += len(codes)
        progress("write", done, total)


def _batches(items: list[T], size: int = _BATCH) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _copy(session: Session, rows: list[Row]) -> None:
    driver = session.connection().connection.driver_connection
    assert driver is not None  # noqa: S101 - a checked-out connection always has its driver's
    with driver.cursor() as cursor, cursor.copy(f"COPY division ({_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert(session: Session, rows: list[Row]) -> None:
    session.connection().exec_driver_sql(
        f"INSERT INTO division ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
        list(rows),
    )


def _update(session: Session, rows: list[Row]) -> None:
    mark = "%s" if session.connection().dialect.name == "postgresql" else "?"
    statement = (
        f"UPDATE division SET name = {mark}, level = {mark}, parent_code = {mark}, full_name = {mark}, "  # noqa: S608 - a constant
        f"retired = {mark} WHERE code = {mark}"
    )
    session.connection().exec_driver_sql(statement, [(*row[1:], row[0]) for row in rows])
