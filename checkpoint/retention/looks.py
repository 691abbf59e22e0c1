"""Who opened a traveller's data, wherever it stands: the trip, the declaration that a tablet carried, applications, pairs of an inquiry."""

import uuid

from sqlalchemy import select

from checkpoint.approvals.models import ApprovalHolder
from checkpoint.database import db
from checkpoint.disclosure.queries import Look, looks
from checkpoint.inquiries.models import InquiryHit
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.registrations.queries import Record


def looks_at(record: Record, *, with_inquiries: bool) -> list[Look]:
    """Every look at the person of a record, the oldest first. That an inquiry names somebody is told only to those who review them."""
    registration, traveller = record.registration, record.traveller
    objects: dict[str, list[uuid.UUID]] = {
        "registration": [registration.id],
        "carried": list(
            db.session.scalars(select(CarriedRefusal.id).where(CarriedRefusal.client_id == registration.client_id))
        ),
        "approval": list(
            db.session.scalars(
                select(ApprovalHolder.approval_id).where(ApprovalHolder.id_number_hash == traveller.id_number_hash)
            )
        ),
    }
    if with_inquiries:
        hits = select(InquiryHit.id).where(InquiryHit.registration_id == registration.id)
        objects["inquiry_hit"] = list(db.session.scalars(hits))
    return looks(objects)
