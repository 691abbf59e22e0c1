"""Misspelt names: one character replaced, swapped with its neighbour, left out or written twice; by sound cheaper than by shape.

Nothing here is tried against a text that an exact reading explains.
"""

from collections.abc import Iterator
from threading import Lock
from typing import Any

from rapidfuzz.distance import OSA

from checkpoint.regions import names
from checkpoint.regions.index import ROOT, RegionIndex
from checkpoint.regions.sounds import SAME, UNLIKE, likeness_cost

SWAPPED, DROPPED, DOUBLED, ADDED = 0.5, 0.65, 0.4, 0.85
_LONGEST_FORM = 15
_TABLE_LIMIT = 1500

Match = tuple[int, int, int, float]
Forms = list[tuple[int, str, int, frozenset[str]]]


def edit_cost(index: RegionIndex, text: str, start: int, form: str) -> tuple[float, int] | None:
    """The least cost of reading `form` at `start`, and where it ends; None when it takes more than one slip.

    Two replaced characters count as one reading when both sound right and the name is long.
    """
    size = len(form)
    window = text[start : start + size + 1]
    options: list[tuple[float, int]] = []
    same = window[:size]
    first = _first_difference(window, form)
    if len(same) == size:
        cost = _replaced(index, same, form, first)
        if cost is not None:
            options.append((cost, start + size))
    if size > 2 and form[first + 1 :] == window[first : size - 1]:
        options.append((DROPPED, start + size - 1))
    if len(window) == size + 1 and form[first:] == window[first + 1 :]:
        doubled = window[first] in (window[first - 1 : first], window[first + 1 : first + 2])
        options.append((DOUBLED if doubled else ADDED, start + size + 1))
    if not options and size > 6 and OSA.distance(same, form, score_cutoff=2) <= 2:
        options.append((2 * SWAPPED, start + size))
    return min(options) if options else None


def _first_difference(window: str, form: str) -> int:
    for at, char in enumerate(form):
        if window[at : at + 1] != char:
            return at
    return len(form)


def _replaced(index: RegionIndex, written: str, form: str, first: int) -> float | None:
    wrong = [at for at in range(first, len(form)) if written[at] != form[at]]
    if not wrong:
        return 0.0
    if len(wrong) == 1:
        return likeness_cost(index.likeness(), written[first], form[first])
    if len(wrong) != 2:
        return None
    one, two = wrong
    if two == one + 1 and written[one] == form[two] and written[two] == form[one]:
        return SWAPPED
    cost = sum(likeness_cost(index.likeness(), written[at], form[at]) for at in wrong)
    return cost + 0.3 if len(form) > 4 or (len(form) > 2 and cost <= 2 * SAME) else None


class FuzzyTables:
    """Tables made on first use from an index: misspelt provinces, cities and counties, and the forms in towns and villages.

    Only ever grows by whole entries (and is emptied when large), so that threads may share it.
    """

    def __init__(self, index: RegionIndex) -> None:
        self._index = index
        self._lock = Lock()
        self._slips: dict[str, list[tuple[int, str, int]]] = {}
        self._inside: dict[int, Forms] = {}

    def _slip_table(self) -> dict[str, list[tuple[int, str, int]]]:
        if not self._slips:
            with self._lock:
                if not self._slips:
                    self._slips = _all_slips(self._index)
        return self._slips

    def upper(self, text: str, start: int, above: int) -> list[Match]:
        """(end, division, quality, cost) of the misspelt provinces, cities and counties at a position, best first."""
        table = self._slip_table()
        index = self._index
        low, high = (0, len(index)) if above == ROOT else (above, index.ends[above])
        best: dict[tuple[int, int], Match] = {}
        seen: set[tuple[int, str]] = set()
        for key in _queries(text[start : start + _LONGEST_FORM + 1]):
            for node, form, quality in table.get(key, ()):
                if not low <= node < high or (node, form) in seen or node == above:
                    continue
                seen.add((node, form))
                if (
                    above == ROOT
                    and len(form) == 2
                    and index.levels[node] == 3
                    and not _sounds_like(index, text[start : start + 2], form)
                ):
                    continue
                found = edit_cost(index, text, start, form)
                _better(best, found, node, quality)
        return sorted(best.values(), key=_rank)

    def inside(self, text: str, start: int, above: int) -> list[Match]:
        """The same for the towns of a county or the villages of a town."""
        forms = self._inside.get(above)
        if forms is None:
            forms = self._forms_inside(above)
        best: dict[tuple[int, int], Match] = {}
        windows: dict[int, frozenset[str]] = {}
        for node, form, quality, chars in forms:
            size = len(form)
            window = windows.get(size)
            if window is None:
                window = windows[size] = frozenset(text[start : start + size + 1])
            if len(chars & window) < len(chars) - (1 if size < 5 else 2):
                continue
            found = edit_cost(self._index, text, start, form)
            _better(best, found, node, quality)
        return sorted(best.values(), key=_rank)

    def _forms_inside(self, above: int) -> Forms:
        index = self._index
        forms: Forms = []
        for node in index.children_of(above):
            name = index.name_of(node)
            level = index.levels[node]
            short = names.village_short(name) if level == 5 else name
            stem = names.village_stem(name) if level == 5 else names.town_stem(name)
            for form, quality in {
                short.translate(index.fold_map): names.FULL,
                stem.translate(index.fold_map): names.STEM,
            }.items():
                if len(form) > 1:
                    forms.append((node, form, quality, frozenset(form)))
        if len(self._inside) > _TABLE_LIMIT:
            self._inside = {}
        self._inside[above] = forms
        return forms


def _rank(match: Match) -> tuple[float, int]:
    """Best first: a slip weighs as much as one character and a half."""
    return match[3] * 1.5 - match[0], match[1]


def _better(best: dict[tuple[int, int], Match], found: tuple[float, int] | None, node: int, quality: int) -> None:
    """Keep the cheapest misreading of a division for each stretch of text; what is not misread is not wanted here."""
    if found and found[0] > 0 and ((node, found[1]) not in best or found[0] < best[node, found[1]][3]):
        best[node, found[1]] = (found[1], node, quality, found[0])


def _sounds_like(index: RegionIndex, written: str, form: str) -> bool:
    """Whether two characters are those of a form by sound or swapped: alone, a county's stem is too short for other slips."""
    likeness = index.likeness()
    return written[::-1] == form or all(
        likeness_cost(likeness, one, other) < UNLIKE for one, other in zip(written, form, strict=False)
    )


def _queries(window: str) -> Iterator[str]:
    """What a window may be of a form that lost one character: itself, and it without each of its characters.

    Only names of autonomous divisions are longer than eight characters.
    """
    for size in range(2, (len(window) if "族" in window else min(len(window), 9)) + 1):
        part = window[:size]
        yield part
        for at in range(size):
            yield part[:at] + part[at + 1 :]


def _all_slips(index: RegionIndex) -> dict[str, list[tuple[int, str, int]]]:
    table: dict[str, Any] = {}
    for node in index.upper:
        name = index.name_of(node)
        level = index.levels[node]
        for form, quality in names.forms_of(index.code(node), name, level).items():
            folded = form.translate(index.fold_map)
            if len(folded) < 2 or quality == names.ABBREVIATION:
                continue
            entry = (node, folded, quality)
            for key in {folded, *(folded[:at] + folded[at + 1 :] for at in range(len(folded)))}:
                if len(key) > 1 or len(folded) == 2:
                    table.setdefault(key, []).append(entry)
    return table
