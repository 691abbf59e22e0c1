"""Sessions of people who sign in: each has a row, is listed to its owner, and can be ended.

The cookie holds a key of 256 random bits; the row holds its SHA-256. A session ends after 12 hours without a request, after
seven days in any case, by its owner, by an administrator, and with everything that gives the account a new epoch.
"""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, select, update

from checkpoint.accounts import queries
from checkpoint.accounts.agents import device_words, network_of
from checkpoint.accounts.models import User, UserSession
from checkpoint.accounts.permissions import Actor
from checkpoint.audit.service import record
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import NotFound

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)
PENDING = timedelta(minutes=10)  # between the password and the code


class SignedIn(NamedTuple):
    """Whom a cookie names, and which of their sessions it is."""

    user: User
    session: UserSession


class NewSession(NamedTuple):
    """A session that was just opened, with the key that goes into the cookie."""

    session: UserSession
    key: str


def open_session(user: User, *, at: datetime, agent: str, address: str, has_code: bool = False) -> NewSession:
    """Sign somebody in on a device, after all that they had to prove. Sessions of theirs that ran out are forgotten."""
    key = secrets.token_urlsafe(32)
    row = UserSession(
        id=new_id(),
        key_hash=_hash(key),
        user_id=user.id,
        epoch=user.session_epoch,
        made_at=at,
        seen_at=at,
        device=device_words(agent),
        address=network_of(address),
        has_code=has_code,
    )
    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.user_id == user.id, ~_lives(at)))
        session.add(row)
        session.execute(update(User).where(User.id == user.id).values(last_login_at=at))
        record(at=at, actor_kind="user", actor_id=user.id, act="user.sign_in")
    return NewSession(row, key)


def find(key: str, *, at: datetime) -> SignedIn | None:
    """Whom the key of a cookie names; None when the session ended or ran out, or the account is closed."""
    found = db.session.execute(
        select(User, UserSession)
        .join(UserSession, and_(UserSession.user_id == User.id, UserSession.epoch == User.session_epoch))
        .where(UserSession.key_hash == _hash(key), User.active.is_(True), _lives(at))
    ).one_or_none()
    return None if found is None else SignedIn(*found)


def touch(row: UserSession, *, at: datetime) -> None:
    """Note that a session is in use, every few minutes at most: a request must not become a write."""
    if at - row.seen_at > SEEN_EVERY:
        with transaction() as session:
            session.execute(update(UserSession).where(UserSession.id == row.id).values(seen_at=at))


def listed(user_id: uuid.UUID, *, at: datetime) -> list[UserSession]:
    """The living sessions of an account, the one used last first."""
    query = (
        select(UserSession)
        .join(User, and_(UserSession.user_id == User.id, UserSession.epoch == User.session_epoch))
        .where(UserSession.user_id == user_id, _lives(at))
    )
    return list(db.session.scalars(query.order_by(UserSession.seen_at.desc(), UserSession.id.desc())))


def end(session_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """Somebody ends one of their own sessions. NotFound when it is not theirs or has ended."""
    with transaction() as session:
        row = session.get(UserSession, session_id)
        if row is None or row.user_id != actor.id:
            raise NotFound
        session.delete(row)
        _audit("user.end_session", row.user_id, actor, at)


def end_others(kept: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Somebody ends all of their sessions but the one that they are using; returns how many."""
    with transaction() as session:
        others = select(UserSession).where(UserSession.user_id == actor.id, UserSession.id != kept)
        rows = list(session.scalars(others))
        for row in rows:
            session.delete(row)
        if rows and actor.id is not None:
            _audit("user.end_session", actor.id, actor, at, len(rows))
    return len(rows)


def end_all(user_id: uuid.UUID, *, actor: Actor, at: datetime) -> User:
    """An administrator signs somebody of their jurisdiction out everywhere."""
    with transaction():
        user = queries.user(actor, user_id)
        forget(user)
        _audit("user.end_sessions", user.id, actor, at)
    return user


def forget(user: User, but: uuid.UUID | None = None) -> None:
    """End every session of an account, except `but`, inside the caller's transaction. A sign-in under way comes to nothing, too."""
    user.session_epoch = new_epoch()
    dead = delete(UserSession).where(UserSession.user_id == user.id)
    if but is None:
        db.session.execute(dead)
        return
    db.session.execute(dead.where(UserSession.id != but))
    db.session.execute(update(UserSession).where(UserSession.id == but).values(epoch=user.session_epoch))


def new_epoch() -> str:
    """A fresh epoch of an account."""
    return secrets.token_hex(8)


def _lives(at: datetime) -> ColumnElement[bool]:
    return and_(UserSession.seen_at > at - IDLE, UserSession.made_at > at - LONGEST)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _audit(act: str, user_id: uuid.UUID, actor: Actor, at: datetime, number: int | None = None) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="user",
        object_id=user_id,
        data=None if number is None else {"sessions": number},
    )
