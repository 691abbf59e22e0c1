"""Bearer tokens of integrations (`cpt_…`) and tablets (`cpd_…`): random, shown once, kept as a SHA-256 hash.

A token has 256 random bits, so a fast hash is enough; one indexed SELECT finds it, and the answer is kept in the
process for three seconds, so that a revoked token is dead everywhere within five.
"""

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import exists, or_, select, update

from checkpoint.accounts.models import ApiToken, Checkpoint, Device
from checkpoint.accounts.permissions import Actor, actor_for, device_actor
from checkpoint.database import db, transaction
from checkpoint.regions.models import at_level

INTEGRATION_PREFIX = "cpt_"
DEVICE_PREFIX = "cpd_"
_KEEP_SECONDS = 3.0
_KEEP_AT_MOST = 10_000
_SEEN_EVERY = timedelta(minutes=1)
_USED_EVERY = timedelta(minutes=10)


@dataclass
class _Cache:
    """Answers of the last seconds, by token hash: when they lapse, and whom they name."""

    entries: dict[bytes, tuple[float, Actor | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: bytes) -> tuple[bool, Actor | None]:
        lapses, actor = self.entries.get(key, (0.0, None))
        return (True, actor) if lapses > time.monotonic() else (False, None)

    def put(self, key: bytes, actor: Actor | None) -> None:
        with self.lock:
            if len(self.entries) >= _KEEP_AT_MOST:
                self.entries.clear()
            self.entries[key] = (time.monotonic() + _KEEP_SECONDS, actor)

    def clear(self) -> None:
        with self.lock:
            self.entries.clear()


def new_token(prefix: str) -> str:
    """A fresh token of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a token: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def forget_cached() -> None:
    """Drop what this process remembers, after a token was revoked here."""
    _cache().clear()


def actor_for_token(bearer: str, *, at: datetime) -> Actor | None:
    """Who sends this bearer token, or nobody: unknown, expired and revoked tokens look alike."""
    if not bearer.startswith((INTEGRATION_PREFIX, DEVICE_PREFIX)) or len(bearer) > 100:
        return None
    key = token_hash(bearer)
    known, actor = _cache().get(key)
    if known:
        return actor
    actor = _integration(key, at) if bearer.startswith(INTEGRATION_PREFIX) else _device(key, at)
    if actor is not None:  # unknown tokens are not kept: guessing must not push the real ones out
        _cache().put(key, actor)
    return actor


def is_revoked_device(bearer: str) -> bool:
    """Whether a token was a tablet's that was revoked since: whoever has it is told so, unlike somebody who guesses."""
    if not bearer.startswith(DEVICE_PREFIX) or len(bearer) > 100:
        return False
    key = token_hash(bearer)
    revoked = Device.revoked_at.is_not(None) & or_(Device.token_hash == key, Device.next_token_hash == key)
    return bool(db.session.scalar(select(exists().where(or_(Device.revoked_token_hash == key, revoked)))))


def _begin_with(device: Device, key: bytes) -> None:
    """A tablet uses the token that it rolled to for the first time: from now on the one before is dead."""
    with transaction() as session:
        session.execute(
            update(Device)
            .where(Device.id == device.id, Device.next_token_hash == key)
            .values(token_hash=key, next_token_hash=None)
        )
    forget_cached()


def _cache() -> _Cache:
    cache: _Cache = current_app.extensions.setdefault("token_cache", _Cache())
    return cache


def _integration(key: bytes, at: datetime) -> Actor | None:
    token = db.session.scalar(
        select(ApiToken).where(
            ApiToken.token_hash == key,
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > at),
        )
    )
    if token is None:
        return None
    if token.last_used_at is None or at - token.last_used_at > _USED_EVERY:
        with transaction() as session:
            session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=at))
    actor = actor_for("token", token.id, token.role, token.division_code)
    if token.scopes is None:
        return actor
    return replace(actor, permissions=frozenset(one for one in actor.permissions if one in token.scopes))


def _device(key: bytes, at: datetime) -> Actor | None:
    row = db.session.execute(
        select(Device, Checkpoint.division_code)
        .join(Checkpoint, Checkpoint.id == Device.checkpoint_id)
        .where(or_(Device.token_hash == key, Device.next_token_hash == key), Device.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    device, division = row
    if device.next_token_hash == key:
        _begin_with(device, key)
    if device.last_seen_at is None or at - device.last_seen_at > _SEEN_EVERY:
        with transaction() as session:
            session.execute(update(Device).where(Device.id == device.id).values(last_seen_at=at))
    # A tablet stands in one town and guards the whole city: its jurisdiction is the county-level division.
    return device_actor(device.id, device.checkpoint_id, at_level(division, 3))
