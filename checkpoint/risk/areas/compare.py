"""Whether a place of the list holds a stay, given that its key name was met in the stay's text."""

import enum
from dataclasses import dataclass

from .entry import Place
from .parse import Element, Name
from .similar import mistyped, similar
from .units import Num, compatible


class Relation(enum.Enum):
    """INSIDE: the place holds the stay. NEAR: the same estate, road or village, but not that part. APART: neither."""

    INSIDE = "inside"
    NEAR = "near"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Reading:
    """A relation, and how far into the stay's elements the place reached (a deeper place reaches further)."""

    relation: Relation
    reach: int


_APART = Reading(Relation.APART, 0)


def same_name(a: str, b: str) -> bool:
    """Equal, or equal but for a slip."""
    return a == b or similar(a, b)


def read(place: Place, stay: tuple[Element, ...], at: int) -> Reading:
    """How `place` relates to `stay`, whose element `at` is the place's key name."""
    front = _front(place, stay[:at])
    if front is not Relation.INSIDE:
        return Reading(front, at)
    reach = _behind(place.elements[place.key + 1 :], stay, at + 1)
    if reach is None:
        return Reading(Relation.NEAR, at)
    if any(excepted(row, stay, at, reach) for row in place.excepts):
        return Reading(Relation.NEAR, reach)
    return Reading(Relation.INSIDE, reach)


def _behind(wanted: tuple[Element, ...], stay: tuple[Element, ...], at: int) -> int | None:
    """Meet every wanted element in order, from `at` on; the index behind the last one, or None."""
    after_house = False
    for want in wanted:
        while at < len(stay) and _skippable(stay[at], stay[at + 1 : at + 2], want, after_house):
            at += 1
        if at >= len(stay) or not meets(want, stay[at]):
            return None
        after_house = isinstance(want, Num) and want.kind == "H"
        at += 1
    return at


def _skippable(have: Element, follows: tuple[Element, ...], want: Element, after_house: bool) -> bool:
    """What may stand between: a house number before a building, an estate's name behind a road's house number."""
    if isinstance(have, Name):
        return after_house and isinstance(want, Num)
    if isinstance(want, Name) or have.kind != "H" or want.kind not in "BU":
        return False
    before_building = bool(follows) and isinstance(follows[0], Num) and follows[0].kind == "B"
    return before_building or not meets(want, have)


def meets(want: Element, have: Element) -> bool:
    """Whether one element of the stay lies in the wanted one."""
    if isinstance(want, Name):
        return isinstance(have, Name) and same_name(want.text, have.text)
    return isinstance(have, Num) and compatible(want.kind, have.kind) and want.holds(have)


def _front(place: Place, before: tuple[Element, ...]) -> Relation:
    """What stands before the key may be left out on either side, but must not contradict."""
    front = place.elements[: place.key]
    relation = Relation.INSIDE
    for i, element in enumerate(front):
        if not isinstance(element, Name):
            continue
        j = _last(element.text, before)
        if j < 0:
            if element.sort in ("village", "community") and _rival(element, before):
                return Relation.APART
            continue
        if not _numbers_agree(front[i + 1 :], before[j + 1 :]):
            relation = Relation.NEAR
    return relation


def _last(name: str, before: tuple[Element, ...]) -> int:
    """Where a name stands last among elements, -1 if nowhere."""
    for k in range(len(before) - 1, -1, -1):
        element = before[k]
        if isinstance(element, Name) and same_name(element.text, name):
            return k
    return -1


def _rival(element: Name, before: tuple[Element, ...]) -> bool:
    """Whether the stay names another community or village where the list names this one."""
    return any(isinstance(e, Name) and e.sort == element.sort and not mistyped(e.text, element.text) for e in before)


def _numbers_agree(mine: tuple[Element, ...], theirs: tuple[Element, ...]) -> bool:
    for want, have in zip(mine, theirs, strict=False):
        if isinstance(want, Name) or isinstance(have, Name):
            return True
        if compatible(want.kind, have.kind) and not want.holds(have):
            return False
    return True


def excepted(row: tuple[Element, ...], stay: tuple[Element, ...], at: int, reach: int) -> bool:
    """Whether a stay lies in an excepted part: a number stands at `reach`, a name anywhere from `at` on."""
    if isinstance(row[0], Num):
        return _behind(row, stay, reach) is not None
    for j in range(at, len(stay)):
        have = stay[j]
        if isinstance(have, Name) and same_name(row[0].text, have.text) and _behind(row[1:], stay, j + 1) is not None:
            return True
    return False
