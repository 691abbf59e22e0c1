"""Somebody at the barrier who is not registered yet and has no phone: the officer fills in the form on the tablet."""

from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.crossings.shifts import tablet_of
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.service import Receipt


def register(declaration: Declaration, *, actor: Actor, at: datetime) -> Receipt:
    """Register whoever stands at the tablet's barrier. NotAllowed for anybody but a tablet.

    An officer's own session has no barrier: from a desk at home it could declare anybody, past the limits of the public form and
    with no post in the records. The same client_id again returns the first result.
    """
    tablet_of(actor)
    return registrations.submit(declaration, actor=actor, at=at)
