"""A folded text as a row of elements: names (关北街, 阳光小区) and numbered parts (21号楼, 1单元).

The same function reads lists and travellers' texts, so that a wrong cut is wrong on both sides alike.
"""

import re
from dataclasses import dataclass

from .units import UNIT, Num, Span, kind_of, span, tidy

_DIRECTION = "东西南北中前后左右上下"


@dataclass(frozen=True, slots=True)
class Name:
    """A named thing: community, village, road, estate, shop. `sort` is its last word's class (village, community, road, town) or empty."""

    text: str
    sort: str


Element = Name | Num

_ATOM = r"(?:第)?[甲乙丙丁戊]?[A-Z]{0,2}\d+(?:\+\d+)?[A-Z]?(?:[之附]\d+)?"
_SIDED = r"[东西南北中](?=[A-Z]?\d+(?:号楼|栋|幢|座|单元|门|号院))"
_NUMBER = re.compile(
    rf"""
    (?P<block>\d+)-(?P<from>\d+)(?:号楼|栋|幢)?[至到~-](?P=block)-(?P<to>\d+)(?P<blockunit>号楼|栋|幢)
    |(?P<side>{_SIDED})?
    (?P<first>{_ATOM})(?P<unit1>{UNIT})?
    (?:(?P<link>[-~至到])(?P<second>{_ATOM})(?P<unit2>{UNIT})?)?
    (?P<more>(?:-\d+[A-Z]?)*)
    (?P<tail>[甲乙丙丁](?![\u4e00-\u9fff])|之\d+|附\d+号?)?
    |(?P<letter>[A-Z]{{1,3}}\d{{0,2}}|[甲乙丙丁戊])(?P<letterunit>号楼|栋楼|栋|幢楼|幢|座|区|单元|门(?!市|诊|口|头|面)|馆|期|组团|组|楼|片区|院区|\#)
    |(?P<half>[{_DIRECTION}](?:\d{{1,2}})?[东西南北]?)(?P<halfunit>区(?!域|间|委|政|政府)|片区|院区|半区|单元|座|栋|塔)
    """,
    re.X,
)
_GENERIC = re.compile(
    r"(?:小区|新村|花园|家园|住宅小区|住宅区|村委会|居委会|村民委员会|居民委员会|居民区|安置区|安置小区|宿舍|家属院|家属楼|家属区|公寓|市场|超市|"
    r"小学|中学|幼儿园|医院|学校|大学|学院|大厦|广场|宾馆|酒店|商场|商店|商贸城|公司|工地|菜市场|农贸市场|派出所|大楼|大院|卫生院|卫生室|"
    r"卫生服务中心|党群服务中心|服务中心|办事处|街道办事处|一带|路口|巷子|西侧|东侧|南侧|北侧|东段|西段|南段|北段|中段|门面|门市|门市房|"
    r"商铺|底商|平房|自建房|居民楼|办公楼|综合楼|宿舍楼|住宅楼|苑|园|庭|府|城|里|庄|湾|居|院)(?:区|楼|片区)?"
)
_SORTS = (
    ("town", r"街道办事处|街道办|街道|(?<!小)镇(?!政府|中学|小学|卫生院|医院)|乡(?!政府|中学|小学|卫生院|村|镇)"),
    ("community", r"社区居民委员会|社区居委会|社区(?!卫生|医院|服务)|居民委员会|居委会"),
    ("village", r"村民委员会|村委会|行政村|自然村|村(?!委|民|口|镇|部|级|和|头|尾|里)|嘎查|屯"),
    ("road", r"大道|大街|(?<!马)路(?!口|桥)|街(?!道|坊|心|办|区)|胡同|巷|弄"),
    ("estate", r"小区"),
)
_CUT = re.compile("|".join(f"(?P<{sort}>{pattern})" for sort, pattern in _SORTS))
# A suffix straight behind a suffix belongs to the same name: 石油路街道, 民主街社区, 新村小区.
_SUFFIX_NEXT = re.compile(
    r"(?:街道|社区|小区|村|行政村|自然村|居委会|大街|胡同|巷|弄|路|[东西南北中上下](?:社区|街|路|村|巷)|[一二三四五六七八九十]+(?:村|里|社区|街))"
)
_CANON = (
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("居民委员会", "社区"),
    ("居委会", "社区"),
    ("村民委员会", "村"),
    ("村委会", "村"),
    ("行政村", "村"),
    ("自然村", "村"),
    ("街道办事处", "街道"),
    ("街道办", "街道"),
)
_ESTATE_TAILS = ("住宅小区", "安置小区", "小区", "住宅区", "院内")
_NOISE = re.compile(
    r"^(?:的|及其|以及|位于|现住|住址|住在|所在|整栋|整体|全部|部分|附属|办事处|辖区内|辖区|范围内|区域|地段|一带|片区|周边|附近)+"
)
_TAIL_NOISE = re.compile(
    r"(?:所在楼栋|所在楼宇|所在单元|所在楼|所在|周边区域|周边|附近区域|附近|范围内|合围区域|围合区域|区域内|辖区内|辖区|全域|全境|"
    r"整体|区域|片区|地段|一带|等|及|和|与|内|的)+$"
)


def canonical(text: str) -> str:
    """A name as compared: 村委会 and 行政村 are 村, 居委会 is 社区, a closing 小区 says nothing."""
    for ending, word in _CANON:
        if text.endswith(ending):
            stem = text[: -len(ending)]
            text = stem if stem.endswith(word) else stem + word
            break
    for ending in _ESTATE_TAILS:
        if text.endswith(ending):
            return text[: -len(ending)] if len(text) - len(ending) >= 2 else text
    return text


def names(text: str) -> list[Name]:
    """The run of names in a stretch without numbers: 通达社区南山锦香苑小区 → 通达社区, 南山锦香苑."""
    out: list[Name] = []
    start = 0
    for match in _CUT.finditer(text):
        if match.end() - start < 2 or match.end() <= start:
            continue
        piece = text[start : match.end()]
        rest = text[match.end() :]
        if _SUFFIX_NEXT.match(rest):
            continue
        generic = _GENERIC.match(rest)
        if match.lastgroup != "town" and generic is not None and generic.end() == len(rest):
            break
        start = match.end()
        if piece != "小区":  # what is left of "二期小区" says nothing
            out.append(Name(canonical(piece), match.lastgroup or ""))
    last = text[start:]
    if last:
        last = _TAIL_NOISE.sub("", _NOISE.sub("", last, count=1), count=1)
    if last and last not in ("小区", "院", "院内"):
        out.append(Name(canonical(last), "village" if last.endswith("村") else ""))
    return out


def elements(text: str) -> tuple[Element, ...]:
    """The elements of one place; `text` is folded, its numerals are digits. Separators only end a name."""
    out: list[Element] = []
    at = 0
    for match in _NUMBER.finditer(text):
        if not _is_number(match, text):
            continue
        out.extend(_names_of(text[at : match.start()]))
        before = out[-1].kind if out and isinstance(out[-1], Num) and match.start() == at else ""
        out.extend(_numbers(match, before))
        at = match.end()
    out.extend(_names_of(text[at:]))
    return tuple(out)


def _names_of(stretch: str) -> list[Name]:
    if not stretch:
        return []
    if not _MARK.search(stretch):
        return names(stretch)
    return [name for part in _MARK.split(stretch) if part for name in names(part)]


def _is_number(match: re.Match[str], text: str) -> bool:
    """A number counts with a unit behind it, in a chain (3-1-502), or at the end of a stretch; 1949公园 is a name."""
    if match["half"] is not None:
        return not _NO_HALF.match(text, match.end())
    if (
        match["letter"] is not None
        or match["block"]
        or match["unit1"]
        or match["unit2"]
        or match["link"]
        or match["tail"]
    ):
        return True
    return match.end() == len(text) or text[match.end()] in "、()-~"


def _numbers(match: re.Match[str], before: str) -> list[Num]:
    """The numbered parts of one match; `before` is the kind of the number straight in front, or ""."""
    if match["block"] is not None:
        reach = Span(match["block"] + "-", int(match["from"]), int(match["to"]), 1)
        return [Num(kind_of(match["blockunit"]), (reach,))]
    if match["half"] is not None:
        return [Num(kind_of(match["halfunit"]), (match["half"],))]
    if match["letter"] is not None:
        return [_lettered(match["letter"], kind_of(match["letterunit"]))]
    if before and not match["unit1"] and not match["unit2"]:
        return _chain([], before, "-" + re.sub(r"[~至到]", "-", match.group()))
    return _single(match) if match["second"] is None else _double(match)


def _lettered(letter: str, kind: str) -> Num:
    if letter in _ROMAN and kind in "PZ":
        return Num(kind, (_ROMAN[letter],))
    if len(letter) == 2 and letter.isalpha():
        return Num(kind, tuple(letter))  # AB区: both of them
    return Num(kind, (letter,))


def _single(match: re.Match[str]) -> list[Num]:
    kind = kind_of(match["unit1"] or "")
    if "+" in match["first"]:
        return [Num(kind, tuple(tidy(part) for part in match["first"].split("+")))]
    return _chain([(match["side"] or "") + tidy(match["first"]) + _tail(match)], kind, match["more"])


def _tail(match: re.Match[str]) -> str:
    return (match["tail"] or "").rstrip("号").replace("附", "之")


def _double(match: re.Match[str]) -> list[Num]:
    """Two numbers with a dash or 至 between: a range (1-5号楼), a compound number (7-1号), or building and unit (6-9)."""
    side, first, second = match["side"] or "", match["first"], match["second"]
    unit1, unit2 = match["unit1"] or "", match["unit2"] or ""
    kind = kind_of(unit2 or unit1)
    same = not unit1 or not unit2 or compatible_units(unit1, unit2)
    if same and (unit2 or match["link"] != "-") and not match["more"]:
        reach = span(side + first, second, kind)
        if reach is not None:
            return [Num(kind, (reach,))]
    if unit1 and not unit2:
        return _chain([side + tidy(first)], kind_of(unit1), "-" + second + match["more"])
    if unit1 and unit2:
        return [Num(kind_of(unit1), (side + tidy(first),)), Num(kind_of(unit2), (tidy(second),))]
    if unit2:
        return [Num(kind, (f"{side}{tidy(first)}-{tidy(second)}{_tail(match)}",))]
    return _chain([tidy(first)], "B", "-" + second + match["more"])


def compatible_units(one: str, other: str) -> bool:
    """Whether two unit words may close the two ends of one range."""
    return kind_of(one) == kind_of(other) or {kind_of(one), kind_of(other)} <= {"H", "B", "Y"}


_MARK = re.compile(r"[、()\-~]")
_NO_HALF = re.compile(r"街|社区|村|路")
_ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5", "VI": "6"}
_NEXT = {"B": "UR", "H": "UR", "Y": "UR", "U": "R", "?": "UR"}


def _chain(head: list[str], kind: str, more: str) -> list[Num]:
    """3-1-502 behind a name: building, unit, room; behind a building: unit, room; two numbers only: building, unit."""
    out = [Num(kind, tuple(head))] if head else []
    parts = [tidy(part) for part in more.split("-") if part]
    kinds = _NEXT.get(kind, "RR")
    if len(parts) == 1 and kind in "BHY" and len(parts[0]) >= 3:
        kinds = "R"
    for index, part in enumerate(parts):
        out.append(Num(kinds[min(index, len(kinds) - 1)], (part,)))
    return out
