"""Development zones (开发区): how the zones that have a statistical code are written, and zone words without a code.

A zone is not a division of GB/T 2260. Where the tree counts one as a pseudo-county (code ending 71 to 79) its usual forms lead
there; every other zone word holds a text at its city, and only an official town name behind it leads deeper.
"""

import re
from collections.abc import Iterable, Sequence

from checkpoint.regions.names import OTHER, ZONE, Forms

_KINDS = {
    "高新": (
        "高新技术产业开发区",
        "高新技术开发区",
        "高新技术产业园区",
        "高新技术产业区",
        "高新区",
        "高技术产业开发区",
    ),
    "经开": ("经济技术开发区", "经济开发区", "经开区"),
    "园区": ("工业园区", "产业园区"),
}
_OTHER_KINDS = (
    "城乡一体化示范区",
    "示范区",
    "管理区管委会",
    "管理区",
    "新区",
    "新城",
    "风景名胜区",
    "综合实验区",
    "产业园",
    "食品区",
    "聚集区",
)
_WORDS = (
    "高新技术产业开发区|高新技术开发区|高新技术产业园区|高技术产业开发区|高新区|经济技术开发区|经济开发区|经开区|旅游度假区|度假区|"
    "综合保税区|保税区|保税港区|航空港区|空港经济区|港务区|港经济区|工业园区|产业园区|产业集聚区|科技园区|示范区|试验区|实验区|管理区|开发区|"
    "新区|新城区|新城|风景名胜区|风景区|生态区|合作区|功能区|园区|经济区"
)
_ZONE = re.compile(rf"((?:(?![区县市镇乡村路]|街道).){{0,6}}?)(?:{_WORDS})(?:管委会|管理委员会)?")


def zone_word(text: str, start: int) -> tuple[int, bool] | None:
    """Where a zone word that begins at `start` ends, and whether it has a name of its own (东湖高新区) or none (高新区)."""
    match = _ZONE.match(text, start)
    return (match.end(), bool(match[1])) if match else None


def is_coded_zone(code: str) -> bool:
    """Whether a county's code is one of the statistical pseudo-counties."""
    return "71" <= code[4:6] <= "79" and code[6:] == "000000"


def _split(name: str, above: Iterable[str]) -> tuple[str, str]:
    """A zone's own name and its kind: 长春净月高新技术产业开发区 → 净月, 高新."""
    for prefix in sorted(above, key=len, reverse=True):
        name = name.removeprefix(prefix)
    for kind, words in _KINDS.items():
        for word in words:
            if name.endswith(word):
                return name.removesuffix(word), kind
    for word in _OTHER_KINDS:
        if name.endswith(word):
            return name.removesuffix(word), word
    return name, ""


def _variants(own: str, kind: str) -> Forms:
    words = _KINDS.get(kind, (kind,))
    forms: Forms = {own + word: ZONE for word in words if own + word}
    if len(own) > 1:
        forms.setdefault(own + "区", ZONE)
        forms.setdefault(own + "新区", ZONE)
        if kind == "经开":
            forms.setdefault(own + "开发区", ZONE)
    if len(own) > 2:
        forms.setdefault(own, OTHER)
    return forms


def zone_forms(zones: dict[str, str], above: Sequence[str]) -> dict[str, Forms]:
    """The forms of a city's coded zones: code → forms. `zones` is code → name, `above` the ways to write city and province.

    A bare kind (高新区) belongs to the zone without a name of its own, else to the only zone of that kind.
    """
    split = {code: _split(name, above) for code, name in zones.items()}
    forms = {code: _variants(own, kind) for code, (own, kind) in split.items()}
    for kind, words in _KINDS.items():
        of_kind = [code for code, (_, its) in split.items() if its == kind]
        bare = [code for code in of_kind if not split[code][0]] or (of_kind if len(of_kind) == 1 else [])
        for code in bare[:1]:
            for word in words:
                forms[code].setdefault(word, ZONE)
            if kind == "经开" and len(of_kind) == 1:
                forms[code].setdefault("开发区", ZONE)
            for stem in above:
                for form, quality in list(forms[code].items()):
                    if form in (*words, "开发区"):
                        forms[code].setdefault(stem + form, quality)
    return forms
