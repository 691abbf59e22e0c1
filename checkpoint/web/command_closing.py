"""From barrier to door within the hours of the policy, by town, and appeals answered the same day: the figures of command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkpoint.accounts.permissions import Actor
from checkpoint.appeals.queries import Answered, answered
from checkpoint.followups.tallies import Closing, closing_by_town
from checkpoint.web.inbox_cards import place_names

DAYS = 7


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """One town: who entered today, and in the last seven days."""

    name: str
    today: Closing
    week: Closing


@dataclass(frozen=True, slots=True)
class ClosingTable:
    """All towns, the one with the lowest share first, and their sums."""

    rows: Sequence[ClosingRow]
    today: Closing
    week: Closing
    appeals: Answered


def closing_table(actor: Actor, midnight: datetime, at: datetime) -> ClosingTable:
    """`midnight` is the first instant of today at the site."""
    since = midnight - timedelta(days=DAYS - 1)
    towns = closing_by_town(actor, since, midnight, at)
    names = place_names(towns)
    rows = [ClosingRow(names[code], today, week) for code, (today, week) in towns.items()]
    rows.sort(key=lambda row: (1.0 if row.week.share is None else row.week.share, row.name))
    return ClosingTable(
        rows,
        sum((row.today for row in rows), Closing()),
        sum((row.week for row in rows), Closing()),
        answered(actor, since, at),
    )


def percent(closing: Closing) -> str:
    """A share as people say it: 90 %, or a dash while nothing is due."""
    return "–" if closing.share is None else f"{100 * closing.share:.0f} %"
