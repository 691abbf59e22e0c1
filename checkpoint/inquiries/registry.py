"""The keys of everybody registered, as a list is held against them: sorted, with a table of marks in front. No database, no Flask.

Nearly no row of a list is registered here. The marks (a Bloom filter in words of 64 bits) tell so of 99 in 100 by one look each; only the
others are searched for among the sorted keys, which takes ten times as long.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoint.inquiries.blocking import KEY_MASK, ROW_BITS, ROW_MASK, Keys
from checkpoint.inquiries.listfile import write_file

MOST_PEOPLE = 100
"""Registered people behind one key that are looked at; more hold no phone together."""
_SPARSE = 4  # keys for each word of marks: of a hundred strangers one is looked for in vain
_MOST = 64 - ROW_BITS  # binary digits of a key
_BITS = (ROW_BITS, ROW_BITS + 6, ROW_BITS + 12)  # where in a key the three marks stand that it sets in its word
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Registry:
    """Sorted keys with people's numbers, and a power of two words of 64 marks; the first digits of a key find its word."""

    keys: Keys
    marks: Keys

    @classmethod
    def of(cls, keys: Keys) -> "Registry":
        """The registry of these sorted keys."""
        marks = np.zeros(1 << min(_MOST, (len(keys) // _SPARSE + 1).bit_length()), np.uint64)
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            places = _places(some, marks)
            first = np.concatenate(([0], np.flatnonzero(np.diff(places)) + 1))
            marks[places[first]] |= np.bitwise_or.reduceat(_marks(some), first)
        return cls(keys, marks)

    def write(self, path: Path) -> None:
        """Keep it in a file that processes map into memory."""
        size = np.array([len(self.keys)], np.uint64)
        write_file(path, b"".join((size.tobytes(), self.keys.tobytes(), self.marks.tobytes())))

    @classmethod
    def mapped(cls, path: str) -> "Registry":
        """What `write` kept, shared with every process that maps it."""
        whole = np.asarray(np.memmap(path, np.uint64, "r"))
        end = 1 + int(whole[0])
        return cls(whole[1:end], whole[end:])

    def pairs(self, keys: Keys) -> list[tuple[int, int]]:
        """(row, person) for every key, in any order, that a listed and a registered person share, each pair once."""
        if not len(self.keys):
            return []
        some = np.sort(keys[self.marked(keys)])
        low = np.searchsorted(self.keys, some & KEY_MASK)
        near = self.keys[np.minimum(low, len(self.keys) - 1)] & KEY_MASK
        hit = np.flatnonzero(near == some & KEY_MASK)
        high = np.searchsorted(self.keys, some[hit] | ROW_MASK, side="right")
        rows = (some[hit] & ROW_MASK).tolist()
        pairs: set[tuple[int, int]] = set()
        for row, start, end in zip(rows, low[hit].tolist(), high.tolist(), strict=True):
            for person in (self.keys[start : min(end, start + MOST_PEOPLE)] & ROW_MASK).tolist():
                pairs.add((row, person))
        return sorted(pairs)

    def marked(self, keys: Keys) -> NDArray[np.bool_]:
        """Which keys may be somebody's; of those that are nobody's about one in a hundred."""
        marks = _marks(keys)
        found: NDArray[np.bool_] = (self.marks[_places(keys, self.marks)] & marks) == marks
        return found


def _places(keys: Keys, marks: Keys) -> Keys:
    return keys >> np.uint64(65 - len(marks).bit_length())


def _marks(keys: Keys) -> Keys:
    found = np.zeros(len(keys), np.uint64)
    for bit in _BITS:
        found |= np.uint64(1) << (keys >> np.uint64(bit) & np.uint64(63))
    return found
