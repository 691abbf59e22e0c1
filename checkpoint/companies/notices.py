"""Reading what a liaison is told: marking it as seen."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from checkpoint.accounts.permissions import Actor
from checkpoint.companies.models import CompanyNotice
from checkpoint.companies.queries import own
from checkpoint.database import transaction


def see(*, actor: Actor, at: datetime) -> int:
    """Everything that the liaison was told so far is read; returns how many. What comes in between stays unread."""
    with transaction() as session:
        unread = CompanyNotice.seen_at.is_(None)
        moved: Any = session.execute(
            update(CompanyNotice)
            .where(CompanyNotice.company_id == own(actor).id, unread, CompanyNotice.made_at <= at)
            .values(seen_at=at)
            .execution_options(synchronize_session=False)
        )
    return int(moved.rowcount)
