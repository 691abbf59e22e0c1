"""Reading appeals, always through the reader's jurisdiction."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import aliased

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.appeals.models import Appeal, AppealState
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.followups.models import FollowUp, TravellerReport
from checkpoint.privacy import keyring
from checkpoint.privacy.pictures import open_picture
from checkpoint.registrations.models import Pass, Registration


@dataclass(frozen=True, slots=True)
class Answered:
    """Appeals since an instant: how many whose time is over or that were answered, and how many of these in time."""

    due: int
    in_time: int


def scoped(actor: Actor) -> Select[Appeal]:
    """Appeals of people whose destination lies in the actor's jurisdiction."""
    if not actor.may(Permission.PEOPLE_READ):
        raise NotAllowed
    return select(Appeal).where(in_reach(actor, Appeal.division_code))


def one(actor: Actor, appeal_id: uuid.UUID) -> Appeal:
    """One appeal; NotFound when it is outside the actor's jurisdiction."""
    found = db.session.scalar(scoped(actor).where(Appeal.id == appeal_id))
    if found is None:
        raise NotFound
    return found


def waiting(actor: Actor, *, limit: int = 200) -> list[Appeal]:
    """What is not answered yet, the nearest deadline first."""
    query = scoped(actor).where(Appeal.state == AppealState.OPEN.value).order_by(Appeal.due_at).limit(limit)
    return list(db.session.scalars(query))


def of_registration(registration_id: uuid.UUID) -> list[Appeal]:
    """The appeals of a registration, oldest first; the caller has scoped the registration."""
    query = select(Appeal).where(Appeal.registration_id == registration_id).order_by(Appeal.made_at)
    return list(db.session.scalars(query))


def picture(actor: Actor, appeal_id: uuid.UUID) -> bytes:
    """The picture of an appeal as a JPEG; NotFound when there is none, or not for this actor."""
    appeal = one(actor, appeal_id)
    if appeal.picture_sealed is None:
        raise NotFound
    return open_picture(keyring(), appeal.picture_sealed, "appeal", "picture", appeal.id)


def stamp(registration_id: uuid.UUID) -> str:
    """What changes whenever something changes that the holder of a pass is shown: one statement, look-ups by index only."""
    own = Registration.id == registration_id
    lead = select(func.coalesce(Registration.lead_id, Registration.id)).where(own).scalar_subquery()
    group = aliased(Registration)

    def newest(*columns: Any, where: Any) -> list[Any]:
        return [select(func.max(column)).where(where).scalar_subquery() for column in columns]

    parts = [
        Registration.state,
        Registration.assessment_id,
        select(func.max(group.updated_at)).where((group.lead_id == lead) | (group.id == lead)).scalar_subquery(),
        *newest(Pass.issued_at, Pass.revoked_at, where=Pass.registration_id == registration_id),
        *newest(FollowUp.done_at, FollowUp.from_at, where=FollowUp.registration_id == registration_id),
        select(func.count(FollowUp.id)).where(FollowUp.registration_id == registration_id).scalar_subquery(),
        *newest(
            TravellerReport.reported_at,
            TravellerReport.settled_at,
            where=TravellerReport.registration_id == registration_id,
        ),
        *newest(Appeal.made_at, Appeal.answered_at, where=Appeal.registration_id == registration_id),
    ]
    row = db.session.execute(select(*parts).where(own)).first()
    if row is None:
        raise NotFound
    return "|".join(str(part) for part in row)


def answered(actor: Actor, since: datetime, at: datetime, *, until: datetime | None = None) -> Answered:
    """How many of the appeals made since an instant (and before `until`) were answered the same day."""
    if not actor.may(Permission.STANDING_READ):
        raise NotAllowed
    over = (Appeal.answered_at.is_not(None)) | ((Appeal.state == AppealState.OPEN.value) & (Appeal.due_at <= at))
    row = db.session.execute(
        select(func.count(), func.coalesce(func.sum(case((Appeal.answered_at <= Appeal.due_at, 1), else_=0)), 0)).where(
            in_reach(actor, Appeal.division_code),
            Appeal.made_at >= since,
            *(() if until is None else (Appeal.made_at < until,)),
            over,
        )
    ).one()
    return Answered(int(row[0]), int(row[1]))
