"""The policy as a form: fields made from the model itself, so that a new one cannot be forgotten. Pure.

A document is what JSON holds of a policy. In a form its parts go by dotted names (`measures.0.days`), and what is a mapping with free
keys there is a list of rows with a `key` here. A number that cannot be read stays as it was typed, so that it is shown again.
"""

import enum
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from checkpoint.risk.policy import PolicyData, default_policy

KEY = "key"
MOST_ROWS = 100
_APART = re.compile(r"[\s,，、;；]+")
_BOUNDS = {"points": (0, 100), "measures.test_days": (1, 60)}  # what the model leaves open for versions stored earlier
_OPEN_CHOICES = frozenset({"measures.any_rule", "kind_deadlines.key"})  # words that the model does not list itself


@dataclass(frozen=True, slots=True)
class Leaf:
    """One input. `path` has no row numbers and names its words. `kind`: number, flag, choice, many, numbers or text.

    `options` are the values that the model allows, in its order; empty where the page has to know them. `optional` may stay empty.
    """

    path: str
    name: str
    kind: str
    options: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs that belong together: a model in the model, or a mapping whose keys are known."""

    path: str
    name: str
    parts: tuple["Part", ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Any number of rows; `keyed` when each has a key of its own, else their order counts. `row` is a pattern of one."""

    path: str
    name: str
    row: Group
    keyed: bool = False


Part = Leaf | Group | Rows


def form_of(model: type[BaseModel] = PolicyData) -> tuple[Part, ...]:
    """The parts of a model, in its order."""
    return tuple(_part(_annotated(field), name, name, optional=False) for name, field in model.model_fields.items())


def _annotated(field: Any) -> Any:
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _closed(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(str(value) for value in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(str(one.value) for one in kind)
    return ()


def _bare(kind: Any) -> tuple[Any, bool, tuple[int | None, int | None]]:
    """Without Annotated and None: the type, whether it may be missing, and its bounds."""
    low = high = None
    may_miss = False
    while True:
        if get_origin(kind) is Annotated:
            kind, *facts = get_args(kind)
            for fact in facts:
                for one in getattr(fact, "metadata", None) or (fact,):
                    low = getattr(one, "ge", None) if getattr(one, "ge", None) is not None else low
                    high = getattr(one, "le", None) if getattr(one, "le", None) is not None else high
        elif get_origin(kind) in (Union, types.UnionType):
            kind = next(one for one in get_args(kind) if one is not type(None))
            may_miss = True
        else:
            return kind, may_miss, (low, high)


def _part(kind: Any, path: str, name: str, *, optional: bool) -> Part:
    kind, may_miss, (low, high) = _bare(kind)
    optional = optional or may_miss
    low, high = _BOUNDS.get(path) or _BOUNDS.get(path.rpartition(".")[0]) or (low, high)
    options = _closed(kind)
    if options:
        return Leaf(path, name, "choice", options, optional=optional)
    if kind is bool:
        return Leaf(path, name, "flag")
    if kind is int:
        return Leaf(path, name, "number", low=low, high=high, optional=optional)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _group(kind, path, name, optional=optional)
    if get_origin(kind) is tuple:
        return _several(get_args(kind)[0], path, name, (low, high), optional=optional)
    if get_origin(kind) is dict:
        keys, value = get_args(kind)
        return _mapping(keys, value, path, name)
    return Leaf(path, name, "choice" if path in _OPEN_CHOICES else "text", optional=optional)


def _group(model: type[BaseModel], path: str, name: str, *, optional: bool) -> Group:
    parts = tuple(
        _part(_annotated(field), f"{path}.{key}", key, optional=False) for key, field in model.model_fields.items()
    )
    return Group(path, name, parts, optional)


def _several(kind: Any, path: str, name: str, bounds: tuple[int | None, int | None], *, optional: bool) -> Part:
    bare, _may_miss, _bounds = _bare(kind)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return Rows(path, name, _group(bare, path, name, optional=False))
    if bare is int:
        return Leaf(path, name, "numbers", low=bounds[0], high=bounds[1], optional=True)
    return Leaf(path, name, "many", _closed(bare), optional=optional or not _closed(bare))


def _mapping(keys: Any, kind: Any, path: str, name: str) -> Part:
    """Known keys are a group, in which all but the points may stay empty: then what is shipped holds."""
    known = tuple(default_policy().points) if path == "points" else _closed(keys)
    if known:
        shipped = path == "points"
        return Group(path, name, tuple(_part(kind, f"{path}.{key}", key, optional=not shipped) for key in known))
    inner = _part(kind, path, name, optional=False)
    key = Leaf(f"{path}.{KEY}", KEY, "choice" if f"{path}.{KEY}" in _OPEN_CHOICES else "text")
    parts = inner.parts if isinstance(inner, Group) else (inner,)
    return Rows(path, name, Group(path, name, (key, *parts)), keyed=True)


def leaves(parts: Sequence[Part]) -> Iterator[Leaf]:
    """Every input of a form, a pattern of each row once."""
    for part in parts:
        if isinstance(part, Leaf):
            yield part
        else:
            yield from leaves(part.row.parts if isinstance(part, Rows) else part.parts)


def shown(document: Mapping[str, Any], parts: Sequence[Part] | None = None) -> dict[str, Any]:
    """A document as the form holds it: mappings with free keys as rows."""
    found = dict(document)
    for part in parts if parts is not None else form_of():
        if isinstance(part, Rows) and part.keyed and isinstance(found.get(part.name), Mapping):
            found[part.name] = [{KEY: key, **value} for key, value in found[part.name].items()]
    return found


Sent = Callable[[str], Sequence[str]]
"""What was sent under a name, as often as it was sent."""


def typed(sent: Sent, names: Sequence[str], parts: Sequence[Part] | None = None) -> dict[str, Any]:
    """What a form holds, from what was sent; `names` are all that were. Nothing is checked but the number of rows."""
    found: dict[str, Any] = {}
    for part in parts if parts is not None else form_of():
        _take(part, part.name, sent, names, found)
    return found


def _take(part: Part, name: str, sent: Sent, names: Sequence[str], into: dict[str, Any]) -> None:
    if isinstance(part, Leaf):
        value = _value(part, [text.strip() for text in sent(name)])
        if value is not None:
            into[part.name] = value
    elif isinstance(part, Group):
        inner: dict[str, Any] = {}
        for one in part.parts:
            _take(one, f"{name}.{one.name}", sent, names, inner)
        if inner or not part.optional:
            into[part.name] = inner
    else:
        rows: list[dict[str, Any]] = []
        for number in _numbers(name, names):
            row: dict[str, Any] = {}
            for one in part.row.parts:
                _take(one, f"{name}.{number}.{one.name}", sent, names, row)
            rows.append(row)
        into[part.name] = rows


def _numbers(name: str, names: Sequence[str]) -> list[int]:
    """The rows that were sent, in the order of their numbers."""
    pattern = re.compile(re.escape(name) + r"\.(\d{1,4})\.")
    found = {int(match[1]) for match in map(pattern.match, names) if match}
    return sorted(found)[:MOST_ROWS]


def _value(leaf: Leaf, texts: Sequence[str]) -> Any:
    """None for what is left out."""
    text = texts[-1] if texts else ""
    if leaf.kind == "flag":
        return text == "1"
    if leaf.kind == "number":
        return _whole(text) if text else None
    if leaf.kind == "numbers":
        return [_whole(one) for one in _APART.split(text) if one]
    if leaf.kind == "many":
        given = [one for one in texts if one]
        if not given and not leaf.options:
            return []
        return [one for one in leaf.options if one in given] or None if leaf.options else given
    return text or None


def _whole(text: str) -> int | str:
    plain = text.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
    return int(plain) if plain.isascii() and plain.lstrip("-").isdigit() and len(plain) < 10 else text


def with_row(document: Mapping[str, Any], rows: str, act: str, number: int = 0) -> dict[str, Any]:
    """A form's document after a row was added at the end, removed, or moved up by one place. What is not there changes nothing."""
    held = list(document.get(rows) or [])
    if act == "add" and len(held) < MOST_ROWS:
        held.append({})
    elif act == "remove" and 0 <= number < len(held):
        held.pop(number)
    elif act == "up" and 0 < number < len(held):
        held[number - 1], held[number] = held[number], held[number - 1]
    return {**document, rows: held}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: which input by its names, and the value before and after; None where there was or will be none.

    For rows the whole row, and `number` its place (from 1) where it stands.
    """

    part: Part
    names: tuple[str, ...]
    before: Any
    after: Any
    number: int | None = None


def changes(before: PolicyData, after: PolicyData) -> list[Change]:
    """What another version would change, in the order of the form."""
    parts = form_of()
    old, new = (shown(one.model_dump(mode="json"), parts) for one in (before, after))
    return [change for part in parts for change in _compare(part, (part.name,), old.get(part.name), new.get(part.name))]


def _compare(part: Part, names: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:
    if isinstance(part, Leaf):
        if old != new:
            yield Change(part, names, old, new)
    elif isinstance(part, Group):
        if (old is None) != (new is None):
            yield Change(part, names, old, new)
        elif old is not None:
            for one in part.parts:
                yield from _compare(one, (*names, one.name), old.get(one.name), new.get(one.name))
    else:
        yield from _compare_rows(part, names, old or [], new or [])


def _compare_rows(part: Rows, names: tuple[str, ...], old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [repr(one) for one in old], [repr(one) for one in new], autojunk=False)
    for act, a, b, c, d in matcher.get_opcodes():
        if act == "equal":
            continue
        for place in range(max(b - a, d - c)):
            had = old[a + place] if a + place < b else None
            has = new[c + place] if c + place < d else None
            yield Change(part, names, had, has, (c if has is not None else a) + place + 1)
