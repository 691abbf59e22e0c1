"""Of so many that were asked for, so many were there: shares that add up, and a seal over them. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from checkpoint.regions.models import at_level

TOWN = 4


@dataclass(frozen=True, slots=True)
class Share:
    """Of `asked` in A, `met` are in B as well. Never more are met than asked for, so met and missing are always all."""

    asked: int = 0
    met: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.met <= self.asked:
            raise ValueError(f"{self.met} of {self.asked}")

    @property
    def missing(self) -> int:
        """Those of A who are not in B."""
        return self.asked - self.met

    @property
    def percent(self) -> float | None:
        """0 to 100, None while nobody is asked for. 100 only when nobody is missing: it is cut off, never rounded up."""
        return self.met * 1000 // self.asked / 10 if self.asked else None

    def __add__(self, other: "Share") -> "Share":
        return Share(self.asked + other.asked, self.met + other.met)


Counts = Mapping[str, Share]
"""From the 12-digit code of a division to its share."""


def total(counts: Counts) -> Share:
    """All divisions together."""
    return sum(counts.values(), Share())


def by_town(counts: Counts) -> dict[str, tuple[Share, dict[str, Share]]]:
    """For each town its sum and its villages, the lowest share first at both levels; what is of no town stands under its own code."""
    towns: dict[str, dict[str, Share]] = {}
    for code, share in counts.items():
        towns.setdefault(at_level(code, TOWN), {})[code] = share
    rows = [(town, total(villages), villages) for town, villages in towns.items()]
    rows.sort(key=lambda row: (*_worst_first(row[1]), row[0]))
    return {
        town: (sum_, dict(sorted(villages.items(), key=lambda one: (*_worst_first(one[1]), one[0]))))
        for town, sum_, villages in rows
    }


def _worst_first(share: Share) -> tuple[float, int]:
    return (101.0 if share.percent is None else share.percent, -share.missing)


def seal(day: str, question: str, counts: Counts) -> str:
    """The SHA-256 (hex) of a count, division by division; the same numbers always give the same one."""
    rows = [[code, share.asked, share.met] for code, share in sorted(counts.items())]
    return hashlib.sha256(json.dumps([day, question, rows], separators=(",", ":")).encode()).hexdigest()
