"""What is wrong with a list or one of its rows, in the reader's language; and the wrong rows as a table that can be opened safely."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from checkpoint.words import _

_FORMULA = frozenset("=+-@|%")  # `|` and `%` begin calls of other programs in old spreadsheets


def unreadable_text(cause: str, data: Mapping[str, Any]) -> str:
    """Why a file cannot be read as a list, in a sentence."""
    say = _FILES.get(cause)
    return say(data) if say else _("This file cannot be read as a list.")


def row_text(cause: str) -> str:
    """What is wrong with a row."""
    say = _ROWS.get(cause)
    return say() if say else cause


_FILES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "empty": lambda _data: _("There are no rows in this file."),
    "not_a_table": lambda _data: _(
        "This is no CSV, XLSX, ODS or JSON file. An old .xls file must be saved as .xlsx first."
    ),
    "line_too_long": lambda _data: _(
        "A line of this file is longer than a megabyte; it is no table, or its line breaks are lost."
    ),
    "too_many_columns": lambda data: _("This table has more than %(number)s columns.", number=data.get("limit", 0)),
    "too_many_rows": lambda data: _("This table has more than %(number)s rows.", number=data.get("limit", 0)),
    "too_large_unpacked": lambda _data: _(
        "Unpacked, this file is too large to be opened. Save it as CSV, or in parts."
    ),
    "damaged_workbook": lambda _data: _("This workbook is damaged or protected by a password."),
    "not_json": lambda _data: _("This is no JSON list of objects."),
    "file_gone": lambda _data: _("The file is not there any more."),
}

_ROWS: dict[str, Callable[[], str]] = {
    "nothing_to_match": lambda: _("nothing by which somebody could be found"),
    "document_unreadable": lambda: _("the document number cannot be read"),
    "phone_unreadable": lambda: _("the phone number cannot be read"),
    "date_unreadable": lambda: _("the birth date cannot be read"),
    "encoding": lambda: _("characters are lost"),
    "too_long": lambda: _("a cell is too long"),
}


def bad_row_lines(rows: Iterable[Mapping[str, str | int | bool]], before: int) -> Iterator[list[str]]:
    """The wrong rows as lines of a table, numbered as in the file, in which `before` records stand above the rows; no cell begins as a
    formula would."""
    yield [
        _("Row"), _("What is wrong"), _("Was the rest used?"), _("Name"), _("Document"), _("Phone"), _("Birth date"), _("Plate"),
    ]  # fmt: skip
    for row in rows:
        causes = "; ".join(row_text(cause) for cause in str(row["cause"]).split())
        cells = [str(row[field] or "") for field in ("name", "document", "phone", "born", "plate")]
        number = str(int(row["row"]) + 1 + before)
        yield [number, causes, _("yes") if row["used"] else _("no"), *map(harmless, cells)]


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows as it stands. Blanks in front and full-width signs are looked through, as spreadsheets do."""
    first = unicodedata.normalize("NFKC", cell.lstrip().lstrip("\ufeff\u200b").lstrip()[:1])
    return "'" + cell if first in _FORMULA or cell[:1] in ("\t", "\r", "\n") else cell
