"""One part of a list: read, checked, sealed, and held against the registry. The work that is handed to other processes and machines.

What a worker is given of the registry is an array of keys: it never holds anybody's name. Columns are handled whole by Polars and NumPy;
only rows without a valid document, or with something odd in them, are looked at one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from checkpoint.inquiries import dates
from checkpoint.inquiries.blocking import (
    DOCUMENT,
    KEY_MASK,
    PHONE,
    PLATE,
    ROW_MASK,
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

MAX_CELL = 200  # characters of a cell that can mean anything
MOST_PEOPLE = 100  # registered people behind one key that are looked at; more hold no phone together
_LOST = "\ufffd"
_WEIGHTS = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), np.int16)
_CHECKS = np.array((1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2), np.int16)


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
    """A part of a list: its number, its first row, and its bytes, or where they lie as (path, start, end)."""

    inquiry: str
    number: int
    first_row: int
    source: bytes | tuple[str, int, int]
    layout: Layout
    seal_key: bytes
    block_key: bytes


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


def work(part: Part, registry: Keys | str) -> Found:
    """Read one part and match it. `registry` are its sorted keys with people's numbers, or the file in which they lie."""
    people = _mapped(registry) if isinstance(registry, str) else registry
    table = read_table(_bytes_of(part.source), part.layout)
    checked = _Checked(table)
    keys = checked.keys(Blocker(part.block_key))
    pairs = join(keys, people)
    wanted = sorted({row for row, _person in pairs})
    listed = {
        row + part.first_row: Listed.of(found)
        for row, found in zip(wanted, checked.table[wanted].iter_rows(named=True), strict=True)
    }
    cipher = AESGCM(part.seal_key)
    bad = checked.bad_rows(part.first_row)
    numbered = keys + np.uint64(part.first_row)
    numbered.sort()
    return Found(
        number=part.number,
        rows=table.height,
        bad_rows=bad.height,
        sealed=seal_rows(cipher, part.inquiry, part.number, checked.table),
        keys=numbered,
        bad=seal_bad(cipher, part.inquiry, part.number, bad) if bad.height else None,
        pairs=[(row + part.first_row, person) for row, person in pairs],
        listed=listed,
    )


def keys_of(table: pl.DataFrame, blocker: Blocker, people: Keys) -> int:
    """How many pairs a table and the registry make, without sealing or keeping anything; for measuring."""
    return len(join(_Checked(table).keys(blocker), people))


def _mapped(path: str) -> Keys:
    return np.memmap(path, np.uint64, "r") if Path(path).stat().st_size else np.empty(0, np.uint64)


def _bytes_of(source: bytes | tuple[str, int, int]) -> bytes:
    if isinstance(source, bytes):
        return source
    path, start, end = source
    with Path(path).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def read_table(raw: bytes, layout: Layout) -> pl.DataFrame:
    """The mapped columns of a piece of a table as text without blanks around it, None where a cell is empty.

    A byte that its encoding does not know becomes U+FFFD, by which the row is told later.
    """
    if layout.encoding != "utf-8":
        raw = raw.decode(layout.encoding, errors="replace").encode()
    if b"\0" in raw:
        raw = raw.replace(b"\0", b"")
    columns = sorted(set(layout.mapping.values()))
    schema = {f"c{column}": pl.String for column in range(layout.width)}
    if not raw.strip():
        return pl.DataFrame(schema=dict.fromkeys(FIELDS, pl.String))
    try:
        table = _parsed(raw, layout, schema, columns)
    except pl.exceptions.ComputeError:
        table = _parsed(raw.decode(errors="replace").encode(), layout, schema, columns)
    return table.select(
        [
            (
                pl.col(f"c{layout.mapping[field]}").str.strip_chars(" \t\r\n\u3000\ufeff'\"=")
                if field in layout.mapping
                else pl.lit(None, pl.String)
            )
            .replace("", None)
            .alias(field)
            for field in FIELDS
        ]
    )


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


def _messages(kind: str, texts: pl.Series) -> bytes:
    """32 bytes for each of some ASCII texts."""
    if texts.is_empty():
        return b""
    padded = (kind + texts.str.slice(0, WIDTH - 1)).str.pad_end(WIDTH, "\0")
    return str(padded.str.join("").item()).encode()


def _rows_of(texts: pl.Series, width: int) -> NDArray[np.uint8]:
    """ASCII texts of one width as rows of bytes."""
    return np.frombuffer(str(texts.str.join("").item() or "").encode(), np.uint8).reshape(-1, width)


def _fixed(kind: str, rows: NDArray[np.uint8]) -> bytes:
    """The messages of texts of one width."""
    messages = np.zeros((len(rows), WIDTH), np.uint8)
    messages[:, 0] = ord(kind)
    messages[:, 1 : 1 + rows.shape[1]] = rows
    return messages.tobytes()


def valid_residents(rows: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of some numbers of 18 digits (the last may be X) have the right check digit and a day that may be one."""
    digits = rows[:, :17].astype(np.int16) - 48
    check = np.where(rows[:, 17] == ord("X"), 10, rows[:, 17].astype(np.int16) - 48)
    year = digits[:, 6] * 1000 + digits[:, 7] * 100 + digits[:, 8] * 10 + digits[:, 9]
    month, day = digits[:, 10] * 10 + digits[:, 11], digits[:, 12] * 10 + digits[:, 13]
    is_day = (year > 0) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    fits: NDArray[np.bool_] = (_CHECKS[(digits @ _WEIGHTS) % 11] == check) & is_day
    return fits


class _Checked:
    """A table with what is wrong in it. Rows that need no closer look are handled by columns, the others one by one."""

    def __init__(self, table: pl.DataFrame) -> None:
        self.wrong: dict[int, list[str]] = {}
        self.unused: set[int] = set()
        given = [field for field in FIELDS if table[field].null_count() < table.height] or [FIELDS[0]]
        odd = table.select(
            pl.any_horizontal(
                (pl.col(field).str.len_bytes() > MAX_CELL) | pl.col(field).str.contains(_LOST, literal=True)
                for field in given
            ).fill_null(False)
        ).to_series()
        self.table = self._without(table, odd) if odd.any() else table
        self.table = self.table.with_columns(
            pl.col("document").str.to_uppercase(), pl.col("plate").str.normalize("NFKC").str.to_uppercase()
        )

    def _without(self, table: pl.DataFrame, odd: pl.Series) -> pl.DataFrame:
        """Empty the cells that are too long; rows with lost characters keep what can still be read."""
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
        shaped = document.str.contains("^[0-9]{17}[0-9X]$").fill_null(False)
        numbers = _rows_of(document.filter(shaped), 18)
        fits = valid_residents(numbers)
        valid = np.zeros(table.height, bool)
        valid[index.filter(shaped).to_numpy()] = fits
        has_valid = pl.Series(valid)
        clean = phone.str.contains("^1[0-9]{10}$").fill_null(False)
        plate = table["plate"]
        if plate.null_count() < len(plate):
            plate = plate.str.replace_all(r"[\s·.\-]", "")
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


def join(keys: Keys, people: Keys) -> list[tuple[int, int]]:
    """(row, person) for every key that a listed and a registered person share, each pair once. `people` is sorted."""
    if not len(keys) or not len(people):
        return []
    order = np.sort(keys)
    wanted = order & KEY_MASK
    left = np.searchsorted(people, wanted)
    near = people[np.minimum(left, len(people) - 1)] & KEY_MASK
    hit = np.flatnonzero(near == wanted)
    if not len(hit):
        return []
    right = np.searchsorted(people, wanted[hit] | ROW_MASK, side="right")
    pairs: set[tuple[int, int]] = set()
    rows = (order[hit] & ROW_MASK).tolist()
    for row, low, high in zip(rows, left[hit].tolist(), right.tolist(), strict=True):
        for person in (people[low : min(high, low + MOST_PEOPLE)] & ROW_MASK).tolist():
            pairs.add((row, person))
    return sorted(pairs)
