"""Reading an application's people in full: a permission, within the reader's jurisdiction, with a purpose, and always written down."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.approvals.models import ApprovalHolder
from checkpoint.approvals.queries import holders, one
from checkpoint.audit.service import record
from checkpoint.database import transaction
from checkpoint.errors import InvalidInput, NotAllowed
from checkpoint.words import _

PURPOSES = ("call", "identify", "visit")


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened: the applicant, and whom the application names."""

    contact_name: str
    contact_phone: str
    holders: tuple[ApprovalHolder, ...]


def reveal(approval_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> Opened:
    """Open names, documents, phones and plates of one application and write down who did, and why.

    Raises InvalidInput for a purpose that is none of PURPOSES, NotAllowed, NotFound (also outside the actor's jurisdiction).
    """
    if purpose not in PURPOSES:
        raise InvalidInput.one("purpose", "literal_error", _("Say what you need it for."))
    if not actor.may(Permission.PEOPLE_UNMASK):
        raise NotAllowed
    with transaction():
        approval = one(actor, approval_id)
        opened = Opened(approval.contact_name or "", approval.contact_phone or "", tuple(holders(approval.id)))
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="people.unmask",
            object_type="approval",
            object_id=approval.id,
            purpose=purpose,
            data={"number": approval.number, "people": len(opened.holders)},
        )
    return opened
