"""People as the scorer sees them, read by the hundred: a fixed number of statements whatever the number of people.

Only words of stays in counties where something is listed are unsealed.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, func, select

from checkpoint.clock import local_date
from checkpoint.database import db
from checkpoint.privacy import keyring, unseal
from checkpoint.regions import default_index
from checkpoint.registrations.models import Registration, Stay, TestResult
from checkpoint.registrations.overrides import in_force, set_aside
from checkpoint.registrations.queries import standing
from checkpoint.risk.books import county_book
from checkpoint.risk.models import Assessment
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import Books, Place, State, score

# Assessments that nobody asked for at a door: they say nothing of when a person was last judged.
BULK_CAUSES = ("list", "withdrawal", "policy")
_registration = cast(Table, Registration.__table__)
_stay = cast(Table, Stay.__table__)
_assessment = cast(Table, Assessment.__table__)
_test = cast(Table, TestResult.__table__)


@dataclass(slots=True)
class Person:
    """One registration with what its assessment depends on, and what it led to so far.

    `judged_at`: when it was last assessed for its own sake (declared, scanned, tested). How old the list was is counted from
    then: a list that is confirmed later makes good for it, and one that is taken back brings back what was so. `standing`: a
    commuter, who comes every day.
    """

    id: uuid.UUID
    division_code: str
    state: str
    tier: str
    assessment_id: uuid.UUID
    state_version: int
    alert_id: uuid.UUID | None
    arriving_on: date
    symptoms: list[str]
    judged_at: datetime
    reasons: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    positive_on: date | None = None
    places: list[Place] = field(default_factory=list)
    set_aside: list[dict[str, Any]] = field(default_factory=list)
    standing: bool = False


def books_of(state: State) -> Books:
    """What is listed under a state."""
    return lambda code: county_book(code, state.version, state.confirmed_at)


def load(ids: Sequence[uuid.UUID], books: Books, at: datetime) -> dict[uuid.UUID, Person]:
    """The people of some registrations, by id."""
    columns = _registration.c
    rows = db.session.execute(
        select(
            columns.id,
            columns.destination_code,
            columns.state,
            columns.tier,
            columns.assessment_id,
            columns.state_version,
            columns.alert_id,
            columns.arriving_on,
            columns.symptoms,
            columns.created_at,
            _assessment.c.reasons,
            _assessment.c.measures,
        )
        .join(_assessment, _assessment.c.id == columns.assessment_id)
        .where(columns.id.in_(ids))
    )
    people = {
        row.id: Person(
            row.id,
            row.destination_code,
            row.state,
            row.tier,
            row.assessment_id,
            row.state_version,
            row.alert_id,
            row.arriving_on,
            row.symptoms,
            row.created_at,
            row.reasons,
            row.measures,
        )
        for row in rows
    }
    _judged(people)
    _places(people, books)
    _positive(people)
    for person_id, marks in in_force(list(people), at).items():
        people[person_id].set_aside = marks
    for person_id in standing(people):
        people[person_id].standing = True
    return people


def _judged(people: Mapping[uuid.UUID, Person]) -> None:
    rows = db.session.execute(
        select(_assessment.c.registration_id, func.max(_assessment.c.made_at))
        .where(_assessment.c.registration_id.in_(people), _assessment.c.cause.not_in(BULK_CAUSES))
        .group_by(_assessment.c.registration_id)
    )
    for person_id, made_at in rows:
        people[person_id].judged_at = made_at


def _places(people: Mapping[uuid.UUID, Person], books: Books) -> None:
    index, ring = default_index(), keyring()
    columns = _stay.c
    rows = db.session.execute(
        select(
            columns.id,
            columns.registration_id,
            columns.position,
            columns.code,
            columns.county_code,
            columns.text_sealed,
            columns.since,
            columns.until,
        )
        .where(columns.registration_id.in_(people))
        .order_by(columns.registration_id, columns.position)
    )
    for row in rows:
        text = ""
        if row.text_sealed is not None and row.code is not None and books(row.code) is not None:
            text = unseal(ring, row.text_sealed, "stay", "text", row.id) or ""
        people[row.registration_id].places.append(
            Place(
                position=row.position,
                code=row.code,
                name=index.full_name(row.code) if row.code and index.exists(row.code) else "",
                text=text,
                resolved=row.county_code is not None,
                since=row.since,
                until=row.until,
            )
        )


def _positive(people: Mapping[uuid.UUID, Person]) -> None:
    timezone = current_app.extensions["settings"].timezone
    rows = db.session.execute(
        select(_test.c.registration_id, func.max(_test.c.taken_at))
        .where(_test.c.registration_id.in_(people), _test.c.result == "positive")
        .group_by(_test.c.registration_id)
    )
    for person_id, taken_at in rows:
        people[person_id].positive_on = local_date(taken_at, timezone)


def assess_all(people: Iterable[Person], state: State, books: Books) -> dict[uuid.UUID, Result]:
    """The result of each person under a state; pure but for the books that it opens."""
    site: str = current_app.extensions["settings"].site_division
    results = {}
    for person in people:
        result = score(
            person.places,
            symptoms=person.symptoms,
            positive_test_on=person.positive_on,
            state=state,
            site_division=site,
            at=person.judged_at,
            books=books,
        )
        results[person.id] = set_aside(result, person.set_aside, state.policy)
    return results
