"""The document in the traveller's hand against the one that was declared: yes or no, never the number itself."""

import re
import unicodedata
import uuid

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.shifts import tablet_of
from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.privacy import same
from checkpoint.registrations.models import Registration, Traveller


def normalised(typed: str) -> str:
    """A document number as it is stored: NFKC, capitals, without blanks and hyphens."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", typed)).upper()


def document_fits(scan_id: uuid.UUID, typed: str, *, actor: Actor) -> bool:
    """Whether a number belongs to the person of a crossing; NotFound for a crossing of nobody or of another checkpoint."""
    _device, checkpoint_id = tablet_of(actor)
    traveller = db.session.scalar(
        select(Traveller)
        .join(Registration, Registration.traveller_id == Traveller.id)
        .join(Crossing, Crossing.registration_id == Registration.id)
        .where(Crossing.id == scan_id, Crossing.checkpoint_id == checkpoint_id)
    )
    if traveller is None:
        raise NotFound
    return same((traveller.id_number or "").encode(), normalised(typed).encode())
