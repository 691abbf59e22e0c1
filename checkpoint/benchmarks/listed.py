"""A registry of people who can be told apart, and a list in which some of them stand, each in one of the ways that lists write."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from checkpoint.cli import synthetic
from checkpoint.cli.simulate import world
from checkpoint.database import insert_rows, new_id, transaction
from checkpoint.privacy import keyring, lookup_hash, seal
from checkpoint.registrations.models import Registration, RegistrationState, Traveller

CHUNK = 5000
LIST_CHUNK = 500_000
HEADER = "序号,姓名,证件号码,联系电话,车次,车牌号"
_WEIGHTS = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
_CHECKS = np.array(list("10X98765432"))
_COUNTIES = (330400, 310115, 320583, 110108, 440305, 420106, 510107, 610113, 230102)
_TRADITIONAL = str.maketrans("张刘陈杨黄赵吴孙马罗郑谢许韩邓冯", "張劉陳楊黃趙吳孫馬羅鄭謝許韓鄧馮")


@dataclass(frozen=True, slots=True)
class Known:
    """A registered person, as the list's maker needs them."""

    name: str
    document: str
    phone: str


def fill(people: int, at: datetime, *, keep_every: int, seed: int = 7) -> tuple[list[Known], pl.DataFrame]:
    """Store people, one registration each, a third with a plate; returns every so-many-th of them, and everybody's document and phone."""
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    ring, places, kept = keyring(), world(), []
    documents, phones = [], []
    for start in range(0, people, CHUNK):
        travellers, registrations = [], []
        for number in range(start, min(start + CHUNK, people)):
            person, row, trip = new_id(), new_id(), synthetic.resident_id(rng, rng.choice(places.near))
            known = Known(synthetic.name(rng), trip, f"1{rng.choice('35789')}{rng.randrange(10**9):09d}")
            documents.append(known.document)
            phones.append(known.phone)
            if number % keep_every == 0:
                kept.append(known)
            travellers.append(
                {
                    "id": person,
                    "name_sealed": seal(ring, known.name, "traveller", "name", person),
                    "id_type": "resident_id",
                    "id_number_sealed": seal(ring, known.document, "traveller", "id_number", person),
                    "id_number_hash": lookup_hash(ring, "document", f"resident_id:{known.document}"),
                    "phone_sealed": seal(ring, "+86" + known.phone, "traveller", "phone", person),
                    "phone_hash": lookup_hash(ring, "phone", "+86" + known.phone),
                    "created_at": at,
                }
            )
            plate = f"浙F{rng.randrange(100_000):05d}" if number % 3 == 0 else None
            registrations.append(
                {
                    "id": row,
                    "traveller_id": person,
                    "state": RegistrationState.INSIDE.value,
                    "destination_code": rng.choice(places.destinations),
                    "arriving_on": (at - timedelta(days=rng.randrange(14))).date(),
                    "transport": "car" if plate else "train",
                    "plate_sealed": seal(ring, plate, "registration", "plate", row) if plate else None,
                    "plate_hash": lookup_hash(ring, "plate", plate) if plate else None,
                    "symptoms": [],
                    "tier": "green",
                    "assessment_id": new_id(),
                    "state_version": 0,
                    "created_at": at,
                    "updated_at": at,
                }
            )
        with transaction():
            insert_rows(Traveller, travellers)
            insert_rows(Registration, registrations)
    return kept, pl.DataFrame({"document": documents, "phone": phones})


def write_list(path: Path, rows: int, known: Sequence[Known], *, seed: int = 11) -> None:
    """A CSV of so many people, among them those who are known, evenly spread: 70 % by their document, the others less plainly."""
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    numbers = np.random.default_rng(seed)
    every = max(1, rows // max(1, len(known)))
    with path.open("wb") as file:
        file.write(HEADER.encode() + b"\n")
        for start in range(0, rows, LIST_CHUNK):
            size = min(LIST_CHUNK, rows - start)
            table = _strangers(numbers, start, size)
            placed = [
                (at, _written(rng, start + at, known[(start + at) // every]))
                for at in range((-start) % every, size, every)
                if (start + at) // every < len(known)
            ]
            lines = table.get_column("line").to_list()
            for at, line in placed:
                lines[at] = line
            file.write(("\n".join(lines) + "\n").encode())


def _strangers(numbers: np.random.Generator, start: int, size: int) -> pl.DataFrame:
    body = np.char.add(numbers.choice(np.array(_COUNTIES), size).astype("U6"), _days(numbers, size))
    body = np.char.add(body, numbers.integers(100, 1000, size).astype("U3"))
    digits = body.view("U1").reshape(size, 17).astype(np.int64)
    check = _CHECKS[(digits * _WEIGHTS).sum(axis=1) % 11]
    surnames, given = np.array(list(synthetic.SURNAMES)), np.array(list(synthetic.GIVEN))
    table = pl.DataFrame(
        {
            "number": np.arange(start + 1, start + size + 1),
            "surname": numbers.choice(surnames, size),
            "first": numbers.choice(given, size),
            "second": numbers.choice(given, size),
            "body": body,
            "check": check,
            "phone": numbers.integers(13_000_000_000, 19_999_999_999, size),
        }
    )
    return table.select(
        pl.format(
            "{},{}{}{},{}{},{},D{},",
            "number",
            "surname",
            "first",
            "second",
            "body",
            "check",
            "phone",
            pl.col("number") % 9000 + 1000,
        ).alias("line")
    )


def _days(numbers: np.random.Generator, size: int) -> "np.ndarray[tuple[int], np.dtype[np.str_]]":
    days = np.datetime64("1940-01-01") + numbers.integers(0, 29_000, size)
    return np.char.replace(days.astype("U10"), "-", "").astype("U8")


def _written(rng: random.Random, number: int, person: Known) -> str:
    """A known person as one of the ways of lists has them; the shares stand in the order of the choices."""
    document, phone, name = person.document, "", person.name
    way = rng.choices(("whole", "phone", "slip", "masked", "short", "written"), (70, 10, 5, 5, 5, 5))[0]
    if way == "phone":
        document, phone = "", person.phone
    elif way == "slip":
        at = rng.randrange(6, 17)
        document = document[:at] + str((int(document[at]) + 1) % 10) + document[at + 1 :]
    elif way == "masked":
        document = document[:6] + "*" * 8 + document[14:]
    elif way == "short":
        document = document[:6] + document[8:17]
    elif way == "written":
        document, phone, name = "", person.phone, name.translate(_TRADITIONAL)
    return f"{number + 1},{name},{document},{phone},D{rng.randrange(1000, 9999)},"
