"""What the figures of command are counted from: set-based reads, each over an index, each through the reader's jurisdiction.

No query reads whole tables: people by state are counted from an index alone, everything else from what is open or of one day.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES, in_reach
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.crossings.verdict import Decision
from checkpoint.database import UtcDateTime, db
from checkpoint.errors import NotAllowed
from checkpoint.followups.models import FollowUp
from checkpoint.inquiries.kinds import INQUIRY
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.retention.models import DayCount
from checkpoint.standing.figures import ARRIVAL, TESTS, TIERS, Scanned, Took

# The words of the partial indexes themselves: neither database uses such an index for a condition with parameters.
_DECLARED = text("registration.state = 'declared'")
_OPEN_WORK = text("follow_up.state = 'open'")
_TENTHS_AN_HOUR = 36_000
ByPlace = dict[str, dict[str, int]]


class tenths_between(GenericFunction[int]):  # noqa: N801 - a function of SQL
    """Tenths of a second from the first instant to the second, on both databases."""

    type = BigInteger()
    inherit_cache = True


@compiles(tenths_between, "sqlite")
def _tenths_sqlite(element: Any, compiler: Any, **arguments: Any) -> str:
    first, second = (compiler.process(one, **arguments) for one in element.clauses)
    return f"CAST(round((julianday({second}) - julianday({first})) * 864000) AS INTEGER)"


@compiles(tenths_between, "postgresql")
def _tenths_postgresql(element: Any, compiler: Any, **arguments: Any) -> str:
    first, second = (compiler.process(one, **arguments) for one in element.clauses)
    return f"CAST(round(extract(epoch FROM ({second} - {first})) * 10) AS BIGINT)"


def _hour(since: datetime) -> ColumnElement[int]:
    """Which hour after an instant a scan was in, from 0."""
    return tenths_between(literal(since, UtcDateTime), Crossing.scanned_at) // _TENTHS_AN_HOUR


def _check(actor: Actor) -> None:
    if not actor.may(Permission.STANDING_READ):
        raise NotAllowed


def _add(places: ByPlace, code: str, digits: int, name: str, number: int) -> None:
    """Count something under the town (9 `digits`) or village (12) of a code."""
    counts = places.setdefault(code[:digits].ljust(12, "0"), {})
    counts[name] = counts.get(name, 0) + int(number)


def people(actor: Actor, digits: int) -> dict[str, ByPlace]:
    """People in the city and on the way (`inside`, `declared`): state → place → tier → how many."""
    _check(actor)
    states = (RegistrationState.INSIDE.value, RegistrationState.DECLARED.value)
    found: dict[str, ByPlace] = {state: {} for state in states}
    rows = db.session.execute(
        # By the whole code, in the order of the index; to towns in a few hundred rows here: five times less work for SQLite.
        select(Registration.state, Registration.tier, Registration.destination_code, func.count())
        # Every tier is named, so that a range of places is sought in the index behind state and tier.
        .where(
            Registration.state.in_(states),
            Registration.tier.in_(TIERS),
            in_reach(actor, Registration.destination_code),
        )
        .group_by(Registration.state, Registration.tier, Registration.destination_code)
    )
    for state, tier, code, number in rows:
        _add(found[state], code, digits, tier, number)
    return found


def expected(actor: Actor, since: date, until: date, digits: int) -> dict[date, ByPlace]:
    """People declared for each day of a span (both ends count) who have not been let in: day → place → tier → how many."""
    _check(actor)
    rows = db.session.execute(
        select(Registration.arriving_on, Registration.tier, Registration.destination_code, func.count())
        .where(
            _DECLARED,
            Registration.arriving_on.between(since, until),
            # Not the bare column: its own index holds every trip there ever was, and SQLite might take that one.
            in_reach(actor, func.coalesce(Registration.destination_code, "")),
        )
        .group_by(Registration.arriving_on, Registration.tier, Registration.destination_code)
    )
    found: dict[date, ByPlace] = {}
    for day, tier, code, number in rows:
        _add(found.setdefault(day, {}), code, digits, tier, number)
    return found


def late_work(actor: Actor, at: datetime, digits: int) -> ByPlace:
    """Work whose time is over: place → `not_arrived` or `tests` → how much."""
    _check(actor)
    rows = db.session.execute(
        select(FollowUp.kind, FollowUp.division_code, func.count())
        .where(
            _OPEN_WORK,
            FollowUp.due_at <= at,
            FollowUp.kind.in_((ARRIVAL, *TESTS)),
            in_reach(actor, func.coalesce(FollowUp.division_code, "")),
        )
        .group_by(FollowUp.kind, FollowUp.division_code)
    )
    found: ByPlace = {}
    for kind, code, number in rows:
        _add(found, code, digits, "not_arrived" if kind == ARRIVAL else "tests", number)
    return found


def not_found(actor: Actor, digits: int) -> dict[str, int]:
    """People whom an inquiry list names and about whom an alert is not closed: place → how many."""
    _check(actor)
    place = func.substr(Alert.division_code, 1, digits)
    rows = db.session.execute(
        select(place, func.count())
        .where(Alert.kind == INQUIRY.name, Alert.state.in_(LIVE_STATES), in_reach(actor, Alert.division_code))
        .group_by(place)
    )
    return {code.ljust(12, "0"): int(number) for code, number in rows}


def raised(actor: Actor, since: datetime, until: datetime) -> tuple[int, int]:
    """The alerts raised in a span that need an answer, and how many of them have been closed since."""
    _check(actor)
    rows = db.session.execute(
        select(Alert.state, func.count())
        .where(
            Alert.created_at >= since,
            Alert.created_at < until,
            Alert.ack_due.is_not(None),
            Alert.state.not_in((AlertState.NOTICE.value, AlertState.RETRACTED.value)),
            # As above: the index by time, not the one by place.
            in_reach(actor, func.coalesce(Alert.division_code, "")),
        )
        .group_by(Alert.state)
    )
    counts: Mapping[str, int] = {state: int(number) for state, number in rows}
    return sum(counts.values()), counts.get(AlertState.RESOLVED.value, 0)


def posts(actor: Actor) -> list[tuple[str, str]]:
    """The checkpoints of the jurisdiction: code and name, those included that are closed now and were open on the day."""
    _check(actor)
    rows = db.session.execute(
        select(Checkpoint.code, Checkpoint.name)
        .where(in_reach(actor, Checkpoint.division_code))
        .order_by(Checkpoint.code)
    )
    return [(code, name) for code, name in rows]


def scanned(actor: Actor, since: datetime, until: datetime) -> list[Scanned]:
    """Crossings of a span by checkpoint and hour, by the moment of the scan, whenever a tablet off line delivered it."""
    _check(actor)
    hour = _hour(since)
    admitted = func.coalesce(Crossing.decision, "") == Decision.ADMITTED.value
    rows = db.session.execute(
        select(Checkpoint.code, hour, admitted, func.count())
        .join(Crossing, Crossing.checkpoint_id == Checkpoint.id)
        .where(in_reach(actor, Checkpoint.division_code), Crossing.scanned_at >= since, Crossing.scanned_at < until)
        .group_by(Checkpoint.code, hour, admitted)
    )
    return [Scanned(code, int(number), bool(let_in), int(count)) for code, number, let_in, count in rows]


def took(actor: Actor, since: datetime, until: datetime) -> list[Took]:
    """From scan to the officer's first decision, for the crossings of a span: how many took how many tenths of a second.

    The first decision, since a test on the spot is one: who waits a quarter of an hour for its result has been told what happens.
    """
    _check(actor)
    first = (
        select(func.min(CrossingDecision.decided_at))
        .where(CrossingDecision.crossing_id == Crossing.id)
        .correlate(Crossing)
        .scalar_subquery()
    )
    each = (
        select(
            Checkpoint.code.label("post"),
            _hour(since).label("hour"),
            tenths_between(Crossing.scanned_at, first).label("tenths"),
        )
        .join(Crossing, Crossing.checkpoint_id == Checkpoint.id)
        .where(
            in_reach(actor, Checkpoint.division_code),
            Crossing.scanned_at >= since,
            Crossing.scanned_at < until,
            Crossing.decided_at.is_not(None),
        )
        .subquery()
    )
    rows = db.session.execute(
        select(each.c.post, each.c.hour, each.c.tenths, func.count())
        .where(each.c.tenths.is_not(None))
        .group_by(each.c.post, each.c.hour, each.c.tenths)
    )
    return [Took(post, int(hour), int(tenths), int(number)) for post, hour, tenths, number in rows]


def gone(actor: Actor, day: date) -> dict[str, tuple[int, int]]:
    """Crossings of a day that are no longer kept, by checkpoint: how many, and how many of them were let in."""
    _check(actor)
    rows = db.session.execute(
        select(Checkpoint.code, DayCount.decision, func.sum(DayCount.count))
        .join(Checkpoint, Checkpoint.id == DayCount.checkpoint_id)
        .where(DayCount.day == day, in_reach(actor, Checkpoint.division_code))
        .group_by(Checkpoint.code, DayCount.decision)
    )
    found: dict[str, tuple[int, int]] = {}
    for code, decision, number in rows:
        scans, admitted = found.get(code, (0, 0))
        let_in = int(number) if decision == Decision.ADMITTED.value else 0
        found[code] = (scans + int(number), admitted + let_in)
    return found
