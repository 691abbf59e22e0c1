"""Tables to take away: CSV and XLSX in which no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from checkpoint.inquiries.wording import harmless

FORMATS = ("csv", "xlsx")
_BOM = b"\xef\xbb\xbf"  # spreadsheets take a file without it for GBK
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | float


def sheet(lines: Iterable[Sequence[Cell]], name: str, form: str) -> Response:
    """The lines as a file to be saved; `form` is one of FORMATS, `name` in ASCII and without ending. Not kept by any cache."""
    content, kind = (_xlsx(lines), _XLSX) if form == "xlsx" else (_csv(lines), "text/csv")
    answer = Response(content, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _safe(cell: Cell) -> Cell:
    return harmless(cell) if isinstance(cell, str) else cell


def _csv(lines: Iterable[Sequence[Cell]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([_safe(cell) for cell in line] for line in lines)
    return _BOM + buffer.getvalue().encode()


def _xlsx(lines: Iterable[Sequence[Cell]]) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet()
    for line in lines:
        cells = []
        for value in line:
            cell = WriteOnlyCell(page, value=_safe(value))
            if isinstance(value, str):
                cell.data_type = "s"  # openpyxl would make a formula of a text that begins with =
            cells.append(cell)
        page.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
