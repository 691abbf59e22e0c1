"""A workbook, JSON or UTF-16 as a plain table of UTF-8. In a process of its own with a limit on memory: what it is given may be hostile.

A cell holds what was computed, never a formula. Of a workbook the first sheet that has rows is taken.
"""

import csv
import json
import lzma
import resource
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date, datetime, time, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, iterparse

from python_calamine import CalamineError, CalamineWorkbook

from checkpoint.inquiries.columns import MAX_COLUMNS
from checkpoint.inquiries.reading import MAX_LINE, Unreadable, kind_of

MAX_UNPACKED = 400 << 20
MAX_MEMBERS = 2000
MAX_SHEET_ROWS = 1 << 20  # what a spreadsheet holds
_MEMORY = 3 << 30
_PIECE = 1 << 20
_DAMAGED = (ParseError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError, OSError)
_KEYS_FROM = 200  # objects of a JSON list whose keys make the header


def convert(source: Path, target: Path) -> str:
    """Write `source` as a plain table to `target` unless it is one; returns `csv`, `xlsx`, `ods` or `json`. Raises Unreadable.

    The work is done by another process, so a file that exhausts its memory takes nothing else with it.
    """
    if kind_of(source) == "csv":
        return "csv"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_limited) as pool:
        try:
            return pool.submit(_convert, source, target).result()
        except (BrokenProcessPool, MemoryError) as error:
            raise Unreadable("too_large_unpacked", limit=MAX_UNPACKED) from error


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _convert(source: Path, target: Path) -> str:
    kind = kind_of(source)
    with target.open("w", newline="", encoding="utf-8", errors="replace") as file:  # JSON may name half a character
        target.chmod(0o600)
        if kind.startswith("utf-16"):
            _recode(source, kind, file)
            return "csv"
        rows = _json_rows(source) if kind == "json" else _sheet_rows(source)
        writer = csv.writer(file)
        empty = True
        for row in rows:
            if len(row) > MAX_COLUMNS:
                raise Unreadable("too_many_columns", limit=MAX_COLUMNS)
            writer.writerow([_text(cell) for cell in row])
            empty = False
    if empty:
        raise Unreadable("empty")
    return "json" if kind == "json" else _workbook(source)


def _recode(source: Path, encoding: str, file: Any) -> None:
    with source.open(encoding=encoding, errors="replace", newline="") as text:
        first = True
        while piece := text.read(_PIECE):
            file.write(piece.removeprefix("\ufeff") if first else piece)
            first = False


def _text(value: Any) -> str:
    """A cell as it would have been typed; a number that is whole has no point, since phones and documents come as numbers."""
    if value is None or isinstance(value, bool | dict | list | timedelta | time):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).split())


def _workbook(source: Path) -> str:
    with zipfile.ZipFile(source) as archive:
        return "xlsx" if "xl/workbook.xml" in archive.namelist() else "ods"


def _sheet_rows(source: Path) -> Iterator[list[Any]]:
    _check_zip(source)
    try:
        book = CalamineWorkbook.from_path(source)
        for number in range(len(book.sheet_names)):
            sheet = book.get_sheet_by_index(number)
            if sheet.total_height:
                yield from sheet.iter_rows()
                return
    except (CalamineError, OSError, ValueError) as error:
        raise Unreadable("damaged_workbook") from error


def _check_zip(source: Path) -> None:
    """Unpack every part once without keeping it: what an archive says of its sizes may be a lie."""
    unpacked = 0
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if not names & {"xl/workbook.xml", "content.xml"}:
                raise Unreadable("not_a_table")
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
                raise Unreadable("too_large_unpacked", limit=MAX_UNPACKED)
            for member in members:
                with archive.open(member) as part:
                    while piece := part.read(_PIECE):
                        unpacked += len(piece)
                        if unpacked > MAX_UNPACKED:
                            raise Unreadable("too_large_unpacked", limit=MAX_UNPACKED)
            if "content.xml" in names:
                with archive.open("content.xml") as content:
                    _check_repeats(content)
    except Unreadable:
        raise
    except (*_DAMAGED, ValueError, LookupError) as error:
        raise Unreadable("damaged_workbook") from error


def _check_repeats(content: IO[bytes]) -> None:
    """An OpenDocument cell or row may say that it stands there a million times: refuse what would unfold without end.

    What is empty counts only when something stands behind it.
    """
    rows = empty_rows = width = empty_cells = 0
    for _event, element in iterparse(content):  # noqa: S314 - expat bounds entities, and this process its memory
        kind = element.tag.rpartition("}")[2]
        if kind in ("table-cell", "covered-table-cell"):
            repeated = _repeated(element, "number-columns-repeated")
            if len(element) or any(key.endswith("}value-type") for key in element.attrib):
                width, empty_cells = width + empty_cells + repeated, 0
            else:
                empty_cells += repeated
            if width > MAX_COLUMNS:
                raise Unreadable("too_many_columns", limit=MAX_COLUMNS)
        elif kind == "table-row":
            repeated = _repeated(element, "number-rows-repeated")
            if width:
                rows, empty_rows = rows + empty_rows + repeated, 0
            else:
                empty_rows += repeated
            if rows > MAX_SHEET_ROWS:
                raise Unreadable("too_many_rows", limit=MAX_SHEET_ROWS)
            width = empty_cells = 0
            element.clear()
        elif kind == "table":
            rows = empty_rows = 0
            element.clear()


def _repeated(element: Element, name: str) -> int:
    """How often a cell or row stands there; once where that is no number."""
    raw = next((value for key, value in element.items() if key.endswith("}" + name)), "1")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 12 else 1


def _json_rows(source: Path) -> Iterator[list[Any]]:
    """A header of the keys of the first objects, then a row for each object."""
    objects = _objects(source)
    first: list[dict[str, Any]] = []
    for found in objects:
        first.append(found)
        if len(first) >= _KEYS_FROM:
            break
    keys = list(dict.fromkeys(key for found in first for key in found))
    if not keys:
        raise Unreadable("not_json")
    yield list(keys)
    for found in _both(first, objects):
        yield [found.get(key) for key in keys]


def _both(first: Iterable[dict[str, Any]], rest: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from first
    yield from rest


def _objects(source: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON array, of the first array inside an object, or one a line; read piece by piece."""
    decoder = json.JSONDecoder()
    with source.open(encoding="utf-8-sig", errors="replace") as file:
        buffer = file.read(_PIECE).lstrip()
        if buffer.startswith("{") and (listed := _array_inside(buffer)) is not None:
            buffer = buffer[listed:]
        buffer = buffer.removeprefix("[")
        while True:
            buffer = buffer.lstrip(" \t\r\n,\0")
            if buffer.startswith("]"):
                return
            try:
                found, end = decoder.raw_decode(buffer)
            except (ValueError, RecursionError) as error:
                piece = file.read(_PIECE)
                if not piece and not buffer:
                    return
                is_cut = isinstance(error, json.JSONDecodeError)  # else a number of thousands of digits, or too deep
                if not piece or len(buffer) > 2 * MAX_LINE or not is_cut:
                    raise Unreadable("not_json") from error
                buffer += piece
                continue
            if not isinstance(found, dict):
                raise Unreadable("not_json")
            yield found
            buffer = buffer[end:]


def _array_inside(buffer: str) -> int | None:
    """Where the array of `{"data": [ … ]}` begins; None when the objects stand one a line."""
    head, mark, _ = buffer.partition("[")
    return len(head) if mark and head.rstrip().endswith(":") and "}" not in head else None
