"""PINs (口令) with which officers sign in on a tablet that has been enrolled: digits only, for hands in gloves.

A PIN opens nothing by itself: it counts on an enrolled tablet alone, which may send eight wrong ones in ten minutes.
"""

import re
import secrets
import uuid
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select

from checkpoint.accounts import queries, throttle
from checkpoint.accounts.models import Role, User
from checkpoint.accounts.passwords import hash_password, matches
from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.scope import in_reach
from checkpoint.audit.service import record
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, InvalidInput
from checkpoint.privacy import keyring, secret_tag

SHORTEST, LONGEST = 6, 12
_PIN = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST}}}")
_ROWS = "0123456789012345678909876543210987654321"


class NewPin(NamedTuple):
    """An officer with the PIN that is shown this once."""

    user: User
    pin: str


def set_pin(user_id: uuid.UUID, *, actor: Actor, at: datetime, pin: str | None = None) -> NewPin:
    """Give an officer a PIN: a random one of six digits, or the given one. Conflict for anybody but an officer."""
    chosen = _random() if pin is None else pin
    if not _PIN.fullmatch(chosen) or _is_easy(chosen):
        message = _(
            "Use %(low)d to %(high)d digits that are neither all the same nor a row.", low=SHORTEST, high=LONGEST
        )
        raise InvalidInput.one("pin", "easy", message)
    with transaction():
        user = queries.user(actor, user_id)
        if user.role != Role.OFFICER.value:
            raise Conflict(_("Only officers sign in with a PIN."))
        user.pin_hash = hash_password(chosen)
        record(
            at=at, actor_kind=actor.kind, actor_id=actor.id, act="user.set_pin", object_type="user", object_id=user.id
        )
    return NewPin(user, chosen)


def officers(tablet: Actor) -> list[User]:
    """The officers who may sign in on a tablet: active, with a PIN, of its city; by name."""
    query = select(User).where(
        in_reach(tablet, User.division_code),
        User.role == Role.OFFICER.value,
        User.active.is_(True),
        User.pin_hash.is_not(None),
    )
    return list(db.session.scalars(query.order_by(User.display_name, User.login)))


def officer(tablet: Actor, officer_id: uuid.UUID) -> User | None:
    """One of them, or nobody."""
    found = db.session.get(User, officer_id)
    if found is None or found.role != Role.OFFICER.value or not found.active or found.pin_hash is None:
        return None
    return found if tablet.sees(found.division_code) else None


def check_pin(tablet: Actor, officer_id: uuid.UUID, pin: str) -> User:
    """The officer whom this PIN opens; InvalidInput when it is wrong, TooManyAttempts after too many of them."""
    device = str(tablet.id)
    throttle.check_pin(device)
    found = officer(tablet, officer_id)
    if not matches(found.pin_hash if found else None, pin[:LONGEST]) or found is None:
        throttle.failed_pin(device)
        raise InvalidInput.one("pin", "wrong", _("This PIN is not right."))
    return found


def stamp(user: User) -> str:
    """What changes with the PIN, so that a tablet forgets what it kept of the old one: 12 hexadecimal digits."""
    return secret_tag(keyring(), "officer-pin", (user.pin_hash or "").encode(), 6).hex()


def _random() -> str:
    while True:
        pin = f"{secrets.randbelow(10**SHORTEST):0{SHORTEST}d}"
        if not _is_easy(pin):
            return pin


def _is_easy(pin: str) -> bool:
    return len(set(pin)) == 1 or pin in _ROWS
