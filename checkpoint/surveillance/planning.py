"""From a change of what is in force to the people whom it touches: one statement, by the index on county and date.

What it costs grows with the stays that end in the days that count, in the counties that changed; not with all people.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from checkpoint.clock import local_date
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Registration, RegistrationState, Stay
from checkpoint.risk.models import RiskChange, RiskChangeCounty
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.service import current_state
from checkpoint.surveillance.models import ReassessBatch, ReassessItem, ReassessJob

BATCH = 400
SWEEP_AFTER = timedelta(seconds=60)
_COMING = (RegistrationState.DECLARED.value, RegistrationState.TURNED_BACK.value)
OPEN_STATES = (*_COMING, RegistrationState.INSIDE.value)
_INSERT: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def unplanned() -> Sequence[int]:
    """The versions whose work has not been planned yet, oldest first."""
    query = (
        select(RiskChange.version)
        .outerjoin(ReassessJob, ReassessJob.version == RiskChange.version)
        .where(ReassessJob.version.is_(None))
        .order_by(RiskChange.version)
    )
    return db.session.scalars(query).all()


def plan(version: int, *, at: datetime) -> int:
    """Find whom a change touches and lay them out in batches; returns how many. Another process that was first has done it."""
    with transaction() as session:
        maker = _INSERT[session.get_bind().dialect.name]
        made = session.execute(
            maker(ReassessJob)
            .values(version=version, total=0, planned_at=at)
            .on_conflict_do_nothing(index_elements=["version"])
            .returning(ReassessJob.version)
        ).first()
        if made is None:
            return 0
        return _lay_out(session, version, at)


def unswept(at: datetime) -> Sequence[int]:
    """The versions planned so long ago that whatever was being stored then is now on disk, and not yet looked at again."""
    query = select(ReassessJob.version).where(
        ReassessJob.finished_at.is_(None), ReassessJob.swept_at.is_(None), ReassessJob.planned_at <= at - SWEEP_AFTER
    )
    return db.session.scalars(query.order_by(ReassessJob.version)).all()


def sweep(version: int, *, at: datetime) -> int:
    """Find again: a declaration that was being stored while the work was planned was assessed under what was in force before it."""
    with transaction() as session:
        job = session.scalars(select(ReassessJob).where(ReassessJob.version == version).with_for_update()).one()
        if job.swept_at is not None:
            return 0
        job.swept_at = at
        session.flush()
        return _lay_out(session, version, at)


def _lay_out(session: Session, version: int, at: datetime) -> int:
    change = session.get_one(RiskChange, version)
    first = int(session.scalar(select(func.max(ReassessBatch.number)).where(ReassessBatch.version == version)) or 0) + 1
    found = touched(change, current_state(at).policy, at).subquery("found")
    known = select(ReassessItem.registration_id).where(ReassessItem.version == version)
    place = type_coerce(func.row_number().over(order_by=(found.c.county, found.c.id)) - 1, Integer)
    rows = select(
        literal(version, Integer),
        found.c.id,
        place // BATCH + first,
        found.c.division,
        found.c.tier,
    ).where(found.c.id.not_in(known))
    columns = ["version", "registration_id", "number", "division_code", "tier_before"]
    session.execute(insert(ReassessItem).from_select(columns, rows))
    sizes = (
        select(
            ReassessItem.version,
            ReassessItem.number,
            func.count(),
            *(literal(0, Integer) for _ in range(4)),
        )
        .where(ReassessItem.version == version, ReassessItem.number >= first)
        .group_by(ReassessItem.version, ReassessItem.number)
    )
    counts = ["raised", "lowered", "alerts", "retracted"]
    session.execute(insert(ReassessBatch).from_select(["version", "number", "size", *counts], sizes))
    total = int(session.scalar(select(func.sum(ReassessBatch.size)).where(ReassessBatch.version == version)) or 0)
    job = session.get_one(ReassessJob, version, populate_existing=True)
    added = total - job.total
    job.total = total
    session.flush()
    return added


def still_counts(policy: PolicyData, at: datetime) -> ColumnElement[bool]:
    """Who is assessed again: inside, or still on the way with a pass that is valid."""
    today = local_date(at, current_app.extensions["settings"].timezone)
    return or_(
        Registration.state == RegistrationState.INSIDE.value,
        and_(
            Registration.state.in_(_COMING), Registration.arriving_on >= today - timedelta(days=policy.pass_valid_days)
        ),
    )


def touched(change: RiskChange, policy: PolicyData, at: datetime) -> Select[uuid.UUID, str, str, str]:
    """Who has to be assessed again: (id, division, tier, county) of each registration once, not yet assessed under the change."""
    columns = (Registration.id.label("id"), Registration.destination_code.label("division"), Registration.tier)
    open_ = (still_counts(policy, at), Registration.state_version < change.version)
    if change.everyone:
        return select(*columns, func.coalesce(Registration.origin_code, "").label("county")).where(*open_)
    nowhere = literal("").label("county")
    parts = [
        select(*columns, Stay.county_code.label("county"))
        .join(Stay, Stay.registration_id == Registration.id)
        .join(RiskChangeCounty, _counts_there(policy.days_before_listing))
        .where(RiskChangeCounty.version == change.version, *open_),
        select(*columns, nowhere).where(Registration.doubt.is_not(None), *open_),
    ]
    if change.judged_from is not None:
        parts.append(select(*columns, nowhere).where(Registration.created_at > change.judged_from, *open_))
    every = union(*parts).subquery("every")
    return select(every.c.id, every.c.division, every.c.tier, func.max(every.c.county).label("county")).group_by(
        every.c.id, every.c.division, every.c.tier
    )


def _counts_there(days: int) -> ColumnElement[bool]:
    """A stay in a changed county whose dates a changed listing counts for; the first bound is what the index can use."""
    opened = _days_before(RiskChangeCounty.opened_on, days)
    closed = RiskChangeCounty.closed_on
    first = case((opened.is_(None), closed), (closed.is_(None), opened), (opened < closed, opened), else_=closed)
    return and_(
        Stay.county_code == RiskChangeCounty.county_code,
        Stay.until >= first,
        or_(Stay.until >= opened, Stay.since > closed),
    )


def _days_before(column: Any, days: int) -> ColumnElement[Any]:
    if db.engine.dialect.name == "sqlite":
        return type_coerce(func.date(column, f"-{days} days"), Date)
    return type_coerce(column - literal(days, Integer), Date)
