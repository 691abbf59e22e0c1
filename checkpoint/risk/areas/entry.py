"""One entry of a list as the places it names, the divisions it covers whole, and what it leaves out.

An entry's text may be one place (关北街21号楼), a list in one string (2号楼、3号楼1单元), a place with an exception
(中发源时代广场（除7号楼）), or everything else (除高风险区以外的其他区域, 全域, a bare town name).
"""

import re
from dataclasses import dataclass, replace

from .divisions import Divisions
from .fold import fold, numerals
from .parse import Element, Name, elements
from .rest import strip_rest
from .units import UNIT, Num, sided


@dataclass(frozen=True, slots=True)
class Place:
    """One place of an entry: its elements, the index of the name that must be met, exceptions, and whether it is "the rest of"."""

    elements: tuple[Element, ...]
    key: int
    town: str  # 9 digits, or "" when the list did not say
    excepts: tuple[tuple[Element, ...], ...] = ()
    rest: bool = False
    head: str = ""  # the words before the first number, as written


@dataclass(frozen=True, slots=True)
class Scope:
    """A whole county or town (`prefix`: 6 or 9 digits) but for what is excepted by name, `towns` among it (9 digits)."""

    prefix: str
    excepts: tuple[tuple[Element, ...], ...] = ()
    towns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed entry: single places, divisions it covers whole, zones it names (高新区); `plain` is its bare text."""

    places: tuple[Place, ...]
    scopes: tuple[Scope, ...]
    plain: str
    zone: str = ""


_BOUNDS = re.compile(
    r"东至|西至|南至|北至|东起|西起|南起|北起|以东|以西|以南|以北|为界|合围|围合|之间|直径|半径|连线|沿线至"
)
_ROUND = re.compile(r"(?<=[号栋幢楼座元组期区园苑村])(?:所?形成的?)?(?:合围|围合)(?:的)?(?:区域|范围)?")
_ROADS = re.compile(r"[路街道巷河线](?:、|和|与|(?=合围|围合))")
_INNER = re.compile(r"\(([^()]*)\)")
_NUMERIC = re.compile(rf"(?:第)?[东西南北]?(?:[A-Z]{{0,2}}\d+[A-Z]?|[A-Z])(?:[-~至]第?[A-Z]?\d+)?(?:{UNIT}|[、\-])")
_PARITY = re.compile(r"\((单|双)号?(?:侧|面|数)?\)")
_JOIN = re.compile(r"(?<=[\d号楼栋幢座元组院室期区])(?:和|及|以及|与)(?=第?[A-Z]?\d)")
_JOINS = re.compile(r"[和及与]")
_JOIN_NAMES = re.compile(
    r"(?<=[组屯])(?:和|及)(?=[\u4e00-\u9fff]{1,6}[组村屯])"
    r"|(?<=[号栋域])(?:以?及(?=[\u4e00-\u9fff]{2})|和(?=[\u4e00-\u9fff]{2,6}[路街巷]\d))"
)
_ALSO = re.compile(r"包括|包含|含(?:底|散|商|地下|门面|附属|裙)")
_ZONE = re.compile(
    r"[\u4e00-\u9fff()]{1,14}"
    r"(?:新区|开发区|高新区|经开区|示范区|度假区|园区|管委会|管理区|实验区|保税区|高新技术产业开发区|新城)"
)
_ATOM_END = re.compile(r"(?:[A-Z]{0,2}\d+[A-Z]?|(?<![A-Z])[A-Z])(?:[-~至][A-Z]?\d+)?$")
_ATOM_START = re.compile(rf"第?(?:[A-Z]{{0,2}}\d+[A-Z]?|[A-Z])(?:[-~至][A-Z]?\d+)?({UNIT})?")
_BARE = re.compile(r"[A-Z]{0,2}\d+[A-Z]?(?:[-~]\d+)?")


# A list's own numbering in front of an entry (2.新源道街道…).
ENUMERATED = re.compile(r"^\d{1,2}、(?=[^\d])")
_HEAD = re.compile(r"[^\dA-Z]*")


def head_of(text: str) -> str:
    """The words before the first number or letter, without separators."""
    match = _HEAD.match(text)
    return strip_marks(match.group()) if match else ""


_NO_MARKS = dict.fromkeys(map(ord, "、()-~"))


def strip_marks(text: str) -> str:
    """A folded text without separators and brackets, for whole-text comparison."""
    return text.translate(_NO_MARKS)


def parse_entry(text: str, code: str, divisions: Divisions) -> Entry:
    """The entry as places and scopes. `code` is the division (12 digits) its text was resolved to."""
    folded = ENUMERATED.sub("", fold(text))
    body, named = divisions.strip(folded)
    town = named or (code[:9] if code[6:9] not in ("", "000") else "")
    # A text that names the county and no town means the county, however deep a resolver may have placed it.
    scope = divisions.county if not named and divisions.names_county(folded) else town or divisions.county
    in_list = folded[: folded.rfind(body)].endswith("、")  # 石桥镇、白鹤乡
    body = numerals(body)
    plain = strip_marks(body)
    if not plain:
        return Entry((), (Scope(scope),), plain)
    stripped = strip_rest(body)
    body = divisions.strip(stripped.body)[0] if stripped.rest and not in_list else stripped.body
    if stripped.rest and (not strip_marks(body) or divisions.is_county(body)):
        return Entry((), (_scope(scope, stripped.excepted, divisions),), plain)
    return _places(body, _Context(town, stripped.rest, stripped.excepted, divisions, in_list), plain)


@dataclass(frozen=True, slots=True)
class _Context:
    town: str
    rest: bool
    excepted: tuple[str, ...]
    divisions: Divisions
    in_list: bool  # the town taken off the front was itself a member of a list


def _scope(prefix: str, excepted: tuple[str, ...], divisions: Divisions) -> Scope:
    found = [divisions.strip(item) for text in excepted for item in _items(text)]
    towns = tuple(town for rest, town in found if town and not rest)
    return Scope(prefix, _excepts(tuple(rest for rest, _ in found if rest)), towns)


def _places(body: str, context: _Context, plain: str) -> Entry:
    parity = None
    if "(" in body:
        parity = _PARITY.search(body)
        body = _flatten(_PARITY.sub("", body))
    if "围" in body and not _ROADS.search(body):
        body = _ROUND.sub("", body)
    if _BOUNDS.search(body):
        return Entry((), (), plain)
    places: list[Place] = []
    scopes: list[Scope] = [Scope(context.town)] if context.in_list and context.town else []
    previous: tuple[Element, ...] = ()
    head = ""
    for number, item in enumerate(_items(body)):
        if _ALSO.match(item):
            continue
        piece, town = context.divisions.strip(item) if number or context.in_list else (item, "")
        if not piece and town:
            scopes.append(Scope(town))
            continue
        row = _inherit(elements(piece), previous)
        previous = row
        head = head_of(piece) or head
        place = _place(_narrow(row, parity), town or context.town, head)
        if place is not None:
            places.append(place)
    telling = [p for p in places if not _WEAK.match(e_text(p.elements[p.key]))]
    places = telling or places
    if context.rest:
        excepts = _excepts(context.excepted)
        places = [replace(p, rest=True, excepts=excepts) for p in places]
    return Entry(tuple(places), tuple(scopes), plain, body if context.rest and _ZONE.fullmatch(body) else "")


def _flatten(body: str) -> str:
    """Brackets resolved: numbers belong to the text before, bounds and by-names are dropped."""
    for _ in range(4):
        changed = _INNER.sub(_inner, body)
        if changed == body:
            break
        body = changed
    return body.strip("、()")


def _inner(match: re.Match[str]) -> str:
    inner = match.group(1)
    if _NUMERIC.match(inner):
        return inner
    return "、" if match.end() < len(match.string) else ""


def _items(body: str) -> list[str]:
    """The members of a list in one string, each number with its unit: 2、3单元 → 2单元, 3单元."""
    text = _JOIN_NAMES.sub("、", _JOIN.sub("、", body)) if _JOINS.search(body) else body
    if "、" not in text:
        return [text]
    items = [item for item in text.split("、") if item]
    for i in range(len(items) - 2, -1, -1):
        follows = _ATOM_START.match(items[i + 1])
        unit = follows.group(1) if follows else None
        if unit is None:
            continue
        if _ATOM_END.search(items[i]):
            items[i] += unit
        elif items[i].endswith("号") and unit == "号楼":
            items[i] += "楼"
    for i in range(1, len(items)):
        if _BARE.fullmatch(items[i]):
            closing = re.search(rf"\d(?P<unit>{UNIT})$", items[i - 1])
            if closing:
                items[i] += closing["unit"]
    return items


def _inherit(row: tuple[Element, ...], previous: tuple[Element, ...]) -> tuple[Element, ...]:
    """A list member that begins with a number continues the one before it at the same kind of number."""
    if not row or not previous or isinstance(row[0], Name):
        return row
    kind = row[0].kind
    at = next((i for i in range(len(previous) - 1, -1, -1) if _kind(previous[i]) == kind), None)
    if at is None:
        at = next((i for i in range(len(previous)) if isinstance(previous[i], Num) and i > 0), len(previous))
    return previous[:at] + row


def _kind(element: Element) -> str:
    return element.kind if isinstance(element, Num) else ""


def _narrow(row: tuple[Element, ...], parity: re.Match[str] | None) -> tuple[Element, ...]:
    if parity is None:
        return row
    odd = parity.group(1) == "单"
    return tuple(
        Num(e.kind, tuple(sided(v, odd) for v in e.values)) if isinstance(e, Num) and e.kind == "H" else e for e in row
    )


_WEAK = re.compile(
    r"(?:横|沿街|底商|门面|门市|商铺|超市|小区|家属[院楼]|宿舍|平房|自建房|安置[区房]|[东西南北中前后](?:侧|边|门|院|街|巷|段|楼)?|综合楼|办公楼|一层|地下|"
    r"[前后旁对][面边]|附属.*|及.*|.*所在.*|居民楼|单元楼|.{0,2}小区)$"
)


def _place(row: tuple[Element, ...], town: str, head: str) -> Place | None:
    """The place of a row, its key the last name that says something; None when there is nothing to ask for it by."""
    row = grounded(row, town)
    keys = [i for i, e in enumerate(row) if isinstance(e, Name)]
    if not keys:
        return None
    telling = [i for i in keys if len(e_text(row[i])) >= 2 and not _WEAK.match(e_text(row[i]))]
    return Place(row, telling[-1] if telling else keys[0], town, head=head)


def grounded(row: tuple[Element, ...], town: str) -> tuple[Element, ...]:
    """A row that has numbers only (康乐镇1组21号) behind its town's code as a name, so that it can be asked for."""
    if town and row and isinstance(row[0], Num):
        return (Name("@" + town, "town"), *row)
    return row


def e_text(element: Element) -> str:
    """A name's text; a number has none."""
    return element.text if isinstance(element, Name) else ""


def _excepts(excepted: tuple[str, ...]) -> tuple[tuple[Element, ...], ...]:
    """What is left out, as rows to be met behind its own: 除3号楼 of 天马小区 is 天马小区3号楼."""
    out: list[tuple[Element, ...]] = []
    previous: tuple[Element, ...] = ()
    for text in excepted:
        for item in _items(text):
            row = _inherit(elements(item), previous)
            previous = row
            if row:
                out.append(row)
    return tuple(out)
