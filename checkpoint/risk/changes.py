"""Writing down what a change of lists or policy touches, in the transaction that makes it, so that no change can pass unseen.

A listing that comes, or is taken back as if it had never come, counts for stays that end on its incubation's first day or
later. One that ends counts as before for stays that began by then, so only later stays are touched; the same when it is opened again.
"""

from datetime import date, datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from checkpoint.clock import local_date
from checkpoint.risk.models import ChangeCause, RiskChange, RiskChangeCounty, RiskState


class Touched:
    """The counties in which listings change, with the earliest day on each side. Listings without a county touch nobody."""

    def __init__(self) -> None:
        self._timezone: str = current_app.extensions["settings"].timezone
        self.opened: dict[str, date] = {}
        self.closed: dict[str, date] = {}

    def open(self, county: str | None, listed_at: datetime) -> None:
        """A listing came, or was taken back, that began at `listed_at`."""
        self._earliest(self.opened, county, listed_at)

    def close(self, county: str | None, delisted_at: datetime) -> None:
        """A listing ended at `delisted_at`, or one that had ended then is open again."""
        self._earliest(self.closed, county, delisted_at)

    def _earliest(self, days: dict[str, date], county: str | None, at: datetime) -> None:
        if county is not None:
            day = local_date(at, self._timezone)
            days[county] = min(days.get(county, day), day)

    @property
    def counties(self) -> set[str]:
        """All of them, by code."""
        return self.opened.keys() | self.closed.keys()


def record_change(
    session: Session,
    state: RiskState,
    cause: ChangeCause,
    *,
    actor: str | None,
    at: datetime,
    touched: Touched | None = None,
    list_id: int | None = None,
    policy_id: int | None = None,
    everyone: bool = False,
    judged_from: datetime | None = None,
) -> None:
    """Move the state to its next version and note what that touches. Joins the transaction that locked the state."""
    state.version += 1
    session.flush()
    change: dict[str, Any] = {
        "version": state.version,
        "cause": cause.value,
        "list_id": list_id,
        "policy_id": policy_id,
        "everyone": everyone,
        "judged_from": judged_from,
        "at": at,
        "actor": actor,
    }
    session.execute(insert(cast(Table, RiskChange.__table__)), change)
    rows = (
        [
            {
                "version": state.version,
                "county_code": county,
                "opened_on": touched.opened.get(county),
                "closed_on": touched.closed.get(county),
            }
            for county in sorted(touched.counties)
        ]
        if touched is not None
        else []
    )
    if rows:
        session.execute(insert(cast(Table, RiskChangeCounty.__table__)), rows)
