"""Accounts of people who sign in, and the tokens of integrations. Each verb is one transaction with an audit entry."""

import re
import uuid
from collections.abc import Collection
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
from checkpoint.accounts.permissions import PERMISSIONS, Actor, actor_for
from checkpoint.accounts.sessions import forget, new_epoch
from checkpoint.accounts.tokens import INTEGRATION_PREFIX, forget_cached, new_token, token_hash
from checkpoint.audit.service import record
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.regions.models import Division

_LOGIN = re.compile(r"[\w][\w.@-]{1,63}")
PEOPLE_ROLES = (Role.VILLAGE, Role.TOWN, Role.OFFICER, Role.COMMAND, Role.AUDITOR)


class NewUser(NamedTuple):
    """An account that was just made, with the password that is shown this once."""

    user: User
    password: str


class NewToken(NamedTuple):
    """A token that was just issued, with the text that is shown this once."""

    row: ApiToken
    token: str


def is_taken(login: str) -> bool:
    """Whether some account, open or closed, has this login."""
    return queries.user_by_login(login) is not None


def add_account(
    login: str,
    role: str,
    division: str,
    *,
    actor: Actor,
    at: datetime,
    name: str = "",
    roles: Collection[Role] = PEOPLE_ROLES,
) -> User:
    """Make an account that nobody can sign in to before a password is chosen. InvalidInput names every wrong field.

    `roles` are those that the caller may give; a company's liaison has a room of its own that makes them.
    """
    login = login.strip().casefold()
    name = name.strip() or login[:64]
    errors = check_division(actor, division)
    if not _LOGIN.fullmatch(login):
        errors.append(FieldError("login", "format", _("2 to 64 letters, digits, dots, hyphens or underscores.")))
    elif is_taken(login):
        errors.append(FieldError("login", "taken", _("This login is taken.")))
    if role not in roles:
        errors.append(FieldError("role", "unknown", _("Choose one of the roles.")))
    if len(name) > 64 or not name.isprintable():
        errors.append(FieldError("name", "too_long", _("1 to 64 characters.")))
    if errors:
        raise InvalidInput(errors)
    user = User(
        id=new_id(),
        login=login,
        display_name=name,
        password_hash="",
        role=role,
        division_code=division,
        active=True,
        session_epoch=new_epoch(),
        created_at=at,
    )
    with transaction() as session:
        session.add(user)
        _audit(actor, at, "user.create", "user", user.id, {"role": str(role), "division": division})
    return user


def create_user(login: str, role: str, division: str, *, actor: Actor, at: datetime, name: str = "") -> NewUser:
    """Make an account with a random password, for the operator at the machine. InvalidInput names every wrong field."""
    secret = random_password()
    with transaction():
        user = add_account(login, role, division, actor=actor, at=at, name=name)
        user.password_hash = hash_password(secret)
    return NewUser(user, secret)


def set_password(user_id: uuid.UUID, old: str, new: str, *, actor: Actor, at: datetime) -> User:
    """Somebody changes their own password; every other session of the account ends."""
    check_password(new, field="new")
    user = db.session.get(User, user_id)
    if user is None or actor.id != user_id or not user.active:
        raise NotFound
    if not matches(user.password_hash, old):
        raise InvalidInput.one("old", "wrong", _("This is not your present password."))
    with transaction():
        store_password(user, new)
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
            forget(user)
            _audit(actor, at, "user.open" if active else "user.close", "user", user.id)
    return user


def deactivate(user_id: uuid.UUID, *, actor: Actor, at: datetime) -> User:
    """Close an account and end its sessions."""
    return set_active(user_id, False, actor=actor, at=at)


def authenticate(login: str, password: str, address: str, *, at: datetime) -> User | None:
    """The account that this login and password open, or None; TooManyAttempts after repeated failures.

    An unknown login costs the same time as a wrong password. Failures are counted by account and address together. The session
    is opened by `sessions.open_session`, after the second step of those who have one.
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
    if outdated(user.password_hash):
        with transaction():
            user.password_hash = hash_password(password)
    return user


def issue_token(
    role: str,
    division: str,
    *,
    actor: Actor,
    at: datetime,
    label: str = "",
    expires: datetime | None = None,
    scopes: Collection[str] | None = None,
) -> NewToken:
    """Issue a bearer token of any role for an integration. The text is shown once and kept as a hash.

    `scopes` narrow what the role may do. A person gives away no more than they may do themselves; a token issues none.
    """
    if actor.kind not in ("user", "system"):
        raise NotAllowed
    allowed = {str(one) for one in PERMISSIONS.get(role, frozenset())}
    given = allowed if scopes is None else set(scopes)
    errors = check_division(actor, division)
    if role not in tuple(Role):
        errors.append(FieldError("role", "unknown", _("Choose one of the roles.")))
    elif not given or not given <= allowed:
        errors.append(FieldError("scopes", "unknown", _("Choose what the token may do, out of what its role may.")))
    elif not given <= set(actor.permissions):
        errors.append(FieldError("scopes", "beyond", _("You cannot give away more than you may do yourself.")))
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
        scopes=None if scopes is None else sorted(given),
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


def check_password(password: str, field: str = "password") -> None:
    """InvalidInput for a password that is too short or too long."""
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        message = _("Use %(low)d to %(high)d characters.", low=MINIMUM_LENGTH, high=MAXIMUM_LENGTH)
        raise InvalidInput.one(field, "length", message)


def store_password(user: User, password: str) -> None:
    """Give an account a password inside the caller's transaction; its sessions end."""
    user.password_hash = hash_password(password)
    forget(user)


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
