"""The notice that a traveller has asked for erasure and that it waits."""

from checkpoint.accounts.permissions import Permission
from checkpoint.alerts.kinds import Kind, register
from checkpoint.risk.policy import Tier
from checkpoint.words import lazy

KIND = "erasure_asked"

ERASURE = register(
    Kind(
        KIND,
        lazy("Asked for erasure, waits"),
        tier=Tier.GREEN,
        needs_answer=False,
        permission=Permission.PEOPLE_READ,
    )
)
