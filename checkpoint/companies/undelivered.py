"""Messages to liaisons that were given up: for the town that answers for the company, as those of its own people are.

What a liaison does not hear by their channel stands on their page all the same; nobody but them sees the channel's address.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.scope import in_reach
from checkpoint.audit.service import record
from checkpoint.channels.models import ChannelTarget, DeliveryState
from checkpoint.companies.models import Company, CompanyDelivery, CompanyNotice
from checkpoint.database import db, transaction
from checkpoint.errors import NotAllowed, NotFound


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The messages to one channel of a company's liaison that were given up; `error` is why the last one failed."""

    target: ChannelTarget
    company: Company
    number: int
    error: str
    newest: datetime


def given_up(actor: Actor, *, limit: int = 200) -> list[GivenUp]:
    """What could not be delivered to the companies of the actor's jurisdiction, by channel, the newest first. Raises NotAllowed."""
    if not actor.may(Permission.CHANNELS_WRITE):
        raise NotAllowed
    rows = db.session.execute(
        select(ChannelTarget, Company, func.count(), func.max(CompanyDelivery.made_at))
        .join(CompanyDelivery, CompanyDelivery.target_id == ChannelTarget.id)
        .join(CompanyNotice, CompanyNotice.id == CompanyDelivery.notice_id)
        .join(Company, Company.id == CompanyNotice.company_id)
        .where(CompanyDelivery.state == DeliveryState.DEAD.value, in_reach(actor, Company.division_code))
        .group_by(ChannelTarget.id, Company.id)
        .order_by(func.max(CompanyDelivery.made_at).desc())
        .limit(limit)
    )
    return [
        GivenUp(target, company, int(number), target.error or "", newest) for target, company, number, newest in rows
    ]


def try_again(target_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Owe the messages of one channel again; returns how many. A channel that had fallen silent speaks again.

    Raises NotAllowed, and NotFound outside the jurisdiction.
    """
    with transaction():
        target, deliveries = _dead(target_id, actor)
        for one in deliveries:
            one.state, one.attempts, one.done_at = DeliveryState.WAITING.value, 0, None
        target.active, target.failures, target.retry_at, target.error = True, 0, None, None
        _audit("channel.retry", target, actor, at)
    return len(deliveries)


def discard(target_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Take the messages of one channel off the list for good; returns how many. Raises as `try_again`."""
    with transaction():
        target, deliveries = _dead(target_id, actor)
        for one in deliveries:
            one.state, one.done_at = DeliveryState.NEEDLESS.value, at
        _audit("channel.discard", target, actor, at)
    return len(deliveries)


def _dead(target_id: uuid.UUID, actor: Actor) -> tuple[ChannelTarget, list[CompanyDelivery]]:
    """A liaison's channel with what was given up of it, locked."""
    if not actor.may(Permission.CHANNELS_WRITE):
        raise NotAllowed
    target = db.session.get(ChannelTarget, target_id, with_for_update=True)
    company = None
    if target is not None and target.user_id is not None:
        company = db.session.scalar(select(Company).where(Company.liaison_id == target.user_id))
    if target is None or company is None or not actor.sees(company.division_code):
        raise NotFound
    dead = select(CompanyDelivery).where(
        CompanyDelivery.target_id == target.id, CompanyDelivery.state == DeliveryState.DEAD.value
    )
    return target, list(db.session.scalars(dead.with_for_update()))


def _audit(act: str, target: ChannelTarget, actor: Actor, at: datetime) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="channel",
        object_id=target.id,
        data={"kind": target.kind, "to": "company"},
    )
