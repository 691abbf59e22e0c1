"""What kind of table a file is, where its rows begin, and where it can be cut into parts. Memory does not grow with the file.

A workbook, JSON and UTF-16 are first written as a plain table (converting.py). Parts end behind a record: a line break between
quotation marks belongs to a cell. When the marks of a file do not pair up, they are taken as ordinary characters.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from checkpoint.inquiries.blocking import MAX_ROWS
from checkpoint.inquiries.columns import MAX_COLUMNS, find_header

HEAD = 1 << 20
MAX_LINE = 1 << 20
PART_BYTES = 12 << 20
SAMPLE = 100
_BLOCK = 16 << 20
_LINE_END = ord("\n")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")


class Unreadable(ValueError):
    """The file cannot be read as a list. `cause` is a stable word, `data` what its sentence needs."""

    def __init__(self, cause: str, **data: Any) -> None:
        super().__init__(cause)
        self.cause = cause
        self.data = data


@dataclass(frozen=True, slots=True)
class Shape:
    """A plain table: encoding, separator, columns, the byte where rows begin, how many records stand before it, the header if there is
    one, and the first rows."""

    encoding: str
    separator: str
    width: int
    start: int
    before: int
    header: tuple[str, ...] | None
    sample: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Some whole records: bytes from `start` to `end`, the number of the first one, and how many."""

    start: int
    end: int
    first_row: int
    rows: int


def kind_of(path: Path) -> str:
    """`zip`, `json`, `utf-16-le`, `utf-16-be` or `csv`. Raises Unreadable for what is none of them."""
    with path.open("rb") as file:
        head = file.read(65536)
    if not head.strip(b"\0 \t\r\n"):
        raise Unreadable("empty")
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise Unreadable("not_a_table")
    if (utf16 := _utf16(head)) is not None:
        return utf16
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        return "json"
    if len(_CONTROL.findall(head)) * 20 > len(head):
        raise Unreadable("not_a_table")
    return "csv"


def _utf16(head: bytes) -> str | None:
    if head.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if head.startswith(b"\xfe\xff"):
        return "utf-16-be"
    even, odd = head[::2].count(0), head[1::2].count(0)
    few, many = sorted((even, odd))
    if many * 6 > len(head) and few * 20 < many:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def encoding_of(path: Path) -> str:
    """`utf-8` or `gb18030`, by the first piece of the file that is not plain ASCII."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if block.isascii():
                continue
            cut = block[: block.rfind(b"\n") + 1] or block
            return _encoding(cut)
    return "utf-8"


def _encoding(block: bytes) -> str:
    """A few broken characters do not make another encoding of it: the one that loses less is taken."""
    try:
        block.decode()
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    lost = [block.decode(encoding, errors="replace").count("\ufffd") for encoding in ("utf-8", "gb18030")]
    return "utf-8" if lost[0] <= lost[1] else "gb18030"


def shape_of(path: Path) -> Shape:
    """What the head of a plain table tells. Raises Unreadable."""
    encoding = encoding_of(path)
    with path.open("rb") as file:
        head = file.read(HEAD + 1)
    cut = head.rfind(b"\n") + 1
    if len(head) > HEAD:
        if not cut:
            raise Unreadable("line_too_long", limit=MAX_LINE)
        head = head[:cut]
    begin = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    lines = [
        line.decode(encoding, errors="replace").replace("\0", "") for line in head[begin:].splitlines(keepends=True)
    ]
    sizes = [len(line) for line in head[begin:].splitlines(keepends=True)]
    separator = _separator(lines)
    rows, ends = _rows(lines, sizes, separator)
    width = max(len(row) for row in rows)
    if width > MAX_COLUMNS:
        raise Unreadable("too_many_columns", limit=MAX_COLUMNS)
    at = find_header(rows)
    first = 0 if at is None else at + 1
    start = begin + (ends[at] if at is not None else 0)
    header = None if at is None else tuple(rows[at])
    return Shape(encoding, separator, width, start, first, header, tuple(map(tuple, rows[first : first + SAMPLE])))


def _separator(lines: Sequence[str]) -> str:
    """The mark that stands most regularly in the first lines."""
    some = [line for line in lines[:50] if line.strip()]

    def regular(mark: str) -> tuple[int, int]:
        counts = [line.count(mark) for line in some]
        best = max(set(counts), key=counts.count, default=0)
        return (counts.count(best) if best else 0), best

    return max(",\t;|", key=regular) if some else ","


def _rows(lines: Sequence[str], sizes: Sequence[int], separator: str) -> tuple[list[list[str]], list[int]]:
    """The first records, and the byte behind each."""
    used = 0

    def feed() -> Iterator[str]:
        nonlocal used
        for line, size in zip(lines, sizes, strict=True):
            used += size
            yield line

    rows: list[list[str]] = []
    ends: list[int] = []
    reader = csv.reader(feed(), delimiter=separator)
    try:
        for row in reader:
            rows.append(row)
            ends.append(used)
            if len(rows) >= SAMPLE + 20:
                break
    except csv.Error as error:
        raise Unreadable("line_too_long", limit=MAX_LINE) from error
    if not rows:
        raise Unreadable("empty")
    return rows, ends


class Unpaired(ValueError):
    """The quotation marks of a table do not pair up."""


def spans(path: Path, start: int, *, quoted: bool, size: int = PART_BYTES) -> Iterator[Span]:
    """The parts of a plain table, one after the other. Raises Unreadable, or Unpaired when `quoted` does not fit the file."""
    row = 0
    with path.open("rb") as file:
        while True:
            file.seek(start)
            block = file.read(size)
            if not block:
                return
            at_end = len(block) < size
            cut = len(block) if at_end and _even(block, quoted) else _cut(block, quoted)
            records = _records(block[:cut], quoted)
            if row + records > MAX_ROWS:
                raise Unreadable("too_many_rows", limit=MAX_ROWS)
            yield Span(start, start + cut, row, records)
            row += records
            start += cut


def _even(block: bytes, quoted: bool) -> bool:
    if not quoted or block.count(b'"') % 2 == 0:
        return True
    raise Unpaired


def _cut(block: bytes, quoted: bool) -> int:
    """Behind the last line break of a block that stands in no cell."""
    marks = block.count(b'"') if quoted else 0
    end = len(block)
    while True:
        at = block.rfind(b"\n", 0, end)
        if at < 0 or len(block) - at > MAX_LINE:
            if quoted and marks:
                raise Unpaired
            raise Unreadable("line_too_long", limit=MAX_LINE)
        if marks:
            marks -= block.count(b'"', at, end)
        if marks % 2 == 0:
            return at + 1
        end = at


def _records(block: bytes, quoted: bool) -> int:
    """Line breaks outside of cells, and a last line without one; NULs, which are left out before rows are read, make no line."""
    if quoted and b'"' in block:
        found = sum(piece.count(b"\n") for piece in block.split(b'"')[::2])
    else:  # bytes.count stops at each of them: in short lines that takes seven times as long
        found = int(np.count_nonzero(np.frombuffer(block, np.uint8) == _LINE_END))
    return found + bool(block[block.rfind(b"\n") + 1 :].strip(b"\0"))
