"""Assessing again: plan what a change has touched, then work through it batch by batch, alone or side by side with other processes.

A batch is done in one transaction or not at all, so a kill at any point loses nothing and repeats nothing. On PostgreSQL a
process locks its batch and others skip it; on SQLite the scoring, which takes the time, happens before the write lock is
taken, and what somebody else has changed or done meanwhile is seen under the lock.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, exists, func, select, update
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Registration
from checkpoint.risk.models import RiskChange
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import State, current_state
from checkpoint.surveillance.findings import note_decisions
from checkpoint.surveillance.models import ReassessBatch, ReassessItem, ReassessJob
from checkpoint.surveillance.people import Person, assess_all, books_of, load
from checkpoint.surveillance.planning import OPEN_STATES, plan, sweep, unplanned, unswept
from checkpoint.surveillance.wording import WITHDRAWAL
from checkpoint.surveillance.writing import UNDOING, Occasion, Written, write

Clock = Callable[[], datetime]
Progress = Callable[[int], None]
"""Called with the number of people of each batch that was done."""


def _ignore(_people: int) -> None:
    return


def plan_all(at: datetime) -> int:
    """Plan the work of every change that has none yet; returns how many people were found."""
    found = sum(plan(version, at=at) for version in unplanned())
    return found + sum(sweep(version, at=at) for version in unswept(at))


def work_all(*, actor: Actor, clock: Clock, progress: Progress = _ignore) -> int:
    """Plan and do everything that waits, and close what is done; returns how many people were looked at again."""
    done = 0
    while True:
        plan_all(clock())
        worked = 0
        while (size := work_batch(actor=actor, at=clock())) is not None:
            worked += size
            progress(size)
        close_done(actor=actor, at=clock())
        done += worked
        if not worked:
            return done


@dataclass(frozen=True, slots=True)
class _Scored:
    """People with their results under a state, as they were when somebody looked."""

    state: State
    people: dict[uuid.UUID, Person]
    results: dict[uuid.UUID, Result]


def _score(ids: Sequence[uuid.UUID], at: datetime) -> _Scored:
    state = current_state(at)
    books = books_of(state)
    people = load(ids, books, at)
    return _Scored(state, people, assess_all(people.values(), state, books))


def work_batch(*, actor: Actor, at: datetime) -> int | None:
    """Do the next batch that nobody works on; returns its size (0 when somebody else was first), None when there is none."""
    if db.engine.dialect.name == "postgresql":
        with transaction() as session:
            batch = _next(session, lock=True)
            return None if batch is None else _do(session, batch, None, actor, at)
    session = db.session()
    if session.in_transaction():
        session.commit()  # an older view of the database would hide what others have done since
    batch = _next(session, lock=False)
    if batch is None:
        session.commit()
        return None
    scored = _score(_ids(session, batch), at)
    with transaction() as session:
        session.refresh(batch)
        if batch.done_at is not None:
            return 0
        size = _do(session, batch, scored, actor, at)
        # One writer at a time: the order of numbers is the order of commits, and screens need not wait for the next batch's lock.
        feed.number()
        return size


def _next(session: Session, *, lock: bool) -> ReassessBatch | None:
    query = (
        select(ReassessBatch)
        .where(ReassessBatch.done_at.is_(None))
        .order_by(ReassessBatch.version, ReassessBatch.number)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query.with_for_update(skip_locked=True) if lock else query).first()


def _ids(session: Session, batch: ReassessBatch) -> Sequence[uuid.UUID]:
    items = (ReassessItem.version == batch.version, ReassessItem.number == batch.number)
    return session.scalars(select(ReassessItem.registration_id).where(*items)).all()


def _do(session: Session, batch: ReassessBatch, scored: _Scored | None, actor: Actor, at: datetime) -> int:
    """Store a batch under the lock; what was scored before it counts only for people who have not changed since."""
    ids = _ids(session, batch)
    rows = session.execute(
        select(Registration.id, Registration.assessment_id, Registration.state_version)
        .where(Registration.id.in_(ids), Registration.state.in_(OPEN_STATES))
        .order_by(Registration.id)
        .with_for_update()
    ).all()
    in_force = current_state(at)
    due = {row.id: row.assessment_id for row in rows if row.state_version < in_force.version}
    if scored is None or scored.state != in_force:
        scored = _score(list(due), at)
    else:
        changed = [one for one, assessed in due.items() if _is_other(scored, one, assessed)]
        fresh = _score(changed, at)
        scored = _Scored(in_force, scored.people | fresh.people, scored.results | fresh.results)
    people = [scored.people[one] for one in due if one in scored.people]
    change = session.get_one(RiskChange, batch.version)
    written = Written()
    if people:
        written, verdicts = write(
            people, scored.results, state=scored.state, change=Occasion.of(change), actor=actor, at=at
        )
        note_decisions(verdicts, change)
    _finish_batch(session, batch, written, at)
    return batch.size


def _is_other(scored: _Scored, person_id: uuid.UUID, assessment_id: uuid.UUID) -> bool:
    known = scored.people.get(person_id)
    return known is None or known.assessment_id != assessment_id


def _finish_batch(session: Session, batch: ReassessBatch, written: Written, at: datetime) -> None:
    tier = select(Registration.tier).where(Registration.id == ReassessItem.registration_id).scalar_subquery()
    session.execute(
        update(ReassessItem)
        .where(ReassessItem.version == batch.version, ReassessItem.number == batch.number)
        .values(tier_after=tier)
        .execution_options(synchronize_session=False)
    )
    batch.done_at = at
    batch.raised, batch.lowered = written.raised, written.lowered
    batch.alerts, batch.retracted = written.alerts, written.retracted
    session.flush()


def close_done(*, actor: Actor, at: datetime) -> int:
    """Tell the villages what a withdrawal did, once its work is done, and close jobs that were also swept; returns how many."""
    waiting = exists().where(ReassessBatch.version == ReassessJob.version, ReassessBatch.done_at.is_(None))
    done = select(ReassessJob.version).where(ReassessJob.finished_at.is_(None), ~waiting)
    versions = db.session.scalars(done.order_by(ReassessJob.version)).all()
    closed = 0
    for version in versions:
        with transaction() as session:
            job = session.scalars(
                select(ReassessJob)
                .where(ReassessJob.version == version, ReassessJob.finished_at.is_(None))
                .with_for_update()
                .execution_options(populate_existing=True)
            ).first()
            if job is None:
                continue
            _tell_villages(session, session.get_one(RiskChange, version), at)
            if job.swept_at is not None:
                job.finished_at = at
                closed += 1
            session.flush()
    return closed


def _tell_villages(session: Session, change: RiskChange, at: datetime) -> None:
    """One notice to each village: how many people are back to what they were before. Its cause makes a second call harmless."""
    if change.cause not in UNDOING:
        return
    rank = {"green": 1, "yellow": 2, "red": 3}
    before, after = (
        case(rank, value=column, else_=0) for column in (ReassessItem.tier_before, ReassessItem.tier_after)
    )
    counted = session.execute(
        select(
            ReassessItem.division_code,
            func.sum(case((after < before, 1), else_=0)),
            func.sum(case((after > before, 1), else_=0)),
        )
        .where(ReassessItem.version == change.version, before != after)
        .group_by(ReassessItem.division_code)
    ).all()
    causes = {division: f"{WITHDRAWAL}:{change.version}:{division}" for division, _lowered, _raised in counted}
    known = set(session.scalars(select(Alert.cause).where(Alert.cause.in_(causes.values()))))
    raise_alerts(
        [
            NewAlert(
                kind=WITHDRAWAL,
                cause=causes[division],
                division_code=division,
                tier="green",
                needs_answer=False,
                subject_type="risk_change",
                params={
                    "because": change.cause,
                    "list_id": change.list_id,
                    "policy_id": change.policy_id,
                    "lowered": int(lowered),
                    "raised": int(raised),
                },
            )
            for division, lowered, raised in counted
            if causes[division] not in known
        ],
        current_state(at).policy,
        at,
    )
