"""Commuters across the province line (跨省通勤): one approval and one standing trip instead of a form each day.

Applying stores the trip without a pass; granting gives it one; whatever ends the approval ends the trip with it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from pydantic import ValidationError
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import service
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.hooks import when_ended, when_granted
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalKind, ApprovalState
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.regions import default_index
from checkpoint.regions.models import contains
from checkpoint.registrations import standing
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.problems import from_pydantic

COUNTY = 3


@dataclass(frozen=True, slots=True)
class NewCommuter:
    """What a commuter applies for. `declaration` says who, from where and to which village, with the client's own UUID; its day of
    arrival is today's. `work` is where they work and as what, in their words."""

    declaration: Declaration
    work: str
    conditions: Conditions
    company_id: uuid.UUID | None = None
    on_paper: bool = False
    pictures: Sequence[bytes] = ()


def apply(new: NewCommuter, *, actor: Actor, at: datetime) -> service.Applied:
    """Store the application with its standing trip, which is assessed at once and has no pass. A repeat returns the first result.

    Raises InvalidInput: what a declaration may not say; an origin that nobody can place, or inside the city; a missing workplace.
    """
    given = new.declaration
    with transaction() as session:
        known = session.get(Approval, given.client_id)
        trip = None
        if known is None:
            _check(new)
            trip = standing.stand(given, at=at).id
        return service.apply(
            service.NewApplication(
                id=given.client_id,
                kind=ApprovalKind.COMMUTER,
                division_code=given.destination.code,
                origin_code=given.origin.code,
                contact_name=given.name,
                contact_phone=given.phone,
                purpose=new.work,
                conditions=new.conditions.model_copy(update={"binding": True}),
                holders=[
                    service.Holder(
                        name=given.name,
                        id_type=given.id_type,
                        id_number=given.id_number,
                        phone=given.phone,
                        plate=given.plate,
                    )
                ],
                company_id=new.company_id,
                registration_id=trip,
                on_paper=new.on_paper,
                pictures=list(new.pictures),
            ),
            actor=actor,
            at=at,
        )


def _check(new: NewCommuter) -> None:
    index = default_index()
    code = new.declaration.origin.code
    site: str = current_app.extensions["settings"].site_division
    if code is None or not index.exists(code) or index.level(code) < COUNTY:
        raise InvalidInput.one("origin", "unresolved", "Choose the village or community where you live.")
    if contains(site, code):
        raise InvalidInput.one("origin", "inside_site", "Who lives in the city needs no approval to come to work.")
    if not new.work.strip():
        raise InvalidInput.one("work", "missing", "Say where you work.")


def begin(approval: Approval, actor: Actor, at: datetime) -> None:
    """The approval is granted: the trip gets its pass. One that came on paper or from a company has its trip made now.

    Raises InvalidInput for an application that does not say enough for a trip: it is asked back or refused.
    """
    if approval.registration_id is None:
        approval.registration_id = standing.stand(_declared(approval, at), at=at).id
        db.session.flush()
    granted = Conditions.from_json(approval.conditions or approval.asked_conditions)
    standing.begin(approval.registration_id, until=granted.valid_until, actor=actor, at=at)


def end(approval: Approval, actor: Actor, at: datetime) -> None:
    """The approval is refused, withdrawn or revoked: the trip ends with it."""
    if approval.registration_id is not None:
        standing.end(approval.registration_id, actor=actor, at=at)


def give_up(registration_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """The commuter comes no more: whoever holds the pass withdraws the approval, and the trip ends. A second time is harmless."""
    if actor.id != registration_id:
        raise NotFound
    with transaction():
        approval = of_trip(registration_id)
        if approval is None:
            raise NotFound
        if approval.state != ApprovalState.REVOKED.value:
            service.withdraw(approval.id, actor=service.applicant_actor(approval.id, actor.division), at=at)


def of_trip(registration_id: uuid.UUID) -> Approval | None:
    """The approval that a standing trip stands on. The caller must hold its pass or have scoped it."""
    return db.session.scalar(
        select(Approval).where(
            Approval.registration_id == registration_id, Approval.kind == ApprovalKind.COMMUTER.value
        )
    )


def _declared(approval: Approval, at: datetime) -> Declaration:
    """The declaration that an application on paper amounts to: of its only holder."""
    holders = db.session.scalars(
        select(ApprovalHolder).where(ApprovalHolder.approval_id == approval.id, ApprovalHolder.removed_at.is_(None))
    ).all()
    if len(holders) != 1:
        raise InvalidInput.one("holders", "one_person", "A commuter's application names one person.")
    holder = holders[0]
    body: dict[str, Any] = {
        "client_id": new_id(),
        "name": holder.name or approval.contact_name,
        "id_type": holder.id_type,
        "id_number": holder.id_number,
        "phone": holder.phone or approval.contact_phone,
        "origin": {"code": approval.origin_code},
        "destination": {"code": approval.division_code, "address": (approval.purpose or "")[:200]},
        "arriving_on": standing.today_at(at),
        "transport": "car" if holder.plate else "other",
        "plate": holder.plate,
    }
    try:
        return Declaration.model_validate(body)
    except ValidationError as error:
        raise from_pydantic(error) from error


when_granted(ApprovalKind.COMMUTER, begin)
when_ended(ApprovalKind.COMMUTER, end)
