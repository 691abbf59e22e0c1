"""A report as a workbook: an overview, then one sheet for each table, numbers as numbers."""

import io
import re
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from checkpoint.standing.sheets import Cell, Report, Seconds, Share, Sheet, shown
from checkpoint.words import _

_HEAD = PatternFill("solid", fgColor="E2F0F6")
_LINE = Border(bottom=Side("thin", color="D3DAE0"))
_NO_NAME = re.compile(r"[\[\]:*?/\\]")
_WIDE = 0x2E80  # from here on a letter takes the room of two


def _font(size: int = 11, *, bold: bool = False) -> Font:
    return Font(name="Calibri", size=size, bold=bold)


def write(report: Report) -> bytes:
    """The workbook as a file."""
    book = Workbook()
    overview: Worksheet = book.active  # type: ignore[assignment]
    overview.title = _sheet_name(report.subtitle)
    overview.append([report.title])
    overview["A1"].font = _font(16, bold=True)
    overview.append([report.subtitle])
    overview.append([])
    for figure in report.key_figures:
        _append(overview, figure)
        row = overview.max_row
        overview.cell(row, 2).font = _font(14, bold=True)
        overview.cell(row, 2).alignment = Alignment(horizontal="right")
        overview.cell(row, 3).alignment = Alignment(horizontal="left", indent=1)
        for number in (1, 2, 3):
            overview.cell(row, number).border = _LINE
    overview.append([])
    overview.append([report.note])
    for letter, width in (("A", 44), ("B", 14), ("C", 52)):
        overview.column_dimensions[letter].width = width
    for sheet in report.sheets:
        _table(book.create_sheet(_sheet_name(sheet.title)), sheet)
    for page in book.worksheets:
        page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9  # A4
        page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
        page.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _append(page: Worksheet, row: Sequence[Cell]) -> None:
    """A row of numbers and texts. A text stays one: names of places and posts are typed by people, and may begin as a formula does."""
    page.append([one.value if isinstance(one, Share | Seconds) else one for one in row])
    for cell, given in zip(page[page.max_row], row, strict=True):
        if isinstance(given, Share):
            cell.number_format = "0%"
        elif isinstance(given, Seconds):
            cell.number_format = f'0.0 "{_("s")}"'
        elif isinstance(given, str):
            cell.data_type = "s"


def _table(page: Worksheet, sheet: Sheet) -> None:
    for values in (sheet.columns, *sheet.rows, sheet.total):
        _append(page, values)
    last = page.max_row
    for line in page.iter_rows(1, last):
        for column, cell in enumerate(line):
            is_head = cell.row == 1
            cell.border = _LINE
            cell.alignment = Alignment(wrap_text=is_head, horizontal=_side(column, sheet))
            if is_head:
                cell.fill = _HEAD
            if is_head or cell.row == last:
                cell.font = _font(bold=True)
    for number in range(1, len(sheet.columns) + 1):
        longest = max(_room(shown(row[number - 1])) for row in (sheet.columns, *sheet.rows, sheet.total))
        page.column_dimensions[get_column_letter(number)].width = min(40, longest + 3)
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    if sheet.bars is not None and sheet.rows:
        _bars(page, sheet, last - 1)


def _bars(page: Worksheet, sheet: Sheet, last: int) -> None:
    chart = BarChart()
    chart.title, chart.legend, chart.gapWidth = sheet.title, None, 40
    chart.width, chart.height = 24, 10
    chart.x_axis.delete = chart.y_axis.delete = False  # else the axes are there and not drawn
    column = (sheet.bars or 0) + 1
    chart.add_data(Reference(page, column, 1, column, last), titles_from_data=True)
    chart.set_categories(Reference(page, 1, 2, 1, last))
    page.add_chart(chart, f"{get_column_letter(len(sheet.columns) + 2)}2")


def _side(column: int, sheet: Sheet) -> str:
    """Numbers, and what stands above them, on the right."""
    body = [row[column] for row in sheet.rows] or [sheet.total[column]]
    return "right" if column and all(not isinstance(value, str) or not value for value in body) else "left"


def _room(text: str) -> int:
    return sum(2 if ord(letter) >= _WIDE else 1 for letter in text)


def _sheet_name(title: str) -> str:
    return _NO_NAME.sub(" ", title)[:31]
