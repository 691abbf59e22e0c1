"""One part of a list: read, checked, sealed, and held against the registry. The work that is handed to other processes and machines.

What a worker is given of the registry is an array of keys: it never holds anybody's name. Columns are handled whole by Polars and NumPy;
only rows without a valid document, or with something odd in them, are looked at one by one.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from checkpoint.inquiries import dates
from checkpoint.inquiries.blocking import (
    DOCUMENT,
    PHONE,
    PLATE,
    WIDTH,
    Blocker,
    Keys,
    by_name,
    document_blocks,
    message,
)
from checkpoint.inquiries.columns import FIELDS
from checkpoint.inquiries.documents import DocumentKind, read_document, read_phone
from checkpoint.inquiries.listfile import Listed, seal_bad, seal_rows
from checkpoint.inquiries.registry import Registry

MAX_CELL = 200  # characters of a cell that can mean anything
_LOST = "\ufffd"
_AROUND = " \t\r\n\u3000\ufeff'\"="  # what stands around a cell and is none of it
_AROUND_BYTES = {mark: mark.encode() for mark in _AROUND if mark != "\n"}
_WEIGHTS = tuple(map(np.uint16, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)))
_CHECKS = np.array((1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2), np.uint8)
_DAYS = np.array((0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0), np.uint8)  # by month
_TEN, _NONE = np.uint8(10), np.uint8(99)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written: encoding, separator, number of columns, and which column is what."""

    encoding: str
    separator: str
    width: int
    mapping: Mapping[str, int]
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list: its number, its first row, and its bytes, or where they lie as (path, start, end).

    `rows` is how many records were counted in it, where they were: the first row of the next part rests on that.
    """

    inquiry: str
    number: int
    first_row: int
    source: bytes | tuple[str, int, int]
    layout: Layout
    seal_key: bytes
    block_key: bytes
    rows: int | None = None


@dataclass(slots=True)
class Found:
    """What a part holds: sealed rows, sorted keys with row numbers, wrong rows, and who may be in the registry.

    `pairs` are (row, person) by number; `listed` the rows of the pairs.
    """

    number: int
    rows: int
    bad_rows: int
    sealed: bytes
    keys: Keys
    bad: bytes | None
    pairs: list[tuple[int, int]]
    listed: dict[int, Listed]


def work(part: Part, registry: Registry | str) -> Found:
    """Read one part and match it with the registry, or with the one that lies in a file."""
    people = _mapped(registry) if isinstance(registry, str) else registry
    checked = _Checked(*read_table(bytes_of(part.source), part.layout, part.rows))
    keys = checked.keys(Blocker(part.block_key))
    pairs = people.pairs(keys)
    wanted = sorted({row for row, _person in pairs})
    listed = {
        row + part.first_row: Listed.of(found)
        for row, found in zip(wanted, checked.table[wanted].iter_rows(named=True), strict=True)
    }
    cipher = AESGCM(part.seal_key)
    bad = checked.bad_rows(part.first_row)
    keys += np.uint64(part.first_row)
    keys.sort()
    return Found(
        number=part.number,
        rows=checked.table.height,
        bad_rows=bad.height,
        sealed=seal_rows(cipher, part.inquiry, part.number, checked.table),
        keys=keys,
        bad=seal_bad(cipher, part.inquiry, part.number, bad) if bad.height else None,
        pairs=[(row + part.first_row, person) for row, person in pairs],
        listed=listed,
    )


def count_pairs(part: Part, registry: str) -> int:
    """How many pairs a part makes with the registry in a file, without sealing or keeping anything; for measuring."""
    checked = _Checked(*read_table(bytes_of(part.source), part.layout))
    return len(_mapped(registry).pairs(checked.keys(Blocker(part.block_key))))


@lru_cache(maxsize=1)
def _mapped(path: str) -> Registry:
    return Registry.mapped(path)


def bytes_of(source: bytes | tuple[str, int, int]) -> bytes:
    """The bytes of a part."""
    if isinstance(source, bytes):
        return source
    path, start, end = source
    with Path(path).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def read_table(raw: bytes, layout: Layout, rows: int | None = None) -> tuple[pl.DataFrame, bool]:
    """The mapped columns of a piece of a table as text without blanks around it, None where a cell is empty; and whether
    a byte somewhere is none that its encoding knows: it has become U+FFFD. `rows` is how many records it has, if known.
    """
    if layout.encoding != "utf-8":
        raw = raw.decode(layout.encoding, errors="replace").encode()
    for useless, meant in ((b"\0", b""), (b"\r\n", b"\n")):
        if useless in raw:
            raw = raw.replace(useless, meant)
    columns = sorted(set(layout.mapping.values()))
    schema = {f"c{column}": pl.String for column in range(layout.width)}
    if not raw or raw.isspace():
        return pl.DataFrame(schema=dict.fromkeys(FIELDS, pl.String)), False
    try:
        table = _parsed(raw, layout, schema, columns)
    except pl.exceptions.ComputeError:
        raw = raw.decode(errors="replace").encode()
        try:
            table = _parsed(raw, layout, schema, columns)
        except pl.exceptions.ComputeError:
            table = _taken_apart(raw.decode(), layout, columns)
    if rows is not None and table.height != rows:
        table = _taken_apart(raw.decode(errors="replace"), layout, columns)
    table = table.select(
        (pl.col(f"c{layout.mapping[field]}") if field in layout.mapping else pl.lit(None, pl.String)).alias(field)
        for field in FIELDS
    )
    # A search through the bytes of a part costs a tenth of looking at each cell, and mostly finds that there is nothing to do.
    if any(mark in raw for text, mark in _AROUND_BYTES.items() if text != layout.separator):
        table = table.select(pl.all().str.strip_chars(_AROUND).replace("", None))
    return table, _LOST.encode() in raw


def _parsed(raw: bytes, layout: Layout, schema: dict[str, type[pl.String]], columns: Sequence[int]) -> pl.DataFrame:
    return pl.read_csv(
        raw,
        has_header=False,
        schema=schema,
        columns=list(columns),
        separator=layout.separator,
        quote_char='"' if layout.quoted else None,
        extra_columns="ignore",
        missing_columns="insert",
        raise_if_empty=False,
    )


def _taken_apart(text: str, layout: Layout, columns: Sequence[int]) -> pl.DataFrame:
    """The columns of a table in which quotation marks stand where none belong, so that no strict reader takes it.

    A record ends at a line break outside of a pair of marks, just as the records of a part were counted (reading.py): the rows after
    it keep their numbers.
    """
    cells: list[list[str | None]] = [[] for _column in columns]
    record, marks = "", 0
    for line in text.removesuffix("\n").split("\n"):
        record, marks = (f"{record} {line}" if marks % 2 else line), (marks if marks % 2 else 0) + line.count('"')
        if layout.quoted and marks % 2:
            continue
        found = _cells(record.replace("\r", " "), layout)
        for column, kept in zip(columns, cells, strict=True):
            kept.append((found[column] or None) if column < len(found) else None)
    return pl.DataFrame(
        dict(zip((f"c{column}" for column in columns), cells, strict=True)),
        schema_overrides={f"c{column}": pl.String for column in columns},
    )


def _cells(record: str, layout: Layout) -> list[str]:
    if layout.quoted:
        try:
            return next(csv.reader([record], delimiter=layout.separator), [])
        except csv.Error:  # a cell of more than a hundred thousand characters
            pass
    return record.split(layout.separator)


def _messages(kind: str, texts: pl.Series) -> bytes:
    """32 bytes for each of some ASCII texts."""
    if texts.is_empty():
        return b""
    padded = (kind + texts.str.slice(0, WIDTH - 1)).str.pad_end(WIDTH, "\0")
    return str(padded.str.join("").item()).encode()


def _rows_of(texts: pl.Series, width: int) -> NDArray[np.uint8]:
    """Texts of so many bytes as rows of bytes."""
    joined = bytearray(str(texts.str.join("").item() or "").encode())
    return np.frombuffer(joined, np.uint8).reshape(-1, width)


def _fixed(kind: str, rows: NDArray[np.uint8]) -> bytes:
    """The messages of texts of one width."""
    messages = np.zeros((len(rows), WIDTH), np.uint8)
    messages[:, 0] = ord(kind)
    messages[:, 1 : 1 + rows.shape[1]] = rows
    return messages.tobytes()


def valid_residents(rows: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of some texts of 18 bytes are numbers with the right check digit (it may be X) and a day of any year.

    The 29th of February is not one: such a number is looked at by itself (documents.py).
    """
    digits = np.ascontiguousarray(rows.T) - np.uint8(48)  # what is no digit wraps around to more than nine
    highest, total = np.zeros(len(rows), np.uint8), np.zeros(len(rows), np.uint16)
    for weight, column in zip(_WEIGHTS, digits[:17], strict=True):
        np.maximum(highest, column, out=highest)
        total += column * weight
    month, day = digits[10] * _TEN + digits[11], digits[12] * _TEN + digits[13]
    is_day = digits[6:10].any(axis=0) & (day >= 1) & (day <= _DAYS[np.minimum(month, 13)])
    last = np.where(digits[17] == ord("X") - 48, _TEN, np.where(digits[17] < 10, digits[17], _NONE))
    fits: NDArray[np.bool_] = (highest < 10) & is_day & (_CHECKS[total % np.uint16(11)] == last)
    return fits


class _Checked:
    """A table with what is wrong in it. Rows that need no closer look are handled by columns, the others one by one."""

    def __init__(self, table: pl.DataFrame, has_lost: bool) -> None:
        self.wrong: dict[int, list[str]] = {}
        self.unused: set[int] = set()
        longest = table.select(pl.all().str.len_bytes().max()).row(0)
        too_long = any(size is not None and size > MAX_CELL for size in longest)
        self.table = self._without(table) if too_long or has_lost else table

    def _without(self, table: pl.DataFrame) -> pl.DataFrame:
        """Empty the cells that are too long; rows with lost characters keep what can still be read."""
        odd = table.select(
            pl.any_horizontal(
                (pl.all().str.len_bytes() > MAX_CELL) | pl.all().str.contains(_LOST, literal=True)
            ).fill_null(False)
        ).to_series()
        for row in odd.arg_true().to_list():
            cells = [cell for cell in table.row(row) if cell]
            self.wrong[row] = ["too_long" if any(len(cell.encode()) > MAX_CELL for cell in cells) else "encoding"]
        return table.with_columns(
            pl.when(pl.col(field).str.len_bytes() <= MAX_CELL).then(pl.col(field)).alias(field) for field in FIELDS
        )

    def keys(self, blocker: Blocker) -> Keys:
        """The keys of all rows, each with the row's number in this part; every wrong row is noted on the way."""
        table = self.table
        index = pl.Series("i", np.arange(table.height, dtype=np.uint32))
        document, phone = table["document"], table["phone"]
        shaped = (document.str.len_bytes() == 18).fill_null(False)
        numbers = _rows_of(document.filter(shaped), 18)
        numbers[:, 17][numbers[:, 17] == ord("x")] = ord("X")
        fits = valid_residents(numbers)
        valid = np.zeros(table.height, bool)
        valid[index.filter(shaped).to_numpy()] = fits
        has_valid = pl.Series(valid)
        clean = phone.str.contains("^1[0-9]{10}$").fill_null(False)
        plate = table["plate"]
        if plate.null_count() < len(plate):
            plate = plate.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[\s·.\-]", "")
        has_plate = (plate.str.len_chars() >= 5).fill_null(False)
        whole = [
            (_fixed(DOCUMENT, numbers[fits]), index.filter(has_valid)),
            (_fixed(PHONE, _rows_of(phone.filter(clean), 11)), index.filter(clean)),
            (_messages(PLATE, plate.filter(has_plate).str.encode("hex")), index.filter(has_plate)),
        ]
        found = [blocker.keys(messages) | rows.to_numpy().astype(np.uint64) for messages, rows in whole]
        strange = (document.is_not_null() & ~has_valid) | (phone.is_not_null() & ~clean)
        slow = ~has_valid | strange
        found.append(self._one_by_one(blocker, table, index.filter(slow), has_plate))
        self._dates()
        return np.concatenate(found)

    def _one_by_one(self, blocker: Blocker, table: pl.DataFrame, rows: pl.Series, has_plate: pl.Series) -> Keys:
        blocks: list[bytes] = []
        owners: list[int] = []
        numbers = rows.to_list()
        for row, (name, document, phone, born, _plate) in zip(numbers, table[numbers].iter_rows(), strict=True):
            found = [message(block) for block in self._blocks(row, name, document, phone, born)]
            blocks += found
            owners += [row] * len(found)
            if not found and not has_plate[row] and any((name, document, phone, born)):
                self.wrong.setdefault(row, []).append("nothing_to_match")
                self.unused.add(row)
        return blocker.keys(b"".join(blocks)) | np.array(owners, np.uint64)

    def _blocks(self, row: int, name: str, document: str, phone: str, born: str) -> list[str]:
        read = read_document(document) if document else None
        number = read_phone(phone) if phone else None
        if document and read is None:
            self.wrong.setdefault(row, []).append("document_unreadable")
        if phone and number is None:
            self.wrong.setdefault(row, []).append("phone_unreadable")
        found: list[str] = []
        if read is not None and read.kind is not DocumentKind.MASKED:
            found.extend(document_blocks(read.text, read.kind))
        if number is not None and "*" not in number:
            found.append(PHONE + number)
        if name and (read is None or read.kind is not DocumentKind.RESIDENT):
            day = dates.read_date(born) if born else None
            told = f"{day:%Y%m%d}" if day else ""
            found.extend(by_name(name, read.text if read else "", read.kind if read else None, number or "", told))
        return found

    def _dates(self) -> None:
        born = self.table["born"]
        if born.null_count() < len(born):
            for row in (~born.str.contains(dates.PATTERN)).fill_null(False).arg_true().to_list():
                self.wrong.setdefault(row, []).append("date_unreadable")

    def bad_rows(self, first_row: int) -> pl.DataFrame:
        """The wrong rows: number, causes, whether the rest of the row is used, and the cells."""
        rows = sorted(self.wrong)
        told = pl.DataFrame(
            {
                "row": pl.Series([first_row + row for row in rows], dtype=pl.Int64),
                "cause": pl.Series([" ".join(self.wrong[row]) for row in rows], dtype=pl.String),
                "used": pl.Series([row not in self.unused for row in rows], dtype=pl.Boolean),
            }
        )
        return pl.concat([told, self.table[rows]], how="horizontal")
