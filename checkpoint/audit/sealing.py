"""Closing what was audited since into seals, in batches and off every hot path.

An entry may be committed after one with a higher id. A seal therefore takes whatever has no link yet, wherever its id lies, and looks
back as far as a transaction can last.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import exists, func, select

from checkpoint.audit.chain import FIRST, Entry, SealContent, digest, root_of, seal_hash
from checkpoint.audit.models import AuditEntry, AuditLink, AuditSeal
from checkpoint.audit.service import chain_key
from checkpoint.database import db, insert_rows, insert_unless_there, transaction

BATCH = 2000
LONGEST_TRANSACTION = timedelta(hours=1)
_LINKED = exists().where(AuditLink.entry_id == AuditEntry.id)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest seal as a file outside the database remembers it: a database cut back to an earlier seal is noticed."""

    number: int
    hash: bytes


def content_of(row: AuditEntry) -> Entry:
    """The content of a stored entry."""
    return Entry(row.at, row.actor_kind, row.actor_id, row.act, row.object_type, row.object_id, row.purpose, row.data)


def seal_entries(at: datetime, batch: int = BATCH) -> int:
    """Close up to `batch` entries into the next seal; returns how many, 0 when there is nothing new.

    Of two processes that do so at once one finds its number taken and leaves it.
    """
    with transaction() as session:
        newest = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
        above = floor(at)
        is_old = newest is None or newest.is_old
        rows = _unsealed(above, batch, old=True) if is_old else []
        is_old = bool(rows)
        rows = rows or _unsealed(above, batch, old=False)
        if not rows:
            return 0
        digests = [digest(row.id, content_of(row), row.stamp) for row in rows]
        content = SealContent(
            number=1 if newest is None else newest.number + 1,
            first_id=rows[0].id,
            last_id=rows[-1].id,
            count=len(rows),
            is_old=is_old,
            root=root_of(digests),
        )
        hashed = seal_hash(chain_key(), FIRST if newest is None else newest.hash, content)
        values = {name: getattr(content, name) for name in SealContent.__slots__}
        if not insert_unless_there(AuditSeal, {**values, "sealed_at": at, "hash": hashed}, "number"):
            return 0
        links = [
            {"entry_id": row.id, "seal_number": content.number, "digest": one}
            for row, one in zip(rows, digests, strict=True)
        ]
        insert_rows(AuditLink, links)
    _drop_anchor(Anchor(content.number, hashed))
    return len(rows)


def seal_all(at: datetime) -> int:
    """Close everything that waits; returns how many entries."""
    done = 0
    while taken := seal_entries(at):
        done += taken
    return done


def anchor() -> Anchor | None:
    """What the file outside the database remembers; None when there is none."""
    try:
        found = json.loads(_anchor_path().read_text())
        return Anchor(int(found["number"]), b64decode(found["hash"]))
    except FileNotFoundError:
        return None


def floor(at: datetime) -> int:
    """The highest id at or below which no entry of ours can appear any more."""
    settled = select(func.max(AuditSeal.last_id)).where(AuditSeal.sealed_at < at - LONGEST_TRANSACTION)
    return db.session.scalar(settled) or 0


def _unsealed(above: int, batch: int, *, old: bool) -> Sequence[AuditEntry]:
    """Entries without a link, the oldest first: those from before the chain, or those with a stamp."""
    stamped = AuditEntry.stamp.is_(None) if old else AuditEntry.stamp.is_not(None)
    query = select(AuditEntry).where(AuditEntry.id > above, stamped, ~_LINKED).order_by(AuditEntry.id).limit(batch)
    return db.session.scalars(query).all()


def _anchor_path() -> Path:
    folder: Path = current_app.extensions["settings"].data
    return folder / "audit-head.json"


def _drop_anchor(newest: Anchor) -> None:
    path = _anchor_path()
    known = anchor()
    if known is not None and known.number >= newest.number:
        return
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"number": newest.number, "hash": b64encode(newest.hash).decode()}))
    temporary.replace(path)
