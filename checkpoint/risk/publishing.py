"""Which list is in force, since when each area has been listed, and how to take a list back.

A listing is an unbroken time during which the published lists named an area at one level. Publishing closes the listings that the
new list no longer has and opens those that it adds; taking a list back does the reverse, exactly. All of it is set-based: what
a version costs grows with the list, never with the people. Whom a change touches is written down with it (changes.py).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Subquery,
    Table,
    and_,
    case,
    delete,
    except_,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor
from checkpoint.audit import service as audit
from checkpoint.database import transaction
from checkpoint.errors import Conflict, NotFound
from checkpoint.risk.changes import Touched, record_change
from checkpoint.risk.lists import SAMPLE_SOURCE
from checkpoint.risk.models import ChangeCause, ListState, RiskArea, RiskList, RiskListEntry, RiskListing, RiskState
from checkpoint.risk.service import STATE_ROW, ensure_state, policy_by_id

IN_CHAIN = (ListState.PUBLISHED, ListState.SUPERSEDED)


class AlreadySuperseded(Conflict):
    """This list was in force before and a later one has replaced it. Take the later ones back instead."""

    code = "superseded"


class NotPublished(Conflict):
    """Only a list that was published can be taken back."""

    code = "not_published"


def locked_state(session: Session, at: datetime) -> RiskState:
    """The state row, locked until the end of the transaction: one change of lists at a time."""
    ensure_state(at)
    return session.execute(
        select(RiskState).where(RiskState.id == STATE_ROW).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()


def _get(session: Session, list_id: int) -> RiskList:
    found = session.get(RiskList, list_id, populate_existing=True)
    if found is None:
        raise NotFound("There is no risk list with this number.")
    return found


def _chain(session: Session) -> list[RiskList]:
    """The lists that have been in force and still count, first to last."""
    return list(
        session.scalars(
            select(RiskList).where(RiskList.state.in_(IN_CHAIN)).order_by(RiskList.activated_at, RiskList.id)
        )
    )


def _not_open(list_id: int) -> Subquery:
    """The pairs (area, level) of a list that have no open listing; a difference of sets, which both databases merge in one pass."""
    named = select(RiskListEntry.area_id, RiskListEntry.level).where(RiskListEntry.list_id == list_id)
    still_open = select(RiskListing.area_id, RiskListing.level).where(RiskListing.delisted_at.is_(None))
    return except_(named, still_open).subquery("not_open")


def _apply(session: Session, new: RiskList, touched: Touched) -> tuple[int, int]:
    """Close and open listings so that exactly the pairs (area, level) of `new` are open; returns (opened, closed)."""
    named = exists().where(
        RiskListEntry.list_id == new.id,
        RiskListEntry.area_id == RiskListing.area_id,
        RiskListEntry.level == RiskListing.level,
    )
    ends = literal(new.published_at, RiskListing.listed_at.type)
    closed = session.execute(
        update(RiskListing)
        .where(RiskListing.delisted_at.is_(None), ~named)
        .values(delisted_at=case((RiskListing.listed_at > ends, RiskListing.listed_at), else_=ends))
        .returning(RiskListing.county_code, RiskListing.delisted_at)
        .execution_options(synchronize_session=False)
    ).all()
    adding = _not_open(new.id)
    added = (
        select(
            adding.c.area_id,
            RiskArea.county_code,
            adding.c.level,
            literal(new.published_at, RiskListing.listed_at.type),
            literal(new.id),
        )
        .join(RiskArea, RiskArea.id == adding.c.area_id)
        .order_by(adding.c.area_id)
    )
    columns = ["area_id", "county_code", "level", "listed_at", "first_list_id"]
    table = cast(Table, RiskListing.__table__)
    opened = session.execute(
        insert(table).from_select(columns, added).returning(table.c.county_code, table.c.listed_at)
    ).all()
    for county, delisted_at in closed:
        touched.close(county, delisted_at or new.published_at)
    for county, listed_at in opened:
        touched.open(county, listed_at)
    return len(opened), len(closed)


def _undo(session: Session, last: RiskList, previous: RiskList | None, touched: Touched) -> None:
    """As if `last` had never been applied: its listings go, and those that it closed are open again.

    When `previous` was in force, each of its pairs had exactly one open listing; whichever of its pairs has none now was closed
    by `last`, in the pair's newest listing.
    """
    gone = session.execute(
        delete(RiskListing)
        .where(RiskListing.first_list_id == last.id)
        .returning(RiskListing.county_code, RiskListing.listed_at)
        .execution_options(synchronize_session=False)
    ).all()
    for county, listed_at in gone:
        touched.open(county, listed_at)
    if previous is None:
        return
    missing = _not_open(previous.id)
    newest = (
        select(func.max(RiskListing.id))
        .join(missing, and_(missing.c.area_id == RiskListing.area_id, missing.c.level == RiskListing.level))
        .group_by(RiskListing.area_id, RiskListing.level)
    )
    reopened = session.execute(
        update(RiskListing)
        .where(RiskListing.id.in_(newest))
        .values(delisted_at=None)
        .returning(RiskListing.county_code)
        .execution_options(synchronize_session=False)
    ).scalars()
    for county in reopened:
        touched.close(county, last.published_at)  # they ended with `last`, none of them earlier


def _take_out(session: Session, out: Sequence[RiskList], at: datetime, touched: Touched) -> RiskList | None:
    """Take lists out of the chain, wherever they stand in it, and return the one that is in force then."""
    chain = _chain(session)
    leaving = {one.id for one in out}
    first = min(position for position, one in enumerate(chain) if one.id in leaving)
    for position in range(len(chain) - 1, first - 1, -1):
        _undo(session, chain[position], chain[position - 1] if position else None, touched)
    for one in chain[first:]:
        if one.id not in leaving:
            _apply(session, one, touched)
    for one in out:
        one.state = ListState.WITHDRAWN
        one.withdrawn_at = at
    remaining = [one for one in chain if one.id not in leaving]
    for one in remaining:
        one.state = ListState.SUPERSEDED
    if remaining:
        remaining[-1].state = ListState.PUBLISHED
    session.flush()
    return remaining[-1] if remaining else None


def _record(act: str, list_id: int, actor: Actor, at: datetime, data: dict[str, Any]) -> None:
    audit.record(
        at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="risk_list", object_id=list_id, data=data
    )


def publish(list_id: int, *, actor: Actor, at: datetime) -> RiskList:
    """Put a list in force. The one in force is confirmed; a draft or a list taken back earlier replaces the one in force.

    The shipped sample leaves the chain, as if it had never been, when the first other list comes.
    Raises NotFound, AlreadySuperseded.
    """
    with transaction() as session:
        state = locked_state(session, at)
        new = _get(session, list_id)
        touched = Touched()
        if new.state == ListState.PUBLISHED:
            return confirm(list_id, at=at)
        if new.state == ListState.SUPERSEDED:
            raise AlreadySuperseded
        if new.source != SAMPLE_SOURCE:
            samples = [one for one in _chain(session) if one.source == SAMPLE_SOURCE]
            if samples:
                _take_out(session, samples, at, touched)
        session.execute(
            update(RiskList).where(RiskList.state == ListState.PUBLISHED).values(state=ListState.SUPERSEDED)
        )
        opened, closed = _apply(session, new, touched)
        new.state = ListState.PUBLISHED
        new.activated_at = new.confirmed_at = at
        new.withdrawn_at = None
        previous, state.list_id = state.list_id, new.id
        state.confirmed_at = at
        record_change(session, state, ChangeCause.PUBLISH, actor=actor.key, at=at, touched=touched, list_id=new.id)
        _record("risk_list.publish", list_id, actor, at, {"previous": previous, "opened": opened, "closed": closed})
    return new


def confirm(list_id: int, *, at: datetime) -> RiskList:
    """Note that the list in force was seen again unchanged at `at`: it is as fresh as that.

    When it had grown stale, those who were assessed meanwhile are looked at again.
    """
    with transaction() as session:
        state = locked_state(session, at)
        current = _get(session, list_id)
        if state.list_id == current.id and (state.confirmed_at is None or state.confirmed_at < at):
            stale_after = timedelta(hours=policy_by_id(state.policy_id).list_stale_hours)
            was_stale = state.confirmed_at is None or state.confirmed_at + stale_after < at
            state.confirmed_at = current.confirmed_at = at
            if was_stale:
                record_change(session, state, ChangeCause.CONFIRM, actor=None, at=at, list_id=current.id)
    return current


def withdraw(list_id: int, *, actor: Actor, at: datetime) -> RiskList | None:
    """Take a published list back, as if it had never been; returns the list in force then, or None.

    Raises NotFound, NotPublished.
    """
    with transaction() as session:
        state = locked_state(session, at)
        gone = _get(session, list_id)
        if gone.state not in IN_CHAIN:
            raise NotPublished
        touched = Touched()
        current = _take_out(session, [gone], at, touched)
        state.list_id = current.id if current else None
        state.confirmed_at = current.confirmed_at if current else None
        stale_after = timedelta(hours=policy_by_id(state.policy_id).list_stale_hours)
        record_change(
            session,
            state,
            ChangeCause.WITHDRAW,
            actor=actor.key,
            at=at,
            touched=touched,
            list_id=gone.id,
            everyone=current is None,
            judged_from=state.confirmed_at + stale_after if state.confirmed_at else None,
        )
        _record("risk_list.withdraw", list_id, actor, at, {"in_force": state.list_id})
    return current
