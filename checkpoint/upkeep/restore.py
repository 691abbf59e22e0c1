"""`flask restore`: an instance lives again from a backup, on SQLite or PostgreSQL, whichever of them it came from.

The whole file is read before anything is touched. Tables are made as they were when the backup was made, filled in one transaction, and
then brought up to the program. A restore that was killed leaves an instance that is still empty: it can be begun again.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import func, inspect, select, table, text

from checkpoint.accounts.permissions import Actor
from checkpoint.audit.models import Heartbeat
from checkpoint.audit.service import record
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict
from checkpoint.privacy import load_keyring
from checkpoint.privacy.keyfiles import MASTER_FILE, KeysUnreadable, put_documents
from checkpoint.upkeep import archive
from checkpoint.upkeep.archive import BackupUnreadable, Opener
from checkpoint.upkeep.backup import own_key, settings, verify
from checkpoint.upkeep.snapshot import Columns, count_on, insert, unordered

# What a migrated instance may hold before anybody has used it.
_OF_NOBODY = {
    "alembic_version",
    "division",
    "division_alias",
    "heartbeat",
    "channel_cursor",
    "risk_state",
    "sealing_sweep",
}
_ALIVE = timedelta(minutes=3)
# What a process has made of keys that are replaced under it.
_MADE_OF_KEYS = ("audit_key", "pass_keys", "vapid")


class RestoreRefused(Conflict):
    """This backup cannot be restored here."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: when the backup was made, and how many rows and files it held."""

    made_at: datetime
    rows: int
    files: int


def opener_for(identity: str | None) -> Opener:
    """What may open a backup here: an age identity that was given, the passphrase of the settings, the instance's own key."""
    own = own_key()[0]
    return Opener((own,) if identity is None else (identity, own), settings().backup_passphrase)


def restore(path: Path, opener: Opener, *, actor: Actor, at: datetime) -> Restored:
    """Bring an empty instance to the state of a backup.

    Raises RestoreRefused when the instance is not empty, its scheduler runs, or the backup is of a newer program; KeysUnreadable when
    the master key is missing; BackupUnreadable and WrongBackupKey. Nothing is changed then.
    """
    _refuse_unless_empty(at)
    read = verify(path, opener)
    contents, manifest = read["contents"], read["manifest"]
    known = {script.revision for script in ScriptDirectory(str(PROJECT_ROOT / "migrations")).walk_revisions()}
    if contents["revision"] not in known:
        raise RestoreRefused("This backup was made by a newer program. Restore it with that one.")
    _take_keys(path, opener, at)
    _empty_tables(contents["revision"])
    _take_rows(path, opener, contents["tables"], manifest)
    flask_migrate.upgrade()
    rows = sum(one["rows"] for one in manifest["tables"].values())
    with transaction():
        record(
            at=at, actor_kind=actor.kind, actor_id=actor.id, act="backup.restored", object_type="backup",
            data={"made_at": contents["made_at"], "rows": rows},
        )  # fmt: skip
    return Restored(datetime.fromisoformat(contents["made_at"]), rows, len(manifest["files"]))


def _refuse_unless_empty(at: datetime) -> None:
    with db.engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
        full = [
            name
            for name in sorted(names - _OF_NOBODY)
            if connection.execute(select(text("1")).select_from(table(name)).limit(1)).first()
        ]
        beaten = connection.scalar(select(func.max(Heartbeat.at))) if "heartbeat" in names else None
    if full:
        raise RestoreRefused(
            f"This instance is in use: there are rows in {', '.join(full[:3])}. Restore into an empty database and CHECKPOINT_DATA."
        )
    if beaten is not None and beaten > at - _ALIVE:
        raise RestoreRefused("The scheduler of this instance is running. Stop the services first.")


def _take_keys(path: Path, opener: Opener, at: datetime) -> None:
    """Keys first: an instance that has them and no rows is still empty."""
    documents: dict[str, bytes] = {}
    with archive.read(path, opener) as members:
        for name, content in members:
            kind, _, rest = name.partition("/")
            if kind == "keys":
                documents[rest] = content
            elif documents:
                break
    master = documents.pop(MASTER_FILE, None)
    data, given = settings().data, settings().master_keys
    try:
        put_documents(data / "keys", documents, f"replaced-{at:%Y%m%dT%H%M%S%f}", given, master)
    except KeysUnreadable as error:
        raise KeysUnreadable(
            "The keys in this backup are sealed under another master key. Give that one in CHECKPOINT_KEY, or put keys/master.key "
            "in its place in CHECKPOINT_DATA, and begin again."
        ) from error
    current_app.extensions["keyring"] = load_keyring(data, given)
    for name in _MADE_OF_KEYS:
        current_app.extensions.pop(name, None)


def _empty_tables(revision: str) -> None:
    """The tables as they were when the backup was made, with nothing in them."""
    db.session.remove()
    with db.engine.connect() as connection:
        is_migrated = inspect(connection).has_table("alembic_version")
    if is_migrated:
        flask_migrate.downgrade(revision="base")
    flask_migrate.upgrade(revision=revision)


def _take_rows(path: Path, opener: Opener, columns: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    known = {name: Columns(name, tuple((one[0], one[1]) for one in found)) for name, found in columns.items()}
    with transaction() as session, archive.read(path, opener) as members:
        connection = session.connection()
        with unordered(connection):
            for name in reversed(known):
                connection.execute(known[name].as_table().delete())  # what a migration puts into a new database
            for name, content in members:
                kind, _, rest = name.partition("/")
                if kind == "tables":
                    insert(connection, known[rest.rpartition("/")[0]], gzip.decompress(content))
                elif kind == "files":
                    _put_part(rest, content)
            for name, wanted in manifest["tables"].items():
                found = connection.scalar(select(func.count()).select_from(known[name].as_table()))
                if found != wanted["rows"]:
                    raise BackupUnreadable(f"{name} should have {wanted['rows']} rows and has {found}.")
        count_on(connection)


def _put_part(rest: str, content: bytes) -> None:
    """One part of a file of CHECKPOINT_DATA; the first one begins the file anew."""
    name, _, number = rest.rpartition("/")
    data = settings().data
    target = (data / name).resolve()
    if not target.is_relative_to(data) or target.is_relative_to(data / "keys"):
        raise BackupUnreadable
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("wb" if int(number) == 0 else "ab") as file:
        file.write(content)
    target.chmod(0o600)
