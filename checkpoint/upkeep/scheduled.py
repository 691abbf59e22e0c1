"""Backups by the clock, into the folder that BACKUP_DIR names; the newest BACKUP_KEEP of them are kept."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checkpoint.accounts.permissions import system_actor
from checkpoint.upkeep.backup import UNFINISHED, Made, make, settings

SUFFIX = ".cpbackup"
_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(rf"checkpoint-(\d{{8}}T\d{{6}}Z){re.escape(SUFFIX)}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in the folder: when it was made, and its size in bytes."""

    path: Path
    made_at: datetime
    size: int


def name_at(at: datetime) -> str:
    """What a backup of a moment is called."""
    return f"checkpoint-{at.astimezone(UTC):{_TIME}}{SUFFIX}"


def kept(folder: Path) -> list[Kept]:
    """The backups in a folder, oldest first; what is called otherwise is none of ours."""
    found = [
        Kept(path, datetime.strptime(match[1], _TIME).replace(tzinfo=UTC), path.stat().st_size)
        for path in folder.glob(f"checkpoint-*{SUFFIX}")
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda one: one.made_at)


def make_due(at: datetime, *, always: bool = False) -> Made | None:
    """Make a backup if the newest is old enough, or `always`, and remove those that are too many; none without BACKUP_DIR.

    Two schedulers that share the folder do not both: one holds its lock, and the other makes none.
    """
    chosen = settings()
    folder = chosen.backup_folder
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder) as is_ours:
        if not is_ours:
            return None
        there = kept(folder)
        if there and not always and there[-1].made_at > at - timedelta(hours=chosen.backup_hours):
            return None
        for left in folder.glob(f"checkpoint-*{SUFFIX}{UNFINISHED}"):
            left.unlink()  # of a run that was killed
        made = make(folder / name_at(at), actor=system_actor(chosen.site_division), at=at)
        for old in kept(folder)[: -chosen.backup_keep]:
            old.path.unlink()
        return made


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
