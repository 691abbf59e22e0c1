"""The verbs of an inquiry: take a list in, confirm its columns, follow how far it is read, put it in force, end it.

Matching itself, which needs the registry, is `checkpoint.crossmatch`; looking up one person is `lookup.py`.
"""

import hashlib
import os
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import TAKEN_BACK, note_change
from checkpoint.audit import service as audit
from checkpoint.config import Settings
from checkpoint.database import db, new_id, transaction
from checkpoint.disclosure import meter
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.inquiries.alarming import group_key
from checkpoint.inquiries.columns import UnknownColumn, guess, is_enough, mapped
from checkpoint.inquiries.converting import convert
from checkpoint.inquiries.listfile import bad_rows, destroy, folder_of, remove_sources
from checkpoint.inquiries.models import ENDED, Inquiry, InquiryChunk, InquiryHit, InquiryState
from checkpoint.inquiries.reading import Shape, Span, shape_of
from checkpoint.privacy import keyring, secret_tag
from checkpoint.risk.policy import Tier

SAMPLE_SHOWN = 5
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Details:
    """What somebody says of a list: who asks, for which case, how grave, on what legal basis, valid between which days."""

    source: str
    case: str
    level: str
    legal_basis: str
    valid_from: date
    valid_until: date


def data_folder() -> Path:
    """The folder of this instance."""
    settings: Settings = current_app.extensions["settings"]
    return settings.data


def block_key() -> bytes:
    """The secret of the keys by which listed and registered people are found (blocking.py); one for the instance."""
    return secret_tag(keyring(), "inquiry blocks", b"1", _KEY_BYTES)


def seal_key(inquiry: Inquiry) -> bytes:
    """The key of an inquiry's folder. Raises NotFound when its rows are gone."""
    if inquiry.key is None:
        raise NotFound
    return b64decode(inquiry.key)


def _check(details: Details) -> None:
    for field, value, most in (
        ("source", details.source, 120),
        ("legal_basis", details.legal_basis, 200),
    ):
        if not value.strip() or len(value) > most:
            raise InvalidInput.one(field, "missing" if not value.strip() else "too_long", f"1 to {most} characters")
    if len(details.case) > 200:
        raise InvalidInput.one("case", "too_long", "at most 200 characters")
    if details.level not in set(Tier):
        raise InvalidInput.one("level", "literal_error", "level must be red, yellow or green")
    if details.valid_until < details.valid_from:
        raise InvalidInput.one("valid_until", "dates", "The last day is before the first.")


def take_in(source: Path, details: Details, *, actor: Actor, at: datetime, keep: bool = True) -> Inquiry:
    """Take a file in as a draft, with the columns that its header names. Raises Unreadable, or InvalidInput for the details.

    With `keep` the file is moved into the inquiry's folder, else it is read where it lies and left there (the command line).
    """
    _check(details)
    inquiry_id = new_id()
    folder = folder_of(data_folder(), inquiry_id.hex)
    folder.mkdir(parents=True, mode=0o700)
    try:
        ours = folder / "source"
        if keep:
            source.replace(ours)
            ours.chmod(0o600)
        else:
            ours.symlink_to(source.resolve())
        file_format = convert(ours, folder / "table.csv")
        shape = shape_of(_table(folder))
        with ours.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        size = ours.stat().st_size
        return _store(inquiry_id, details, file_format, shape, digest, size, actor, at)
    except BaseException:
        destroy(data_folder(), inquiry_id.hex)
        raise


def _table(folder: Path) -> Path:
    converted = folder / "table.csv"
    return converted if converted.exists() else folder / "source"


def table_of(inquiry: Inquiry) -> Path:
    """The plain table of an inquiry that has not been read to its end."""
    return _table(folder_of(data_folder(), inquiry.id.hex))


def _store(
    inquiry_id: uuid.UUID,
    details: Details,
    file_format: str,
    shape: Shape,
    digest: bytes,
    size: int,
    actor: Actor,
    at: datetime,
) -> Inquiry:
    inquiry = Inquiry(
        id=inquiry_id,
        source=details.source.strip(),
        level=details.level,
        legal_basis=details.legal_basis.strip(),
        valid_from=details.valid_from,
        valid_until=details.valid_until,
        state=InquiryState.DRAFT.value,
        file_format=file_format,
        encoding=shape.encoding,
        size=size,
        sha256=digest,
        mapping=_mapping(shape, guess(shape.header, shape.sample), {"quoted": True}),
        rows=0,
        bad_rows=0,
        created_at=at,
        created_by=actor.key,
    )
    inquiry.case = details.case.strip() or None
    with transaction() as session:
        session.add(inquiry)
        _audit(actor, "inquiry.upload", inquiry.id, at, {"format": file_format, "size": size})
    return inquiry


def _mapping(shape: Shape, columns: Mapping[str, int], more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "columns": dict(columns),
        "header": list(shape.header) if shape.header is not None else None,
        "separator": shape.separator,
        "width": shape.width,
        "start": shape.start,
        "before": shape.before,
        **more,
    }


def _audit(actor: Actor, act: str, inquiry_id: uuid.UUID, at: datetime, data: dict[str, Any] | None = None) -> None:
    audit.record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="inquiry",
        object_id=inquiry_id,
        data=data,
    )


def locked(session: Session, inquiry_id: uuid.UUID) -> Inquiry:
    """An inquiry as it is now, locked for the rest of the transaction. Raises NotFound."""
    found = session.scalars(
        select(Inquiry).where(Inquiry.id == inquiry_id).with_for_update().execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound
    return found


def confirm(inquiry_id: uuid.UUID, columns: Mapping[str, str], *, actor: Actor, at: datetime) -> Inquiry:
    """Say which column is what (field → header or `#number`) and let the list be read. A second time is harmless.

    Raises InvalidInput for a column that is not there, or when the columns cannot find anybody.
    """
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        if inquiry.state != InquiryState.DRAFT.value:
            return inquiry
        layout = dict(inquiry.mapping or {})
        try:
            found = mapped({field: column for field, column in columns.items() if column}, layout.get("header"))
        except UnknownColumn as error:
            raise InvalidInput.one(
                str(error.args[1]), "unknown_column", f"There is no column {error.args[0]}."
            ) from error
        if not is_enough(found):
            raise InvalidInput.one(
                "document", "not_enough", "Choose a document, a phone, a plate, or a name with a birth date."
            )
        layout["columns"] = found
        layout["width"] = max(layout["width"], *(column + 1 for column in found.values()))
        inquiry.mapping = layout
        inquiry.state = InquiryState.WAITING.value
        _audit(actor, "inquiry.confirm", inquiry.id, at)
    return inquiry


def begin(inquiry_id: uuid.UUID, *, at: datetime) -> Inquiry:
    """The list is being read: make the key of its folder, or go on with the one it has."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        if inquiry.state not in (InquiryState.WAITING.value, InquiryState.MATCHING.value):
            raise Conflict
        inquiry.state = InquiryState.MATCHING.value
        inquiry.started_at = inquiry.started_at or at
        if inquiry.key is None:
            inquiry.key = b64encode(os.urandom(_KEY_BYTES)).decode()
    return inquiry


def plan(inquiry_id: uuid.UUID, parts: Sequence[Span], *, quoted: bool) -> list[InquiryChunk]:
    """Store the parts in which a list is read, unless that was done before; returns all of them in order."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        known = chunks(inquiry_id)
        if known:
            return known
        session.add_all(
            InquiryChunk(
                inquiry_id=inquiry_id, number=number, start=part.start, end=part.end,
                first_row=part.first_row, rows=part.rows, bad_rows=0, candidates=0,
            )
            for number, part in enumerate(parts)
        )  # fmt: skip
        inquiry.mapping = {**(inquiry.mapping or {}), "quoted": quoted}
        session.flush()
    return chunks(inquiry_id)


def chunks(inquiry_id: uuid.UUID) -> list[InquiryChunk]:
    """The parts of a list in order."""
    query = select(InquiryChunk).where(InquiryChunk.inquiry_id == inquiry_id).order_by(InquiryChunk.number)
    return list(db.session.scalars(query))


def chunk_done(inquiry_id: uuid.UUID, number: int, *, rows: int, bad_rows: int, candidates: int, at: datetime) -> None:
    """Note that a part is done; in the transaction that stores whom it found. Raises Conflict if the inquiry has ended meanwhile."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        if inquiry.state != InquiryState.MATCHING.value:
            raise Conflict
        session.execute(
            update(InquiryChunk)
            .where(InquiryChunk.inquiry_id == inquiry_id, InquiryChunk.number == number)
            .values(rows=rows, bad_rows=bad_rows, candidates=candidates, done_at=at)
        )
        inquiry.rows += rows
        inquiry.bad_rows += bad_rows
        session.flush()


def finished(inquiry_id: uuid.UUID, *, actor: Actor, at: datetime) -> Inquiry:
    """The list is read to its end and in force: from now on everybody new is held against it."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        if inquiry.state != InquiryState.MATCHING.value:
            raise Conflict
        inquiry.state = InquiryState.IN_FORCE.value
        inquiry.matched_at = at
        _audit(actor, "inquiry.matched", inquiry.id, at, {"rows": inquiry.rows, "bad_rows": inquiry.bad_rows})
    remove_sources(folder_of(data_folder(), inquiry_id.hex))
    return inquiry


def failed(inquiry_id: uuid.UUID, cause: str, data: dict[str, Any], *, at: datetime) -> None:
    """The list cannot be read; its folder goes."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        inquiry.state = InquiryState.FAILED.value
        inquiry.problem, inquiry.problem_data = cause, data
        inquiry.ended_at = at
        inquiry.key = None
    destroy(data_folder(), inquiry_id.hex)


def wrong_rows(
    inquiry_id: uuid.UUID, *, actor: Actor, at: datetime
) -> tuple[Inquiry, list[dict[str, str | int | bool]]]:
    """The wrong rows of a list, opened, in order; who fetched them is noted. Raises NotFound when the rows are gone."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        rows = list(bad_rows(data_folder(), inquiry.id.hex, seal_key(inquiry)))
        _audit(actor, "inquiry.wrong_rows", inquiry.id, at, {"rows": len(rows)})
    meter.shown(actor, more=len(rows), at=at)
    return inquiry, rows


def withdraw(inquiry_id: uuid.UUID, *, actor: Actor, at: datetime) -> Inquiry:
    """Take an inquiry back as if it had never been: its rows are destroyed and its alerts retracted, those excepted that somebody has
    resolved. A second time is harmless."""
    with transaction() as session:
        inquiry = locked(session, inquiry_id)
        if inquiry.state in ENDED:
            return inquiry
        _end(session, inquiry, InquiryState.WITHDRAWN, actor, at)
        _retract(session, inquiry, actor, at)
        _audit(actor, "inquiry.withdraw", inquiry.id, at)
    destroy(data_folder(), inquiry_id.hex)
    return inquiry


def expire(today: date, *, actor: Actor, at: datetime) -> int:
    """End the inquiries whose last day has passed: their rows and what was kept of them are destroyed; returns how many."""
    ids = db.session.scalars(
        select(Inquiry.id).where(
            Inquiry.valid_until < today,
            Inquiry.state.not_in((*ENDED, InquiryState.MATCHING.value, InquiryState.FAILED.value)),
        )
    ).all()
    for inquiry_id in ids:
        with transaction() as session:
            inquiry = locked(session, inquiry_id)
            if inquiry.state in ENDED:
                continue
            _end(session, inquiry, InquiryState.EXPIRED, actor, at)
            _audit(actor, "inquiry.expire", inquiry.id, at)
        destroy(data_folder(), inquiry_id.hex)
    return len(ids)


def _end(session: Session, inquiry: Inquiry, state: InquiryState, actor: Actor, at: datetime) -> None:
    inquiry.state = state.value
    inquiry.ended_at, inquiry.ended_by = at, actor.key
    inquiry.key = None
    session.execute(update(InquiryHit).where(InquiryHit.inquiry_id == inquiry.id).values(listed_sealed=None))
    session.flush()


def _retract(session: Session, inquiry: Inquiry, actor: Actor, at: datetime) -> None:
    states = (*LIVE_STATES, AlertState.NOTICE.value)
    alerts = session.scalars(
        select(Alert)
        .where(Alert.group_key == group_key(inquiry.id), Alert.state.in_(states))
        .order_by(Alert.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for alert in alerts:
        alert.state = AlertState.RETRACTED.value
    session.flush()
    for alert in alerts:
        note_change(alert.id, alert.division_code, "retracted", actor, at, wave=TAKEN_BACK)
