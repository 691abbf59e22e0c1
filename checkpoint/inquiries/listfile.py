"""The folder of one inquiry's rows: sealed blocks, and one index of keys that is searched where it lies. No database, no Flask.

`NNNN.rows`   the blocks of a part: the number of blocks and their ends (little-endian 64-bit), then the blocks themselves, each 12 bytes
              nonce and the AES-256-GCM ciphertext of an Arrow table of `BLOCK` rows, compressed with zstd
`NNNN.run`    the keys of a part, sorted, until they are merged
`NNNN.bad`    the wrong rows of a part, one sealed block
`index`       all keys, sorted: the upper 39 bits are the key, the lower 25 the number of the row (blocking.py)
`contents`    JSON: the first row and the number of rows of each part

The key of the folder stands in the database, sealed; forgetting it destroys the rows. 20 million rows take about 1.5 GB.
"""

import io
import json
import os
import shutil
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checkpoint.inquiries.blocking import KEY_MASK, ROW_MASK, Keys

BLOCK = 4096
_BUCKETS = 64
_NONCE = 12
_END = "bad"


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed person: texts as the list has them, empty where it says nothing."""

    name: str = ""
    document: str = ""
    phone: str = ""
    born: str = ""
    plate: str = ""

    @classmethod
    def of(cls, row: Mapping[str, str | None]) -> "Listed":
        return cls(**{field: row.get(field) or "" for field in cls.__slots__})


def seal_table(cipher: AESGCM, table: pl.DataFrame, label: str) -> bytes:
    """A table, compressed and sealed; `label` says where it belongs."""
    buffer = io.BytesIO()
    table.write_ipc(buffer, compression="zstd")
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, buffer.getvalue(), label.encode())


def open_table(cipher: AESGCM, sealed: bytes, label: str) -> pl.DataFrame:
    """The table that `seal_table` sealed under this label."""
    plain = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], label.encode())
    return pl.read_ipc(io.BytesIO(plain))


def pack(blocks: Sequence[bytes]) -> bytes:
    """Blocks behind a table of their ends."""
    ends = np.cumsum([len(block) for block in blocks], dtype=np.uint64)
    return struct.pack("<Q", len(blocks)) + ends.tobytes() + b"".join(blocks)


def label(inquiry: str, chunk: int, block: int | str) -> str:
    """What a block is bound to, so that it opens in its own place only."""
    return f"{inquiry}|{chunk}|{block}"


def seal_rows(cipher: AESGCM, inquiry: str, chunk: int, rows: pl.DataFrame) -> bytes:
    """The rows of a part, as `NNNN.rows` holds them."""
    starts = range(0, max(1, rows.height), BLOCK)
    return pack([seal_table(cipher, rows.slice(at, BLOCK), label(inquiry, chunk, at // BLOCK)) for at in starts])


def write_file(path: Path, content: bytes) -> None:
    """A file that is whole or not there at all, readable by nobody else."""
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def folder_of(data: Path, inquiry: str) -> Path:
    """Where the rows of an inquiry lie; `inquiry` is its id in hex."""
    return data / "inquiries" / inquiry


def destroy(data: Path, inquiry: str) -> None:
    """Remove the rows of an inquiry for good."""
    shutil.rmtree(folder_of(data, inquiry), ignore_errors=True)


def write_part(folder: Path, number: int, rows: bytes, keys: Keys, bad: bytes | None) -> None:
    """What has become of a part of the list."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_file(folder / f"{number:04d}.rows", rows)
    write_file(folder / f"{number:04d}.run", keys.tobytes())
    if bad is not None:
        write_file(folder / f"{number:04d}.bad", bad)


def finish(folder: Path, parts: Sequence[tuple[int, int]]) -> None:
    """Merge the runs into the index and remove them; `parts` are the first row and the number of rows of each part.

    Sixty-four slices of the key's range, one after the other: memory is a sixty-fourth of the index, whatever the list's size.
    """
    runs = [np.memmap(path, np.uint64, "r") for path in sorted(folder.glob("*.run")) if path.stat().st_size]
    edges = [np.uint64(at << 58) for at in range(1, _BUCKETS)]
    cuts = [[0, *(int(cut) for cut in np.searchsorted(run, edges)), len(run)] for run in runs]
    temporary = folder / "index.new"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for bucket in range(_BUCKETS):
            slices = [run[cut[bucket] : cut[bucket + 1]] for run, cut in zip(runs, cuts, strict=True)]
            merged = np.concatenate(slices) if slices else np.empty(0, np.uint64)
            merged.sort()
            file.write(merged.tobytes())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / "index")
    write_file(folder / "contents", json.dumps(list(parts)).encode())
    for path in folder.glob("*.run"):
        path.unlink()


class ListFile:
    """The rows of one inquiry, open for looking up. Many processes may hold the same one; the index is shared by all."""

    def __init__(self, data: Path, inquiry: str, key: bytes) -> None:
        self._folder = folder_of(data, inquiry)
        self._inquiry = inquiry
        self._cipher = AESGCM(key)
        index = self._folder / "index"
        self._index: Keys = np.memmap(index, np.uint64, "r") if index.stat().st_size else np.empty(0, np.uint64)
        self._parts: list[list[int]] = json.loads((self._folder / "contents").read_bytes())
        self._starts = [first for first, _rows in self._parts]
        self._block = lru_cache(maxsize=8)(self._read_block)

    def __len__(self) -> int:
        return sum(rows for _first, rows in self._parts)

    def find(self, keys: Keys, most: int = 64) -> list[int]:
        """The numbers of the rows that share a key, each once; at most `most` of one key. A plate may be that of a coach."""
        wanted = np.unique(keys & KEY_MASK)
        left = np.searchsorted(self._index, wanted)
        right = np.searchsorted(self._index, wanted | ROW_MASK, side="right")
        found: set[int] = set()
        for low, high in zip(left.tolist(), right.tolist(), strict=True):
            if high > low:
                found.update((self._index[low : min(high, low + most)] & ROW_MASK).tolist())
        return sorted(found)

    def row(self, number: int) -> Listed:
        """One row. Raises IndexError if there is none of that number."""
        part = bisect_right(self._starts, number) - 1
        if part < 0 or number - self._starts[part] >= self._parts[part][1]:
            raise IndexError(number)
        block, inside = divmod(number - self._starts[part], BLOCK)
        return Listed.of(self._block(part, block).row(inside, named=True))

    def _read_block(self, part: int, block: int) -> pl.DataFrame:
        with (self._folder / f"{part:04d}.rows").open("rb") as file:
            count = struct.unpack("<Q", file.read(8))[0]
            ends = np.frombuffer(file.read(8 * count), np.uint64)
            start = int(ends[block - 1]) if block else 0
            file.seek(8 + 8 * count + start)
            sealed = file.read(int(ends[block]) - start)
        return open_table(self._cipher, sealed, label(self._inquiry, part, block))


def bad_rows(data: Path, inquiry: str, key: bytes) -> Iterator[dict[str, str | int | bool]]:
    """The wrong rows of a list in their order: `row` counted from 0, `cause`, `used`, and the fields as they stood there."""
    cipher = AESGCM(key)
    for path in sorted(folder_of(data, inquiry).glob("*.bad")):
        table = open_table(cipher, path.read_bytes(), label(inquiry, int(path.stem), _END))
        yield from table.iter_rows(named=True)


def seal_bad(cipher: AESGCM, inquiry: str, chunk: int, rows: pl.DataFrame) -> bytes:
    """The wrong rows of a part, as `NNNN.bad` holds them."""
    return seal_table(cipher, rows, label(inquiry, chunk, _END))


def remove_sources(folder: Path) -> None:
    """Remove the file that was uploaded and what was made from it: only sealed rows stay."""
    for name in ("source", "table.csv"):
        (folder / name).unlink(missing_ok=True)


def sizes(folders: Iterable[Path]) -> int:
    """Bytes that lie in these folders."""
    return sum(path.stat().st_size for folder in folders for path in folder.glob("*"))
