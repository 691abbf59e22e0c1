"""Applications to enter, in as few words as a test needs. In an app context."""

import io
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from PIL import Image

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import service
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval, ApprovalKind
from checkpoint.approvals.service import Holder, NewApplication
from tests.factories import NOW
from tests.factories.divisions import NEIGHBOUR_TOWN, SITE, VILLAGE

DAY = timedelta(days=1)
DRIVER = Holder("周师傅", "resident_id", "310116198001010055", "13900000001")
LORRY = Holder(plate="沪A12345")


def photo(width: int = 400, height: int = 300) -> bytes:
    """A picture as a phone sends it."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, "PNG")
    return out.getvalue()


def conditions(**changes: Any) -> dict[str, Any]:
    """Conditions as they are stored: three days from NOW on, nothing asked."""
    return {"from": NOW.isoformat(), "until": (NOW + 3 * DAY).isoformat(), "covers": "yellow"} | changes


def new(kind: ApprovalKind = ApprovalKind.PERSON, **changes: Any) -> NewApplication:
    """A valid application for VILLAGE."""
    made = NewApplication(
        id=uuid.uuid4(),
        kind=kind,
        division_code=VILLAGE,
        origin_code=NEIGHBOUR_TOWN,
        contact_name="周师傅",
        contact_phone="13900000001",
        purpose="给村里的厂送货",
        conditions=Conditions.from_json(conditions()),
        holders=(DRIVER, LORRY) if kind is ApprovalKind.LORRY else (DRIVER,),
    )
    return replace(made, **changes)


def applied(kind: ApprovalKind = ApprovalKind.PERSON, at: datetime = NOW, **changes: Any) -> Approval:
    """A stored application, as an applicant made it."""
    made = new(kind, **changes)
    return service.apply(made, actor=applicant(made.id), at=at).approval


def applicant(approval_id: uuid.UUID) -> Actor:
    """Whoever holds the link of an application."""
    return service.applicant_actor(approval_id, SITE)
