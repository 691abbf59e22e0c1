"""What a report is before it is written: a title, key figures, and tables of words and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None


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
    key_figures: Sequence[tuple[str, str, str]]
    sheets: Sequence[Sheet]
