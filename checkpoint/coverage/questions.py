"""The questions of the form "who of A is not in B". Each says once who A is and who of them is in B; counts and names follow from it.

A comes from another source than B wherever there is one: who was let in is told by the barrier, who arrived by the village. So
somebody whom the work has forgotten is missing here and does not silently leave both numbers.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel.speaklater import LazyString
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from checkpoint.accounts.permissions import Permission
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.companies.models import Company, CompanyMember, CompanyState, Standing
from checkpoint.coverage.listed import found_rows, listed_rows
from checkpoint.coverage.reckoning import Counts, Share
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.followups.finishing import RESULTS, TESTS
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.registrations.models import Registration, RegistrationAct, RegistrationState
from checkpoint.registrations.queries import STAND
from checkpoint.risk.policy import PolicyData
from checkpoint.words import lazy

AHEAD = timedelta(hours=1)  # a scan is never received earlier than it was made, but for a clock that is wrong


Population = Select[str, uuid.UUID, datetime, int]
"""Of everybody in A: division, subject, since (when they were expected), met (1 for those in B)."""


@dataclass(frozen=True, slots=True)
class Span:
    """One day of the site under a policy: from `since` (included) to `end` (not included), of which `until` has come so far."""

    day: date
    since: datetime
    end: datetime
    until: datetime
    policy: PolicyData


@dataclass(frozen=True, slots=True)
class Missing:
    """Somebody of A who is not in B: of what kind the subject is (trip, member, alert, row) and since when they are expected.

    A listed row has no id: `row` is its number, `subject` its inquiry.
    """

    division: str
    subject: uuid.UUID
    since: datetime | None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `population` gives of everybody in A the columns division, subject, since and met (whether they are in B).

    `of_day`: it can be asked of a past day, too; the others are as they stand at the moment. `subject` is what names are made of,
    `permission` what seeing them needs.
    """

    name: str
    label: LazyString
    about: LazyString
    absent: LazyString
    population: Callable[[Span], Population] | None
    subject: str = "trip"
    permission: Permission = Permission.PEOPLE_READ
    of_day: bool = True


def _passed(span: Span) -> Population:
    """Let in by an officer, and the hours for the way to the door ended on the day. Who is expected every day is not asked at the door."""
    hours = timedelta(hours=span.policy.arrival_hours)
    since, until = span.since - hours, span.until - hours
    passed = (
        select(Crossing.registration_id, func.min(Crossing.scanned_at).label("at"))
        .where(
            Crossing.received_at >= since - AHEAD,
            Crossing.scanned_at >= since,
            Crossing.scanned_at < until,
            Crossing.decision == "admitted",
            Crossing.registration_id.is_not(None),
        )
        .group_by(Crossing.registration_id)
        .subquery("passed")
    )
    arrived = exists().where(
        FollowUp.registration_id == passed.c.registration_id,
        FollowUp.kind == "arrival_visit",
        FollowUp.result == "arrived",
        FollowUp.done_at >= passed.c.at,
    )
    everyday = exists().where(RegistrationAct.registration_id == passed.c.registration_id, RegistrationAct.act == STAND)
    query = (
        select(
            Registration.destination_code.label("division"),
            Registration.id.label("subject"),
            passed.c.at.label("since"),
            _flag(arrived),
        )
        .join(passed, passed.c.registration_id == Registration.id)
        .where(Registration.state != RegistrationState.TURNED_BACK.value)
    )
    return query if span.policy.commuter_follow_ups else query.where(or_(~everyday, Registration.tier == "red"))


def _work(kinds: tuple[str, ...], *, but: tuple[str, ...] = ()) -> Callable[[Span], Population]:
    """Work of some kinds whose day it was and that nobody has called off, done with any result `but` some."""
    good = tuple(dict.fromkeys(result for kind in kinds for result in RESULTS[kind] if result not in but))

    def population(span: Span) -> Population:
        return select(
            FollowUp.division_code.label("division"),
            FollowUp.registration_id.label("subject"),
            FollowUp.due_at.label("since"),
            _flag(and_(FollowUp.state == FollowUpState.DONE.value, FollowUp.result.in_(good))),
        ).where(
            FollowUp.kind.in_(kinds),
            # What is due by midnight is work of the day that ends then.
            FollowUp.due_at > span.since,
            FollowUp.due_at <= span.end,
            FollowUp.from_at <= span.until,
            FollowUp.state != FollowUpState.CANCELLED.value,
        )

    return population


def _alerts(span: Span) -> Population:
    return select(
        Alert.division_code.label("division"),
        Alert.id.label("subject"),
        Alert.created_at.label("since"),
        _flag(or_(Alert.acknowledged_at.is_not(None), Alert.state == AlertState.RESOLVED.value)),
    ).where(
        Alert.created_at >= span.since,
        Alert.created_at < span.until,
        Alert.state.not_in((AlertState.NOTICE.value, AlertState.RETRACTED.value)),
    )


def _members(_span: Span) -> Population:
    return (
        select(
            Company.division_code.label("division"),
            CompanyMember.id.label("subject"),
            CompanyMember.added_at.label("since"),
            _flag(CompanyMember.standing != Standing.ABSENT.value),
        )
        .join(Company, Company.id == CompanyMember.company_id)
        .where(Company.state == CompanyState.ACTIVE.value, CompanyMember.removed_at.is_(None))
    )


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0).label("met")


QUESTIONS: dict[str, Question] = {
    one.name: one
    for one in (
        Question(
            "arrival",
            lazy("Let in and arrived"),
            lazy("Of everybody who was let in and whose hours for the way have ended: who was met at the door."),
            lazy("let in, not arrived"),
            _passed,
        ),
        Question(
            "test",
            lazy("Due for a test and tested"),
            lazy("Of the tests that were due on the day: those with a result. A refused test is no result."),
            lazy("not tested"),
            _work(TESTS, but=("refused",)),
        ),
        Question(
            "health",
            lazy("Health report due and sent"),
            lazy("Of the health reports that were due on the day: those that were sent or asked for with an answer."),
            lazy("no health report"),
            _work(("health_check",), but=("no_answer",)),
        ),
        Question(
            "release",
            lazy("Release due and decided"),
            lazy("Of those whose last day it was: who was released or extended."),
            lazy("neither released nor extended"),
            _work(("release",)),
        ),
        Question(
            "alert",
            lazy("Alert raised and acknowledged"),
            lazy("Of the alerts of the day that wait for an answer: those that somebody has acknowledged."),
            lazy("not acknowledged"),
            _alerts,
            subject="alert",
            permission=Permission.ALERTS_READ,
        ),
        Question(
            "company",
            lazy("On a company's list and registered"),
            lazy("Of everybody on the lists of active companies, people and lorries: who has registered."),
            lazy("not registered"),
            _members,
            subject="member",
            permission=Permission.COMPANIES_REVIEW,
            of_day=False,
        ),
        Question(
            "inquiry",
            lazy("On an inquiry list and found"),
            lazy(
                "Of the rows of all inquiry lists in force: those whose person was found here. They belong to no village."
            ),
            lazy("not found"),
            None,
            subject="row",
            permission=Permission.INQUIRIES_REVIEW,
            of_day=False,
        ),
    )
}


def counts(question: Question, span: Span, site: str) -> Counts:
    """The question as it stands, by division. What belongs to no village stands under the site."""
    if question.population is None:
        lists = listed_rows(span.day)
        share = Share(sum(lists.values()), sum(len(rows) for rows in found_rows(list(lists)).values()))
        return {site: share} if share.asked else {}
    everybody = question.population(span).subquery("everybody")
    rows = db.session.execute(
        select(everybody.c.division, func.count(), func.sum(everybody.c.met)).group_by(everybody.c.division)
    )
    return {division: Share(int(asked), int(met)) for division, asked, met in rows}


def missing(question: Question, span: Span, reach: tuple[str, str], site: str, limit: int) -> list[Missing]:
    """Who is missing between two division codes, the longest expected first; at most `limit`."""
    low, high = reach
    if question.population is None:
        return list(_missing_rows(span.day, site, limit)) if low <= site <= high else []
    everybody = question.population(span).subquery("everybody")
    rows = db.session.execute(
        select(everybody.c.division, everybody.c.subject, everybody.c.since)
        .where(everybody.c.met == 0, everybody.c.division.between(low, high))
        .order_by(everybody.c.since, everybody.c.subject)
        .limit(limit)
    )
    return [Missing(row.division, row.subject, row.since) for row in rows]


def _missing_rows(day: date, site: str, limit: int) -> Iterator[Missing]:
    lists = listed_rows(day)
    found = found_rows(list(lists))
    for inquiry_id, rows in lists.items():
        for number in range(rows):
            if limit <= 0:
                return
            if number not in found[inquiry_id]:
                limit -= 1
                yield Missing(site, inquiry_id, None, number)
