"""Reading a sealed field in full: a permission, within the reader's jurisdiction, and always with an entry in the audit trail."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import queries as alerts
from checkpoint.alerts.service import note_change
from checkpoint.database import db
from checkpoint.disclosure.service import unmasking
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.registrations.queries import scoped

# What may be asked for at once, and the fields it opens: a worker who calls or visits needs the name as well.
WHAT: dict[str, tuple[str, ...]] = {
    "phone": ("name", "phone"),
    "address": ("name", "address"),
    "document": ("name", "id_number"),
}


@dataclass(frozen=True, slots=True)
class Revealed:
    """What was opened; the other fields are None. `lead_phone`: the number belongs to the person they travel with."""

    what: str
    name: str
    phone: str | None = None
    lead_phone: bool = False
    address: str | None = None
    id_type: str | None = None
    id_number: str | None = None


def reveal(
    registration_id: uuid.UUID,
    what: str,
    purpose: str,
    *,
    actor: Actor,
    at: datetime,
    alert_id: uuid.UUID | None = None,
) -> Revealed:
    """Open the fields of WHAT[`what`] and write down who did, and what for. With `alert_id`, a call is also a step of that alert.

    Raises InvalidInput, NotAllowed, TooManyOpened, NotFound (also outside the actor's jurisdiction).
    """
    if what not in WHAT:
        raise InvalidInput.one("what", "literal_error", f"what must be one of {', '.join(WHAT)}")
    with unmasking("registration", registration_id, purpose, actor=actor, at=at) as note:
        registration = db.session.scalar(scoped(actor).where(Registration.id == registration_id))
        if registration is None:
            raise NotFound
        alert = alerts.one(actor, alert_id) if alert_id is not None else None
        if alert is not None and alert.subject_id != registration.id:
            raise NotFound
        note(WHAT[what], data={"alert": str(alert.id)} if alert is not None else None)
        revealed = _read(registration, what)
        if alert is not None and purpose == "call":
            note_change(alert.id, alert.division_code, "called", actor, at)
    return revealed


def _read(registration: Registration, what: str) -> Revealed:
    traveller = db.session.get_one(Traveller, registration.traveller_id)
    name = traveller.name or ""
    if what == "address":
        return Revealed(what, name, address=registration.address or "")
    if what == "document":
        return Revealed(what, name, id_type=traveller.id_type, id_number=traveller.id_number or "")
    phone, of_lead = traveller.phone, False
    if not phone and registration.lead_id is not None:
        lead = db.session.get_one(Registration, registration.lead_id)
        phone, of_lead = db.session.get_one(Traveller, lead.traveller_id).phone, True
    return Revealed(what, name, phone=phone or "", lead_phone=of_lead and bool(phone))
