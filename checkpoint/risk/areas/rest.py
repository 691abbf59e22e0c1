"""Taking "the rest of" and "except …" off an entry's text (除高风险区以外的其他区域, 除3号楼外, 全域).

What a list excepts by level (高风险区) are other entries of the same list, so it needs no exception of its own; what it
excepts by name (3号楼) is kept as text and read like a place.
"""

import re
from dataclasses import dataclass

_PART = (
    r"(?:地区|区域|地方|地带|楼栋|楼宇|楼房|楼|栋|单元|部分|片区|范围|自然村|行政村|村组|村民小组|网格|村\(居\)|村|组|小区|门牌号|商铺|"
    r"路段|场所|点位|户|门面|商户|院落)"
)
_WORD = r"(?:其他|其它|其余|所有|剩余|余下|全部)"
_OTHERS = rf"(?:、)?(?:的)?(?:{_WORD}的?)*(?:{_PART})*"
_OUT = r"(?:以外|之外|除外|外)"
_LEVELS = (
    r"(?:(?:以上|上述|已)(?:划定)?(?:的)?(?:范围|区域)"
    r"|采取临时管控措施(?:的)?区域|临时管控区域?"
    r"|(?:[高中低](?:、|和|及|或|等)?)+风险(?:地区|区域|区|单元|楼栋|点位|范围|楼宇|院落|场所|点|等)*)"
)

_PAREN = re.compile(r"\(([^()]*)\)")
_RISK_OUT = re.compile(
    rf"(?:除(?:去|了|开)?[^除()]{{0,8}}?)?{_LEVELS}(?:[和及或、与]?{_LEVELS})*(?:和?[^()除、]{{0,2}})?{_OUT}{_OTHERS}"
    rf"|除(?:去|了|开)?[^除()]{{0,8}}?{_LEVELS}{_OTHERS}$"
    rf"|除(?:去|了|开)?(?:上述|以上)?(?:[高中低](?:、|和|及)?)+风?险?区?{_OUT}?{_OTHERS}"
)
_NUMBERS = r"(?:[第东西南北A-Z]*\d+[A-Z]?(?:[-至~][A-Z]?\d+)?(?:号楼|栋|幢|号|单元|组|#|座|社|队)[、和及]?)+"
_NAMED_OUT = re.compile(
    rf"除(?:去|了|开)?(?P<what>[^除()]+?)(?:{_OUT}{_OTHERS}|(?:、)?(?:的)?{_WORD}的?{_PART}+)"
    rf"|(?P<bare>{_NUMBERS}){_OUT}{_OTHERS}"
    r"|除(?:去|了|开)?(?P<open>[^除()]+)$"
)
_REST = re.compile(
    rf"(?:区?域?内)?的?(?:其他|其它|其余|剩余|余下)的?(?:所有)?的?{_PART}*(?:全域)?|所有{_PART}+|全域|全境|(?:^|(?<=[镇乡道区村]))全(?:镇|街道|县|市|乡|村)(?!委|民)"
)
_FLUFF = re.compile(
    r"^(?:全|整个|调整|区?域内)+|(?:为[高中低]风险区?域?|(?<=社区)域内|(?<=村)域内|(?<!社)区域内|区域范围内|范围内|辖区内|辖区|管辖范围|行政区域|村\(居\)|集镇区内?|镇区|(?<!社)区域|范围|内|的|所有|全部|整体|等\d*个?(?:镇|街道|街|乡|村|社区|\(街道?\))*)+$"
)
_MAY_BE = re.compile(r"[除外余全其它(]|所有|剩|风险")
_SAYS_LEVELS = re.compile(r"风险|以上|上述|划定|临时管控|[高中低](?:以外|外)")
_SAID_AS_REST = re.compile(r"全域|全境|全部|全区")
_DROPPED = re.compile(r"含|包括|包含|包涵|不区分|共")


@dataclass(frozen=True, slots=True)
class Stripped:
    """`body`: what is left; `rest`: whether the entry holds "everything else"; `excepted`: texts left out by name."""

    body: str
    rest: bool
    excepted: tuple[str, ...]


def strip_rest(body: str) -> Stripped:
    """The text without its "rest of" and "except" clauses; `body` is folded, with digits for numerals."""
    if not _MAY_BE.search(body):
        return Stripped(body, False, ())
    excepted: list[str] = []
    rest = False

    def paren(match: re.Match[str]) -> str:
        nonlocal rest
        inner = match.group(1)
        if "风险" in inner or _SAID_AS_REST.search(inner):
            rest = True
            return ""
        if inner.startswith("除") or re.search(rf"{_OUT}{_OTHERS}$", inner):
            rest = True
            excepted.append(_only_what(inner))
            return ""
        if inner.startswith("不含"):
            rest = True
            excepted.append(inner.removeprefix("不含"))
            return ""
        return "" if _DROPPED.match(inner) else match.group()

    def named(match: re.Match[str]) -> str:
        what = next(g for g in match.groups() if g)
        excepted.append(_only_what(what))
        return ""

    changed = body
    for _ in range(3):  # brackets within brackets, from the inside
        changed = _PAREN.sub(paren, changed)
    changed = _RISK_OUT.sub("", changed)
    rest = rest or (len(changed) < len(body) and _SAYS_LEVELS.search(body) is not None)
    changed = _NAMED_OUT.sub(named, changed)
    shorter = _REST.sub("", changed)
    rest = rest or bool(excepted) or shorter != changed
    if rest:
        shorter = _FLUFF.sub("", shorter.rstrip("、")).rstrip("、")
    return Stripped(shorter.replace("()", ""), rest, tuple(e for e in excepted if e and "风险" not in e))


def _only_what(text: str) -> str:
    text = re.sub(r"^除(?:去|了|开)?(?:已划定的?|上述|以上)?", "", text)
    return re.sub(rf"(?:{_OUT}{_OTHERS}|(?:的)?{_WORD}的?{_PART}*)$", "", text)
