"""Who is on duty (值班): rosters by shift, and to which level an alert goes when nobody is.

A division with shifts that have not ended yet keeps a roster: on duty are those whose shift runs. One without keeps none: all
its workers are on duty. Where nobody is, the next level up answers at once.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, select

from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import PERMISSIONS, Actor, Permission
from checkpoint.accounts.scope import in_reach
from checkpoint.alerts.models import DutyShift
from checkpoint.audit.service import record
from checkpoint.clock import start_of_day
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.errors import FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.regions.models import at_level, significant
from checkpoint.words import _

VILLAGE, TOWN, CITY = 5, 4, 3
_LEVELS = {12: VILLAGE, 9: TOWN}
ANSWERING_ROLES = tuple(
    str(role) for role in Role if Permission.ALERTS_ACT in PERMISSIONS[role] and role != Role.INTEGRATION
)
LONGEST_SHIFT = timedelta(hours=24)
MOST_DAYS = 62


def level_of(division_code: str) -> int:
    """Who answers for a division: 5 a village, 4 a town, 3 the city."""
    return _LEVELS.get(len(significant(division_code)), CITY)


def answering(division_code: str, level: int) -> str:
    """The division that answers at a level: the village itself, its town, or the city."""
    return at_level(division_code, level)


def chain(division_code: str) -> tuple[str, ...]:
    """The divisions that may come to answer, the nearest first."""
    return tuple(answering(division_code, level) for level in range(level_of(division_code), CITY - 1, -1))


def on_duty(codes: Collection[str], at: datetime) -> dict[str, list[uuid.UUID]]:
    """For each division those of its workers who are on duty; divisions without any are left out. One query."""
    runs = and_(DutyShift.user_id == User.id, DutyShift.division_code == User.division_code, DutyShift.ends_at > at)
    rows = db.session.execute(
        select(User.division_code, User.id, DutyShift.starts_at)
        .join(DutyShift, runs, isouter=True)
        .where(User.division_code.in_(codes), User.active.is_(True), User.role.in_(ANSWERING_ROLES))
    ).all()
    rostered = {code for code, _user, starts_at in rows if starts_at is not None}
    found: dict[str, dict[uuid.UUID, None]] = {}
    for code, user_id, starts_at in rows:
        if code not in rostered or (starts_at is not None and starts_at <= at):
            found.setdefault(code, {})[user_id] = None
    return {code: list(users) for code, users in found.items()}


def level_on_duty(division_code: str, level: int, staff: Mapping[str, object]) -> int:
    """The first level from `level` upward at which somebody is on duty; `level` itself where nobody is anywhere."""
    for candidate in range(level, CITY - 1, -1):
        if answering(division_code, candidate) in staff:
            return candidate
    return level


def routes(codes: Iterable[str], at: datetime) -> dict[str, int]:
    """For each division the level that answers for it now."""
    wanted = set(codes)
    staff = on_duty({one for code in wanted for one in chain(code)}, at)
    return {code: level_on_duty(code, level_of(code), staff) for code in wanted}


@dataclass(frozen=True, slots=True)
class Shifts:
    """What is entered at once: one shift a day, `days` times from `first` on; `begins` and `ends` are HH:MM, an end before the
    beginning is the next morning."""

    user_id: uuid.UUID
    first: date
    days: int
    begins: str
    ends: str


def _minutes(raw: str) -> int | None:
    hours, colon, minutes = raw.partition(":")
    if not colon or not (hours.isdecimal() and minutes.isdecimal() and len(hours) <= 2 and len(minutes) == 2):
        return None
    found = int(hours) * 60 + int(minutes)
    return found if int(minutes) < 60 and found <= 24 * 60 else None


def _checked(given: Shifts, actor: Actor) -> tuple[User, int, int]:
    errors = []
    user = db.session.get(User, given.user_id)
    if user is None or not user.active or not actor.sees(user.division_code) or user.role not in ANSWERING_ROLES:
        errors.append(FieldError("user", "unknown", _("Choose somebody who answers alerts.")))
    begins, ends = _minutes(given.begins), _minutes(given.ends)
    if begins is None or begins >= 24 * 60:
        errors.append(FieldError("begins", "format", _("A time like 08:00.")))
    if ends is None:
        errors.append(FieldError("ends", "format", _("A time like 08:00.")))
    if not 1 <= given.days <= MOST_DAYS:
        errors.append(FieldError("days", "range", _("From 1 to %(most)s days.", most=MOST_DAYS)))
    if errors or user is None or begins is None or ends is None:
        raise InvalidInput(errors)
    return user, begins, ends if ends > begins else ends + 24 * 60


def add_shifts(given: Shifts, *, actor: Actor, at: datetime, timezone: str) -> int:
    """Enter somebody into the roster of their own division; days that they are entered for already stay as they are. Returns how
    many shifts were added. Raises InvalidInput, NotAllowed."""
    if not actor.may(Permission.ROSTERS_WRITE):
        raise NotAllowed
    user, begins, ends = _checked(given, actor)
    rows = []
    for number in range(given.days):
        midnight = start_of_day(given.first + timedelta(days=number), timezone)
        rows.append(
            {
                "id": new_id(),
                "division_code": user.division_code,
                "user_id": user.id,
                "starts_at": midnight + timedelta(minutes=begins),
                "ends_at": midnight + timedelta(minutes=ends),
                "made_by": actor.key,
                "made_at": at,
            }
        )
    with transaction() as session:
        known = set(
            session.scalars(
                select(DutyShift.starts_at).where(
                    DutyShift.user_id == user.id, DutyShift.ends_at > rows[0]["starts_at"]
                )
            )
        )
        rows = [row for row in rows if row["starts_at"] not in known]
        insert_rows(DutyShift, rows)
        _audit(actor, at, "duty.add", user.id, {"shifts": len(rows), "division": user.division_code})
    return len(rows)


def remove_shift(shift_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """Take one shift out of a roster. NotFound outside the actor's jurisdiction."""
    if not actor.may(Permission.ROSTERS_WRITE):
        raise NotAllowed
    with transaction() as session:
        shift = session.get(DutyShift, shift_id)
        if shift is None or not actor.sees(shift.division_code):
            raise NotFound
        session.delete(shift)
        _audit(actor, at, "duty.remove", shift.user_id, {"division": shift.division_code})


def _audit(actor: Actor, at: datetime, act: str, user_id: uuid.UUID, data: dict[str, object]) -> None:
    record(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="user", object_id=user_id, data=data)


def workers(actor: Actor) -> list[User]:
    """Those of the actor's jurisdiction who may stand in a roster."""
    query = select(User).where(
        in_reach(actor, User.division_code), User.active.is_(True), User.role.in_(ANSWERING_ROLES)
    )
    return list(db.session.scalars(query.order_by(User.division_code, User.login)))


def roster(actor: Actor, since: datetime, until: datetime, *, limit: int = 500) -> list[tuple[DutyShift, User]]:
    """The shifts of the actor's jurisdiction that touch a time, by division and start; not those of whoever has left since."""
    rows = db.session.execute(
        select(DutyShift, User)
        .join(User, and_(User.id == DutyShift.user_id, User.division_code == DutyShift.division_code))
        .where(
            User.active.is_(True),
            in_reach(actor, DutyShift.division_code),
            DutyShift.ends_at > since,
            DutyShift.starts_at < until,
        )
        .order_by(DutyShift.division_code, DutyShift.starts_at)
        .limit(limit)
    )
    return [(shift, user) for shift, user in rows]


def gaps(
    shifts: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """The times between `since` and `until` that no shift covers. Pure."""
    found, reached = [], since
    for starts_at, ends_at in sorted(shifts):
        if starts_at > reached:
            found.append((reached, min(starts_at, until)))
        reached = max(reached, ends_at)
        if reached >= until:
            return found
    return [*found, (reached, until)]
