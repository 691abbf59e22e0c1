"""The kinds of cases of the labelled set, each a rule from an entry to stays and their labels."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checkpoint.risk.levels import Level

from .labelled import Case, Truth, strip_names
from .shelf import ListedArea
from .similar import same_sound

_SIMPLE = re.compile(
    r"(?P<name>[\u4e00-\u9fff]*?(?P<estate>[\u4e00-\u9fff]{2,8}(?:小区|花园|家园|苑|新村|公寓|城|村|府|园|广场|大厦|宿舍|社区|庭|湾|郡)))"
    r"(?P<number>\d{1,3})(?P<word>号楼|栋|幢|#楼|#)(?:(?P<unit>\d{1,2})单元)?"
)
_WHOLE = re.compile(r"(?P<name>[\u4e00-\u9fff]*?(?P<estate>[\u4e00-\u9fff]{2,8}(?:小区|花园|家园|苑|公寓|村)))")
_RANGE = re.compile(
    r"(?P<name>[\u4e00-\u9fff]{3,14})(?P<low>\d{1,3})(?:号楼|栋|幢)?[-至](?P<high>\d{1,3})(?P<word>号楼|栋|幢)"
)
_HOUSES = re.compile(r"(?P<name>[\u4e00-\u9fff]{2,12}[路街巷道])(?P<low>\d{1,4})号?[-至](?P<high>\d{1,4})号")
_LIST = re.compile(
    r"(?P<name>[\u4e00-\u9fff]{3,14}?)(?P<items>\d{1,3}(?P<word>号楼|栋|幢|号|组|单元)(?:、\d{1,3}(?P=word))+)"
)
_EXCEPT = re.compile(
    r"(?P<name>[\u4e00-\u9fff]{3,14}?)"
    r"[（(]?除(?P<items>\d{1,3}(?P<word>号楼|栋|幢|组|单元)(?:、\d{1,3}(?P=word))*)"
    r"(?:以外|外|之外|除外)?[）)]?(?:的?其[他余它](?:楼栋|区域|地区))?"
)
_OTHER_WORDS = ("号楼", "栋", "幢", "#楼")
_DIGITS = "零一二三四五六七八九"
_DIRECTIONS = dict(zip("东西南北一二三上下前后新老大小金银", "西东北南二三四下上后前老新小大银金", strict=True))
_SWAPS = (
    ("花园", "家园"),
    ("家园", "花园"),
    ("小区", "二村"),
    ("苑", "庭"),
    ("府", "郡"),
    ("公寓", "花园"),
    ("新村", "花园"),
)
_FILL = "华丽锦翠湖云景泰安康福明阳瑞祥盛龙凤凰丹桂竹梅兰松柏"
_SLIPS = "的在了是我有为这个们来到时说就那要下看生可也子能过得着天地发成事只作当想"


_RARE = frozenset(
    {
        "in a range",
        "outside a range",
        "list in one string",
        "not in the list",
        "exceptions",
        "another building",
        "rest of a town",
    }
)


@dataclass(frozen=True, slots=True)
class Stem:
    """An estate as simple entries name it: the words before its numbers, and town (9 digits or "")."""

    words: str
    estate: str
    town: str


def chinese(number: int) -> str:
    """12 → 十二, up to 99."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _DIGITS[tens]) + "十" if tens else ""
    return head + (_DIGITS[ones] if ones or not tens else "")


def is_enough(counts: dict[str, int], case: Case, wanted: int) -> bool:
    """Whether a kind already has its share, so that frequent kinds do not crowd out rare ones."""
    return counts.get(case.kind, 0) >= wanted // (8 if case.kind in _RARE else 12)


class Maker:
    """Makes cases from Truths with one source of chance."""

    def __init__(self, chance: random.Random, samples: list[Truth]) -> None:
        self._chance = chance
        chars = {c for t in samples for a in t.areas for c in a.text if "\u4e00" <= c <= "\u9fff"}
        self._chars = sorted(chars)
        self._alike: dict[str, list[str]] = {}

    def file(self, truths: list[Truth], share: int) -> Iterator[tuple[Truth, list[Case]]]:
        """Cases of one list, about `share` of them, spread over its counties."""
        made = 0
        self._chance.shuffle(truths)
        for truth in truths:
            if made >= share:
                return
            cases = self.county(truth)
            self._chance.shuffle(cases)
            cases.sort(key=lambda case: case.kind not in _RARE)
            cases = cases[: max(8, share // 40)]
            made += len(cases)
            yield truth, cases

    def county(self, truth: Truth) -> list[Case]:
        """All cases of one county; at most sixty entries are looked at."""
        areas = list(truth.areas)
        self._chance.shuffle(areas)
        out: list[Case] = []
        rules: tuple[Callable[[Truth, ListedArea], Iterator[Case]], ...] = (
            self._simple,
            self._whole,
            self._range,
            self._houses,
            self._list,
            self._except,
        )
        for area in areas[:60]:
            for rule in rules:
                out.extend(rule(truth, area))
        out.extend(self._rest(truth))
        return out

    # How a stay is written

    def _front(self, truth: Truth, words: str, town: str, *, skip_town: bool = False) -> tuple[str, str]:
        """A text with divisions in front, some left out, and the code it resolves to."""
        names = list(truth.county.ancestors)
        for _ in range(self._chance.choice((0, 0, 0, 1, 2))):
            if len(names) > 1:
                names.pop(0)
        name = truth.county.towns.get(town, "")
        if name and not skip_town:
            return "".join(names) + name + words, town.ljust(12, "0")
        return "".join(names) + words, truth.county.code

    def _case(
        self, truth: Truth, kind: str, text: tuple[str, str], label: tuple[str, Level], area: int | None = None
    ) -> Case:
        return Case(truth.key, truth.half, kind, text[0], text[1], label[0], label[1].value, area)

    def _unnamed(self, truth: Truth, kind: str, words: str, town: str) -> Iterator[Case]:
        """A stay that no entry names, if the rules are sure of it."""
        label = truth.unnamed(town)
        if label is not None and not truth.covered(words):
            yield self._case(truth, kind, self._front(truth, words, town), label)

    def _body(self, truth: Truth, area: ListedArea) -> tuple[str, str]:
        """An entry's words behind the divisions, and its town."""
        town = area.code[:9] if area.code[6:9] != "000" else ""
        return strip_names(area.text, (*truth.county.ancestors, truth.county.towns.get(town, ""))), town

    # Rules

    def _simple(self, truth: Truth, area: ListedArea) -> Iterator[Case]:
        body, town = self._body(truth, area)
        match = _SIMPLE.fullmatch(body)
        if match is None:
            return
        stem = Stem(match["name"], match["estate"], town)
        known = self._known(truth, stem)
        if known is None:
            return
        number, unit = int(match["number"]), match["unit"]
        own = f"{number}{match['word']}" + (f"{unit}单元" if unit else "")
        label = ("area", self._level(known, number, unit))
        tail = (
            self._chance.choice(("502室", "1204", "3楼"))
            if unit
            else self._chance.choice(("2单元502室", "1单元", "301室"))
        )
        yield self._case(truth, "exact", self._front(truth, stem.words + own, town), label, area.id)
        yield self._case(
            truth, "left-out levels", self._front(truth, stem.words + own, town, skip_town=True), label, area.id
        )
        if not unit and known.keys() & {(number, str(u)) for u in range(99)}:
            tail = "室内"
        yield self._case(truth, "unit behind", self._front(truth, stem.words + own + tail, town), label, area.id)
        yield self._case(
            truth, "other wording", self._front(truth, stem.words + self._reword(number, unit), town), label, area.id
        )
        yield from self._slips(truth, stem, own, label, area)
        yield from self._others(truth, stem, known, number, unit)
        yield from self._siblings(truth, stem, own)

    def _known(self, truth: Truth, stem: Stem) -> dict[tuple[int, str | None], Level] | None:
        """Buildings and units of the estate that are listed; None unless every mention of it is a simple entry."""
        known: dict[tuple[int, str | None], Level] = {}
        for other in truth.mentions(stem.estate):
            body, town = self._body(truth, other)
            match = _SIMPLE.fullmatch(body)
            if match is None or match["name"] != stem.words or town != stem.town:
                return None
            key = (int(match["number"]), match["unit"])
            known[key] = max(other.level, known.get(key, other.level))
        return known

    @staticmethod
    def _level(known: dict[tuple[int, str | None], Level], number: int, unit: str | None) -> Level:
        return max(level for (n, u), level in known.items() if n == number and (u is None or u == unit))

    def _reword(self, number: int, unit: str | None) -> str:
        word = self._chance.choice(_OTHER_WORDS)
        written = chinese(number) if word != "#楼" and self._chance.random() < 0.4 and number < 100 else str(number)
        return written + word + (f"{unit}单元" if unit else "")

    def _others(
        self, truth: Truth, stem: Stem, known: dict[tuple[int, str | None], Level], number: int, unit: str | None
    ) -> Iterator[Case]:
        if not stem.town:
            return
        free = [n for n in range(1, 40) if all(k[0] != n for k in known)]
        near = sorted(free, key=lambda n: abs(n - number))[:6] + [n for n in free if str(number) in str(n)]
        other = self._chance.choice(near)
        yield from self._unnamed(truth, "another building", f"{stem.words}{other}号楼", stem.town)
        if unit and (number, None) not in known:
            spare = next(u for u in range(1, 60) if (number, str(u)) not in known)
            yield from self._unnamed(truth, "another building", f"{stem.words}{number}号楼{spare}单元", stem.town)
        towns = [t for t in truth.county.towns if t != stem.town]
        if towns:
            town = self._chance.choice(towns)
            if truth.unnamed(town) is not None:
                text = self._front(truth, f"{stem.words}{number}号楼", town)
                yield self._case(truth, "other town", text, truth.unnamed(town) or ("", Level.LOW))

    def _whole(self, truth: Truth, area: ListedArea) -> Iterator[Case]:
        body, town = self._body(truth, area)
        match = _WHOLE.fullmatch(body)
        if match is None or len(truth.mentions(match["estate"])) > 1:
            return
        label = ("area", area.level)
        stem = Stem(body, match["estate"], town)
        yield self._case(truth, "exact", self._front(truth, body, town), label, area.id)
        yield self._case(truth, "left-out levels", self._front(truth, body, town, skip_town=True), label, area.id)
        tail = (
            self._chance.choice(("12号", "3组"))
            if body.endswith("村")
            else self._chance.choice(("7号楼2单元", "3栋", "5幢1203室"))
        )
        yield self._case(truth, "unit behind", self._front(truth, body + tail, town), label, area.id)
        yield from self._slips(truth, stem, "", label, area)
        yield from self._siblings(truth, stem, tail)

    def _range(self, truth: Truth, area: ListedArea) -> Iterator[Case]:
        body, town = self._body(truth, area)
        match = _RANGE.fullmatch(body)
        if match is None or not town or len(truth.mentions(match["name"])) > 1:
            return
        low, high = int(match["low"]), int(match["high"])
        if high - low < 2:
            return
        inside = self._chance.randint(low, high)
        yield self._case(
            truth, "in a range", self._front(truth, f"{match['name']}{inside}号楼", town), ("area", area.level), area.id
        )
        yield from self._unnamed(
            truth, "outside a range", f"{match['name']}{high + self._chance.randint(1, 4)}号楼", town
        )

    def _houses(self, truth: Truth, area: ListedArea) -> Iterator[Case]:
        body, town = self._body(truth, area)
        match = _HOUSES.fullmatch(body)
        if match is None or not town or len(truth.mentions(match["name"])) > 1:
            return
        low, high = int(match["low"]), int(match["high"])
        if high - low < 4:
            return
        step = 2 if low % 2 == high % 2 else 1
        inside = self._chance.randrange(low, high + 1, step)
        yield self._case(
            truth, "in a range", self._front(truth, f"{match['name']}{inside}号", town), ("area", area.level), area.id
        )
        outside = low + 1 if step == 2 else high + 3
        yield from self._unnamed(truth, "outside a range", f"{match['name']}{outside}号", town)

    def _list(self, truth: Truth, area: ListedArea) -> Iterator[Case]:
        body, town = self._body(truth, area)
        match = _LIST.fullmatch(body)
        if match is None or not town or len(truth.mentions(match["name"].removesuffix("小区")[-4:])) > 1:
            return
        numbers = {int(n) for n in re.findall(r"\d+", match["items"])}
        member = self._chance.choice(sorted(numbers))
        tail = "1单元" if match["word"] in ("号楼", "栋", "幢") else ""
        text = self._front(truth, f"{match['name']}{member}{match['word']}{tail}", town)
        yield self._case(truth, "list in one string", text, ("area", area.level), area.id)
        free = next(n for n in range(1, 99) if n not in numbers)
        yield from self._unnamed(truth, "not in the list", f"{match['name']}{free}{match['word']}", town)

    def _except(self, truth: Truth, area: ListedArea) -> Iterator[Case]:
        body, town = self._body(truth, area)
        match = _EXCEPT.fullmatch(body)
        if match is None or not town or len(truth.mentions(match["name"].removesuffix("小区")[-4:])) > 1:
            return
        numbers = {int(n) for n in re.findall(r"\d+", match["items"])}
        out = self._chance.choice(sorted(numbers))
        free = next(n for n in range(1, 99) if n not in numbers)
        label = truth.unnamed(town)
        if label is not None:
            text = self._front(truth, f"{match['name']}{out}{match['word']}", town)
            yield self._case(truth, "exceptions", text, label)
        text = self._front(truth, f"{match['name']}{free}{match['word']}", town)
        yield self._case(truth, "exceptions", text, ("area", area.level), area.id)

    def _slips(self, truth: Truth, stem: Stem, own: str, label: tuple[str, Level], area: ListedArea) -> Iterator[Case]:
        """One wrong character in the estate's own name, its type word apart; never a direction or an ordinal."""
        core = re.sub(r"(?:小区|花园|家园|新村|公寓|广场|大厦|宿舍|社区|.)$", "", stem.estate)
        offset = len(stem.words) - len(stem.estate)
        spots = [
            i for i, c in enumerate(core) if c not in _DIRECTIONS and c not in _DIRECTIONS.values() and c not in _DIGITS
        ]
        if len(core) < 2 or not spots:
            return
        at = self._chance.choice(spots)
        char = self._sound_alike(core[at])
        if char:
            text = stem.words[: offset + at] + char + stem.words[offset + at + 1 :]
            if not truth.mentions(text[offset:]):
                yield self._case(truth, "homophone", self._front(truth, text + own, stem.town), label, area.id)
        if len(core) >= 4:
            text = self._mistype(stem.words, offset, len(core))
            if text != stem.words and not truth.mentions(text[offset:]):
                yield self._case(truth, "typo", self._front(truth, text + own, stem.town), label, area.id)

    def _sound_alike(self, char: str) -> str:
        if char not in self._alike:
            self._alike[char] = [c for c in self._chars if c != char and same_sound(c, char)]
        pool = self._alike[char]
        return self._chance.choice(pool) if pool else ""

    def _mistype(self, words: str, offset: int, size: int) -> str:
        """Two characters swapped, one left out, one doubled, or (in a long name) one that is plainly out of place."""
        at = offset + self._chance.randrange(size - 1)
        kind = self._chance.choice(("swap", "drop", "double", "wrong" if size >= 5 else "swap"))
        if kind == "swap":
            return words[:at] + words[at + 1] + words[at] + words[at + 2 :]
        if kind == "drop":
            return words if words[at] in _DIRECTIONS else words[:at] + words[at + 1 :]
        if kind == "double":
            return words[:at] + words[at] + words[at:]
        wrong = words[at] not in _DIRECTIONS and words[at] not in _DIGITS
        return words[:at] + self._chance.choice(_SLIPS) + words[at + 1 :] if wrong else words

    def _siblings(self, truth: Truth, stem: Stem, tail: str) -> Iterator[Case]:
        """A neighbouring estate: a direction, an ordinal, the type word or one telling character differs."""
        if not stem.town:
            return
        offset = len(stem.words) - len(stem.estate)
        names = {self._sibling(stem.estate)}
        names |= {stem.estate[: -len(a)] + b for a, b in _SWAPS if stem.estate.endswith(a)}
        for name in sorted(n for n in names if n):
            if name != stem.estate and not truth.mentions(name):
                yield from self._unnamed(truth, "sibling estate", stem.words[:offset] + name + tail, stem.town)

    def _sibling(self, estate: str) -> str:
        for i, char in enumerate(estate[:-1]):
            if char in _DIRECTIONS and not re.search(r"[路街巷道镇乡村社]", estate[i + 1 : -1]):
                return estate[:i] + _DIRECTIONS[char] + estate[i + 1 :]
        if re.search(r"[路街巷道镇乡村]", estate[:-1]):
            return ""  # the words may begin with a road or a village: which part to change is not sure
        core = len(re.sub(r"(?:小区|花园|家园|新村|公寓|广场|大厦|宿舍|社区|.)$", "", estate))
        if not 2 <= core <= 3:
            return ""
        at = self._chance.randrange(core)
        char = self._chance.choice(_FILL)
        return "" if same_sound(char, estate[at]) else estate[:at] + char + estate[at + 1 :]

    def _rest(self, truth: Truth) -> Iterator[Case]:
        """Villages of the tree that no entry mentions, in any town: the rest of the town or the county, or less."""
        towns = sorted(truth.county.towns)
        for town in self._chance.sample(towns, k=min(6, len(towns))):
            villages = sorted(truth.county.villages.get(town, {}).items())
            if not villages:
                continue
            name = self._chance.choice(villages)[1]
            stem = (
                name.removesuffix("委员会")
                .removesuffix("居委会")
                .removesuffix("委会")
                .removesuffix("村")
                .removesuffix("社区")
            )
            if len(stem) < 2 or truth.mentions(stem):
                continue
            label = truth.unnamed(town)
            if label is None or truth.covered(name):
                continue
            kind = (
                "rest of a town"
                if town in truth.rest_town
                else "rest of the county"
                if label[0] == "area"
                else "other village"
            )
            tail = self._chance.choice(("", "5组", "12号"))
            yield self._case(truth, kind, self._front(truth, name + tail, town), label)
