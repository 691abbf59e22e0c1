"""The names of the divisions in front of a place, and how to take them off."""

import re
from collections.abc import Iterator, Mapping, Sequence

from .fold import fold
from .parse import canonical

_PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|"
    "水|东乡|纳西|景颇|柯尔克孜|土|达斡尔|仫佬|羌|"
    "布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺|各"
)
_SUFFIX = re.compile(
    rf"(?:(?:{_PEOPLES})族?)*自治[区州县旗]$"
    r"|(?:特别行政区|省|市|地区|盟|州|新区|区|县|旗|街道办事处|街道|民族乡|镇|乡|办事处)$"
)
_LEADING_NOTE = re.compile(r"^\([^()]{2,8}\)(?=.)")
_OFFICE = re.compile(r"^(?:街道办事处|办事处|办处事|办是处|镇政府|人民政府|辖区内|辖区|境内|全域|街道|地区)?[、()\-~]*")
_GENERIC_FRONT = re.compile(
    r"^(?:中国|中华人民共和国)?(?:[^\d、()]{2,7}?(?:省|自治区))?(?:[^\d、()]{2,9}?(?:自治州|市(?![场政民医委])))?"
)
# 店塔村 and 酒泉路130号 only begin like the town 店塔 or 酒泉路.
_GROWS = re.compile(
    r"\d|[一二三四五六七八九十]+[号巷弄街路条横]|路|街|大道|道|巷|[东西南北中]?村|社区|小区|[东西南北]|花园|家园|苑|新村|园|城|$"
)
_STREET = re.compile(r"[\d道村社]|[东西南北中]段|[一二三四五六七八九十]+[号巷弄]")
# Levels that exist in the coding only, and the empty name.
_FILLERS = frozenset({"", "市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
_TAIL = re.compile(r"省|市|县|区|旗|州|地区|盟")
_SEPARATORS = "、()-~"


def short_name(name: str) -> str:
    """当湖街道 → 当湖; a name that would shrink to one character stays whole."""
    cut = _SUFFIX.sub("", name)
    return cut if len(cut) >= 2 else name


class Divisions:
    """The county's own names, those above it and those of its towns: immutable once built."""

    def __init__(self, county: str, ancestors: Sequence[str], towns: Mapping[str, str]) -> None:
        """`county` is its code; `ancestors` the names from the province down to the county; `towns` code → name for
        towns and, where wanted, villages (codes of 9 or 12 digits)."""
        self.county = county[:6]
        upper = [fold(name) for name in ancestors if name not in _FILLERS]
        self._upper_full = sorted(set(upper), key=len, reverse=True)
        self._upper_short = sorted({short_name(name) for name in upper}, key=len, reverse=True)
        self._stem = short_name(upper[-1]) if upper else ""
        self.town_names: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._town_full: dict[str, str] = {}
        self._villages = [name for code, name in towns.items() if len(code) == 12 and code[9:] != "000"]
        self._folded: frozenset[str] | None = None
        for code, name in towns.items():
            if code[6:9] != "000" and code[9:] in ("", "000"):
                self._add_town(code[:9], fold(name))
        self._by_first: dict[str, list[str]] = {}
        for name in sorted(self.town_names, key=len, reverse=True):
            self._by_first.setdefault(name[0], []).append(name)

    def _add_town(self, code: str, plain: str) -> None:
        self.town_names[plain] = code
        stem = short_name(plain)
        self._stems[code] = stem
        self._town_full[code] = plain
        if stem == plain:
            return
        kinds = ("街道", "镇", "乡", "街", "街道办事处", "(地区)镇", "(地区)乡", "地区", "办事处", "街道办")
        for kind in kinds:  # towns change their kind more often than the lists and the people do
            self.town_names.setdefault(stem + kind, code)

    @property
    def villages(self) -> frozenset[str]:
        """The names of the county's villages as compared; made on first use."""
        if self._folded is None:
            self._folded = frozenset(canonical(fold(name)) for name in self._villages)
        return self._folded

    def is_county(self, text: str) -> bool:
        """Whether a folded text is nothing but this county's name in some form (道真县, 伊犁州伊宁市)."""
        if len(text) > 16 or not self._stem or text[-1:] not in "市县区旗":
            return False
        head, found, tail = text.rpartition(self._stem)
        return bool(found) and len(tail) <= 1 and (not head or head[-1] in "省市州盟区")

    def _upper(self, text: str) -> str:
        """The text without the names above the town; a short one goes only where another division follows it."""
        for _ in range(6):
            text = text.lstrip(_SEPARATORS)
            full = next((n for n in self._upper_full if text.startswith(n)), None)
            if full is not None:
                text = text[len(full) :]
                continue
            rest = self._without_short(text)
            if rest is None or not self._starts_division(rest):
                break
            text = rest
        return text

    def _without_short(self, text: str) -> str | None:
        short = next((n for n in self._upper_short if text.startswith(n)), None)
        if short is None or len(text) == len(short):
            return None
        tail = _TAIL.match(text, len(short))
        return text[tail.end() :] if tail else text[len(short) :]

    def _starts_division(self, text: str) -> bool:
        text = text.lstrip(_SEPARATORS)
        return any(text.startswith(n) for n in self._upper_short) or self._town_at(text) is not None

    def names_town(self, text: str, town: str) -> bool:
        """Whether a folded text has this town (9 digits) by its name, or behind the names above by its short name."""
        name, stem = self._town_full.get(town), self._stems.get(town)
        if name is None or stem is None:
            return False
        return name in text or text.startswith(stem) or any(above + stem in text for above in self._upper_short)

    def names_county(self, text: str) -> bool:
        """Whether a folded text has the county by its name or its short name."""
        return bool(self._stem) and self._stem in text

    def shorter(self, body: str, town: str) -> Iterator[str]:
        """What may be left of a stripped text when short names without their kind stand in front (平湖, 当湖).

        `town` is the town (9 digits) whose short name may stand there; "" when the text has named it already.
        """
        rest = self._without_short(body)
        stem = self._stems.get(town)
        if rest is not None and (not _GROWS.match(rest) or (stem is not None and rest.startswith(stem))):
            body = rest.lstrip(_SEPARATORS)
            yield body
        if stem is not None and body.startswith(stem) and not _GROWS.match(body, len(stem)):
            yield body[len(stem) :].lstrip(_SEPARATORS)

    def _town_at(self, text: str) -> str | None:
        for name in self._by_first.get(text[:1], ()):
            # 福民街 may be short for 福民街道, but 福民街1号 is a house in a street.
            if text.startswith(name) and not (name.endswith("街") and _STREET.match(text, len(name))):
                return name
        return None

    def strip(self, text: str) -> tuple[str, str]:
        """What stands behind the divisions of a folded text, and the town (9 digits) they named, or ``""``."""
        text = self._upper(_LEADING_NOTE.sub("", text, count=1))
        if not self._upper_full:
            text = self._guess(text)
        found = self._town_at(text)
        if found is None:
            return text, ""
        text = _OFFICE.sub("", text[len(found) :], count=1)
        if found.endswith(("街道", "镇", "乡")):
            text = text.removeprefix(found).removeprefix(found[-1])  # said twice, or its last character typed twice
        return text, self.town_names[found]

    def _guess(self, text: str) -> str:
        """Without the names above: cut behind a town's name near the front, or behind what looks like 省 and 市."""
        for name in self.town_names:
            at = text.find(name, 0, 30)
            if at > 0 and text[at - 1] in "省市区县旗州盟":
                return text[at:]
        match = _GENERIC_FRONT.match(text)
        return text[match.end() :] if match else text
