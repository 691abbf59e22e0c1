"""Counting follow-up work for an inbox's tabs."""

from datetime import datetime

from sqlalchemy import func

from checkpoint.accounts.permissions import Actor
from checkpoint.database import db
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.followups.queries import scoped


def count_due(actor: Actor, until: datetime) -> int:
    """How much open work of the jurisdiction may be done before `until`, what is overdue included."""
    query = scoped(actor).where(FollowUp.state == FollowUpState.OPEN.value, FollowUp.from_at < until)
    return int(db.session.scalar(query.with_only_columns(func.count())) or 0)
