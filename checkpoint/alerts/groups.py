"""Many alerts that one act raised in one village are shown as one: a storm is a card with a count, not four hundred cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES, PAGE, scoped
from checkpoint.database import db

TOGETHER_FROM = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Live alerts of one act in one division. `params` are those of one of them; `due` is the nearest deadline of the open ones."""

    key: str
    division_code: str
    kind: str
    number: int
    open: int
    red: int
    due: datetime | None
    params: dict[str, Any]

    @property
    def tier(self) -> str:
        """The worst tier among them."""
        return "red" if self.red else "yellow"


def groups(actor: Actor) -> list[Group]:
    """The groups of the actor's inbox that are shown as one, red first, then the largest."""
    mine = scoped(actor).where(Alert.state.in_(LIVE_STATES), Alert.group_key.is_not(None)).subquery()
    is_open = mine.c.state == AlertState.OPEN.value
    number = func.count()
    rows = db.session.execute(
        select(
            mine.c.group_key,
            mine.c.division_code,
            number,
            func.sum(case((is_open, 1), else_=0)),
            func.sum(case((mine.c.tier == "red", 1), else_=0)),
            func.min(case((is_open, mine.c.ack_due))),
        )
        .group_by(mine.c.group_key, mine.c.division_code)
        .having(number >= TOGETHER_FROM)
        .order_by(number.desc(), mine.c.division_code)
    ).all()
    found = [_group(actor, *row) for row in rows]
    return sorted(found, key=lambda one: one.tier != "red")


def _group(
    actor: Actor, key: str, division_code: str, number: int, open_: int, red: int, due: datetime | None
) -> Group:
    query = _members(actor, key, division_code).order_by(Alert.tier, Alert.created_at).limit(1)
    one = db.session.scalars(query).first()
    kind, params = (one.kind, one.params) if one is not None else ("", {})
    return Group(key, division_code, kind, int(number), int(open_), int(red), due, params)


def _members(actor: Actor, key: str, division_code: str) -> Select[Alert]:
    return scoped(actor).where(
        Alert.group_key == key, Alert.division_code == division_code, Alert.state.in_(LIVE_STATES)
    )


def _most_urgent_first(query: Select[Alert]) -> Select[Alert]:
    worst = case({"red": 0, "yellow": 1}, value=Alert.tier, else_=2)
    due = case((Alert.state == AlertState.OPEN.value, Alert.ack_due), else_=Alert.resolve_due)
    return query.order_by(worst, due, Alert.created_at.desc())


def members(actor: Actor, key: str, division_code: str, *, limit: int = PAGE) -> list[Alert]:
    """The live alerts of one group, as the inbox orders them."""
    return list(db.session.scalars(_most_urgent_first(_members(actor, key, division_code)).limit(limit)))


def apart_from(actor: Actor, together: Sequence[Group], *, limit: int = PAGE) -> list[Alert]:
    """The live alerts of the inbox that stand for themselves."""
    query = scoped(actor).where(Alert.state.in_(LIVE_STATES))
    if together:
        inside = or_(*(and_(Alert.group_key == one.key, Alert.division_code == one.division_code) for one in together))
        query = query.where(or_(Alert.group_key.is_(None), ~inside))
    return list(db.session.scalars(_most_urgent_first(query).limit(limit)))
