"""Who reads unusually much: people shown in an hour and in a day, exports in an hour, and whoever was refused to open more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, case, cast, func, or_, select

from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.disclosure.meter import METERED, SPAN
from checkpoint.disclosure.models import PeopleShown
from checkpoint.disclosure.service import EXPORTS, REFUSED
from checkpoint.watch.epochs import epoch
from checkpoint.watch.rules import Finding, Span

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
_MOST = 10_000


def bulk_reading(span: Span, limits: Mapping[str, int]) -> list[Finding]:
    """One cause for each reader, day and kind of reading. Told to the auditor, whoever it is."""
    return [*_shown(span, limits), *_exported(span, limits), *_refused(span)]


def _shown(span: Span, limits: Mapping[str, int]) -> list[Finding]:
    """Rolling sums over the counts of ten minutes each, against the limit of the reader's role."""
    begins = epoch(PeopleShown.starts_at)

    def within(time: timedelta) -> ColumnElement[int]:
        back = -int((time - SPAN).total_seconds())
        return func.sum(PeopleShown.people).over(partition_by=PeopleShown.reader, order_by=begins, range_=(back, 0))

    summed = (
        select(
            PeopleShown.reader,
            PeopleShown.role,
            PeopleShown.starts_at,
            cast(within(HOUR), Integer).label("in_hour"),
            cast(within(DAY), Integer).label("in_day"),
        )
        .where(PeopleShown.starts_at > span.since - DAY - SPAN, PeopleShown.starts_at <= span.until)
        .subquery()
    )
    allowed = case({str(role): limits[role] for role in METERED}, value=summed.c.role, else_=limits["integration"])
    rows = db.session.execute(
        select(summed)
        .where(
            summed.c.starts_at > span.since - SPAN,
            or_(summed.c.in_hour > allowed, summed.c.in_day > allowed * limits["day_times"]),
        )
        .order_by(summed.c.starts_at, summed.c.reader)
        .limit(_MOST)
    )
    found: dict[str, Finding] = {}
    for row in rows:
        limit = limits.get(row.role, limits["integration"])
        at = min(row.starts_at + SPAN, span.until)
        for what, number, most in (("hour", row.in_hour, limit), ("day", row.in_day, limit * limits["day_times"])):
            if number > most:
                one = _finding(span, row.reader, what, at, {"number": int(number), "limit": most})
                found.setdefault(one.key, one)
    return list(found.values())


def _exported(span: Span, limits: Mapping[str, int]) -> list[Finding]:
    """The export that is one more than the limit within an hour."""
    rows = db.session.execute(
        select(AuditEntry.actor_kind, AuditEntry.actor_id, AuditEntry.at, AuditEntry.data)
        .where(AuditEntry.act.in_(EXPORTS), AuditEntry.at > span.since - HOUR, AuditEntry.at <= span.until)
        .order_by(AuditEntry.at, AuditEntry.id)
        .limit(_MOST)
    ).all()
    before: dict[str, list[datetime]] = {}
    found: dict[str, Finding] = {}
    for row in rows:
        if (row.data or {}).get("how") == "screen":
            continue
        reader = f"{row.actor_kind}:{row.actor_id}"
        lately = before.setdefault(reader, [])
        lately.append(row.at)
        number = sum(1 for at in lately if at > row.at - HOUR)
        if number > limits["exports"] and span.holds(row.at):
            one = _finding(span, reader, "exports", row.at, {"number": number, "limit": limits["exports"]})
            found.setdefault(one.key, one)
    return list(found.values())


def _refused(span: Span) -> list[Finding]:
    rows = db.session.execute(
        select(AuditEntry.actor_kind, AuditEntry.actor_id, AuditEntry.at, AuditEntry.data)
        .where(AuditEntry.act == REFUSED, AuditEntry.at > span.since, AuditEntry.at <= span.until)
        .order_by(AuditEntry.at, AuditEntry.id)
        .limit(_MOST)
    )
    found: dict[str, Finding] = {}
    for row in rows:
        data = row.data or {}
        params = {"number": int(data.get("opened", 0)), "limit": int(data.get("limit", 0))}
        one = _finding(span, f"{row.actor_kind}:{row.actor_id}", "refused", row.at, params)
        found.setdefault(one.key, one)
    return list(found.values())


def _finding(span: Span, reader: str, what: str, at: datetime, params: Mapping[str, int]) -> Finding:
    kind, _colon, raw = reader.partition(":")
    return Finding(
        key=f"{reader}:{span.local(at).date().isoformat()}:{what}",
        at=at,
        division_code=span.site,
        subject_type=kind,
        subject_id=UUID(raw) if raw else None,
        params={"reader": reader, "what": what, **params},
    )
