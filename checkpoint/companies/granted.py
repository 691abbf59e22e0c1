"""What was applied for or granted through a company: who leaves its list loses it at once, and all of it ends with the company."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.duty import level_of
from checkpoint.approvals import answering
from checkpoint.approvals import service as approvals
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalState
from checkpoint.companies.models import Company
from checkpoint.database import db

LIVE = (ApprovalState.OPEN.value, ApprovalState.ASKED.value, ApprovalState.GRANTED.value)


def live_of(company_id: uuid.UUID) -> list[Approval]:
    """The applications of a company that wait or hold; the caller has scoped the company."""
    query = select(Approval).where(Approval.company_id == company_id, Approval.state.in_(LIVE))
    return list(db.session.scalars(query.order_by(Approval.id)))


def take_from(company: Company, keys: Collection[bytes], *, actor: Actor, at: datetime) -> None:
    """Members with these hashes lose what the company got for them; an application that names nobody any more is taken back."""
    for approval in live_of(company.id):
        holders = db.session.scalars(
            select(ApprovalHolder).where(ApprovalHolder.approval_id == approval.id, ApprovalHolder.removed_at.is_(None))
        ).all()
        leaving = [one.id for one in holders if one.id_number_hash in keys or one.plate_hash in keys]
        if leaving and len(leaving) == len(holders):
            approvals.withdraw(approval.id, actor=actor, at=at)
        elif leaving:
            approvals.remove_holders(approval.id, leaving, actor=actor, at=at)


def end_all(company: Company, why: str, *, actor: Actor, at: datetime) -> None:
    """Everything that the company applied for or was granted ends, because the town closes it.

    What a level above the actor's granted cannot be revoked by them: it is taken back in the company's name.
    """
    for approval in live_of(company.id):
        if approval.state == ApprovalState.GRANTED.value and level_of(actor.division) <= approval.stage:
            answering.revoke(approval.id, why, actor=actor, at=at)
        else:
            approvals.withdraw(approval.id, actor=actor, at=at)
