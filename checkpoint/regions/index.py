"""The index: one read-only file, mapped into memory, that answers every question about the tree.

Layout: an 8-byte magic with the format's version, the length of a JSON header (little-endian u32), the header (name of each
section → offset, length), and the sections, each aligned to 8 bytes. Divisions are numbered by increasing code, so the
descendants of a division follow it. The section `trie` holds keys `scope + form`: the scope is one private-use character for
the division in which the form is looked up, the form a folded way to write a name; `starts` and `posts` give for each
key the divisions meant, as number × 16 + quality.
"""

import bisect
import json
import mmap
import struct
from array import array
from pathlib import Path
from typing import Any

from marisa_trie import Trie

from checkpoint.regions import source
from checkpoint.regions.folding import changing_characters
from checkpoint.regions.places import significant
from checkpoint.regions.sounds import Likeness, likeness_table, read_table

MAGIC = b"CPREGN02"
SCOPE_BASE = 0xF0000
ROOT = -1
_MUNICIPALITIES = ("110000000000", "120000000000", "310000000000", "500000000000")


class IndexUnusable(RuntimeError):
    """The region index is missing, damaged or of another version: run `regions load`."""


class RegionIndex:
    """An opened index. Immutable after opening, safe to share between threads and forked workers."""

    __slots__ = (
        "_buffer",
        "_likeness",
        "_name_at",
        "_names",
        "_names_offset",
        "_sounds",
        "changes",
        "codes",
        "ends",
        "extra",
        "fold_map",
        "hint_posts",
        "hint_starts",
        "hint_trie",
        "levels",
        "municipalities",
        "parents",
        "posts",
        "scopes",
        "starts",
        "tables",
        "trie",
        "upper",
    )

    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer
        view = memoryview(buffer)
        if len(view) < 12 or bytes(view[:8]) != MAGIC:
            raise IndexUnusable
        (length,) = struct.unpack("<I", view[8:12])
        header: dict[str, tuple[int, int]] = json.loads(bytes(view[12 : 12 + length]))
        section = {name: view[start : start + size] for name, (start, size) in header.items()}
        self.codes = section["codes"].cast("Q")
        self.parents = section["parents"].cast("i")
        self.levels = section["levels"]
        self.ends = section["ends"].cast("I")
        self.starts = section["starts"].cast("I")
        self.posts = section["posts"].cast("I")
        self._name_at = section["name_at"].cast("I")
        self._names = section["names"]
        self._names_offset = header["names"][0]
        self.trie: Any = Trie().map(section["trie"])
        self.hint_starts = section["hint_starts"].cast("I")
        self.hint_posts = section["hint_posts"].cast("I")
        self.hint_trie: Any = Trie().map(section["hint_trie"])
        self.extra = section
        self.tables: dict[str, Any] = {}
        self.fold_map: dict[int, str] = {int(k): v for k, v in json.loads(bytes(section["fold"])).items()}
        self.upper = json.loads(bytes(section["upper"]))
        self._likeness: Likeness = {}
        self._sounds: dict[str, tuple[str, ...]] = {}
        self.municipalities = frozenset(self.find(code) for code in _MUNICIPALITIES)
        self.changes = changing_characters(self.fold_map)
        self.scopes = {node: chr(SCOPE_BASE + 1 + rank) for rank, node in enumerate(self.upper)}
        self.scopes[ROOT] = chr(SCOPE_BASE)

    def __len__(self) -> int:
        return len(self.codes)

    def find(self, code: str) -> int:
        """The number of a 12-digit code, or -1."""
        if len(code) != 12 or not (code.isascii() and code.isdigit()):
            return -1
        value = int(code)
        at = bisect.bisect_left(self.codes, value)
        return at if at < len(self.codes) and self.codes[at] == value else -1

    def _must_find(self, code: str) -> int:
        node = self.find(code)
        if node < 0:
            raise KeyError(code)
        return node

    def code(self, node: int) -> str:
        """The 12-digit code of a numbered division."""
        return str(self.codes[node])

    def name_of(self, node: int) -> str:
        """The official name of a numbered division."""
        return bytes(self._names[self._name_at[node] : self._name_at[node + 1]]).decode()

    def chain(self, node: int) -> list[int]:
        """A numbered division and all that hold it, province first."""
        nodes = []
        while node >= 0:
            nodes.append(node)
            node = self.parents[node]
        return nodes[::-1]

    def sound_table(self) -> dict[str, tuple[str, ...]]:
        """Character → its readings; read from the file at the first use."""
        if not self._sounds:
            self._sounds = read_table(bytes(self.extra["sounds"]).decode())
        return self._sounds

    def likeness(self) -> Likeness:
        """How alike characters sound; made at the first use."""
        if not self._likeness:
            self._likeness = likeness_table(self.sound_table())
        return self._likeness

    def scope(self, node: int) -> str:
        """The scope character of a province, city or county; '' of anything deeper."""
        return self.scopes.get(node, "")

    def exists(self, code: str) -> bool:
        """Whether a 12-digit code is in the tree."""
        return self.find(code) >= 0

    def name(self, code: str) -> str:
        """The official name of a division. Raises KeyError for an unknown code."""
        return self.name_of(self._must_find(code))

    def level(self, code: str) -> int:
        """1 province, 2 city, 3 county, 4 town, 5 village. Raises KeyError for an unknown code."""
        return self.levels[self._must_find(code)]

    def parent(self, code: str) -> str | None:
        """The code of the division above, None for a province. Raises KeyError for an unknown code."""
        above = self.parents[self._must_find(code)]
        return None if above < 0 else self.code(above)

    def full_name(self, code: str) -> str:
        """The names from the province down as one address. Raises KeyError for an unknown code."""
        return self.full_name_of(self._must_find(code))

    def full_name_of(self, node: int) -> str:
        """The names from the province down to a numbered division as one address."""
        return source.full_name([self.name_of(above) for above in self.chain(node)])

    def children(self, code: str) -> list[tuple[str, str]]:
        """(code, name) of the divisions directly below, by code. Raises KeyError for an unknown code."""
        return [(self.code(node), self.name_of(node)) for node in self.children_of(self._must_find(code))]

    def children_of(self, node: int) -> list[int]:
        """The numbered divisions directly below one."""
        below, at, end = [], node + 1, self.ends[node]
        while at < end:
            below.append(at)
            at = self.ends[at]
        return below

    def find_in_names(self, part: str, low: int, high: int, most: int) -> list[int]:
        """Up to `most` of the divisions numbered [low, high) whose name holds `part`."""
        wanted = part.encode()
        found: list[int] = []
        offset = self._names_offset
        at, end = offset + self._name_at[low], offset + self._name_at[high]
        while len(found) < most and (at := self._buffer.find(wanted, at, end)) >= 0:
            node = bisect.bisect_right(self._name_at, at - offset) - 1
            if at - offset + len(wanted) <= self._name_at[node + 1]:
                found.append(node)
            at = offset + self._name_at[node + 1]
        return found

    def holds_towns(self, node: int) -> bool:
        """Whether the divisions directly below are towns: a county, or a city without counties (东莞)."""
        level = self.levels[node]
        return level == 3 or (level == 2 and self.ends[node] > node + 1 and self.levels[node + 1] == 4)

    def range_of(self, prefix: str) -> tuple[int, int]:
        """The numbers [first, end) of the divisions whose code starts with a prefix (12 digits are cut to what they mean)."""
        digits = significant(prefix) if len(prefix) == 12 else prefix
        low = bisect.bisect_left(self.codes, int(digits.ljust(12, "0")))
        return low, bisect.bisect_right(self.codes, int(digits.ljust(12, "9")))


def open_index(path: Path) -> RegionIndex:
    """Map an index file. Raises IndexUnusable when it is missing, damaged or of another version."""
    try:
        with path.open("rb") as file:
            return RegionIndex(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError, KeyError) as error:
        raise IndexUnusable(f"{path.name}: {error}") from error


def pack(sections: dict[str, bytes]) -> bytes:
    """The bytes of an index file made of named sections."""
    header: dict[str, tuple[int, int]] = dict.fromkeys(sections, (0, 0))
    size = len(json.dumps(header)) + 40 * len(sections)
    at = -(-(12 + size) // 8) * 8
    blocks = []
    for name, data in sections.items():
        header[name] = (at, len(data))
        padded = data + bytes(-len(data) % 8)
        blocks.append(padded)
        at += len(padded)
    text = json.dumps(header).encode()
    head = MAGIC + struct.pack("<I", len(text)) + text
    first = next(iter(header.values()))[0]
    return head + bytes(first - len(head)) + b"".join(blocks)


def as_bytes(kind: str, values: Any) -> bytes:
    """An array section."""
    return array(kind, values).tobytes()
