"""What happens to joint inquiries by the clock."""

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.joint import answering, asking, taking
from checkpoint.joint.records import settings
from checkpoint.joint.sending import send_due


def exchange() -> int:
    """Put new requests in force, tell what is new, close what is over, and send all that is owed; returns how many were received."""
    actor = system_actor(settings().site_division)
    answering.work(actor=actor, at=clock.now())
    asking.expire(actor=actor, at=clock.now())
    return send_due(clock.now)


def tidy() -> None:
    """Forget what is only kept for a time."""
    taking.forget(clock.now())
