"""Reading an application's people in full: a permission, within the reader's jurisdiction, with a purpose, and always written down.

Its pages are pictures of papers and documents: they are open to whoever has opened the application itself within half an hour.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals.models import ApprovalHolder
from checkpoint.approvals.queries import holders, one, picture
from checkpoint.disclosure.queries import is_open
from checkpoint.disclosure.service import unmasking
from checkpoint.errors import Conflict
from checkpoint.words import _

FIELDS = ("name", "id_number", "phone", "plate")


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened: the applicant, and whom the application names."""

    contact_name: str
    contact_phone: str
    holders: tuple[ApprovalHolder, ...]


class PagesShut(Conflict):
    """The pages of an application are open only to whoever has opened the application itself, for a purpose."""

    code = "pages_shut"


def page_picture(approval_id: uuid.UUID, page_id: uuid.UUID, *, actor: Actor, at: datetime) -> bytes:
    """A page or picture as a JPEG. Raises NotFound when there is none, or not for this actor, PagesShut for who has not said what for."""
    one(actor, approval_id)
    if not is_open("approval", approval_id, actor=actor, at=at):
        raise PagesShut(_("Show names and numbers in full first: the pages are pictures of papers with names on them."))
    return picture(actor, approval_id, page_id)


def reveal(approval_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> Opened:
    """Open names, documents, phones and plates of one application and write down who did, and why.

    Raises InvalidInput for a purpose that is none, NotAllowed, TooManyOpened, NotFound (also outside the actor's jurisdiction).
    """
    with unmasking("approval", approval_id, purpose, actor=actor, at=at) as note:
        approval = one(actor, approval_id)
        named = tuple(holders(approval.id))
        note(FIELDS, people=max(1, len(named)), data={"number": approval.number})
        return Opened(approval.contact_name or "", approval.contact_phone or "", named)
