"""Counts for whoever watches the machine: whom and what there is, and never who. Each is read from an index alone."""

from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import FeedEntry
from checkpoint.alerts.queries import in_reach
from checkpoint.channels.models import Delivery, DeliveryState
from checkpoint.database import db
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.risk.policy import Tier

PRESENT = (RegistrationState.DECLARED.value, RegistrationState.INSIDE.value)
UNSENT = (DeliveryState.WAITING.value, DeliveryState.DEAD.value)


def people(actor: Actor) -> dict[tuple[str, str], int]:
    """Trips on the way and inside, by (state, tier); each pair is named, also where nobody is."""
    found = {(state, tier.value): 0 for state in PRESENT for tier in Tier}
    rows = db.session.execute(
        select(Registration.state, Registration.tier, func.count())
        .where(
            Registration.state.in_(PRESENT),
            Registration.tier.in_([tier.value for tier in Tier]),
            in_reach(actor, Registration.destination_code),
        )
        .group_by(Registration.state, Registration.tier)
    )
    return found | {(state, tier): int(number) for state, tier, number in rows}


def messages() -> dict[str, int]:
    """Messages that wait for a channel, and those given up that still lie there: state → how many."""
    rows = db.session.execute(
        select(Delivery.state, func.count()).where(Delivery.state.in_(UNSENT)).group_by(Delivery.state)
    )
    return dict.fromkeys(UNSENT, 0) | {state: int(number) for state, number in rows}


def unnumbered() -> int:
    """Events that are committed and that no screen has been told of yet."""
    pending = select(func.count()).select_from(FeedEntry).where(FeedEntry.seq.is_(None))
    return int(db.session.scalar(pending) or 0)
