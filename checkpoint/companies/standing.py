"""What a company may know of a member: whether they may come, worked out from their trips. Never why. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from checkpoint.companies.models import Standing
from checkpoint.registrations.models import RegistrationState

_ORDER = (Standing.ABSENT, Standing.MAY_COME, Standing.NEEDS_TEST, Standing.MAY_NOT_COME)
_STAY_AWAY = frozenset({"central_quarantine", "home_observation"})


@dataclass(frozen=True, slots=True)
class Trip:
    """A registration as far as it counts here. `measures` are the kinds of the newest assessment; `tested` that a test that we took
    was negative; `until` the end of the pass of somebody who is not inside."""

    state: str
    created_at: datetime
    tier: str
    measures: frozenset[str]
    tested: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """How a member stands, and until when at most (None: until something changes)."""

    standing: Standing
    until: datetime | None


def of_trip(trip: Trip) -> Standing:
    """One trip by itself: released people may come; whoever was turned back, must quarantine or stay at home may not."""
    if trip.state == RegistrationState.LEFT.value:
        return Standing.MAY_COME
    if trip.state == RegistrationState.TURNED_BACK.value or trip.tier == "red" or trip.measures & _STAY_AWAY:
        return Standing.MAY_NOT_COME
    if (trip.tier == "yellow" or "landing_test" in trip.measures) and not trip.tested:
        return Standing.NEEDS_TEST
    return Standing.MAY_COME


def standing_of(trips: Sequence[Trip], at: datetime) -> Found:
    """The worst of every trip that is inside and of the newest one, unless it is older than those inside or its pass has ended."""
    inside = [trip for trip in trips if trip.state == RegistrationState.INSIDE.value]
    others = [trip for trip in trips if _counts(trip, inside, at)]
    newest = max(others, key=lambda trip: trip.created_at, default=None)
    counted = [*inside, *([newest] if newest is not None else [])]
    if not counted:
        return Found(Standing.ABSENT, None)
    worst = max((of_trip(trip) for trip in counted), key=_ORDER.index)
    ends = newest is not None and newest.state != RegistrationState.LEFT.value
    return Found(worst, newest.until if newest is not None and ends else None)


def _counts(trip: Trip, inside: Collection[Trip], at: datetime) -> bool:
    if trip.state in (RegistrationState.INSIDE.value, RegistrationState.WITHDRAWN.value):
        return False
    if trip.state != RegistrationState.LEFT.value and trip.until <= at:
        return False
    return all(trip.created_at >= one.created_at for one in inside)


def is_told(before: str, after: str) -> bool:
    """Whether the liaison hears of a change: somebody may not come now, needs a test where they needed none, or may come again."""
    if after in (Standing.ABSENT.value, before):
        return False
    if after == Standing.MAY_NOT_COME.value or before == Standing.MAY_NOT_COME.value:
        return True
    return before != Standing.ABSENT.value
