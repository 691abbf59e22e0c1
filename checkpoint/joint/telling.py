"""What may be told of one listed person from whom a list found here. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checkpoint.joint.contents import Result, Told


@dataclass(frozen=True, slots=True)
class Fact:
    """A registered person whom the list names, or may name (`certain` is None while nobody has looked, False for somebody else).

    `presence` is the state of the trip, `since` its beginning here, `changed_at` when that state was last changed. `alert` is the
    state of the village's alert, None where nobody was alarmed because the person is not here.
    """

    certain: bool | None
    found_at: datetime
    presence: str
    since: datetime
    changed_at: datetime
    town: str
    alert: str | None
    resolved_at: datetime | None
    result: Result | None


def told_of(facts: Sequence[Fact], looked_at: datetime) -> Told | None:
    """What is told of a person after the registry was looked through at `looked_at`; None while somebody still has to look.

    Somebody who is being dealt with stands above somebody who was, and who is here above who is not.
    """
    sure = [fact for fact in facts if fact.certain]
    if sure:
        return _found(min(sure, key=_order))
    if any(fact.certain is None for fact in facts):
        return None
    return Told(state="not_found", at=looked_at)


def _order(fact: Fact) -> tuple[bool, bool, datetime]:
    return fact.alert in (None, "resolved", "retracted"), fact.presence != "inside", fact.found_at


def _found(fact: Fact) -> Told:
    common: dict[str, Any] = {"presence": fact.presence, "since": fact.since, "town": fact.town}
    if fact.alert == "resolved" and fact.resolved_at is not None:
        return Told(state="handled", at=fact.resolved_at, result=fact.result, **common)
    if fact.alert is None or fact.alert == "retracted":
        # Nobody was alarmed, or no longer: the person has left, was turned back, or does not come.
        return Told(state="handled", at=max(fact.changed_at, fact.found_at), result="not_here", **common)
    return Told(state="found", at=fact.found_at, **common)
