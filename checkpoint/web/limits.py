"""How often one phone may register and one tablet may send; by address the routes say it themselves."""

from datetime import datetime

from flask import current_app

from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.throttle import check_phone, registered_by_phone
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.registrations import service
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.service import Receipt
from checkpoint.web.auth import optional_actor


def submit(declaration: Declaration, *, actor: Actor, at: datetime) -> Receipt:
    """Submit a declaration unless its phone has registered too often; what is only sent again does not count."""
    limit = current_app.extensions["settings"].phone_limit
    phone = lookup_hash(keyring(), "phone", declaration.phone)
    check_phone(limit, phone)
    receipt = service.submit(declaration, actor=actor, at=at)
    if receipt.created:
        registered_by_phone(limit, phone)
    return receipt


def device_limit() -> str:
    """How often one tablet may send."""
    limit: str = current_app.extensions["settings"].device_limit
    return limit


def device_key() -> str:
    """Who sends: the tablet, or whoever else tries."""
    actor = optional_actor()
    return actor.key if actor is not None else "nobody"
