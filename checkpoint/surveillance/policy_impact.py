"""Whose tier or measures a draft of the policy would change, before anybody publishes it. Nothing is written but the counts.

The people are found and scored as they would be afterwards: under the lists in force and the draft instead of the policy.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from checkpoint.database import db, transaction
from checkpoint.errors import NotFound
from checkpoint.regions.models import at_level
from checkpoint.registrations.models import Registration
from checkpoint.risk.drafts import data_of, draft_of
from checkpoint.risk.models import PolicyDraft
from checkpoint.risk.service import State, current_state
from checkpoint.surveillance.models import PolicyImpact
from checkpoint.surveillance.people import assess_all, books_of, load
from checkpoint.surveillance.planning import still_counts

AT_ONCE = 400  # so few people are counted while the page waits; a policy is for everybody, so they are soon more
MOST_NAMES = 200
TOWN = 4
_CHUNK = 400
_RANK = {"green": 1, "yellow": 2, "red": 3}
Tiers = tuple[str, str]
"""Tier before and after."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody whose tier would change."""

    registration_id: uuid.UUID
    division: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """What publishing would do to the people inside and on the way. `counted_at` is None while it is still being counted.

    `towns`: a town's code → tiers → people. `measures`: whose measures alone would change. `some`: at most 200 of those whose tier
    would change, the worst first.
    """

    people: int
    counted_at: datetime | None
    towns: dict[str, dict[Tiers, int]]
    measures: int
    some: tuple[Touched, ...]

    @property
    def changes(self) -> dict[Tiers, int]:
        """Tiers → people, of the whole site."""
        total: Counter[Tiers] = Counter()
        for counts in self.towns.values():
            total.update(counts)
        return dict(total)

    @property
    def raised(self) -> int:
        """People whose tier would be worse."""
        return sum(number for (before, after), number in self.changes.items() if _RANK[after] > _RANK[before])

    @property
    def lowered(self) -> int:
        """People whose tier would be better."""
        return sum(number for (before, after), number in self.changes.items() if _RANK[after] < _RANK[before])


def dry_run(draft_id: int, *, at: datetime) -> DryRun:
    """Whom a draft would touch: counted now when they are few, else when the scheduler has counted them. Raises NotFound."""
    draft = draft_of(draft_id)
    state = current_state(at)
    known = db.session.get(PolicyImpact, draft_id, populate_existing=True)
    if known is not None and known.state_version == state.version:
        return _shown(known)
    after = replace(state, policy=data_of(draft))
    ids = _everybody(after, at)
    few = len(ids) <= AT_ONCE
    return _keep(draft_id, state, ids, at, at if few else None, _count(ids, after, at) if few else None)


def count_waiting_drafts(at: datetime) -> int:
    """Count what was too many to count while somebody waited; returns how many drafts were counted."""
    state = current_state(at)
    waiting = db.session.scalars(
        select(PolicyImpact.draft_id).where(
            PolicyImpact.counted_at.is_(None), PolicyImpact.state_version == state.version
        )
    ).all()
    for draft_id in waiting:
        after = replace(state, policy=data_of(draft_of(draft_id)))
        ids = _everybody(after, at)
        _keep(draft_id, state, ids, at, at, _count(ids, after, at))
    return len(waiting)


def _everybody(after: State, at: datetime) -> Sequence[uuid.UUID]:
    return db.session.scalars(
        select(Registration.id)
        .where(still_counts(after.policy, at))
        .order_by(Registration.origin_code, Registration.id)
    ).all()


def _count(ids: Sequence[uuid.UUID], after: State, at: datetime) -> dict[str, Any]:
    towns: dict[str, Counter[str]] = {}
    some: list[tuple[int, str, str, str, str]] = []
    measures = 0
    books = books_of(after)
    for start in range(0, len(ids), _CHUNK):
        people = load(ids[start : start + _CHUNK], books, at)
        results = assess_all(people.values(), after, books)
        for key, person in people.items():
            result = results[key]
            tier = result.tier.value
            if tier == person.tier:
                measures += [one.as_dict() for one in result.measures] != person.measures
                continue
            towns.setdefault(at_level(person.division_code, TOWN), Counter())[f"{person.tier}>{tier}"] += 1
            some.append((_RANK[person.tier] - _RANK[tier], str(key), person.division_code, person.tier, tier))
        some = sorted(some)[:MOST_NAMES]
    return {"towns": towns, "measures": measures, "some": [list(one[1:]) for one in some]}


def _keep(
    draft_id: int,
    state: State,
    ids: Sequence[uuid.UUID],
    at: datetime,
    counted_at: datetime | None,
    data: dict[str, Any] | None,
) -> DryRun:
    with transaction() as session:
        # Two who look at once keep one count; and somebody may have published the draft meanwhile.
        if session.scalar(select(PolicyDraft.id).where(PolicyDraft.id == draft_id).with_for_update()) is None:
            raise NotFound
        row = session.merge(
            PolicyImpact(
                draft_id=draft_id,
                state_version=state.version,
                asked_at=at,
                counted_at=counted_at,
                people=len(ids),
                data=data,
            )
        )
        session.flush()
        return _shown(row)


def _shown(row: PolicyImpact) -> DryRun:
    data = row.data or {"towns": {}, "measures": 0, "some": []}
    towns = {
        code: {(key.partition(">")[0], key.partition(">")[2]): number for key, number in counts.items()}
        for code, counts in data["towns"].items()
    }
    some = tuple(Touched(uuid.UUID(key), *rest) for key, *rest in data["some"])
    return DryRun(row.people, row.counted_at, towns, data["measures"], some)
