"""Measures the matcher on a labelled file: how often it finds the listed area, and how often it invents one."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from checkpoint.risk.levels import Level

from .book import AreaBook, AreaMatch
from .shelf import ListedArea


@dataclass(slots=True)
class Figures:
    """Counts over the cases measured; rates are per cent. `seconds` covers books and texts, without reading the file."""

    cases: int = 0
    books: int = 0
    seconds: float = 0.0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)  # (wanted depth, answered depth or "none")
    right: Counter[str] = field(default_factory=Counter)  # by kind: depth and, for areas, level as wanted
    total: Counter[str] = field(default_factory=Counter)
    depth_right: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[dict[str, object], AreaMatch | None]] = field(default_factory=list)

    def _share(self, part: int, whole: int) -> float:
        return round(100.0 * part / whole, 2) if whole else 100.0

    def _wanted(self, depth: str) -> int:
        return sum(n for (wanted, _), n in self.pairs.items() if wanted == depth)

    @property
    def area_precision(self) -> float:
        """Of the answers `area`, those that are wanted."""
        answered = sum(n for (_, got), n in self.pairs.items() if got == "area")
        return self._share(self.pairs["area", "area"], answered)

    @property
    def area_recall(self) -> float:
        """Of the wanted areas, those answered."""
        return self._share(self.pairs["area", "area"], self._wanted("area"))

    @property
    def missed(self) -> float:
        """Wanted `area`, answered county or nothing."""
        lost = sum(n for (wanted, got), n in self.pairs.items() if wanted == "area" and got in ("county", "none"))
        return self._share(lost, self._wanted("area"))

    @property
    def invented(self) -> float:
        """Wanted county, answered `area`."""
        return self._share(self.pairs["county", "area"], self._wanted("county"))

    @property
    def narrowed(self) -> float:
        """Wanted town, answered `area`."""
        return self._share(self.pairs["town", "area"], self._wanted("town"))

    def as_dict(self) -> dict[str, object]:
        """All figures by name, for printing as JSON."""
        kinds = {
            k: {"cases": n, "depth": self._share(self.depth_right[k], n), "all": self._share(self.right[k], n)}
            for k, n in sorted(self.total.items())
        }
        return {
            "cases": self.cases,
            "books": self.books,
            "area_precision": self.area_precision,
            "area_recall": self.area_recall,
            "area_as_county": self.missed,
            "county_as_area": self.invented,
            "town_as_area": self.narrowed,
            "texts_per_second": round(self.cases / self.seconds) if self.seconds else 0,
            "by_kind": kinds,
        }


def _lines(file: Path) -> Iterator[dict[str, object]]:
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def _open(row: dict[str, object]) -> AreaBook:
    areas = [ListedArea(i, code, Level(level), text) for i, code, level, text in row["areas"]]  # type: ignore[attr-defined]
    return AreaBook(str(row["county"]), areas, row["towns"], tuple(row["ancestors"]))  # type: ignore[arg-type]


def measure(file: Path, half: str | None = "held", *, keep_errors: int = 0) -> Figures:
    """The figures over one half of a labelled file (``tuning``, ``held``, or both when None).

    Raises FileNotFoundError if there is no such file.
    """
    figures = Figures()
    book: AreaBook | None = None
    row: dict[str, object] = {}
    for line in _lines(file):
        if line["type"] == "book":
            row, book = line, None
            continue
        if half is not None and line["half"] != half:
            continue
        start = time.perf_counter()
        if book is None:
            book = _open(row)
            figures.books += 1
        answer = book.match(str(line["text"]), str(line["code"]))
        figures.seconds += time.perf_counter() - start
        _count(figures, line, answer, keep_errors)
    return figures


def _count(figures: Figures, case: dict[str, object], answer: AreaMatch | None, keep_errors: int) -> None:
    kind, wanted = str(case["kind"]), str(case["depth"])
    got = answer.depth.value if answer else "none"
    figures.cases += 1
    figures.total[kind] += 1
    figures.pairs[wanted, got] += 1
    depth_right = got == wanted
    level_right = answer is not None and answer.level.value == case["level"]
    # Where a rest-of entry covers the county, both a hit and a miss are `area`: there the level tells them apart.
    figures.depth_right[kind] += depth_right
    figures.right[kind] += depth_right and level_right
    if not (depth_right and level_right) and len(figures.errors) < keep_errors:
        figures.errors.append((case, answer))
