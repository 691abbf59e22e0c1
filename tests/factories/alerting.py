"""Alerts raised as any room raises them, without a registration behind them."""

import uuid
from datetime import datetime, timedelta

from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.alerts.models import Alert, DutyShift
from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.database import db, transaction
from checkpoint.risk.policy import default_policy
from tests.factories import NOW, people
from tests.factories.divisions import VILLAGE


def alert(
    division: str = VILLAGE,
    tier: str = "yellow",
    *,
    at: datetime = NOW,
    needs_answer: bool = True,
    kind: str = "registration",
) -> uuid.UUID:
    """Raise one alert in a transaction of its own; returns its id."""
    new = NewAlert(
        kind=kind, cause=f"test:{uuid.uuid4()}", division_code=division, tier=tier, needs_answer=needs_answer
    )
    raise_alerts([new], default_policy(), at)
    return new.id


def minutes(number: float) -> timedelta:
    """A span of time."""
    return timedelta(minutes=number)


def get(alert_id: uuid.UUID) -> Alert:
    """The alert as it stands in the database now."""
    found = db.session.get(Alert, alert_id, populate_existing=True)
    assert found is not None
    return found


def shift(user_id: uuid.UUID, division: str, start: timedelta, end: timedelta) -> None:
    """Put somebody on duty from and until these spans after NOW."""
    with transaction() as session:
        session.add(
            DutyShift(
                division_code=division,
                user_id=user_id,
                starts_at=NOW + start,
                ends_at=NOW + end,
                made_by="system",
                made_at=NOW,
            )
        )


def escalate(after: timedelta) -> int:
    """Let the clock of deadlines run `after` NOW."""
    return escalate_overdue(actor=people.operator(), at=NOW + after, policy=default_policy())
