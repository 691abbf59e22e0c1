"""Accounts of people who sign in, and the tokens of integrations. Each verb is one transaction with an audit entry."""

import re
import secrets
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from flask_babel import gettext as _

from checkpoint.accounts import queries, throttle
from checkpoint.accounts.models import ApiToken, Role, User
from checkpoint.accounts.passwords import (
    MAXIMUM_LENGTH,
    MINIMUM_LENGTH,
    hash_password,
    matches,
    outdated,
    random_password,
)
from checkpoint.accounts.permissions import Actor, actor_for
from checkpoint.accounts.tokens import INTEGRATION_PREFIX, forget_cached, new_token, token_hash
from checkpoint.audit.service import record
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotFound
from checkpoint.regions.models import Division

_LOGIN = re.compile(r"[\w][\w.@-]{1,63}")
PEOPLE_ROLES = (Role.VILLAGE, Role.TOWN, Role.OFFICER, Role.COMMAND, Role.AUDITOR)


class NewUser(NamedTuple):
    """An account that was just made or reset, with the password that is shown this once."""

    user: User
    password: str


class NewToken(NamedTuple):
    """A token that was just issued, with the text that is shown this once."""

    row: ApiToken
    token: str


def create_user(
    login: str, role: str, division: str, *, actor: Actor, at: datetime, name: str = "", password: str | None = None
) -> NewUser:
    """Make an account with a random password (or the given one). InvalidInput names every wrong field."""
    login = login.strip().casefold()
    name = name.strip() or login[:64]
    errors = check_division(actor, division)
    if not _LOGIN.fullmatch(login):
        errors.append(FieldError("login", "format", _("2 to 64 letters, digits, dots, hyphens or underscores.")))
    elif queries.user_by_login(login) is not None:
        errors.append(FieldError("login", "taken", _("This login is taken.")))
    if role not in PEOPLE_ROLES:
        errors.append(FieldError("role", "unknown", _("Choose one of the roles.")))
    if len(name) > 64 or not name.isprintable():
        errors.append(FieldError("name", "too_long", _("1 to 64 characters.")))
    if errors:
        raise InvalidInput(errors)
    secret = password or random_password()
    _check_password(secret)
    user = User(
        id=new_id(),
        login=login,
        display_name=name,
        password_hash=hash_password(secret),
        role=role,
        division_code=division,
        active=True,
        session_epoch=_epoch(),
        created_at=at,
    )
    with transaction() as session:
        session.add(user)
        _audit(actor, at, "user.create", "user", user.id, {"role": str(role), "division": division})
    return NewUser(user, secret)


def reset_password(user_id: uuid.UUID, *, actor: Actor, at: datetime) -> NewUser:
    """Give an account a new random password and end its sessions."""
    secret = random_password()
    with transaction():
        user = queries.user(actor, user_id)
        _store_password(user, secret)
        _audit(actor, at, "user.reset_password", "user", user.id)
    return NewUser(user, secret)


def set_password(user_id: uuid.UUID, old: str, new: str, *, actor: Actor, at: datetime) -> User:
    """Somebody changes their own password; every other session of the account ends."""
    _check_password(new, field="new")
    user = db.session.get(User, user_id)
    if user is None or actor.id != user_id or not user.active:
        raise NotFound
    if not matches(user.password_hash, old):
        raise InvalidInput.one("old", "wrong", _("This is not your present password."))
    with transaction():
        _store_password(user, new)
        _audit(actor, at, "user.set_password", "user", user.id)
    return user


def set_active(user_id: uuid.UUID, active: bool, *, actor: Actor, at: datetime) -> User:
    """Close an account and end its sessions, or open it again. Nobody can close the account they are using."""
    with transaction():
        user = queries.user(actor, user_id)
        if user.id == actor.id:
            raise Conflict(_("You cannot deactivate the account that you are using."))
        if user.active != active:
            user.active = active
            user.session_epoch = _epoch()
            _audit(actor, at, "user.open" if active else "user.close", "user", user.id)
    return user


def deactivate(user_id: uuid.UUID, *, actor: Actor, at: datetime) -> User:
    """Close an account and end its sessions."""
    return set_active(user_id, False, actor=actor, at=at)


def authenticate(login: str, password: str, address: str, *, at: datetime) -> User | None:
    """The account that this login and password open, or None; TooManyAttempts after repeated failures.

    An unknown login costs the same time as a wrong password. Failures are counted by account and address together.
    """
    login = login.strip().casefold()[:64]
    throttle.check_sign_in(login, address)
    user = queries.user_by_login(login) if _LOGIN.fullmatch(login) else None
    stored = user.password_hash if user is not None and user.active else None
    if not matches(stored, password[:MAXIMUM_LENGTH]) or user is None:
        throttle.failed_sign_in(login, address)
        if user is not None:
            with transaction():
                record(at=at, actor_kind="user", actor_id=user.id, act="user.sign_in_failed")
        return None
    with transaction():
        user.last_login_at = at
        if outdated(user.password_hash):
            user.password_hash = hash_password(password)
        record(at=at, actor_kind="user", actor_id=user.id, act="user.sign_in")
    return user


def issue_token(
    role: str, division: str, *, actor: Actor, at: datetime, label: str = "", expires: datetime | None = None
) -> NewToken:
    """Issue a bearer token of any role for an integration. The text is shown once and kept as a hash."""
    errors = check_division(actor, division)
    if role not in tuple(Role):
        errors.append(FieldError("role", "unknown", _("Choose one of the roles.")))
    if expires is not None and expires <= at:
        errors.append(FieldError("expires", "past", _("The end must lie in the future.")))
    if len(label) > 64 or not label.isprintable():
        errors.append(FieldError("label", "too_long", _("At most 64 characters.")))
    if errors:
        raise InvalidInput(errors)
    text = new_token(INTEGRATION_PREFIX)
    row = ApiToken(
        id=new_id(),
        token_hash=token_hash(text),
        label=label.strip() or str(role),
        role=role,
        division_code=division,
        created_at=at,
        expires_at=expires,
    )
    with transaction() as session:
        session.add(row)
        _audit(actor, at, "token.issue", "token", row.id, {"role": str(role), "division": division})
    return NewToken(row, text)


def revoke_token(token_id: uuid.UUID, *, actor: Actor, at: datetime) -> ApiToken:
    """End a token; a second time is harmless."""
    with transaction():
        row = db.session.get(ApiToken, token_id)
        if row is None or not actor.sees(row.division_code):
            raise NotFound
        if row.revoked_at is None:
            row.revoked_at = at
            _audit(actor, at, "token.revoke", "token", row.id)
    forget_cached()
    return row


def actor_of(user: User) -> Actor:
    """The actor that a signed-in person is."""
    return actor_for("user", user.id, user.role, user.division_code)


def token_lifetime(days: int | None, at: datetime) -> datetime | None:
    """When a token issued for `days` days ends; None means never."""
    return None if days is None else at + timedelta(days=days)


def check_division(actor: Actor, code: str) -> list[FieldError]:
    """What is wrong with a division that somebody is given: unknown, retired, or outside the actor's own."""
    division = db.session.get(Division, code) if re.fullmatch(r"[0-9]{12}", code) else None
    if division is None or division.retired:
        return [FieldError("division", "unknown", _("No such division."))]
    if not actor.sees(code):
        return [FieldError("division", "outside", _("This division lies outside your own."))]
    return []


def _check_password(password: str, field: str = "password") -> None:
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        message = _("Use %(low)d to %(high)d characters.", low=MINIMUM_LENGTH, high=MAXIMUM_LENGTH)
        raise InvalidInput.one(field, "length", message)


def _store_password(user: User, password: str) -> None:
    user.password_hash = hash_password(password)
    user.session_epoch = _epoch()


def _epoch() -> str:
    return secrets.token_hex(8)


def _audit(
    actor: Actor, at: datetime, act: str, object_type: str, object_id: uuid.UUID, data: dict[str, str] | None = None
) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type=object_type,
        object_id=object_id,
        data=data,
    )
