"""Invitations: a link by which somebody chooses the password of the account made for them. Nobody else ever knows it.

A link works once and for 72 hours; a new one ends the one before, the password and every session. The liaison of a company has
no link of this kind: the company's own one opens the invitation (`accept_for`), which the town gave by accepting the company.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update

from checkpoint.accounts import queries
from checkpoint.accounts.models import Invitation, User
from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.service import add_account, check_password, store_password
from checkpoint.accounts.sessions import forget
from checkpoint.accounts.tokens import new_token, token_hash
from checkpoint.audit.service import record
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict
from checkpoint.words import _

VALID = timedelta(hours=72)
PREFIX = "cpi_"


class NewInvitation(NamedTuple):
    """An account with the link that is shown this once."""

    user: User
    invitation: Invitation
    token: str


def invite_newcomer(
    login: str, role: str, division: str, *, actor: Actor, at: datetime, name: str = ""
) -> NewInvitation:
    """Make an account without a password, and a link to choose one. InvalidInput names every wrong field."""
    with transaction():
        user = add_account(login, role, division, actor=actor, at=at, name=name)
        return _invite(user, VALID, actor, at)


def invite(user_id: uuid.UUID, *, actor: Actor, at: datetime, valid: timedelta = VALID) -> NewInvitation:
    """A new link for an account: its password, its sessions and the link before end now. The second step stays on."""
    with transaction():
        user = queries.user(actor, user_id)
        if not user.active:
            raise Conflict(_("This account is deactivated."))
        user.password_hash = ""
        forget(user)
        return _invite(user, valid, actor, at)


def revoke(user_id: uuid.UUID, *, actor: Actor, at: datetime) -> User:
    """Take back the link that is out; a second time is harmless."""
    with transaction():
        user = queries.user(actor, user_id)
        if _revoke_open(user.id, at):
            _audit("user.revoke_invitation", user, actor, at)
    return user


def by_token(token: str, *, at: datetime) -> User | None:
    """Whose password this link chooses; None once it is used, over or taken back. Its 256 random bits need no throttle."""
    key = token_hash(token) if token.startswith(PREFIX) and len(token) <= 100 else b""
    return db.session.scalar(
        select(User)
        .join(Invitation, Invitation.user_id == User.id)
        .where(Invitation.token_hash == key, User.active.is_(True), _open(at))
    )


def accept(token: str, password: str, *, at: datetime) -> User:
    """Somebody chooses their password by their link, which is used up by it. Conflict once it is used, over or taken back."""
    user = by_token(token, at=at)
    if user is None:
        raise _gone()
    return accept_for(user.id, password, at=at)


def accept_for(user_id: uuid.UUID, password: str, *, at: datetime) -> User:
    """The same for whom the caller has recognised by other means. Two at once: the second is told that the link was used."""
    check_password(password)
    used = update(Invitation).where(Invitation.user_id == user_id, _open(at)).values(used_at=at)
    with transaction() as session:
        if not session.scalars(used.returning(Invitation.id)).all():
            raise _gone()
        user = session.get_one(User, user_id)
        store_password(user, password)
        record(at=at, actor_kind="user", actor_id=user.id, act="user.accept_invitation")
    return user


def open_ones(user_ids: Iterable[uuid.UUID], *, at: datetime) -> dict[uuid.UUID, Invitation]:
    """The invitations that wait to be accepted, by account."""
    found = db.session.scalars(select(Invitation).where(Invitation.user_id.in_(list(user_ids)), _open(at)))
    return {row.user_id: row for row in found}


def link(public_url: str, token: str) -> str:
    """The address to send or to show as a code."""
    return f"{public_url}/invitation/{token}"


def _invite(user: User, valid: timedelta, actor: Actor, at: datetime) -> NewInvitation:
    _revoke_open(user.id, at)
    token = new_token(PREFIX)
    row = Invitation(id=new_id(), user_id=user.id, token_hash=token_hash(token), made_at=at, expires_at=at + valid)
    db.session.add(row)
    _audit("user.invite", user, actor, at)
    return NewInvitation(user, row, token)


def _revoke_open(user_id: uuid.UUID, at: datetime) -> bool:
    taken_back = update(Invitation).where(Invitation.user_id == user_id, _open(at)).values(revoked_at=at)
    return bool(db.session.scalars(taken_back.returning(Invitation.id)).all())


def _open(at: datetime) -> ColumnElement[bool]:
    return Invitation.used_at.is_(None) & Invitation.revoked_at.is_(None) & (Invitation.expires_at > at)


def _gone() -> Conflict:
    return Conflict(_("This link was used or is over. Ask whoever sent it for a new one."))


def _audit(act: str, user: User, actor: Actor, at: datetime) -> None:
    record(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="user", object_id=user.id)
