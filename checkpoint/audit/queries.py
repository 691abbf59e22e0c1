"""Reading the trail: searched by who, what, about what and when, the newest first; and line by line for export."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select

from checkpoint.audit.models import AuditEntry, AuditLink
from checkpoint.database import db

EXPORT_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; what is empty does not limit. `act` is an act or the start of one, `since` and `until` are instants."""

    actor_id: str = ""
    act: str = ""
    object_type: str = ""
    object_id: str = ""
    purpose: str = ""
    since: datetime | None = None
    until: datetime | None = None


def page(search: Search, *, before: int | None = None, limit: int = 100) -> tuple[Sequence[AuditEntry], int | None]:
    """One page of what was found, the newest first, and the id `before` which the next begins; None on the last."""
    query = _found(search).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = db.session.scalars(query).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def acts() -> Sequence[str]:
    """Every act that was ever audited, by name: one step along the index for each, however long the trail is."""
    known: list[str] = []
    while True:
        query = select(AuditEntry.act).order_by(AuditEntry.act).limit(1)
        found = db.session.scalar(query.where(AuditEntry.act > known[-1]) if known else query)
        if found is None:
            return known
        known.append(found)


def number(search: Search) -> int:
    """How many entries there are of what is looked for."""
    return db.session.scalar(select(func.count()).select_from(AuditEntry).where(*_conditions(search))) or 0


def lines(search: Search) -> Iterator[str]:
    """Each entry found as one line of JSON, the oldest first, with its seal and digest: enough to verify it elsewhere."""
    after = 0
    while True:
        query = (
            select(AuditEntry, AuditLink)
            .join(AuditLink, AuditLink.entry_id == AuditEntry.id, isouter=True)
            .where(*_conditions(search), AuditEntry.id > after)
            .order_by(AuditEntry.id)
            .limit(EXPORT_CHUNK)
        )
        rows = db.session.execute(query).all()
        for entry, link in rows:
            yield json.dumps(_line(entry, link), ensure_ascii=False) + "\n"
        if len(rows) < EXPORT_CHUNK:
            return
        after = rows[-1][0].id
        db.session.expunge_all()


def _line(entry: AuditEntry, link: AuditLink | None) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "act": entry.act,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "purpose": entry.purpose,
        "data": entry.data,
        "stamp": None if entry.stamp is None else entry.stamp.hex(),
        "seal": None if link is None else link.seal_number,
        "digest": None if link is None else link.digest.hex(),
    }


def _found(search: Search) -> Select[AuditEntry]:
    return select(AuditEntry).where(*_conditions(search))


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (AuditEntry.actor_id, search.actor_id),
        (AuditEntry.object_type, search.object_type),
        (AuditEntry.object_id, search.object_id),
    ):
        if value:
            wanted.append(column == value)
    if search.act:
        wanted.append(AuditEntry.act.startswith(search.act, autoescape=True))
    if search.purpose:
        wanted.append(AuditEntry.purpose.icontains(search.purpose, autoescape=True))
    if search.since is not None:
        wanted.append(AuditEntry.at >= search.since)
    if search.until is not None:
        wanted.append(AuditEntry.at < search.until)
    return wanted
