"""`flask backup`: everything that an instance needs to live again, in one sealed file, made while it serves.

Members in their order: `contents.json` (versions, columns of the tables), the key files (sealed under the master key, which is only inside
when asked for), the files of CHECKPOINT_DATA that are no database, the rows of each table as gzipped batches, `manifest.json` (counts and
SHA-256 of all of it). Rows are those of one snapshot: what was committed before it began is there once, what came later is not.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy.engine import Connection

from checkpoint.accounts.permissions import Actor
from checkpoint.audit.service import record
from checkpoint.config import PROJECT_ROOT, Settings
from checkpoint.database import transaction
from checkpoint.errors import Conflict
from checkpoint.privacy.keyfiles import MASTER_FILE, master_text, sealed_documents
from checkpoint.privacy.keyring import key_document
from checkpoint.upkeep import archive
from checkpoint.upkeep.archive import Member, Opener, new_identity
from checkpoint.upkeep.snapshot import Columns, batches, revision, snapshot, tables

FORMAT = 1
PART = 8 * 1024 * 1024  # a file of the instance is carried in parts of this size
UNFINISHED = ".part"
_FOLDERS = ("inquiries",)
_FILES = ("regions.idx",)
_SPEED = 1  # sealed bytes do not shrink; the rest does at once


class BackupRefused(Conflict):
    """This backup cannot be made now."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written and read back: its size in bytes, and how many rows and files it holds."""

    path: Path
    size: int
    rows: int
    files: int


def settings() -> Settings:
    """The settings of this instance."""
    found: Settings = current_app.extensions["settings"]
    return found


def own_key() -> tuple[str, str]:
    """The age identity and recipient of this instance, for backups that name nobody else; it lies in the folder of keys."""

    def make() -> dict[str, object]:
        identity, recipient = new_identity()
        return {"identity": identity, "recipient": recipient}

    found = key_document(settings().data, "backup.json", make)
    return str(found["identity"]), str(found["recipient"])


def newest_revision() -> str | None:
    """The revision of this program's models."""
    return ScriptDirectory(str(PROJECT_ROOT / "migrations")).get_current_head()


def make(path: Path, *, actor: Actor, at: datetime, with_keys: bool = False) -> Made:
    """Write a backup and read it back before it gets its name.

    It opens for the recipients or with the passphrase of the settings, else with this instance's own key. Raises BackupRefused if
    there is such a file or the database is not migrated, BackupFailed if it cannot be written; nothing is left behind then.
    """
    if path.exists():
        raise BackupRefused("There is a file of this name already.")
    chosen = settings()
    recipients = chosen.backup_recipients or (() if chosen.backup_passphrase else (own_key()[1],))
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.unlink(missing_ok=True)  # of a run that was killed
    manifest = _Manifest()
    try:
        opener = archive.write(
            unfinished,
            _members(manifest, at, with_keys),
            recipients=recipients,
            passphrase=None if recipients else chosen.backup_passphrase,
        )
        if verify(unfinished, opener)["manifest"] != manifest.as_dict():
            raise archive.BackupFailed(
                "The backup was written and did not read back as it should. Nothing was left behind."
            )
        size = unfinished.stat().st_size
        unfinished.replace(path)
    except OSError as error:
        raise archive.BackupFailed(
            f"The backup could not be written: {error.strerror}. Nothing was left behind."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    _to_disk(path.parent)
    made = Made(path, size, sum(rows for rows, _digest in manifest.tables.values()), len(manifest.files))
    with transaction():
        record(
            at=at, actor_kind=actor.kind, actor_id=actor.id, act="backup.made", object_type="backup",
            data={"bytes": made.size, "rows": made.rows, "files": made.files},
        )  # fmt: skip
    return made


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Manifest:
    """Counts and digests, as they come about."""

    def __init__(self) -> None:
        self.tables: dict[str, tuple[int, str]] = {}
        self.files: dict[str, str] = {}

    def as_dict(self) -> dict[str, Any]:
        return {
            "tables": {name: {"rows": rows, "sha256": digest} for name, (rows, digest) in self.tables.items()},
            "files": self.files,
        }


def _members(manifest: _Manifest, at: datetime, with_keys: bool) -> Iterator[Member]:
    with snapshot() as connection:
        found = revision(connection)
        if found != newest_revision():
            raise BackupRefused("The database is not that of this program. Run `flask db upgrade` first.")
        known = list(tables())
        contents = {
            "format": FORMAT,
            "made_at": at.isoformat(),
            "revision": found,
            "database": connection.dialect.name,
            "site": settings().site_division,
            "tables": {table.table: [list(column) for column in table.columns] for table in known},
        }
        yield "contents.json", json.dumps(contents).encode()
        yield from _keys(with_keys)
        # Before the rows, which may take minutes: the files of an inquiry that ends meanwhile would be gone.
        yield from _files(manifest)
        for table in known:
            yield from _rows(connection, table, manifest)
        yield "manifest.json", json.dumps(manifest.as_dict()).encode()


def _keys(with_master: bool) -> Iterator[Member]:
    folder = settings().data / "keys"
    for name, content in sealed_documents(folder).items():
        yield f"keys/{name}", content
    if with_master:
        yield f"keys/{MASTER_FILE}", master_text(folder, settings().master_keys)


def _files(manifest: _Manifest) -> Iterator[Member]:
    data = settings().data
    paths = [data / name for name in _FILES]
    for folder in _FOLDERS:
        paths += [path for path in sorted((data / folder).rglob("*")) if path.suffix != ".new"]
    for path in paths:
        if path.is_file():
            yield from _parts(path, str(path.relative_to(data)), manifest)


def _parts(path: Path, name: str, manifest: _Manifest) -> Iterator[Member]:
    digest = hashlib.sha256()
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # of an inquiry that has just ended
    with file:
        number = 0
        while (content := file.read(PART)) or not number:
            digest.update(content)
            yield f"files/{name}/{number:06d}", content
            number += 1
    manifest.files[name] = digest.hexdigest()


def _rows(connection: Connection, table: Columns, manifest: _Manifest) -> Iterator[Member]:
    digest, rows = hashlib.sha256(), 0
    for number, (held, batch) in enumerate(batches(connection, table)):
        digest.update(batch)
        rows += held
        yield f"tables/{table.table}/{number:06d}.cbor.gz", gzip.compress(batch, _SPEED, mtime=0)
    manifest.tables[table.table] = rows, digest.hexdigest()


def verify(path: Path, opener: Opener) -> dict[str, Any]:
    """Read a whole backup and compare it with its own manifest; returns `contents` and `manifest`.

    Raises BackupUnreadable and WrongBackupKey.
    """
    tables_: dict[str, Any] = {}
    files: dict[str, Any] = {}
    contents: Any = None
    manifest: Any = None
    try:
        with archive.read(path, opener) as members:
            for name, content in members:
                kind, _, rest = name.partition("/")
                if name == "contents.json":
                    contents = json.loads(content)
                elif name == "manifest.json":
                    manifest = json.loads(content)
                elif kind == "tables":
                    tables_.setdefault(rest.rpartition("/")[0], hashlib.sha256()).update(gzip.decompress(content))
                elif kind == "files":
                    files.setdefault(rest.rpartition("/")[0], hashlib.sha256()).update(content)
    except (ValueError, EOFError) as error:
        raise archive.BackupUnreadable from error
    if not isinstance(manifest, dict) or not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise archive.BackupUnreadable
    empty = hashlib.sha256().hexdigest()
    found = {name: digest.hexdigest() for name, digest in tables_.items()}
    wanted = {name: table["sha256"] for name, table in manifest["tables"].items()}
    if {name: found.get(name, empty) for name in wanted} != wanted or set(found) - set(wanted):
        raise archive.BackupUnreadable
    if {name: digest.hexdigest() for name, digest in files.items()} != manifest["files"]:
        raise archive.BackupUnreadable
    return {"contents": contents, "manifest": manifest}
