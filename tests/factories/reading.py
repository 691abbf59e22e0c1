"""Somebody who was shown very many people, and what the rule makes of it."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from checkpoint.alerts.models import Alert
from checkpoint.database import db, transaction
from checkpoint.disclosure.models import PeopleShown
from checkpoint.risk.policy import default_policy
from checkpoint.watch import service as watch


def shown(reader: str, number: int, *, at: datetime, role: str = "village") -> None:
    """As the meter writes it down: ten minutes from `at` on."""
    with transaction() as session:
        session.add(PeopleShown(reader=reader, role=role, starts_at=at, people=number))


def unusual(reader: str, *, at: datetime) -> uuid.UUID:
    """An alert about a reader who was shown far too many just before."""
    shown(reader, 10_000, at=at - timedelta(minutes=10))
    watch.look(watch.standing("bulk_reading"), at, default_policy())
    return db.session.scalars(select(Alert.id).where(Alert.kind == "watch_bulk_reading")).first() or uuid.UUID(int=0)
