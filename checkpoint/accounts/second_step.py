"""The second step of signing in (两步验证): a code of an app on the person's phone, or one of ten recovery codes on paper.

A new secret counts only once a code of it was given, so that nobody is locked out by an app that did not take it. The second
step of somebody who lost their phone is reset by an administrator, never by themselves.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, exists, func, select, update

from checkpoint.accounts import queries, throttle, totp
from checkpoint.accounts.models import RecoveryCode, User, UserTotp
from checkpoint.accounts.passwords import MAXIMUM_LENGTH, legible, matches
from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.sessions import SignedIn, forget
from checkpoint.audit.service import record
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.privacy import keyring, secret_tag
from checkpoint.words import _

RECOVERY_CODES = 10


def is_on(user_id: uuid.UUID) -> bool:
    """Whether somebody needs a code to sign in."""
    return bool(
        db.session.scalar(select(exists().where(UserTotp.user_id == user_id, UserTotp.confirmed_at.is_not(None))))
    )


def with_second_step(user_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some accounts that need a code to sign in."""
    query = select(UserTotp.user_id).where(UserTotp.user_id.in_(list(user_ids)), UserTotp.confirmed_at.is_not(None))
    return set(db.session.scalars(query))


def codes_left(user_id: uuid.UUID) -> int:
    """How many recovery codes have not been used."""
    query = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(query) or 0


def pending_secret(user_id: uuid.UUID) -> str | None:
    """The secret that was shown and waits for its first code."""
    row = _row(user_id, confirmed=False)
    return None if row is None else row.secret


def begin(user_id: uuid.UUID, *, at: datetime) -> str:
    """Make a secret to be shown; one that waited for its first code is replaced, the one in use goes on."""
    secret = totp.new_secret()
    row = UserTotp(id=new_id(), user_id=user_id, made_at=at, last_step=0)
    row.secret = secret
    with transaction() as session:
        session.execute(delete(UserTotp).where(UserTotp.user_id == user_id, UserTotp.confirmed_at.is_(None)))
        session.add(row)
    return secret


def confirm(signed_in: SignedIn, code: str, address: str, *, at: datetime) -> list[str]:
    """The first code of a new secret turns it on; returns the recovery codes, shown this once. All other sessions end."""
    user = signed_in.user
    throttle.check_code(user.login, address)
    row = _row(user.id, confirmed=False)
    if row is None:
        raise Conflict(_("Start again: there is no code to confirm."))
    step = totp.accepted_step(row.secret or "", code, at, row.last_step)
    if step is None:
        throttle.failed_code(user.login, address)
        raise InvalidInput.one("code", "wrong", _("This code does not fit. Look at your app for the newest one."))
    with transaction() as session:
        session.execute(delete(UserTotp).where(UserTotp.user_id == user.id, UserTotp.id != row.id))
        row.confirmed_at, row.last_step = at, step
        codes = _new_codes(user.id)
        forget(user, but=signed_in.session.id)
        signed_in.session.has_code = True
        _audit("user.second_step_on", user.id, Actor("user", user.id, None, "", frozenset()), at)
    return codes


def check(user: User, code: str, address: str, *, at: datetime) -> bool:
    """Whether a code opens the second step. No code opens twice. TooManyAttempts after repeated failures."""
    throttle.check_code(user.login, address)
    row = _row(user.id, confirmed=True)
    step = None if row is None else totp.accepted_step(row.secret or "", code, at, row.last_step)
    if row is not None and step is not None:
        with transaction() as session:
            newer = update(UserTotp).where(UserTotp.id == row.id, UserTotp.last_step < step).values(last_step=step)
            if session.scalar(newer.returning(UserTotp.id)) is not None:
                return True
    _failed(user, address, at)
    return False


def check_recovery(user: User, code: str, address: str, *, at: datetime) -> bool:
    """Whether a recovery code opens the second step; it is used up by it. TooManyAttempts after repeated failures."""
    throttle.check_recovery(user.login, address)
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _code_hash(user.id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
    )
    with transaction() as session:
        if session.scalar(used.returning(RecoveryCode.id)) is not None:
            record(at=at, actor_kind="user", actor_id=user.id, act="user.recovery_code_used")
            return True
    _failed(user, address, at)
    return False


def renew_codes(user_id: uuid.UUID, password: str, *, actor: Actor, at: datetime) -> list[str]:
    """Ten new recovery codes, shown this once; the old ones end. Needs the password."""
    user = _own(user_id, password, actor)
    with transaction():
        codes = _new_codes(user.id)
        _audit("user.recovery_codes", user.id, actor, at)
    return codes


def turn_off(user_id: uuid.UUID, password: str, required: Iterable[str], *, actor: Actor, at: datetime) -> None:
    """Somebody does without the second step again. Needs the password; Conflict for the roles that need it."""
    user = _own(user_id, password, actor)
    if user.role in tuple(required):
        raise Conflict(_("Your role needs the second step."))
    with transaction():
        _remove(user.id)
        _audit("user.second_step_off", user.id, actor, at)


def reset(user_id: uuid.UUID, *, actor: Actor, at: datetime) -> User:
    """An administrator helps somebody who lost phone and recovery codes: the second step is gone, and every session. Never for oneself."""
    with transaction():
        user = queries.user(actor, user_id)
        if user.id == actor.id:
            raise Conflict(_("Somebody else must reset your own second step."))
        _remove(user.id)
        forget(user)
        _audit("user.second_step_reset", user.id, actor, at)
    return user


def _own(user_id: uuid.UUID, password: str, actor: Actor) -> User:
    user = db.session.get(User, user_id)
    if user is None or actor.id != user_id:
        raise NotFound
    if not is_on(user_id):
        raise Conflict(_("The second step is not on."))
    if not matches(user.password_hash, password[:MAXIMUM_LENGTH]):
        raise InvalidInput.one("password", "wrong", _("This is not your present password."))
    return user


def _row(user_id: uuid.UUID, *, confirmed: bool) -> UserTotp | None:
    state = UserTotp.confirmed_at.is_not(None) if confirmed else UserTotp.confirmed_at.is_(None)
    newest = select(UserTotp).where(UserTotp.user_id == user_id, state).order_by(UserTotp.id.desc()).limit(1)
    return db.session.scalar(newest)


def _remove(user_id: uuid.UUID) -> None:
    for table in (UserTotp, RecoveryCode):
        db.session.execute(delete(table).where(table.user_id == user_id))


def _new_codes(user_id: uuid.UUID) -> list[str]:
    codes = ["-".join(legible(4) for _group in range(3)) for _code in range(RECOVERY_CODES)]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.session.add_all(
        RecoveryCode(id=new_id(), user_id=user_id, code_hash=_code_hash(user_id, code)) for code in codes
    )
    return codes


def _code_hash(user_id: uuid.UUID, code: str) -> bytes:
    typed = "".join(letter for letter in code.casefold() if letter.isalnum())[:MAXIMUM_LENGTH]
    return secret_tag(keyring(), "recovery-code", user_id.bytes + typed.encode(), 32)


def _failed(user: User, address: str, at: datetime) -> None:
    throttle.failed_code(user.login, address)
    with transaction():
        record(at=at, actor_kind="user", actor_id=user.id, act="user.code_failed")


def _audit(act: str, user_id: uuid.UUID, actor: Actor, at: datetime) -> None:
    record(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="user", object_id=user_id)
