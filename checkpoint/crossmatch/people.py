"""The registry for matching: the keys of everybody, made by several processes, and the few people whom a list may mean, opened.

Sealed names, documents, phones and plates are opened in memory, turned into keys and forgotten. A key is a person's number in the
order of their ids.
"""

import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, RowMapping, Table, select
from sqlalchemy.orm import InstrumentedAttribute

from checkpoint.database import db, standalone_engine
from checkpoint.inquiries.blocking import MAX_ROWS, Blocker, Keys, message, registered_blocks
from checkpoint.inquiries.evidence import Person, read_person
from checkpoint.inquiries.registry import Registry
from checkpoint.privacy import Keyring, SealBroken, fresh, keyring, load_keyring, unseal
from checkpoint.registrations.models import Registration, RegistrationState, Traveller

SLICE = 10_000
_IN_ONE_QUERY = 400
_HERE = {RegistrationState.INSIDE.value: 3, RegistrationState.DECLARED.value: 2}


class TooManyPeople(ValueError):
    """More people are registered than their numbers have room for."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Some people to open, from one id to another, both included; the first one has the number `base`."""

    url: str
    data: str
    low: uuid.UUID
    high: uuid.UUID
    base: int
    size: int
    block_key: bytes


@lru_cache(maxsize=1)
def _tools(url: str, data: str) -> tuple[Engine, Keyring]:
    return standalone_engine(url), load_keyring(Path(data))


def open_slice(opening: Opening) -> Keys:
    """The sorted keys of some people. Runs in a worker process with a connection of its own."""
    engine, first = _tools(opening.url, opening.data)
    ring = fresh(first)
    people, trips = Traveller.__table__, Registration.__table__
    with engine.connect() as connection:
        plates: dict[uuid.UUID, list[str]] = {}
        for trip, person, sealed in connection.execute(
            select(trips.c.id, trips.c.traveller_id, trips.c.plate_sealed).where(
                trips.c.traveller_id.between(opening.low, opening.high), trips.c.plate_sealed.is_not(None)
            )
        ):
            plate = _opened(ring, sealed, "registration", "plate", trip)
            if plate not in (known := plates.setdefault(person, [])):
                known.append(plate)
        rows = connection.execute(
            select(people.c.id, people.c.name_sealed, people.c.id_number_sealed, people.c.phone_sealed)
            .where(people.c.id.between(opening.low, opening.high))
            .order_by(people.c.id)
            .limit(opening.size)
        ).all()
    messages: list[bytes] = []
    owners: list[int] = []
    for number, (person, name, document, phone) in enumerate(rows, opening.base):
        blocks = registered_blocks(
            _opened(ring, name, "traveller", "name", person),
            _opened(ring, document, "traveller", "id_number", person),
            _opened(ring, phone, "traveller", "phone", person),
            plates.get(person, ()),
        )
        found = [message(block) for block in blocks]
        messages += found
        owners += [number] * len(found)
    keys = Blocker(opening.block_key).keys(b"".join(messages)) | np.array(owners, np.uint64)
    keys.sort()
    return keys


def _opened(ring: Keyring, sealed: bytes | None, table: str, column: str, row: uuid.UUID) -> str:
    """A sealed text; empty if there is none, or if it does not open: one damaged row must not hide all others."""
    if sealed is None:
        return ""
    try:
        return unseal(ring, sealed, table, column, row)
    except SealBroken:
        return ""


class Ids:
    """Everybody's ids by number, 16 bytes each: a million UUIDs as objects would take ten times the memory."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, one: uuid.UUID) -> None:
        self._bytes += one.bytes

    def __len__(self) -> int:
        return len(self._bytes) // 16

    def __getitem__(self, number: int) -> uuid.UUID:
        return uuid.UUID(bytes=bytes(self._bytes[16 * number : 16 * number + 16]))


def ids_of(people: Iterable[uuid.UUID]) -> Ids:
    """Some people, numbered in their order."""
    found = Ids()
    for one in people:
        found.add(one)
    return found


def slices(url: str, data: Path, block_key: bytes) -> tuple[Ids, list[Opening]]:
    """Everybody's ids in order, and the work of opening them in slices."""
    ids = ids_of(db.session.scalars(select(Traveller.id).order_by(Traveller.id).execution_options(yield_per=SLICE)))
    db.session.rollback()
    if len(ids) > MAX_ROWS:
        raise TooManyPeople
    return ids, [
        Opening(url, str(data), ids[at], ids[min(at + SLICE, len(ids)) - 1], at, min(SLICE, len(ids) - at), block_key)
        for at in range(0, len(ids), SLICE)
    ]


def open_registry(openings: Iterable[Opening], pool: Executor) -> Registry:
    """The keys of everybody."""
    parts = [part for part in pool.map(open_slice, openings) if len(part)]
    keys = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    keys.sort()
    return Registry.of(keys)


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered person as somebody who may be meant, with the trip that tells where they are."""

    person_hash: bytes
    name: str
    document: str
    phone: str
    plates: tuple[str, ...]
    registration_id: uuid.UUID
    division_code: str
    is_here: bool

    def beside(self, plate: str) -> Person:
        """The person made ready for comparison, with the plate that the list names if it is theirs."""
        ours = next((known for known in self.plates if known == plate), next(iter(self.plates), ""))
        return read_person(self.name, self.document, self.phone, None, ours)


def registered(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Registered]:
    """Some travellers, opened, by id. Who has only withdrawn trips is left out; of several trips the one that is here, else the newest."""
    found: dict[uuid.UUID, Registered] = {}
    ring = keyring()
    for start in range(0, len(ids), _IN_ONE_QUERY):
        some = ids[start : start + _IN_ONE_QUERY]
        trips = _trips(some)
        people = _rows(Traveller.__table__, Traveller.id, some)
        for row in people:
            mine = trips.get(row["id"])
            if mine:
                found[row["id"]] = _person(ring, row, mine)
    return found


def _rows(table: Any, column: InstrumentedAttribute[uuid.UUID], values: Sequence[uuid.UUID]) -> Sequence[RowMapping]:
    chosen: Table = table
    return db.session.execute(select(chosen).where(column.in_(values))).mappings().all()


def _trips(travellers: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[RowMapping]]:
    """The trips of some travellers, the one that tells where they are first."""
    found: dict[uuid.UUID, list[RowMapping]] = {}
    for row in _rows(Registration.__table__, Registration.traveller_id, travellers):
        if row["state"] != RegistrationState.WITHDRAWN.value:
            found.setdefault(row["traveller_id"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (_HERE.get(row["state"], 1), row["created_at"]), reverse=True)
    return found


def _person(ring: Keyring, row: RowMapping, trips: Sequence[RowMapping]) -> Registered:
    plates = (_opened(ring, trip["plate_sealed"], "registration", "plate", trip["id"]) for trip in trips)
    return Registered(
        person_hash=row["id_number_hash"],
        name=_opened(ring, row["name_sealed"], "traveller", "name", row["id"]),
        document=_opened(ring, row["id_number_sealed"], "traveller", "id_number", row["id"]),
        phone=_opened(ring, row["phone_sealed"], "traveller", "phone", row["id"]),
        plates=tuple(dict.fromkeys(filter(None, plates))),
        registration_id=trips[0]["id"],
        division_code=trips[0]["destination_code"],
        is_here=trips[0]["state"] in _HERE,
    )
