"""What the lists in force say of the place from which an applicant comes."""

from datetime import datetime, timedelta

from flask import current_app

from checkpoint.approvals.models import Approval
from checkpoint.clock import local_date
from checkpoint.registrations.declaration import PlaceIn
from checkpoint.registrations.intake import place_of
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import current_state, score


def judged(approval: Approval, at: datetime) -> Result | None:
    """How somebody who sets out there today would be assessed, for their origin alone; None when the origin is not known."""
    if approval.origin_code is None:
        return None
    settings = current_app.extensions["settings"]
    state = current_state(at)
    today = local_date(at, settings.timezone)
    since = today - timedelta(days=state.policy.undated_origin_days)
    place = place_of(PlaceIn(code=approval.origin_code), 0, since, today)
    return score([place], symptoms=(), positive_test_on=None, state=state, site_division=settings.site_division, at=at)
