"""Holding a declaration's people against the inquiry lists in force."""

import uuid
from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, func, select

from checkpoint.clock import local_date
from checkpoint.database import db
from checkpoint.inquiries.lookup import Arrived, look_up
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.registrations.declaration import CompanionIn, Declaration
from checkpoint.registrations.intake import Context, Prepared
from checkpoint.registrations.models import Traveller

_traveller = cast(Table, Traveller.__table__)


def hold_against_lists(
    declaration: Declaration, stored: Sequence[tuple[Prepared, uuid.UUID]], context: Context
) -> None:
    """The lead and the companions, each with the id of the trip that was stored for them; joins the transaction under way."""
    people: list[Declaration | CompanionIn] = [declaration, *declaration.companions]
    arrived = [
        Arrived(
            person_hash=one.document,
            name=person.name,
            document=person.id_number,
            phone=person.phone or "",
            plate=declaration.plate or "",
            registration_id=registration_id,
            division_code=one.registration["destination_code"],
        )
        for person, (one, registration_id) in zip(people, stored, strict=True)
    ]
    look_up(arrived, _holders, context.state.policy, today=local_date(context.at, context.timezone), at=context.at)


def _holders(one: Arrived) -> int:
    """How many people, by their documents, are registered with this phone."""
    hashed = lookup_hash(keyring(), "phone", one.phone)
    query = select(func.count(_traveller.c.id_number_hash.distinct())).where(_traveller.c.phone_hash == hashed)
    return db.session.scalar(query) or 0
