"""What a folder of list versions would have done to this registry. Only ever run on a copy: it rewrites what is in force.

Everybody enters at the time of their registration and is assessed under the list of that moment; what a later version does to
them is counted. The alerts counted are those that a published version raises, none of the first one.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import String, Uuid, column, delete, func, insert, select, table, text, update

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert
from checkpoint.clock import local_date
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Registration
from checkpoint.risk.changes import record_change
from checkpoint.risk.importing import import_list, without_wrong_rows
from checkpoint.risk.lists import ParsedList
from checkpoint.risk.models import ChangeCause, ListState, RiskChange, RiskList, RiskListing
from checkpoint.risk.policies import publish_policy
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.publishing import locked_state, publish
from checkpoint.surveillance.models import ReassessBatch, ReassessJob
from checkpoint.surveillance.outcome import REASSESSMENT
from checkpoint.surveillance.planning import OPEN_STATES
from checkpoint.surveillance.service import plan_all, work_all

_LATER = "not_yet"
_STILL_HERE = timedelta(days=14)
_waiting = table("waiting", column("id", Uuid), column("state", String))


@dataclass(slots=True)
class Replayed:
    """One version: whom it touched, what it raised, and the seconds from publishing to the last commit."""

    name: str
    published_at: datetime
    people: int
    raised: int
    lowered: int
    seconds: float
    villages: Counter[str] = field(default_factory=Counter)

    @property
    def alerts(self) -> int:
        """Alerts raised by this version."""
        return sum(self.villages.values())


def registered_between() -> tuple[datetime, datetime] | None:
    """The first and the last registration among people who are on the way or inside; None if there is nobody."""
    first, last = db.session.execute(
        select(func.min(Registration.created_at), func.max(Registration.created_at)).where(
            Registration.state.in_(OPEN_STATES)
        )
    ).one()
    return None if first is None or last is None else (first, last)


def shift_for(lists: Sequence[ParsedList]) -> timedelta:
    """By how many whole days the lists must be moved so that the last one falls on the last registration; none if they meet.

    Lists that begin within two weeks after the last registration still meet people whom they may touch.
    """
    span = registered_between()
    times = [one.published_at for one in lists if one.published_at is not None]
    if span is None or not times or (min(times) <= span[1] + _STILL_HERE and max(times) >= span[0]):
        return timedelta()
    return timedelta(days=(span[1] - max(times)) // timedelta(days=1))


def replay(
    lists: Sequence[tuple[str, ParsedList]], *, shift: timedelta, policy: PolicyData | None, actor: Actor
) -> Iterator[Replayed]:
    """Publish each list in turn at its own time, moved by `shift`, and yield what it did. The first one is the ground."""
    moved = [(name, _moved(parsed, shift)) for name, parsed in lists]
    start = _time(moved[0][1])
    _begin(start)
    if policy is not None:
        publish_policy(policy, actor=actor, at=start)
    for number, (name, parsed) in enumerate(moved):
        at = _time(parsed)
        draft = import_list(without_wrong_rows(parsed), actor=actor, at=at)
        _let_come(at, actor)
        done = _publish(draft, name, actor, at)
        if number and done is not None:
            yield done


def _moved(parsed: ParsedList, shift: timedelta) -> ParsedList:
    return replace(parsed, published_at=_time(parsed) + shift)


def _time(parsed: ParsedList) -> datetime:
    if parsed.published_at is None:
        raise ValueError(f"{parsed.source} does not say when it was published")
    return parsed.published_at


def _begin(at: datetime) -> None:
    """As before the first list: nothing is listed, nobody has come."""
    with transaction() as session:
        state = locked_state(session, at)
        state.list_id = state.confirmed_at = None
        session.execute(delete(RiskListing))
        session.execute(update(RiskList).values(state=ListState.DRAFT.value, activated_at=None))
        planned = select(ReassessJob.version)
        session.execute(
            insert(ReassessJob).from_select(
                ["version", "total", "planned_at", "swept_at", "finished_at"],
                select(RiskChange.version, text("0"), RiskChange.at, RiskChange.at, RiskChange.at).where(
                    RiskChange.version.not_in(planned)
                ),
            )
        )
        session.execute(update(ReassessBatch).where(ReassessBatch.done_at.is_(None)).values(done_at=at))
        session.execute(text("CREATE TABLE waiting AS SELECT id, state FROM registration"))
        session.execute(text("CREATE INDEX waiting_id ON waiting (id)"))
        session.execute(update(Registration).values(state=_LATER, state_version=0, doubt="list_missing"))


def _let_come(at: datetime, actor: Actor) -> None:
    """Those who had registered by now are there, assessed under what has been in force so far; what that raises is not counted."""
    with transaction() as session:
        was = select(_waiting.c.state).where(_waiting.c.id == Registration.id).scalar_subquery()
        came: Any = session.execute(
            update(Registration)
            .where(Registration.state == _LATER, Registration.created_at <= at)
            .values(state=was)
            .execution_options(synchronize_session=False)
        )
        state = locked_state(session, at)
        if came.rowcount and state.list_id is not None:
            record_change(session, state, ChangeCause.CONFIRM, actor=None, at=at, list_id=state.list_id)
    work_all(actor=actor, clock=lambda: at)


def _publish(draft: RiskList, name: str, actor: Actor, at: datetime) -> Replayed | None:
    if draft.state != ListState.DRAFT.value:
        return None  # the same list as an earlier file
    began = time.perf_counter()
    publish(draft.id, actor=actor, at=at)
    people = plan_all(at)
    work_all(actor=actor, clock=lambda: at)
    seconds = time.perf_counter() - began
    version = int(db.session.scalar(select(func.max(RiskChange.version))) or 0)
    raised, lowered = db.session.execute(
        select(func.sum(ReassessBatch.raised), func.sum(ReassessBatch.lowered)).where(ReassessBatch.version == version)
    ).one()
    rows = db.session.execute(
        select(Alert.division_code, func.count())
        .where(Alert.group_key == f"{REASSESSMENT}:{version}")
        .group_by(Alert.division_code)
    )
    villages = Counter({code: number for code, number in rows})
    db.session.remove()
    return Replayed(name, at, people, int(raised or 0), int(lowered or 0), seconds, villages)


def by_day(found: Sequence[Replayed]) -> dict[str, int]:
    """Alerts by calendar day at the site."""
    timezone = current_app.extensions["settings"].timezone
    days: Counter[str] = Counter()
    for one in found:
        days[local_date(one.published_at, timezone).isoformat()] += one.alerts
    return dict(sorted(days.items()))


def by_village(found: Sequence[Replayed]) -> dict[str, int]:
    """Alerts by village, most first."""
    total: Counter[str] = Counter()
    for one in found:
        total.update(one.villages)
    return dict(total.most_common())
