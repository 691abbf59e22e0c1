"""The one condition by which every query for people, their matters and their helpers is narrowed to whoever asks."""

from typing import Any

from sqlalchemy import ColumnElement

from checkpoint.accounts.permissions import Actor


def in_reach(actor: Actor, column: Any) -> ColumnElement[bool]:
    """That the division in a column lies in the actor's jurisdiction: a range on an index."""
    low, high = actor.reach
    condition: ColumnElement[bool] = column == low if low == high else column.between(low, high)
    return condition
