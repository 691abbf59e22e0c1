"""Asking the questions: as they stand, and once a night for good, with a seal in the audit trail that later numbers can be held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.audit import service as audit
from checkpoint.audit.models import AuditEntry
from checkpoint.clock import local_date, start_of_day
from checkpoint.coverage import questions
from checkpoint.coverage.models import CoverageCount, CoverageVillage
from checkpoint.coverage.questions import QUESTIONS, Missing, Question, Span
from checkpoint.coverage.reckoning import Counts, Share, seal, total
from checkpoint.database import db, insert_rows, insert_unless_there, transaction
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.regions.models import code_range
from checkpoint.risk.service import current_state

ACT = "coverage.count"
WAIT = timedelta(minutes=30)  # after midnight, so that what was done at the last moment has arrived
MOST_DAYS = 31  # a scheduler that stood still for longer counts no further back
MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One question for one day. `kept` is what was counted that night, None if nothing was; `now` what the same question says now,
    None where it cannot be asked of that day any more."""

    question: Question
    kept: Counts | None
    counted_at: datetime | None
    now: Counts | None

    @property
    def shown(self) -> Counts:
        """What was kept, else what is so now."""
        return self.kept if self.kept is not None else self.now or {}

    @property
    def total(self) -> Share:
        return total(self.shown)


def question_named(name: str) -> Question:
    """A question. Raises NotFound for a name that is none."""
    if name not in QUESTIONS:
        raise NotFound
    return QUESTIONS[name]


def _site() -> str:
    site: str = current_app.extensions["settings"].site_division
    return site


def _timezone() -> str:
    timezone: str = current_app.extensions["settings"].timezone
    return timezone


def today(at: datetime) -> date:
    """The site's own day."""
    return local_date(at, _timezone())


def span_of(day: date, at: datetime) -> Span:
    """A day as far as it has come."""
    timezone = _timezone()
    end = start_of_day(day + timedelta(days=1), timezone)
    return Span(day, start_of_day(day, timezone), end, min(end, at), current_state(at).policy)


def _in_reach(actor: Actor, counts: Counts) -> Counts:
    return {code: share for code, share in counts.items() if actor.sees(code)}


def ask(actor: Actor, name: str, day: date, at: datetime) -> Answer:
    """One question for a day of the past or today, within the actor's jurisdiction. A day to come is NotFound."""
    if not actor.may(Permission.COVERAGE_READ):
        raise NotAllowed
    question, now = question_named(name), today(at)
    if day > now:
        raise NotFound
    live = questions.counts(question, span_of(day, at), _site()) if question.of_day or day == now else None
    head = db.session.get(CoverageCount, (day, name))
    kept = _readable(day, name) if head is not None else None
    return Answer(
        question,
        None if kept is None else _in_reach(actor, kept),
        head.counted_at if head is not None else None,
        None if live is None else _in_reach(actor, live),
    )


def ask_all(actor: Actor, day: date, at: datetime) -> list[Answer]:
    """Every question for a day."""
    return [ask(actor, name, day, at) for name in QUESTIONS]


def who(actor: Actor, name: str, day: date, division: str, at: datetime) -> list[Missing]:
    """Who is missing in a division of the actor's jurisdiction, for those who may know; NotFound outside of it.

    Of a question that has no past, only today's can be named.
    """
    question = question_named(name)
    if not actor.may(Permission.COVERAGE_READ) or not actor.may(question.permission):
        raise NotAllowed
    now = today(at)
    if day > now or (day < now and not question.of_day):
        raise NotFound
    if not actor.sees(division):
        raise NotFound
    return questions.missing(question, span_of(day, at), code_range(division), _site(), MOST_NAMES)


def note_read(actor: Actor, name: str, day: date, division: str, number: int, *, how: str, at: datetime) -> None:
    """Write down that somebody was shown, or took away, who is missing. `how` is screen, csv or xlsx."""
    with transaction():
        audit.record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="coverage.names",
            object_type="coverage",
            object_id=division,
            data={"question": name, "day": day.isoformat(), "people": number, "how": how},
        )


def days_kept(limit: int | None = 60) -> Sequence[date]:
    """The days that were counted, the newest first; all of them without a limit."""
    query = select(CoverageCount.day).distinct().order_by(CoverageCount.day.desc()).limit(limit)
    return db.session.scalars(query).all()


def _kept(day: date, name: str) -> dict[str, Share]:
    rows = db.session.execute(
        select(CoverageVillage.division_code, CoverageVillage.asked, CoverageVillage.met).where(
            CoverageVillage.day == day, CoverageVillage.question == name
        )
    )
    return {code: Share(asked, met) for code, asked, met in rows}


def _readable(day: date, name: str) -> dict[str, Share]:
    """What was kept, and nothing where the numbers are impossible: `check` tells of them."""
    try:
        return _kept(day, name)
    except ValueError:
        return {}


def count_due(at: datetime) -> int:
    """Count for good what no night has counted yet: yesterday, and the days that were missed. Returns how many questions were kept."""
    now = today(at)
    if at < start_of_day(now, _timezone()) + WAIT:
        return 0
    yesterday = now - timedelta(days=1)
    newest = db.session.scalar(select(func.max(CoverageCount.day)))
    first = yesterday if newest is None else max(newest + timedelta(days=1), yesterday - timedelta(days=MOST_DAYS))
    return sum(
        _count(first + timedelta(days=number), at, with_moment=first + timedelta(days=number) == yesterday)
        for number in range((yesterday - first).days + 1)
    )


def _count(day: date, at: datetime, *, with_moment: bool) -> int:
    """One day, all questions that can still be asked of it, in one transaction with their seals in the audit trail."""
    span = span_of(day, at)
    asked = {
        question.name: questions.counts(question, span, _site())
        for question in QUESTIONS.values()
        if question.of_day or with_moment
    }
    stored: dict[str, dict[str, int | str]] = {}
    with transaction():
        for name, counts in asked.items():
            share, mark = total(counts), seal(day.isoformat(), name, counts)
            head = {
                "day": day,
                "question": name,
                "asked": share.asked,
                "met": share.met,
                "counted_at": at,
                "seal": mark,
            }
            if not insert_unless_there(CoverageCount, head, "day", "question"):
                continue  # another scheduler was first
            insert_rows(
                CoverageVillage,
                [
                    {"day": day, "question": name, "division_code": code, "asked": one.asked, "met": one.met}
                    for code, one in sorted(counts.items())
                ],
            )
            stored[name] = {"asked": share.asked, "met": share.met, "seal": mark}
        if stored:
            audit.record(
                at=at,
                actor_kind="system",
                actor_id=None,
                act="coverage.count",
                object_type="coverage",
                object_id=day.isoformat(),
                data=stored,
            )
    return len(stored)


@dataclass(frozen=True, slots=True)
class Checked:
    """A kept count held against itself and the audit trail: whether the villages add up, and whether the trail holds the same."""

    adds_up: bool
    in_trail: bool

    @property
    def holds(self) -> bool:
        return self.adds_up and self.in_trail


def check(day: date) -> Mapping[str, Checked]:
    """For each question that was counted for a day whether the numbers are still the ones that were counted."""
    entries = db.session.scalars(
        select(AuditEntry.data).where(
            AuditEntry.object_type == "coverage", AuditEntry.object_id == day.isoformat(), AuditEntry.act == ACT
        )
    )
    told: dict[str, str] = {}
    for data in entries:
        told |= {name: str(one["seal"]) for name, one in (data or {}).items()}
    found = {}
    for head in db.session.scalars(select(CoverageCount).where(CoverageCount.day == day)):
        try:
            counts = _kept(day, head.question)
            mark = seal(day.isoformat(), head.question, counts)
            adds_up = total(counts) == Share(head.asked, head.met) and mark == head.seal
        except ValueError:  # more met than asked for: somebody has written into the table
            mark, adds_up = "", False
        found[head.question] = Checked(adds_up, told.get(head.question) == mark)
    return found
