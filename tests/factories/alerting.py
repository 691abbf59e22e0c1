"""Alerts raised as any room raises them, without a registration behind them."""

import uuid
from datetime import datetime

from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.risk.policy import default_policy
from tests.factories import NOW
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
