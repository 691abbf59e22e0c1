"""Reading follow-up work, always through the reader's jurisdiction."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.followups.models import FollowUp, FollowUpState, ReportState, TravellerReport


def scoped(actor: Actor) -> Select[FollowUp]:
    """Work in the actor's jurisdiction."""
    if not actor.may(Permission.PEOPLE_READ):
        raise NotAllowed
    return select(FollowUp).where(in_reach(actor, FollowUp.division_code))


def one(actor: Actor, followup_id: uuid.UUID) -> FollowUp:
    """One piece of work; NotFound when it is outside the actor's jurisdiction."""
    found = db.session.scalar(scoped(actor).where(FollowUp.id == followup_id))
    if found is None:
        raise NotFound
    return found


def due(actor: Actor, until: datetime, *, limit: int = 200) -> list[FollowUp]:
    """Open work that may be done before `until` (the end of today), the most urgent first; what is overdue stands on top."""
    query = scoped(actor).where(FollowUp.state == FollowUpState.OPEN.value, FollowUp.from_at < until)
    return list(db.session.scalars(query.order_by(FollowUp.due_at, FollowUp.kind).limit(limit)))


def of_registration(registration_id: uuid.UUID) -> list[FollowUp]:
    """All the work on a registration, oldest first; the caller has scoped the registration."""
    query = select(FollowUp).where(FollowUp.registration_id == registration_id)
    return list(db.session.scalars(query.order_by(FollowUp.due_at, FollowUp.kind)))


def visits(registration_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The open visit at the door of each registration that has one, by the registration's id; the caller has scoped them."""
    if not registration_ids:
        return {}
    query = select(FollowUp.registration_id, FollowUp.id).where(
        FollowUp.registration_id.in_(registration_ids),
        FollowUp.kind == "arrival_visit",
        FollowUp.state == FollowUpState.OPEN.value,
    )
    return {registration_id: visit for registration_id, visit in db.session.execute(query)}


def reports_of(registration_id: uuid.UUID) -> list[TravellerReport]:
    """What a traveller told of a registration, oldest first; the caller has scoped the registration."""
    query = select(TravellerReport).where(TravellerReport.registration_id == registration_id)
    return list(db.session.scalars(query.order_by(TravellerReport.reported_at)))


def claims(followup_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, TravellerReport]:
    """For each piece of work the newest thing that the traveller said of it and nobody has settled; the caller has scoped them."""
    if not followup_ids:
        return {}
    query = select(TravellerReport).where(
        TravellerReport.follow_up_id.in_(followup_ids), TravellerReport.state == ReportState.WAITING.value
    )
    rows = db.session.scalars(query.order_by(TravellerReport.reported_at))
    return {row.follow_up_id: row for row in rows if row.follow_up_id is not None}
