"""Risk lists as tables: CSV and XLSX with a header row. Pure.

The header names, in any order: level, province, city, county, text, and if wanted code (等级, 省, 市, 县, 社区, 代码; see HEADERS
for the other words that are understood). City may be left out or empty; a code of 2, 4, 6, 9 or 12 digits says where the place lies
and then the county may be empty. Levels: high, middle, low; 高, 中, 低; 高风险 …. Rows that are empty throughout are passed over.
CSV is read as UTF-8 with or without a byte order mark, UTF-16 with one, or GB18030, separated by comma, semicolon or tab.
"""

import csv
import io
import lzma
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, UnreadableList, WrongRow, clean

HEADERS = {
    "level": "level risk risklevel 等级 级别 风险等级 风险级别 风险",
    "province": "province 省 省份 省级 省市 省自治区直辖市",
    "city": "city prefecture 市 地市 城市 地级市 市州 市级",
    "county": "county district 县 区县 县区 县市区 区 区县市 县级",
    "text": "text community communities area address place 社区 小区 区域 地址 地点 风险区 风险区域 具体区域 社区村 详细地址 名称",
    "code": "code divisioncode 代码 区划代码 行政区划代码 编码",
}
_COLUMN = {word: column for column, words in HEADERS.items() for word in words.split()}
_REQUIRED = ("level", "province", "county", "text")
_LEVELS = {
    **dict.fromkeys(["high", "h", "高", "高风险", "高风险区", "高风险地区"], Level.HIGH),
    **dict.fromkeys(["middle", "medium", "mid", "m", "中", "中风险", "中风险区", "中风险地区"], Level.MIDDLE),
    **dict.fromkeys(["low", "l", "低", "低风险", "低风险区", "低风险地区"], Level.LOW),
}
_CODE = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}")
_MAX_PARTS, _MAX_UNPACKED = 2000, 200 * 1024 * 1024
_MAX_ROWS = 1 << 20  # what a spreadsheet holds
_FORMULA = object()
_DAMAGED = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    RuntimeError,
    EOFError,
    OSError,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
)
"""What an archive or a workbook comes to that was damaged on its way, or made to do harm."""

Cells = Sequence[Any]


def _word(cell: Any) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", str(cell or "")).casefold())


def _columns(header: Cells) -> dict[str, int]:
    """Column name → position. Raises UnreadableList when one that is needed is missing."""
    found: dict[str, int] = {}
    for position, cell in enumerate(header):
        column = _COLUMN.get(_word(cell))
        if column is not None:
            found.setdefault(column, position)
    if any(column not in found for column in _REQUIRED):
        raise UnreadableList("header")
    return found


def _is_empty(cells: Cells) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def rows_to_entries(rows: Iterable[tuple[int, Cells]]) -> Iterator[Entry | WrongRow]:
    """Numbered rows, the header first, to entries or the rows that are wrong. Raises UnreadableList("header")."""
    columns: dict[str, int] | None = None
    for number, cells in rows:
        if _is_empty(cells):
            continue
        if columns is None:
            columns = _columns(cells)
        else:
            yield _entry(number, cells, columns)
    if columns is None:
        raise UnreadableList("empty")


def _entry(number: int, cells: Cells, columns: dict[str, int]) -> Entry | WrongRow:
    values = {column: cells[at] if at < len(cells) else None for column, at in columns.items()}
    if any(value is _FORMULA for value in values.values()):
        return WrongRow(number, "formula")
    level = _LEVELS.get(_word(values["level"]))
    if level is None:
        return WrongRow(number, "level_unknown")
    code = _text(values.get("code"))
    if code and not _CODE.fullmatch(code):
        return WrongRow(number, "code_invalid")
    province, city, county, text = (_text(values.get(column)) for column in ("province", "city", "county", "text"))
    return Entry(level, province, city, county, text, code.ljust(12, "0") if code else None, number)


def _text(cell: Any) -> str:
    """A cell as text; a number that a spreadsheet made of a code loses its .0."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return clean(str(cell))


def _decode(data: bytes) -> str:
    encodings: tuple[str, ...] = (
        ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    )
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableList("encoding")


def read_csv(data: bytes) -> Iterator[Entry | WrongRow]:
    """The entries of a CSV file. Raises UnreadableList: encoding, not_a_table, header, empty."""
    text = _decode(data)
    if "\x00" in text:
        raise UnreadableList("not_a_table")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def numbered() -> Iterator[tuple[int, Cells]]:
        try:
            at = 1
            for cells in reader:
                yield at, [_FORMULA if cell.startswith(("=", "@")) else cell for cell in cells]
                at = reader.line_num + 1
        except csv.Error as error:
            raise UnreadableList("not_a_table") from error

    return rows_to_entries(numbered())


def _check_archive(data: bytes) -> None:
    """Refuse what would unpack without end or makes an XML parser expand entities, before any parser sees it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED:
                raise UnreadableList("hostile_workbook")
            if "xl/workbook.xml" not in archive.namelist():
                raise UnreadableList("not_a_workbook")
            for part in parts:
                with archive.open(part) as file:
                    start = file.read(65_536)
                if b"<!DOCTYPE" in start or start.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise UnreadableList("hostile_workbook")
    except _DAMAGED as error:
        raise UnreadableList("not_a_workbook") from error


def read_xlsx(data: bytes) -> Iterator[Entry | WrongRow]:
    """The entries of a workbook's first sheet; formulas are never evaluated, a row with one is wrong.

    Raises UnreadableList: not_a_workbook, hostile_workbook, header, empty.
    """
    import openpyxl

    _check_archive(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
    except _DAMAGED as error:
        raise UnreadableList("not_a_workbook") from error

    def numbered() -> Iterator[tuple[int, Cells]]:
        before = None
        try:
            for number, row in enumerate(sheet.iter_rows(max_col=64), 1):
                if number > _MAX_ROWS:
                    raise UnreadableList("hostile_workbook")
                if row is before:  # one of the rows that are left out before a row of a higher number
                    continue
                before = row
                yield number, [_FORMULA if cell.data_type == "f" else cell.value for cell in row]
        except _DAMAGED as error:
            raise UnreadableList("not_a_workbook") from error
        finally:
            book.close()

    return rows_to_entries(numbered())
