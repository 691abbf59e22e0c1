"""Which approvals touch which passes: looked up when a pass is judged or told to a tablet, never written beforehand.

A commuter's approval touches the passes of its standing trip; a person's, the staff's and a company's those of everybody it names,
by the document, on their way into its town; a lorry's those of every vehicle it names, by the plate, wherever it goes; a company's
those of its vehicles too, on their way into its town. A trip that begins after an approval has ended is none of its business.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, cast

from flask import current_app
from sqlalchemy import ColumnElement, Row, Select, Table, and_, bindparam, exists, func, or_, select, union_all
from sqlalchemy.sql import FromClause

from checkpoint.accounts.models import Checkpoint
from checkpoint.approvals.conditions import Conditions, leaves_route
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalKind, ApprovalState
from checkpoint.approvals.standing import Standing, covers_at_most
from checkpoint.clock import local_date
from checkpoint.database import db
from checkpoint.regions.models import at_level, contains
from checkpoint.registrations.models import Pass, Registration, Traveller
from checkpoint.risk.models import Assessment

CHUNK = 500  # registrations asked about in one statement

_approval, _holder, _trip, _person, _pass, _assessed, _post = (
    cast(Table, model.__table__)
    for model in (Approval, ApprovalHolder, Registration, Traveller, Pass, Assessment, Checkpoint)
)
_COMMUTER = ApprovalKind.COMMUTER.value
_BY_DOCUMENT = (ApprovalKind.PERSON.value, ApprovalKind.STAFF.value, ApprovalKind.COMPANY.value)
_BY_PLATE = (ApprovalKind.LORRY.value, ApprovalKind.COMPANY.value)
# Not by the index on states: SQLite would take it, though nearly all approvals stand under the one state.
_IN_FORCE = func.coalesce(_approval.c.state, "") == ApprovalState.GRANTED.value
_NAMED = and_(_IN_FORCE, _holder.c.removed_at.is_(None))
_COLUMNS = (
    _pass.c.serial,
    _approval.c.number,
    _approval.c.kind,
    _approval.c.division_code,
    _approval.c.conditions,
    _approval.c.valid_until,
    _trip.c.origin_code,
    _trip.c.destination_code,
    _trip.c.arriving_on,
    _assessed.c.reasons,
)


def _joined(source: FromClause) -> FromClause:
    return source.join(_assessed, _assessed.c.id == _trip.c.assessment_id).join(
        _pass, _pass.c.registration_id == _trip.c.id
    )


_held = _approval.join(_holder, _holder.c.approval_id == _approval.c.id)
_BRANCHES: tuple[tuple[FromClause, ColumnElement[bool], ColumnElement[bool]], ...] = (
    (
        _joined(_approval.join(_trip, _trip.c.id == _approval.c.registration_id)),
        _approval.c.kind == _COMMUTER,
        _IN_FORCE,
    ),
    (
        _joined(
            _held.join(_person, _person.c.id_number_hash == _holder.c.id_number_hash).join(
                _trip, _trip.c.traveller_id == _person.c.id
            )
        ),
        _approval.c.kind.in_(_BY_DOCUMENT),
        _NAMED,
    ),
    (_joined(_held.join(_trip, _trip.c.plate_hash == _holder.c.plate_hash)), _approval.c.kind.in_(_BY_PLATE), _NAMED),
)


def _in_force(*where: ColumnElement[bool], columns: Iterable[ColumnElement[Any]] = _COLUMNS) -> list[Select[Any]]:
    return [select(*columns).select_from(source).where(kind, live, *where) for source, kind, live in _BRANCHES]


_post_code = select(_post.c.code).where(_post.c.id == bindparam("post")).scalar_subquery().label("post_code")
_OF_TRIP = union_all(*_in_force(_trip.c.id == bindparam("trip"), columns=(*_COLUMNS, _post_code)))


def touches(trip: FromClause, person: FromClause) -> ColumnElement[bool]:
    """Whether a trip and its person may have an approval: a few look-ups in indexes, for a statement that reads them anyway."""
    named = select(_holder.c.id).join(_approval, _approval.c.id == _holder.c.approval_id)
    return or_(
        exists(select(_approval.c.id).where(_approval.c.registration_id == trip.c.id, _IN_FORCE).correlate(trip)),
        exists(named.where(_holder.c.id_number_hash == person.c.id_number_hash, _NAMED).correlate(person)),
        exists(named.where(_holder.c.plate_hash == trip.c.plate_hash, _NAMED).correlate(trip)),
    )


def of_trip(registration_id: uuid.UUID, checkpoint_id: uuid.UUID) -> tuple[str, list[Standing]]:
    """The code of a checkpoint, empty where no approval asks for it, and the approvals that touch a registration."""
    rows = db.session.connection().execute(_OF_TRIP, {"trip": registration_id, "post": checkpoint_id}).all()
    found = {row.number: one for row, one in _standings(rows)}  # a registration has a row for each pass it ever had
    return (rows[0].post_code if rows else ""), list(found.values())


def of_passes(*where: ColumnElement[bool]) -> dict[bytes, list[Standing]]:
    """The approvals of the passes that meet conditions on `pass`, `registration` and `approval`, by the pass's serial."""
    found: dict[bytes, list[Standing]] = {}
    for row, one in _standings(db.session.execute(union_all(*_in_force(*where)))):
        found.setdefault(bytes(row.serial), []).append(one)
    return found


def of_registrations(ids: Iterable[uuid.UUID], *where: ColumnElement[bool]) -> dict[bytes, list[Standing]]:
    """`of_passes` for some registrations."""
    wanted = sorted(ids)
    found: dict[bytes, list[Standing]] = {}
    for start in range(0, len(wanted), CHUNK):
        found |= of_passes(_trip.c.id.in_(wanted[start : start + CHUNK]), *where)
    return found


def ever_touched(*where: ColumnElement[bool]) -> dict[bytes, uuid.UUID]:
    """Serial → registration of the passes that approvals touch or touched, ended ones and those who were taken off included."""
    columns = (_pass.c.serial, _trip.c.id)
    query = union_all(*(select(*columns).select_from(source).where(kind, *where) for source, kind, _live in _BRANCHES))
    return {bytes(row.serial): row.id for row in db.session.execute(query)}


def _standings(rows: Iterable[Row[Any]]) -> Iterator[tuple[Row[Any], Standing]]:
    timezone = current_app.extensions["settings"].timezone
    for row in rows:
        if row.conditions is not None and _concerns(row, timezone):
            conditions = covers_at_most(Conditions.from_json(row.conditions), row.reasons)
            off_route = leaves_route(conditions.route, row.origin_code, row.destination_code)
            yield row, Standing(row.number, conditions, off_route)


def _concerns(row: Row[Any], timezone: str) -> bool:
    """Whether an approval found by trip, document or plate is meant for this trip."""
    if row.kind == _COMMUTER:
        return True
    if row.arriving_on > local_date(row.valid_until - timedelta(microseconds=1), timezone):
        return False
    # Where a lorry may go its route says; everybody else is let into one town.
    return row.kind == ApprovalKind.LORRY.value or contains(_town(row.division_code), row.destination_code)


def _town(code: str) -> str:
    """The town in which a division lies; what is larger than a town, itself."""
    return at_level(code, 4)
