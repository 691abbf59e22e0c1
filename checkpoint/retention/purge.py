"""The purge: what is over and not held goes, a chunk a transaction, until nothing is left to go.

Two at once do nothing twice: each locks the trips of its chunk and leaves out those that another has locked. A run that was killed
leaves whole chunks done and the rest as it was; the next one goes on with the rest.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, exists, func, select, true, update

from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.alerts.models import Alert
from checkpoint.audit.service import record
from checkpoint.clock import local_date, start_of_day
from checkpoint.crossings.models import Crossing
from checkpoint.database import db, transaction
from checkpoint.inquiries.models import PairVerdict
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.retention.clocks import BESIDES, CLOCKS, remove_alerts
from checkpoint.retention.counting import count_gone
from checkpoint.retention.holds import conditions, due, held
from checkpoint.retention.models import PurgeRun
from checkpoint.retention.rules import TRIP_TABLES
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.service import current_state

CHUNK = 100  # trips, or rows of a clock of their own, in one transaction
NIGHT_BEGINS = timedelta(hours=2)  # of the site's own day: who came last is asleep, who comes next has not set out
_EVERYTHING = 2**62
_QUIET = {"synchronize_session": False}


@dataclass(slots=True)
class Purged:
    """What went, by table (`registration`: trips, `traveller`: people), how many crossings were counted, and what is held why."""

    counts: Counter[str] = field(default_factory=Counter)
    held: dict[str, int] = field(default_factory=dict)


def purge(*, actor: Actor, at: datetime, limit: int | None = None, by_clock: bool = False) -> Purged:
    """Let go what is over: at most `limit` trips, and all that goes by clocks of its own. The counts are audited."""
    policy = current_state(at).policy
    done = Purged()
    run_id = _begin(by_clock, at)
    _trips(policy, at, _EVERYTHING if limit is None else limit, done.counts)
    for name, step in {**CLOCKS, **BESIDES}.items():
        while number := _step(lambda step=step: step(policy.retention, at, CHUNK)):  # type: ignore[misc]
            done.counts[name] += number
    done.held = held_by_reason(policy, at)
    with transaction() as session:
        run = session.get_one(PurgeRun, run_id, populate_existing=True)
        run.counts, run.held, run.ended_at = dict(done.counts), done.held, at
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="data.purge",
            object_type="purge_run",
            object_id=run_id,
            data={"gone": dict(done.counts), "held": done.held},
        )
    wipe()
    return done


def purge_due(at: datetime) -> Purged | None:
    """The scheduler's own run: once in a night, from two o'clock on; again when the last one was killed. None when there is none due."""
    settings = current_app.extensions["settings"]
    night = start_of_day(local_date(at, settings.timezone), settings.timezone) + NIGHT_BEGINS
    if at < night:
        return None
    over = PurgeRun.by_clock & PurgeRun.ended_at.is_not(None) & (PurgeRun.began_at >= night)
    if db.session.scalar(select(PurgeRun.id).where(over).limit(1)) is not None:
        return None
    return purge(actor=system_actor(settings.site_division), at=at, by_clock=True)


def survey(at: datetime) -> tuple[int, dict[str, int]]:
    """How many trips would go now, and how many that are over, or asked for, are held for which reason. Changes nothing."""
    policy = current_state(at).policy
    going = select(func.count()).select_from(Registration).where(due(policy, at), ~held(at))
    return int(db.session.scalar(going) or 0), held_by_reason(policy, at)


def held_by_reason(policy: PolicyData, at: datetime) -> dict[str, int]:
    """How many trips whose time is over each reason holds; a trip may be held by several."""
    reasons = conditions(at)
    row = db.session.execute(
        select(*(func.count().filter(condition) for condition in reasons.values()))
        .select_from(Registration)
        .where(due(policy, at))
    ).one()
    return {reason.value: int(number) for reason, number in zip(reasons, row, strict=True) if number}


def erase(registration_id: uuid.UUID, at: datetime) -> bool:
    """Let one trip go whose traveller has asked for it, in the transaction under way; False when something holds it."""
    query = select(Registration.id).where(Registration.id == registration_id, ~held(at)).with_for_update()
    if db.session.scalar(query) is None:
        return False
    _remove([registration_id], Counter())
    return True


def wipe() -> None:
    """On SQLite: let nothing that was taken away stand in the write-ahead log either. While others read it, the next run does it."""
    if db.engine.dialect.name == "sqlite":
        db.session.commit()
        connection = db.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def _begin(by_clock: bool, at: datetime) -> int:
    with transaction() as session:
        run = PurgeRun(by_clock=by_clock, began_at=at, ended_at=None, counts={}, held={})
        session.add(run)
        session.flush()
        return run.id


def _step(work: Callable[[], int]) -> int:
    with transaction():
        return work()


def _trips(policy: PolicyData, at: datetime, limit: int, counts: Counter[str]) -> None:
    """By id upward, so that what is held is passed by once a run."""
    after: uuid.UUID | None = None
    left = limit
    while left > 0:
        with transaction() as session:
            query = (
                select(Registration.id)
                .where(due(policy, at), ~held(at), Registration.id > after if after else true())
                .order_by(Registration.id)
                .limit(min(CHUNK, left))
                .with_for_update(skip_locked=True, of=Registration)
            )
            chosen = list(session.scalars(query))
            _remove(chosen, counts)
        if not chosen:
            return
        after, left = chosen[-1], left - len(chosen)


def _remove(trips: Sequence[uuid.UUID], counts: Counter[str]) -> None:
    """Everything of some trips, and of the people who have no other."""
    if not trips:
        return
    session = db.session
    tables = db.metadata.tables
    people = list(session.scalars(select(Registration.traveller_id).where(Registration.id.in_(trips)).distinct()))
    alerts = list(session.scalars(select(Alert.id).where(Alert.subject_id.in_(trips))))
    counts["alert"] += remove_alerts(alerts)
    crossings = list(session.scalars(select(Crossing.id).where(Crossing.registration_id.in_(trips))))
    counts["counted"] += count_gone(crossings)
    for name in TRIP_TABLES:
        done: Any = session.execute(delete(tables[name]).where(tables[name].c.registration_id.in_(trips)))
        counts[name] += done.rowcount
    # Whoever came along and stays longer stands alone from now on.
    alone = update(Registration).where(Registration.lead_id.in_(trips)).values(lead_id=None)
    session.execute(alone, execution_options=_QUIET)
    gone = delete(Registration).where(Registration.id.in_(trips))
    session.execute(gone, execution_options=_QUIET)
    counts["registration"] += len(trips)
    counts["traveller"] += _people(people)


def _people(travellers: Sequence[uuid.UUID]) -> int:
    """Those of some people who have no trip any more go, with what reviewers said of their document if nobody else has it."""
    mine = Traveller.id.in_(travellers)
    # Locked before it is asked whether anybody came again: a declaration that was under way is then seen.
    db.session.execute(select(Traveller.id).where(mine).order_by(Traveller.id).with_for_update())
    no_trip = ~exists().where(Registration.traveller_id == Traveller.id)
    rows = db.session.execute(select(Traveller.id, Traveller.id_number_hash).where(mine, no_trip)).all()
    if not rows:
        return 0
    gone = delete(Traveller).where(Traveller.id.in_([one.id for one in rows]))
    db.session.execute(gone, execution_options=_QUIET)
    hashes = {one.id_number_hash for one in rows}
    elsewhere = exists().where(Traveller.id_number_hash == PairVerdict.person_hash)
    forget = delete(PairVerdict).where(PairVerdict.person_hash.in_(hashes), ~elsewhere)
    db.session.execute(forget, execution_options=_QUIET)
    return len(rows)
