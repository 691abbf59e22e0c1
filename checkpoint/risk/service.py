"""What is in force: the list, the policy, and the assessment of one registration under both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from flask import current_app
from sqlalchemy import Table, select

from checkpoint.database import db, insert_unless_there, transaction
from checkpoint.risk.books import CountyBook, county_book
from checkpoint.risk.models import Policy, RiskState
from checkpoint.risk.policy import PolicyData, default_policy
from checkpoint.risk.scoring import Facts, Hit, Result, StayFact, assess, overlaps

STATE_ROW = 1
_state = cast(Table, RiskState.__table__)
_STATE = select(_state.c.version, _state.c.list_id, _state.c.policy_id, _state.c.confirmed_at).where(
    _state.c.id == STATE_ROW
)


Books = Callable[[str], CountyBook | None]
"""From a division code to the book of its county, None when nothing is or lately was listed there."""


@dataclass(frozen=True, slots=True)
class State:
    """What every assessment is made under. `version` grows with every change of list or policy."""

    version: int
    list_id: int | None
    policy_id: int
    policy: PolicyData
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A stay to be scored. `code` is 12 digits or None; `resolved` says whether it is deep enough to be judged."""

    position: int
    code: str | None
    name: str
    text: str
    resolved: bool
    since: date
    until: date


def ensure_state(at: datetime) -> RiskState:
    """The single state row, made with policy version 1 at the first use."""
    row = db.session.get(RiskState, STATE_ROW)
    if row is not None:
        return row
    with transaction() as session:
        first = {
            "version": 1,
            "data": default_policy().model_dump(mode="json"),
            "created_at": at,
            "created_by": "system",
        }
        newest = select(Policy.id).order_by(Policy.version.desc()).limit(1)
        if session.scalar(newest) is None:
            insert_unless_there(Policy, first, "version")
        state = {
            "id": STATE_ROW,
            "version": 1,
            "list_id": None,
            "policy_id": session.scalar(newest),
            "confirmed_at": None,
        }
        insert_unless_there(RiskState, state, "id")
        return session.get_one(RiskState, STATE_ROW)


def policy_by_id(policy_id: int) -> PolicyData:
    """A policy version; parsed once for each process, since versions are never edited."""
    known: dict[int, PolicyData] = current_app.extensions.setdefault("policies", {})
    if policy_id not in known:
        row = db.session.get(Policy, policy_id)
        if row is None:
            raise LookupError(f"policy {policy_id} is missing")
        known[policy_id] = PolicyData.model_validate(row.data)
    return known[policy_id]


def current_state(at: datetime) -> State:
    """What is in force now: one look-up by primary key."""
    found = db.session.execute(_STATE).first()
    if found is None:
        row = ensure_state(at)
        return State(row.version, row.list_id, row.policy_id, policy_by_id(row.policy_id), row.confirmed_at)
    return State(found.version, found.list_id, found.policy_id, policy_by_id(found.policy_id), found.confirmed_at)


def _books(state: State) -> Books:
    return lambda code: county_book(code, state.version, state.confirmed_at)


def _hit(place: Place, state: State, books: Books) -> Hit | None:
    """What the lists say of a place in the dates of the stay."""
    if place.code is None:
        return None
    book = books(place.code)
    if book is None:
        return None
    days = state.policy.days_before_listing
    counting = [key for key, span in book.spans.items() if overlaps(place.since, place.until, span[0], span[1], days)]
    if not counting:
        return None
    ids = None if len(counting) == len(book.spans) else frozenset(counting)
    match = book.areas.match(place.text, place.code, ids=ids)
    if match is None or match.area is None:
        return None
    return Hit(match.depth.value, match.level.value, match.area.text, book.spans[match.area.id][0], match.evidence)


def stay_facts(
    places: Sequence[Place], state: State, site_division: str, books: Books | None = None
) -> tuple[StayFact, ...]:
    """Each stay with what the lists in force say of it, or those of the given books."""
    opened = books or _books(state)
    return tuple(
        StayFact(
            position=place.position,
            place=place.name,
            resolved=place.resolved,
            same_province=place.code is not None and place.code[:2] == site_division[:2],
            since=place.since,
            until=place.until,
            hit=_hit(place, state, opened) if place.resolved else None,
        )
        for place in places
    )


def score(
    places: Sequence[Place],
    *,
    symptoms: Sequence[str],
    positive_test_on: date | None,
    state: State,
    site_division: str,
    at: datetime,
    books: Books | None = None,
) -> Result:
    """Assess a registration's facts under what is in force; with `books` as if those were what is listed."""
    age = (
        None if state.confirmed_at is None or state.list_id is None else (at - state.confirmed_at) / timedelta(hours=1)
    )
    facts = Facts(
        stay_facts(places, state, site_division, books), tuple(symptoms), positive_test_on, state.list_id, age
    )
    return assess(facts, state.policy)
