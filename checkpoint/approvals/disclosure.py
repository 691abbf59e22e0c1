"""Reading an application's people in full: a permission, within the reader's jurisdiction, with a purpose, and always written down."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals.models import ApprovalHolder
from checkpoint.approvals.queries import holders, one
from checkpoint.disclosure.service import unmasking

FIELDS = ("name", "id_number", "phone", "plate")


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened: the applicant, and whom the application names."""

    contact_name: str
    contact_phone: str
    holders: tuple[ApprovalHolder, ...]


def reveal(approval_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> Opened:
    """Open names, documents, phones and plates of one application and write down who did, and why.

    Raises InvalidInput for a purpose that is none, NotAllowed, TooManyOpened, NotFound (also outside the actor's jurisdiction).
    """
    with unmasking("approval", approval_id, purpose, actor=actor, at=at) as note:
        approval = one(actor, approval_id)
        named = tuple(holders(approval.id))
        note(FIELDS, people=max(1, len(named)), data={"number": approval.number})
        return Opened(approval.contact_name or "", approval.contact_phone or "", named)
