"""Changing what was entered once: whose account it is and what it may do, what a post is called and where it stands."""

import uuid
from datetime import datetime

from checkpoint.accounts import queries
from checkpoint.accounts.models import Checkpoint, CheckpointKind, Role, User
from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.service import PEOPLE_ROLES, check_division
from checkpoint.accounts.sessions import forget
from checkpoint.audit.service import record
from checkpoint.database import transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput
from checkpoint.words import _

LONGEST_NAME = 64


def _name_errors(name: str) -> list[FieldError]:
    if 1 <= len(name) <= LONGEST_NAME and name.isprintable():
        return []
    return [FieldError("name", "length", _("1 to 64 characters."))]


def change_user(user_id: uuid.UUID, name: str, role: str, division: str, *, actor: Actor, at: datetime) -> User:
    """Give an account another name, role or jurisdiction. With another role or jurisdiction it is signed out everywhere.

    InvalidInput names every wrong field. Conflict for one's own account, and for a company's liaison, whose role is the company's.
    """
    name = name.strip()
    user = queries.user(actor, user_id)
    if user.id == actor.id:
        raise Conflict(_("You cannot change the account that you are using."))
    if user.role == Role.COMPANY:
        raise Conflict(_("This account belongs to a company."))
    errors = check_division(actor, division) + _name_errors(name)
    if role not in PEOPLE_ROLES:
        errors.append(FieldError("role", "unknown", _("Choose one of the roles.")))
    if errors:
        raise InvalidInput(errors)
    with transaction():
        before = (user.display_name, user.role, user.division_code)
        user.display_name, user.role, user.division_code = name, role, division
        if before[1:] != (role, division):
            forget(user)
        if role != Role.OFFICER:
            user.pin_hash = None  # only officers sign in on tablets
        if before != (name, role, division):
            _audit(actor, at, "user.change", "user", user.id, {"role": role, "division": division})
    return user


def change_checkpoint(code: str, name: str, kind: str, division: str, *, actor: Actor, at: datetime) -> Checkpoint:
    """Give a post another name, kind or place; its code stands on the poster and stays. InvalidInput names every wrong field."""
    name = name.strip()
    post = queries.checkpoint(actor, code)
    errors = check_division(actor, division) + _name_errors(name)
    if kind not in tuple(CheckpointKind):
        errors.append(FieldError("kind", "unknown", _("Choose one of the kinds.")))
    if errors:
        raise InvalidInput(errors)
    with transaction():
        before = (post.name, post.kind, post.division_code)
        post.name, post.kind, post.division_code = name, kind, division
        if before != (name, kind, division):
            _audit(actor, at, "checkpoint.change", "checkpoint", post.id, {"kind": kind, "division": division})
    return post


def _audit(actor: Actor, at: datetime, act: str, what: str, object_id: uuid.UUID, data: dict[str, str]) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type=what,
        object_id=object_id,
        data=data,
    )
