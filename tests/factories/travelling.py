"""People on their way and inside: a registration, a scan, an admission, in as few words as a test needs. In an app context."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checkpoint.accounts.permissions import Actor, traveller_actor
from checkpoint.crossings import service as crossings
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.service import Scan
from checkpoint.database import db
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Registration
from tests.factories import NOW, people
from tests.factories.declarations import declaration
from tests.factories.divisions import SITE


@dataclass(frozen=True, slots=True)
class Inside:
    """Somebody who was let in: the receipt of the declaration and the actor who holds the pass."""

    receipt: registrations.Receipt
    holder: Actor

    @property
    def id(self) -> uuid.UUID:
        return self.receipt.registration.id

    @property
    def row(self) -> Registration:
        """The registration as the database has it now."""
        db.session.expire_all()
        return db.session.get_one(Registration, self.id)


def declared(at: datetime = NOW, **changes: Any) -> registrations.Receipt:
    """Somebody on their way."""
    return registrations.submit(Declaration.model_validate(declaration(**changes)), actor=people.operator(), at=at)


def scanned(token: str, tablet: people.Tablet, at: datetime = NOW) -> Crossing:
    """A scan on line."""
    return crossings.record_scan(Scan(uuid.uuid4(), token, at), actor=tablet.actor, at=at)


def admitted(tablet: people.Tablet | None = None, at: datetime = NOW, **changes: Any) -> Inside:
    """Somebody who was let in at `at`, whatever the verdict."""
    receipt = declared(at, **changes)
    post = tablet or people.tablet()
    crossing = scanned(receipt.issued.token, post, at)
    crossings.decide(crossing.id, "admitted", "为老人送药", actor=post.actor, at=at)
    return Inside(receipt, traveller_actor(receipt.registration.id, SITE))
