"""What the approvals of a pass do at the barrier, all together. Pure; `static/js/gate/approvals.js` says the same in the browser.

Any one that is kept counts. Where none is, a broken one that binds the pass holds it, and one that does not bind gives nothing. One
that lacks only a fresh test asks for it at the barrier: after it, all would be kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkpoint.approvals.conditions import Breach, Conditions, Passage, TierName, breach

GRANTED, BROKEN = "approval_granted", "approval_broken"
RULES = (GRANTED, BROKEN)
# What no approval lets in, however far it goes.
NEVER_COVERED = frozenset({"positive_test", "symptoms"})
_RANK = {"green": 1, "yellow": 2, "red": 3}


@dataclass(frozen=True, slots=True)
class Standing:
    """One granted approval that touches a pass; `off_route` where the trip is not the one that was granted."""

    number: str
    conditions: Conditions
    off_route: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What counts: the approval that is kept (`broken` None) or the first that is not, and whether that holds the pass."""

    standing: Standing
    broken: Breach | None

    @property
    def rule(self) -> str:
        return GRANTED if self.broken is None else BROKEN

    @property
    def detail(self) -> tuple[str, ...]:
        """What the rule is about: the approval's number, and what was broken."""
        return (self.standing.number,) if self.broken is None else (self.standing.number, self.broken)

    @property
    def binds(self) -> bool:
        """Whether the pass holds only within this approval, and is outside of it now."""
        return self.broken is not None and self.standing.conditions.binding

    @property
    def lacks_test(self) -> bool:
        """Whether all is kept but for a fresh test."""
        return self.broken == "test"

    @property
    def holds(self) -> bool:
        """Whether the pass is held, whatever its tier."""
        return self.binds and not self.lacks_test

    @property
    def covers_red(self) -> bool:
        """Whether somebody red is let in to a test."""
        return self.standing.conditions.covers == "red" and (self.broken is None or self.lacks_test)

    def points(self, *, red_from: int, yellow_from: int) -> int:
        """What its rule is worth: what holds a pass as much as red, what asks for a test as much as yellow, all else nothing."""
        if self.holds:
            return red_from
        return yellow_from if self.binds else 0

    def as_reason(self, *, red_from: int, yellow_from: int) -> dict[str, Any]:
        """The form in which it is stored with a crossing; `terms` are the conditions, to be shown with it."""
        points = self.points(red_from=red_from, yellow_from=yellow_from)
        shown = self.standing.conditions.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {"rule": self.rule, "points": points, "detail": list(self.detail), "terms": shown}


def settle(standings: Iterable[Standing], passage: Passage) -> Settled | None:
    """What the approvals of a pass come to at one crossing; None without any.

    One that is kept comes before one that binds and lacks only a test, that before one that holds the pass, and that before the rest;
    of equals what covers more, then the first by number.
    """
    found = [
        Settled(one, breach(one.conditions, passage, off_route=one.off_route))
        for one in sorted(standings, key=lambda one: one.number)
    ]
    return max(found, key=_weight, default=None)


def _weight(one: Settled) -> int:
    covers = _RANK[one.standing.conditions.covers]
    if one.broken is None:
        return 30 + covers
    if one.holds:
        return 10
    if one.lacks_test:
        return covers + (20 if one.binds else 0)
    return 0


def covers_at_most(conditions: Conditions, reasons: Sequence[Mapping[str, Any]]) -> Conditions:
    """The conditions for somebody with these reasons of an assessment: a positive test or symptoms are covered by nothing."""
    if conditions.covers == "red" and any(reason["rule"] in NEVER_COVERED for reason in reasons):
        capped: TierName = "yellow"
        return conditions.model_copy(update={"covers": capped})
    return conditions


def terms(conditions: Conditions) -> dict[str, Any]:
    """What a tablet needs of conditions, without the validity, and without what says nothing."""
    kept = {"days", "hours", "checkpoints", "test_hours", "covers", "binding"}
    return conditions.model_dump(mode="json", include=kept, exclude_defaults=True)
