"""What is wrong with a file or a row of it, in words and in the reader's language."""

from checkpoint.risk.lists import UnreadableList, WrongRow
from checkpoint.words import _, lazy

_FILE = {
    "too_large": lazy("The file is larger than 32 MB."),
    "too_many": lazy("The file has more than 300,000 entries."),
    "empty": lazy("The file is empty."),
    "encoding": lazy("The text is neither UTF-8 nor GB18030."),
    "not_json": lazy("This is not a JSON document."),
    "not_a_list": lazy("This JSON document is not a risk list: it has no data with highlist, middlelist or lowlist."),
    "not_a_workbook": lazy("This is not an XLSX workbook, or it is damaged."),
    "hostile_workbook": lazy("The workbook unpacks to more than it should, and was not opened."),
    "header": lazy("The first row must name the columns level, province, city, county, text (等级, 省, 市, 县, 社区)."),
    "not_a_table": lazy("This is not a CSV table."),
    "nothing": lazy("The file names no area."),
}
_ROW = {
    "level_unknown": lazy("the level is none of high, middle, low"),
    "province_missing": lazy("the province is missing"),
    "county_missing": lazy("the county is missing"),
    "text_missing": lazy("the place is missing"),
    "too_long": lazy("a cell is too long"),
    "formula": lazy("a cell holds a formula"),
    "code_invalid": lazy("the code is not that of a division"),
    "code_unknown": lazy("no division has this code"),
    "shape": lazy("the entry is not built like the others"),
    "count": lazy("the file states another number of areas than it holds; it may have been cut off"),
}


def unreadable_text(error: UnreadableList) -> str:
    """Why a file cannot be read, as a sentence."""
    return str(_FILE[error.cause])


def wrong_row_text(row: WrongRow) -> str:
    """What is wrong with a row, named by its number."""
    cause = str(_ROW.get(row.cause, row.cause))
    if row.number == 0:
        return _("Whole file: %(cause)s", cause=cause)
    return _("Row %(number)s: %(cause)s", number=row.number, cause=cause)
