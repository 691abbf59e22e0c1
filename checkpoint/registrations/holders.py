"""Who shares a phone."""

from typing import cast

from sqlalchemy import Table, func, select

from checkpoint.database import db
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.registrations.models import Traveller

_traveller = cast(Table, Traveller.__table__)


def holders_of(phone: str) -> int:
    """How many people, by their documents, are registered with this phone."""
    hashed = lookup_hash(keyring(), "phone", phone)
    query = select(func.count(_traveller.c.id_number_hash.distinct())).where(_traveller.c.phone_hash == hashed)
    return db.session.scalar(query) or 0
