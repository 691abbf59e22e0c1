"""`scripts/bench dump`: people register, then everything that the database holds is searched for every word that they gave.

Searched is what a thief would have: on SQLite `.dump`, the bytes of the file and its write-ahead log; on PostgreSQL the rows of all
tables as COPY writes them, which is what pg_dump keeps. Every secret is looked for as it is, in hexadecimal as dumps show bytes, and with
JSON's escapes.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from flask import current_app
from psycopg import sql
from sqlalchemy import Engine

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.benchmarks import report
from checkpoint.benchmarks.instance import prepared
from checkpoint.cli.simulate import world
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration

FULL, QUICK = 10_000, 1_000
_BLOCK = 1 << 23  # characters searched at once: the search is set up for each block
_LAP = 4096  # characters of one block that the next repeats: no secret is cut in two
# Surnames and given names that no place, no list and no other text of the instance holds.
_RARE = "龘靐齉爨灪籲鱻麤龗钃驫鸞"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Marked:
    """What one person gives, all of it findable."""

    name: str
    document: str
    phone: str
    plate: str
    address: str
    words: str

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.name, self.document, self.phone, self.plate, self.address, self.words


def marked(number: int) -> Marked:
    """The person of a number, different in everything from all others; up to 20,735 of them."""
    first, second, third, fourth = (_RARE[number // 12**place % 12] for place in range(4))
    body = f"110101{1940 + number % 60}{1 + number % 12:02d}{1 + number % 28:02d}{number % 1000:03d}"
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]
    return Marked(
        name=f"{first}{second}{third}{fourth}",
        document=body + check,
        phone=f"1991{number:07d}",
        plate=f"京Z{number:05d}",
        address=f"{fourth}{third}弄{number}号{first}室",
        words=f"{second}{fourth}村口第{number}家{third}店",
    )


def declaration(person: Marked, destination: str, zone: str, at: datetime) -> dict[str, Any]:
    """What the person sends: a place and a stay in words of their own."""
    today = clock.local_date(at, zone).isoformat()
    return {
        "client_id": str(uuid.uuid4()),
        "name": person.name,
        "id_type": "resident_id",
        "id_number": person.document,
        "phone": person.phone,
        "origin": {"text": person.words},
        "stays": [{"text": person.words, "from": today, "to": today}],
        "destination": {"code": destination, "address": person.address},
        "arriving_on": today,
        "transport": "car",
        "plate": person.plate,
        "companions": [],
        "symptoms": [],
        "tests": [],
    }


def register(people: Sequence[Marked], destination: str, *, actor: Actor, at: datetime) -> None:
    """Let everybody register by the door that travellers use. In an application context."""
    zone = current_app.extensions["settings"].timezone
    for person in people:
        body = Declaration.model_validate(declaration(person, destination, zone, at))
        registrations.submit(body, actor=actor, at=at)
        db.session.remove()


def dump(engine: Engine) -> Iterator[str]:
    """The database as its own tools write it, in blocks that overlap."""
    if engine.dialect.name == "postgresql":
        yield from _overlapping(_copied(engine))
        return
    path = Path(str(engine.url.database))
    with closing(sqlite3.connect(path)) as connection:
        yield from _overlapping(f"{line}\n" for line in connection.iterdump())
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.exists():
            with file.open("rb") as raw:
                yield from _overlapping(part.decode("utf-8", "ignore") for part in iter(lambda: raw.read(_BLOCK), b""))


def _copied(engine: Engine) -> Iterator[str]:
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        for table in db.metadata.sorted_tables:
            copying = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table.name))
            with connection.cursor().copy(copying) as copy:
                for part in copy:
                    yield bytes(part).decode()


def _overlapping(parts: Iterable[str]) -> Iterator[str]:
    held = ""
    for part in parts:
        held += part
        if len(held) >= _BLOCK:
            yield held
            held = held[-_LAP:]
    yield held


def forms(secret: str) -> tuple[str, ...]:
    """How a text may stand in a dump: as it is, as bytes, escaped in JSON, and that again with COPY's doubled backslashes."""
    escaped = json.dumps(secret)[1:-1]
    return tuple(dict.fromkeys((secret, secret.encode().hex(), escaped, escaped.replace("\\", "\\\\"))))


def search(blocks: Iterable[str], secrets: Iterable[str]) -> tuple[set[str], int]:
    """Which secrets stand in some text, in whatever form, and how many characters were searched."""
    by_form = {form.lower(): secret for secret in secrets for form in forms(secret)}
    patterns = pl.Series(list(by_form), dtype=pl.String).implode()
    found: set[str] = set()
    searched = 0
    for block in blocks:
        searched += len(block)
        hits = pl.DataFrame({"block": [block]}).select(
            pl.col("block").str.extract_many(patterns, ascii_case_insensitive=True)
        )
        found |= {by_form[hit.lower()] for hit in hits.item()}
    return found, searched


def measure(server: str | None, people: int) -> tuple[str, dict[str, float]]:
    """Where it ran, and the figures."""
    with prepared(server, {}) as instance, instance.app.app_context():
        settings: Settings = instance.settings
        everybody = [marked(number) for number in range(people)]
        register(everybody, world().destinations[0], actor=system_actor(settings.site_division), at=clock.now())
        begun = time.monotonic()
        found, searched = search(dump(db.engine), (secret for person in everybody for secret in person.secrets))
        return report.machine(instance), {
            "registrations": people,
            "secrets": 6 * people,
            "searched_mib": round(searched / 2**20, 1),
            "found": len(found),
            "search_s": round(time.monotonic() - begun, 1),
        }
