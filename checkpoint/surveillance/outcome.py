"""What follows from a new result: whom to tell and why, which alerts lose their point. Pure."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkpoint.risk.policy import Tier

REASSESSMENT = "reassessment"
# Alerts that stand or fall with the tier; what other rooms raise has reasons of its own.
TIER_KINDS = ("registration", "arrival", REASSESSMENT)
_LIVE = frozenset({"open", "acknowledged"})


class Move(enum.StrEnum):
    """What becomes of an alert: taken back, made milder, turned into a notice, or only told so to whoever is at work on it."""

    RETRACT = "retract"
    SOFTEN = "soften"
    NOTICE = "notice"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert about the person: `list_id` is the list under which it was raised, for those of a re-assessment."""

    kind: str
    tier: str
    state: str
    list_id: int | None = None


def why(reasons: Sequence[Mapping[str, Any]], before: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The strongest reason that was not there before: which rule, which stay, which listed area, since when."""
    known = {_mark(reason) for reason in before}
    fresh = next((reason for reason in reasons if _mark(reason) not in known), None)
    if fresh is None:
        return None
    return {key: fresh[key] for key in ("rule", "stay", "area", "listed_on") if key in fresh}


def _mark(reason: Mapping[str, Any]) -> tuple[Any, ...]:
    return reason["rule"], reason.get("stay"), reason.get("area"), tuple(reason.get("detail", ()))


def move_of(alert: Standing, tier: Tier, *, withdrawn_list: int | None, others: bool) -> Move | None:
    """What becomes of an alert when the person's tier is now `tier`; None leaves it as it is.

    `withdrawn_list`: the list that was taken back, if that is why. `others`: another live alert speaks for the person. What was
    raised by a list that is taken back is retracted even from somebody who has taken it on: its reason never was.
    """
    if alert.kind not in TIER_KINDS or alert.state not in _LIVE:
        return None
    lower = tier.rank < Tier(alert.tier).rank
    if alert.kind == REASSESSMENT and withdrawn_list is not None and alert.list_id == withdrawn_list:
        if tier is Tier.GREEN or others:
            return Move.RETRACT
        return Move.SOFTEN if lower else None
    if not lower:
        return None
    if tier is not Tier.GREEN:
        return Move.SOFTEN
    if alert.state == "acknowledged":
        return Move.TELL  # somebody is on the way: they decide what is left to do
    return Move.RETRACT if alert.kind == REASSESSMENT else Move.NOTICE
