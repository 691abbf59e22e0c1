"""Sealing everything anew under the current key, in the background, in chunks, while the instance serves.

A chunk is read and sealed without any lock; a short transaction then puts each value in the place of exactly the bytes that were read,
so that what somebody has changed meanwhile stays as they left it (and is found by the next look). A kill loses one chunk at most.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from checkpoint.database import db, transaction
from checkpoint.privacy import Keyring, SealBroken, keyring, seal_bytes, unseal_bytes
from checkpoint.upkeep.models import SealingSweep
from checkpoint.upkeep.sealed import SUFFIX, SealedTable, sealed_tables

LOOK = 1000  # rows of which only the key's number is read
CHUNK = 100  # rows that are opened and written in one transaction: with pictures some 30 MB

Change = tuple[uuid.UUID, str, bytes, bytes]  # row, value's name, the bytes that were read, the new ones


def reseal(now: Callable[[], datetime], *, seconds: float) -> int:
    """Go on with the work for some seconds; returns how many rows were sealed anew. Several processes may do so at once."""
    ring = keyring()
    if len(ring.sealing) == 1:
        return 0  # no key was ever added: there is nothing to look for
    end, done = time.monotonic() + seconds, 0
    for sealed in sealed_tables():
        while time.monotonic() < end and (step := _step(sealed, ring, now())) is not None:
            done += step
    return done


def _step(sealed: SealedTable, ring: Keyring, at: datetime) -> int | None:
    """Look at some rows of a table; how many were sealed anew, or None if the table is done."""
    sweep = _sweep(sealed.table.name, ring.sealing_current, at)
    if sweep.done_at is not None:
        return None
    after = sweep.after
    columns = [sealed.key_of(value).label(value) for value in sealed.values]
    query = select(sealed.table.c.id, *columns).order_by(sealed.table.c.id).limit(LOOK)
    rows = db.session.execute(query if after is None else query.where(sealed.table.c.id > after)).all()
    db.session.rollback()  # the read is over: nothing is held while values are sealed
    current = bytes((ring.sealing_current,))
    others = [row.id for row in rows if any(key is not None and key != current for key in row[1:])]
    resealed = broken = 0
    for start in range(0, len(others), CHUNK):
        some = others[start : start + CHUNK]
        changes, unopened = _sealed_anew(sealed, ring, some)
        broken += unopened
        with transaction():
            resealed += write(sealed, changes)
    with transaction() as session:
        kept = session.get(SealingSweep, sealed.table.name, with_for_update=True, populate_existing=True)
        if kept is None or (kept.key_id, kept.after, kept.done_at) != (ring.sealing_current, after, None):
            return resealed  # another process has been here
        kept.looked += len(rows)
        kept.resealed += resealed
        kept.broken += broken
        if len(rows) == LOOK:
            kept.after = rows[-1].id
        elif remaining(sealed, ring.sealing_current) <= kept.broken:
            kept.done_at = at
        else:
            kept.after, kept.broken = None, 0  # somebody wrote under the old key behind us: look again
    return resealed


def _sweep(table: str, key_id: int, at: datetime) -> SealingSweep:
    """The walk through a table for a key, begun now if there is none."""
    found = db.session.get(SealingSweep, table, populate_existing=True)
    if found is not None and found.key_id == key_id:
        return found
    with transaction() as session:
        found = session.get(SealingSweep, table, with_for_update=True, populate_existing=True)
        if found is None or found.key_id != key_id:
            begun = SealingSweep(
                sealed_table=table, key_id=key_id, after=None, looked=0, resealed=0, broken=0, begun_at=at, done_at=None
            )
            found = session.merge(begun)
    return found


def _sealed_anew(sealed: SealedTable, ring: Keyring, rows: Sequence[uuid.UUID]) -> tuple[list[Change], int]:
    """What has to be written to bring some rows under the current key, and how many rows hold a value that does not open."""
    columns = [sealed.column(value).label(value) for value in sealed.values]
    found = db.session.execute(select(sealed.table.c.id, *columns).where(sealed.table.c.id.in_(rows))).all()
    db.session.rollback()
    current = bytes((ring.sealing_current,))
    changes: list[Change] = []
    broken = set()
    for row in found:
        for value, old in zip(sealed.values, row[1:], strict=True):
            if old is None or old[:1] == current:
                continue
            try:
                changes.append((row.id, value, old, _anew(ring, old, sealed.table.name, value, row.id)))
            except SealBroken:
                broken.add(row.id)
    return changes, len(broken)


def _anew(ring: Keyring, old: bytes, table: str, value: str, row: uuid.UUID) -> bytes:
    return seal_bytes(ring, unseal_bytes(ring, old, table, value, row), table, value, row)


def write(sealed: SealedTable, changes: Iterable[Change]) -> int:
    """Put new bytes in the place of those that were read, where they still stand; returns how many rows that concerned.

    The caller has a transaction.
    """
    by_value: dict[str, list[dict[str, Any]]] = {}
    touched = set()
    for row, value, old, new in changes:
        by_value.setdefault(value, []).append({"row": row, "old": old, "new": new})
        touched.add(row)
    for value, some in by_value.items():
        statement = (
            update(sealed.table)
            .where(sealed.table.c.id == bindparam("row"), sealed.column(value) == bindparam("old"))
            .values({value + SUFFIX: bindparam("new")})
        )
        db.session.connection().execute(statement, some)
    return len(touched)


def remaining(sealed: SealedTable, key_id: int) -> int:
    """How many rows of a table hold a value that is sealed under another key than this one."""
    query = select(func.count()).select_from(sealed.table).where(sealed.not_under(key_id))
    return db.session.scalar(query) or 0
