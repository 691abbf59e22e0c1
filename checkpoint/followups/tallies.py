"""Counting follow-up work: an inbox's tabs, and how many people were at their door within the hours that the policy allows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select, text

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.followups.queries import scoped

TOWN_DIGITS = 9
# The words of the partial index itself: neither database uses such an index for a condition with parameters.
_ARRIVALS = text("follow_up.kind = 'arrival_visit'")


def count_due(actor: Actor, until: datetime) -> int:
    """How much open work of the jurisdiction may be done before `until`, what is overdue included."""
    query = scoped(actor).where(FollowUp.state == FollowUpState.OPEN.value, FollowUp.from_at < until)
    return int(db.session.scalar(query.with_only_columns(func.count())) or 0)


@dataclass(frozen=True, slots=True)
class Closing:
    """From barrier to door: of `due` people whose time is over or who have arrived, `closed` arrived in time.

    `running` are still within their time; they count for nothing yet.
    """

    due: int = 0
    closed: int = 0
    running: int = 0

    @property
    def share(self) -> float | None:
        """Closed of due, 0 to 1; None while nothing is due."""
        return self.closed / self.due if self.due else None

    def __add__(self, other: "Closing") -> "Closing":
        return Closing(self.due + other.due, self.closed + other.closed, self.running + other.running)


def closing_by_place(
    actor: Actor,
    since: datetime,
    today: datetime,
    at: datetime,
    *,
    until: datetime | None = None,
    digits: int = TOWN_DIGITS,
) -> dict[str, tuple[Closing, Closing]]:
    """For each town (or village, with 12 `digits`), by its 12-digit code: those who entered since `today`, and since `since`.

    Only those who entered before `until` count. One query, over an index.
    """
    if not actor.may(Permission.STANDING_READ):
        raise NotAllowed
    place = func.substr(FollowUp.division_code, 1, digits)
    done = FollowUp.state == FollowUpState.DONE.value
    in_time = done & (FollowUp.result == "arrived") & (FollowUp.done_at <= FollowUp.due_at) & FollowUp.because.is_(None)
    over = in_time | (done & (FollowUp.result == "arrived")) | (FollowUp.due_at <= at)
    entered_today = FollowUp.from_at >= today
    rows = db.session.execute(
        select(
            place,
            _count(over & entered_today),
            _count(in_time & entered_today),
            _count(~over & entered_today),
            _count(over),
            _count(in_time),
            _count(~over),
        )
        .where(
            _ARRIVALS,
            FollowUp.from_at >= since,
            *(() if until is None else (FollowUp.from_at < until,)),
            FollowUp.state != FollowUpState.CANCELLED.value,
            func.coalesce(FollowUp.result, "") != "not_here",  # another visit stands for it
            # Not the bare column: its index holds all work of the city, and SQLite would take that one.
            in_reach(actor, func.coalesce(FollowUp.division_code, "")),
        )
        .group_by(place)
    )
    return {
        code.ljust(12, "0"): (Closing(*(int(number) for number in numbers[:3])), Closing(*map(int, numbers[3:])))
        for code, *numbers in rows
    }


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
