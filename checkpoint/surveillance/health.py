"""How each part of the running system stands: what an operator must know before the people at the barrier notice.

Registrations and scans go on while Redis, the feeds, the channels or the scheduler are dead; what then waits, or is looser than it
should be, is said here. Nothing personal is in it. Looking is cheap: the audit chain itself is verified elsewhere, here only whether
it grows and whether its newest seal is the one that the file outside the database remembers.
"""

import enum
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import func, select, text

from checkpoint.audit.models import AuditEntry, AuditLink, AuditSeal, Heartbeat
from checkpoint.audit.sealing import anchor
from checkpoint.channels.models import ChannelTarget, Delivery, DeliveryState
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.limiting import REDIS_PATIENCE
from checkpoint.risk.models import RiskState
from checkpoint.risk.service import current_state
from checkpoint.surveillance.models import RiskFeed
from checkpoint.upkeep.scheduled import kept

SCHEDULER_LATE = timedelta(minutes=3)
DELIVERY_LATE = timedelta(minutes=15)
SEAL_LATE = timedelta(minutes=10)
ROOM_LOW, ROOM_GONE = 0.1, 0.02  # shares of the disk that are free
MIB = 1 << 20


class Grade(enum.StrEnum):
    """`off` is not set up, and nothing is wrong with that; `failing` works less well; `down` does not work."""

    FINE = "fine"
    OFF = "off"
    FAILING = "failing"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `since` is its last sign, or the oldest thing that waits for it; `count` of what fails, or of MiB that are free."""

    name: str
    grade: Grade
    since: datetime | None = None
    count: int | None = None


def outside_parts() -> list[Part]:
    """What can be asked without the database: the disk and Redis."""
    settings = _settings()
    return [_disk(settings), _redis(settings.redis_url)]


def parts(at: datetime) -> list[Part]:
    """Every part in the order of its weight. Raises what the database raises when it does not answer."""
    settings = _settings()
    return [
        Part("database", Grade.FINE if db.session.scalar(text("SELECT 1")) == 1 else Grade.DOWN),
        Part("migrations", Grade.FINE if is_migrated() else Grade.DOWN),
        _list(at),
        _scheduler(at),
        _audit(at),
        *outside_parts(),
        _feeds(),
        _channels(at),
        _backup(settings, at),
    ]


def is_migrated() -> bool:
    """Whether the database is at the newest migration that this code knows, which is read from disk once."""
    known = current_app.extensions
    if "migration_head" not in known:
        known["migration_head"] = ScriptDirectory(known["migrate"].directory).get_current_head()
    return bool(db.session.scalar(text("SELECT version_num FROM alembic_version")) == known["migration_head"])


def list_age(at: datetime) -> float | None:
    """Seconds since the list in force was confirmed; None if there is none."""
    return _since(at, _confirmed())


def beat_age(at: datetime) -> float | None:
    """Seconds since the scheduler last beat; None if it never did."""
    return _since(at, _beat())


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _since(at: datetime, then: datetime | None) -> float | None:
    return None if then is None else (at - then).total_seconds()


def _confirmed() -> datetime | None:
    return db.session.scalar(select(RiskState.confirmed_at))


def _beat() -> datetime | None:
    return db.session.scalar(select(Heartbeat.at).where(Heartbeat.name == "scheduler"))


def _is_late(at: datetime, then: datetime | None, patience: timedelta) -> bool:
    return then is not None and at - then > patience


def _list(at: datetime) -> Part:
    confirmed = _confirmed()
    if confirmed is None:
        return Part("list", Grade.DOWN)
    stale = _is_late(at, confirmed, timedelta(hours=current_state(at).policy.list_stale_hours))
    return Part("list", Grade.FAILING if stale else Grade.FINE, confirmed)


def _scheduler(at: datetime) -> Part:
    beat = _beat()
    is_late = beat is None or _is_late(at, beat, SCHEDULER_LATE)
    return Part("scheduler", Grade.DOWN if is_late else Grade.FINE, beat)


def _audit(at: datetime) -> Part:
    """Whether acts are sealed soon after they were done, and the chain ends where the file says that it does."""
    remembered = anchor()
    if remembered is not None:
        stored = db.session.scalar(select(AuditSeal.hash).where(AuditSeal.number == remembered.number))
        if stored != remembered.hash:
            return Part("audit", Grade.DOWN)
    sealed = select(func.coalesce(func.max(AuditLink.entry_id), 0)).scalar_subquery()
    oldest = db.session.scalar(select(AuditEntry.at).where(AuditEntry.id > sealed).order_by(AuditEntry.id).limit(1))
    return Part("audit", Grade.FAILING if _is_late(at, oldest, SEAL_LATE) else Grade.FINE, oldest)


def _disk(settings: Settings) -> Part:
    """The disk of CHECKPOINT_DATA; PostgreSQL's own, elsewhere, is not seen from here."""
    try:
        usage = shutil.disk_usage(settings.data)
    except OSError:
        return Part("disk", Grade.DOWN)
    share, room = usage.free / usage.total if usage.total else 0.0, usage.free // MIB
    if not os.access(settings.data, os.W_OK) or share < ROOM_GONE:
        return Part("disk", Grade.DOWN, count=room)
    return Part("disk", Grade.FAILING if share < ROOM_LOW else Grade.FINE, count=room)


def _redis(url: str | None) -> Part:
    if url is None:
        return Part("redis", Grade.OFF)
    client = redis.Redis.from_url(url, **REDIS_PATIENCE)
    try:
        client.ping()
    except redis.RedisError:
        return Part("redis", Grade.DOWN)
    finally:
        client.close()
    return Part("redis", Grade.FINE)


def _feeds() -> Part:
    """The sources of lists: how many of those in use have failed, and since when the newest list is there."""
    used = db.session.scalars(select(RiskFeed).where(RiskFeed.active)).all()
    if not used:
        return Part("feeds", Grade.OFF)
    failing = sum(one.problem is not None for one in used)
    heard = max((one.heard_at for one in used if one.heard_at is not None), default=None)
    grade = Grade.FINE if not failing else Grade.DOWN if failing == len(used) else Grade.FAILING
    return Part("feeds", grade, heard, failing)


def _channels(at: datetime) -> Part:
    """The channels: how many of those in use fail, and how long the oldest message has waited."""
    used = db.session.scalar(select(func.count()).select_from(ChannelTarget).where(ChannelTarget.active))
    if not used:
        return Part("channels", Grade.OFF)
    failing = db.session.scalar(
        select(func.count()).select_from(ChannelTarget).where(ChannelTarget.active, ChannelTarget.failures > 0)
    )
    oldest = db.session.scalar(
        select(Delivery.made_at)
        .where(Delivery.state == DeliveryState.WAITING.value)
        .order_by(Delivery.made_at)
        .limit(1)
    )
    is_late = _is_late(at, oldest, DELIVERY_LATE)
    grade = Grade.DOWN if failing == used else Grade.FAILING if failing or is_late else Grade.FINE
    return Part("channels", grade, oldest, failing)


def _backup(settings: Settings, at: datetime) -> Part:
    """Backups by the clock: down when there is none, failing when the newest is older than two rounds."""
    if settings.backup_folder is None:
        return Part("backup", Grade.OFF)
    try:
        there = kept(settings.backup_folder)
    except OSError:
        return Part("backup", Grade.DOWN)
    if not there:
        return Part("backup", Grade.DOWN)
    newest = there[-1].made_at
    is_late = _is_late(at, newest, 2 * timedelta(hours=settings.backup_hours))
    return Part("backup", Grade.FAILING if is_late else Grade.FINE, newest)
