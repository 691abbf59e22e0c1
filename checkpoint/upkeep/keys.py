"""Sealing keys: making a new one, retiring an old one, and how far the change is."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.audit.models import AuditEntry
from checkpoint.audit.service import record
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, NotFound
from checkpoint.privacy import Keyring, SealBroken, keyring, unseal_bytes
from checkpoint.privacy.keyring import add_sealing_key, drop_sealing_key, use_sealing_key
from checkpoint.upkeep.models import SealingSweep
from checkpoint.upkeep.resealing import remaining
from checkpoint.upkeep.sealed import SealedTable, sealed_tables

# A request or a job that took the old key in hand before the change has long ended; no transaction runs as long.
RETIRE_AFTER = timedelta(hours=1)
# A key that has sealed for a year is due to be changed: what a lost copy of it opens stays bounded.
DUE_AFTER = timedelta(days=365)
_READ = 100


class KeyStillNeeded(Conflict):
    """Values are still sealed under this key; it cannot be retired."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A sealing key by its number. `made_at` is unknown of the first one; `values` is how many values need it, where counted."""

    number: int
    is_current: bool
    made_at: datetime | None
    values: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a table is in its change to the current key; counts are rows."""

    table: str
    looked: int
    resealed: int
    broken: int
    is_done: bool


@dataclass(frozen=True, slots=True)
class KeysState:
    """All sealing keys, and how far the change to the current one is; `is_done` when nothing is left to seal anew.

    `current_since` is unknown (None) of the key that an instance began with.
    """

    keys: tuple[SealingKey, ...]
    current_since: datetime | None
    tables: tuple[Progress, ...]
    is_done: bool

    @property
    def old_keys(self) -> tuple[SealingKey, ...]:
        """Those that sealed before the current one; one that was made and has not sealed yet is none of them."""
        return tuple(
            key for key in self.keys if not key.is_current and (key.made_at is None or self._has_sealed(key.made_at))
        )

    def _has_sealed(self, made_at: datetime) -> bool:
        return self.current_since is not None and made_at < self.current_since

    @property
    def broken(self) -> int:
        """Rows that hold a value which does not open under any key."""
        return sum(table.broken for table in self.tables)


def state(*, count: bool = False) -> KeysState:
    """What there is. With `count` every sealed value is looked at: some seconds for a million people."""
    ring = keyring()
    counts = _counts() if count else {}
    sweeps = {
        sweep.sealed_table: sweep
        for sweep in db.session.scalars(
            select(SealingSweep).where(SealingSweep.key_id == ring.sealing_current),
            execution_options={"populate_existing": True},
        )
    }
    names = [sealed.table.name for sealed in sealed_tables()]
    return KeysState(
        keys=tuple(
            SealingKey(
                number,
                number == ring.sealing_current,
                ring.made.get(number),
                counts.get(number, 0) if count else None,
            )
            for number in sorted(ring.sealing)
        ),
        current_since=ring.current_since,
        tables=tuple(_progress(name, sweeps.get(name)) for name in names),
        is_done=len(ring.sealing) == 1 or all(name in sweeps and sweeps[name].done_at is not None for name in names),
    )


def sealing_since() -> datetime | None:
    """Since when the current key seals; of the one that an instance began with, since its first recorded act. None before that."""
    since = keyring().current_since
    return since or db.session.scalar(select(AuditEntry.at).order_by(AuditEntry.id).limit(1))


def is_due(since: datetime | None, at: datetime) -> bool:
    """Whether a key that has sealed since then is due to be changed."""
    return since is not None and at - since >= DUE_AFTER


def retire_from() -> datetime | None:
    """From when an old key may be retired; None where the current one has sealed from the beginning."""
    since = keyring().current_since
    return None if since is None else since + RETIRE_AFTER


def waiting() -> dict[str, int]:
    """How many rows of each table are still sealed under another key than the current one; every sealed row is looked at."""
    current = keyring().sealing_current
    return {sealed.table.name: number for sealed in sealed_tables() if (number := remaining(sealed, current))}


def _progress(name: str, sweep: SealingSweep | None) -> Progress:
    if sweep is None:
        return Progress(name, 0, 0, 0, False)
    return Progress(name, sweep.looked, sweep.resealed, sweep.broken, sweep.done_at is not None)


def _counts() -> dict[int, int]:
    """How many values are sealed under each key."""
    found: dict[int, int] = {}
    for sealed in sealed_tables():
        for value in sealed.values:
            key = sealed.key_of(value)
            query = select(key, func.count()).where(sealed.column(value).is_not(None)).group_by(key)
            for byte, number in db.session.execute(query):
                found[byte[0]] = found.get(byte[0], 0) + number
    return found


def add(*, actor: Actor, at: datetime) -> int:
    """Make a sealing key that does not seal yet, to be carried to other hosts first; returns its number."""
    with transaction():
        _ring, number = add_sealing_key(keyring(), at)
        _audit("keys.added", number, actor, at)
    return number


def use(number: int, *, actor: Actor, at: datetime) -> None:
    """Seal with a key from now on; what is sealed under others is sealed anew in the background. Raises NotFound."""
    with transaction():
        if number not in keyring().sealing:
            raise NotFound
        use_sealing_key(keyring(), number, at)
        _audit("keys.used", number, actor, at)


def rotate(*, actor: Actor, at: datetime) -> int:
    """Make a new sealing key and seal with it from now on; returns its number."""
    number = add(actor=actor, at=at)
    use(number, actor=actor, at=at)
    return number


def retire(number: int, *, actor: Actor, at: datetime) -> int:
    """Forget a sealing key for good; returns how many values were sealed under it and do not open, so that nobody loses them.

    Raises NotFound, and KeyStillNeeded while it is in use, was in use less than an hour ago, or some value opens with it: those
    tables are then looked through again in the background.
    """
    ring = keyring()
    if number not in ring.sealing:
        raise NotFound
    if number == ring.sealing_current:
        raise KeyStillNeeded("This is the key that seals now. Make a new one first.")
    allowed_from = retire_from()
    if allowed_from is not None and at < allowed_from:
        raise KeyStillNeeded("The key that seals now was made less than an hour ago. Wait until that hour is over.")
    needed: dict[str, int] = {}
    damaged = 0
    for sealed in sealed_tables():
        opened, unopened = _under(sealed, number, ring)
        damaged += unopened
        if opened:
            needed[sealed.table.name] = opened
    if needed:
        with transaction() as session:
            session.execute(
                update(SealingSweep)
                .where(SealingSweep.sealed_table.in_(needed))
                .values(after=None, done_at=None, broken=0)
            )
        told = ", ".join(f"{table} {count}" for table, count in sorted(needed.items()))
        raise KeyStillNeeded(
            f"Values are still sealed under this key: {told}. They are being sealed anew; try again later."
        )
    with transaction():
        drop_sealing_key(ring, number)
        _audit("keys.retired", number, actor, at)
    return damaged


def _under(sealed: SealedTable, number: int, ring: Keyring) -> tuple[int, int]:
    """How many values of a table are sealed under a key: those that open, and those that do not."""
    opened = unopened = 0
    for row, values in _rows_under(sealed, number):
        for value, content in zip(sealed.values, values, strict=True):
            if content is None or content[:1] != bytes((number,)):
                continue
            try:
                unseal_bytes(ring, content, sealed.table.name, value, row)
                opened += 1
            except SealBroken:
                unopened += 1
    return opened, unopened


def _rows_under(sealed: SealedTable, number: int) -> Iterator[tuple[uuid.UUID, tuple[bytes | None, ...]]]:
    columns = [sealed.column(value) for value in sealed.values]
    query = select(sealed.table.c.id, *columns).where(sealed.under(number)).execution_options(yield_per=_READ)
    for row in db.session.execute(query):
        yield row[0], tuple(row[1:])


def _audit(act: str, number: int, actor: Actor, at: datetime) -> None:
    record(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="sealing_key", object_id=number)
