"""Bringing a parsed list into the database as a draft version, every entry placed as deep as its text allows.

Placing, the costly part, happens before the transaction, and only for places that no earlier list has named: versions
share their areas, so the next list costs what it adds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from checkpoint import regions
from checkpoint.accounts.permissions import Actor
from checkpoint.audit import service as audit
from checkpoint.database import db, transaction
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.regions import RegionIndex, Resolution
from checkpoint.regions import service as regions_service
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, ParsedList, WrongRow
from checkpoint.risk.models import ListState, RiskArea, RiskList, RiskListEntry
from checkpoint.risk.placing import COUNTY, TOWN, Placed, Placer
from checkpoint.risk.publishing import confirm, locked_state

Progress = Callable[[int, int], None]
"""Called now and then with the entries placed so far and in all."""

_CHUNK = 5000
_STEP = 1000
T = TypeVar("T")

Known = tuple[int, int, str | None]
"""An area in the database: id, depth, county code."""


class WrongRows(InvalidInput):
    """Some rows are wrong; nothing was imported. Correct them, or import the list without them."""

    code = "wrong_rows"

    def __init__(self, rows: Sequence[WrongRow]) -> None:
        self.rows = tuple(rows)
        super().__init__(
            [FieldError(f"rows.{row.number}", row.cause, f"row {row.number}: {row.cause}") for row in rows]
        )


class SiteRegions:
    """The region index with this site's aliases, as placing asks for it."""

    def __init__(self) -> None:
        self._index: RegionIndex = regions.default_index()
        self._aliases = regions_service.alias_book()

    def resolve(self, text: str, within: str | None = None) -> Resolution:
        return regions.resolve(text, within, index=self._index, aliases=self._aliases)

    def level(self, code: str) -> int:
        return self._index.level(code)

    def exists(self, code: str) -> bool:
        return self._index.exists(code)

    def has_alias(self, text: str) -> bool:
        return any(alias in text for alias, _ in self._aliases)

    def is_leaf_city(self, code: str) -> bool:
        if self._index.level(code) != 2:
            return False
        below = self._index.children(code)
        return not below or self._index.level(below[0][0]) > COUNTY


def _ignore(_done: int, _total: int) -> None:
    return


def chunks(items: Iterable[T], size: int = _CHUNK) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def import_list(parsed: ParsedList, *, actor: Actor, at: datetime, progress: Progress = _ignore) -> RiskList:
    """Store a list as a draft version and return it; a list that is known by its content is returned as it is.

    A known list that is in force is thereby confirmed as of `at`. Raises WrongRows while the parsed list has any.
    """
    site = SiteRegions()
    wrong = [*parsed.wrong_rows, *_unknown_codes(parsed.entries, site)]
    if wrong:
        raise WrongRows(wrong)
    prints = parsed.fingerprints()
    checksum = parsed.checksum(prints)
    known = db.session.scalar(select(RiskList).where(RiskList.checksum == checksum))
    if known is not None:
        return _seen_again(known, at)
    stored = _area_ids(prints)
    by_print = dict(zip(prints, parsed.entries, strict=True))
    places = _place({print_: entry for print_, entry in by_print.items() if print_ not in stored}, site, progress)
    with transaction() as session:
        locked_state(session, at)
        known = session.scalar(select(RiskList).where(RiskList.checksum == checksum))
        if known is not None:
            return _seen_again(known, at)
        return _store(session, parsed, prints, checksum, stored | _store_areas(session, places), actor, at)


def without_wrong_rows(parsed: ParsedList) -> ParsedList:
    """The list with every wrong row left out, also those whose code is in no register."""
    bad = {wrong.number for wrong in _unknown_codes(parsed.entries, SiteRegions())}
    return replace(parsed, wrong_rows=(), entries=tuple(entry for entry in parsed.entries if entry.row not in bad))


def _seen_again(known: RiskList, at: datetime) -> RiskList:
    return confirm(known.id, at=at) if known.state == ListState.PUBLISHED else known


def _unknown_codes(entries: Iterable[Entry], site: SiteRegions) -> list[WrongRow]:
    return [WrongRow(entry.row, "code_unknown") for entry in entries if entry.code and not site.exists(entry.code)]


def _area_ids(fingerprints: Iterable[bytes]) -> dict[bytes, Known]:
    """What is known of these fingerprints."""
    known: dict[bytes, Known] = {}
    columns = (RiskArea.fingerprint, RiskArea.id, RiskArea.depth, RiskArea.county_code)
    for chunk in chunks(set(fingerprints)):
        for row in db.session.execute(select(*columns).where(RiskArea.fingerprint.in_(chunk))):
            known[bytes(row[0])] = (row[1], row[2], row[3])
    return known


def _place(new: Mapping[bytes, Entry], site: SiteRegions, progress: Progress) -> dict[bytes, tuple[Entry, Placed]]:
    """Fingerprint → entry and place."""
    placer = Placer(site)
    placed: dict[bytes, tuple[Entry, Placed]] = {}
    for done, (print_, entry) in enumerate(new.items(), 1):
        placed[print_] = (entry, placer.place(entry))
        if done % _STEP == 0:
            progress(done, len(new))
    progress(len(new), len(new))
    return placed


def bulk_insert(session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Insert many rows by the fastest door of the database: COPY on PostgreSQL, one prepared statement on SQLite."""
    if not rows:
        return
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        if driver is None:
            raise RuntimeError("the connection is closed")
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own tables
        connection.exec_driver_sql(statement, list(rows))


def _store_areas(session: Session, places: Mapping[bytes, tuple[Entry, Placed]]) -> dict[bytes, Known]:
    """Store the new areas, except those that another import has stored meanwhile; returns all of them."""
    if not places:
        return {}
    meanwhile = _area_ids(places)
    columns = ("fingerprint", "province", "city", "county", "text", "code", "county_code", "depth")
    rows = [
        (fingerprint, entry.province, entry.city, entry.county, entry.text, *placed)
        for fingerprint, (entry, placed) in places.items()
        if fingerprint not in meanwhile
    ]
    bulk_insert(session, _table(RiskArea), columns, rows)
    return _area_ids(places)


def _store(
    session: Session,
    parsed: ParsedList,
    prints: Sequence[bytes],
    checksum: str,
    known: Mapping[bytes, Known],
    actor: Actor,
    at: datetime,
) -> RiskList:
    depths = [known[print_][1:] for print_ in prints]
    counts = parsed.counts
    version = RiskList(
        source=parsed.source,
        published_at=parsed.published_at or at,
        checksum=checksum,
        state=ListState.DRAFT,
        high_count=counts[Level.HIGH],
        middle_count=counts[Level.MIDDLE],
        low_count=counts[Level.LOW],
        county_count=sum(county is not None for _, county in depths),
        town_count=sum(depth >= TOWN for depth, _ in depths),
        imported_at=at,
        imported_by=actor.key,
    )
    session.add(version)
    session.flush()
    named = sorted(
        {
            (version.id, known[print_][0], entry.level.value)
            for print_, entry in zip(prints, parsed.entries, strict=True)
        }
    )
    bulk_insert(session, _table(RiskListEntry), ("list_id", "area_id", "level"), named)
    audit.record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act="risk_list.import",
        object_type="risk_list",
        object_id=version.id,
        data={"high": version.high_count, "middle": version.middle_count, "low": version.low_count},
    )
    return version


def _table(model: type[RiskArea] | type[RiskListEntry]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(model)
    return table
