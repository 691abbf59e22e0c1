"""What a report is before it is written: a title, key figures, and tables of words and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from checkpoint.standing.wording import percent, seconds


@dataclass(frozen=True, slots=True)
class Share:
    """A share, 0 to 1; None while there is nothing to take it of."""

    value: float | None


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time in seconds; None when nothing was measured."""

    value: float | None


Cell = str | int | Share | Seconds


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `total` is its last row; the numbers of column `bars` are drawn as bars as well, where the writer can."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell]
    bars: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, in one language. `key_figures` are name, value and a line about it."""

    title: str
    subtitle: str
    note: str
    key_figures: Sequence[tuple[str, Cell, str]]
    sheets: Sequence[Sheet]


def shown(value: Cell) -> str:
    """A cell as people read it."""
    if isinstance(value, Share):
        return percent(value.value)
    return seconds(value.value) if isinstance(value, Seconds) else str(value)
