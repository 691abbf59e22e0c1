"""A labelled set of stays for measuring the matcher, made by rule from a folder of published lists.

The labels come from rules over the raw text of the lists (patterns for simple entries, plain containment for everything
else), never from the matcher: an entry or a stay about which the rules cannot be sure is left out. The set is made anew
from (folder, tree, seed) and is the same each time; half of the counties are for tuning, the other half is held out.
"""

import json
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checkpoint.regions import DivisionRow
from checkpoint.regions.source import is_filler
from checkpoint.risk.levels import Level

from .shelf import ListedArea

_KEYS = (("highlist", Level.HIGH), ("middlelist", Level.MIDDLE), ("lowlist", Level.LOW))
_REST_LIKE = re.compile(r"风险|其他|其它|其余|全域|全境|除|所有区域|以外")
_FILLER = re.compile(
    r"采取临时管控措施|风险|以外|之外|上述|以上|其他|其它|其余|所有|剩余|全域|全境|全部|范围|辖区|地区|区域|低风险|村（居）|"
    r"[除去了高中低险地区域外的内及和与或、，。,（）() 　级为]"
)
_KIND = re.compile(r"(?:省|市|自治区|自治州|州|区|自治县|县|旗|街道|镇|乡|地区|新区)$")
_PEOPLE = re.compile(r"(?:[\u4e00-\u9fff]{1,3}族)+自治[州县]$")


@dataclass(frozen=True, slots=True)
class County:
    """A county of the tree: code (12 digits), names from the province down, towns and villages by code."""

    code: str
    ancestors: tuple[str, ...]
    towns: dict[str, str]
    villages: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled stay: `depth` is area, town or county; `area` the wanted entry's id where one entry decides."""

    book: str
    half: str
    kind: str
    text: str
    code: str
    depth: str
    level: str
    area: int | None = None


@dataclass(slots=True)
class Truth:
    """What one county lists in one version, and the label of a stay that no entry names.

    `unsure` holds towns (9 digits; "" for the county) with an entry that may or may not be their "rest of".
    """

    key: str
    county: County
    areas: list[ListedArea]
    rest_county: Level | None = None
    rest_town: dict[str, Level] = field(default_factory=dict)
    town_levels: dict[str, Level] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    pieces: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for area in self.areas:
            town = area.code[:9] if area.code[6:9] != "000" else ""
            if town:
                self.town_levels[town] = max(area.level, self.town_levels.get(town, area.level))
            self._note(area, town)

    def _note(self, area: ListedArea, town: str) -> None:
        names = [*self.county.ancestors, self.county.towns.get(town, "")]
        body = area.text
        for name in (*names, *(_KIND.sub("", _PEOPLE.sub("", name)) for name in names)):
            body = body.replace(name, "") if len(name) >= 2 else body
        residue = _KIND.sub("", _FILLER.sub("", body))
        if not strip_names(area.text, names) or (_REST_LIKE.search(area.text) and not residue):
            if town:
                self.rest_town[town] = max(area.level, self.rest_town.get(town, area.level))
            else:
                self.rest_county = max(area.level, self.rest_county or area.level)
        elif _REST_LIKE.search(area.text) and (len(residue) <= 4 or "除" in strip_names(area.text, names)[:1]):
            self.unsure.add(town)
        for piece in re.split(r"[、，；,;（()）。\s]|除", strip_names(area.text, names)):
            piece = re.sub(r"(?:全域|全境|其他|其余).*", "", _usual(strip_names(piece, names)))
            if len(piece) >= 2:
                self.pieces.append((piece.removesuffix("小区") if len(piece) > 3 else piece, area.id))

    @property
    def half(self) -> str:
        """tuning or held, by county: a county never lies in both."""
        return "tuning" if zlib.crc32(self.county.code.encode()) % 2 else "held"

    def covered(self, words: str) -> bool:
        """Whether some entry's words, or a part of them, stand in these words: then no rule says "unnamed"."""
        usual = _usual(words)
        return any(piece in usual for piece, _ in self.pieces)

    def unnamed(self, town: str) -> tuple[str, Level] | None:
        """Depth and level of a stay in `town` (9 digits) that no entry names; None where the rules cannot tell."""
        if town in self.unsure:
            return None
        if town in self.rest_town:
            return "area", self.rest_town[town]
        if "" in self.unsure:
            return None
        if self.rest_county is not None:
            return "area", self.rest_county
        if town in self.town_levels:
            return "town", self.town_levels[town]
        return "county", max(area.level for area in self.areas)

    def mentions(self, words: str) -> list[ListedArea]:
        """Entries whose text has these words."""
        return [area for area in self.areas if words in area.text]


def _usual(text: str) -> str:
    for long, short in (
        ("村民委员会", "村"),
        ("村委会", "村"),
        ("居民委员会", "社区"),
        ("社区居委会", "社区"),
        ("居委会", "社区"),
    ):
        text = text.replace(long, short)
    return text.replace("社区社区", "社区")


def strip_names(text: str, names: Sequence[str]) -> str:
    """`text` without these names at its front, in the order given."""
    for name in names:
        if name and text.startswith(name):
            text = text[len(name) :]
    return text


def read_counties(rows: Sequence[DivisionRow]) -> dict[tuple[str, ...], County]:
    """Counties by (province, city, county) and by (province, county) names, where that is unique."""
    name = {row.code: row.name for row in rows}
    counties: dict[str, County] = {}
    for row in rows:
        if row.level == 3:
            upper = (name[row.code[:2] + "0" * 10], name.get(row.code[:4] + "0" * 8, ""), row.name)
            ancestors = tuple(n for n in upper if n and not is_filler(n))
            counties[row.code[:6]] = County(row.code, ancestors, {}, {})
        elif row.level == 4 and row.code[:6] in counties:
            counties[row.code[:6]].towns[row.code[:9]] = row.name
        elif row.level == 5 and row.code[:6] in counties:
            counties[row.code[:6]].villages.setdefault(row.code[:9], {})[row.code] = row.name
    found: dict[tuple[str, ...], County] = {}
    for county in counties.values():
        found[county.ancestors] = county
    return found


def locate(counties: dict[tuple[str, ...], County], entry: dict[str, object]) -> tuple[County, str] | None:
    """The county of a list entry, and the town that stands in its county field (Beijing); None when it is in no code."""
    province, city, county = (str(entry[k]) for k in ("province", "city", "county"))
    if (province, city, county) in counties:
        return counties[province, city, county], ""
    if (province, county) in counties:
        return counties[province, county], ""
    if province == "北京市" and (province, city) in counties:
        return counties[province, city], county
    return None


def resolve_entry(county: County, text: str, town_field: str) -> str:
    """The code (12 digits) of an entry by exact names: town, then village of that town."""
    body = strip_names(text, county.ancestors)
    for code, name in county.towns.items():
        usual = name.removesuffix("道") if name.endswith("街道") else name
        if town_field == name or body.startswith(usual):
            rest = strip_names(body, (name, usual))
            for village, its in county.villages.get(code, {}).items():
                stem = its.removesuffix("居委会").removesuffix("委会") if len(its) > 4 else its
                if rest.startswith(stem):
                    return village
            return code.ljust(12, "0")
    return county.code


def read_truths(file: Path, counties: dict[tuple[str, ...], County]) -> Iterator[Truth]:
    """One Truth for each county of one list file whose entries could be placed."""
    data = json.loads(file.read_text(encoding="utf-8"))["data"]
    grouped: dict[str, tuple[County, list[ListedArea]]] = {}
    number = 0
    for key, level in _KEYS:
        for entry in data.get(key) or ():
            place = locate(counties, entry)
            for text in entry["communitys"]:
                number += 1
                if place is None:
                    continue
                county, town = place
                code = resolve_entry(county, str(text).strip(), town)
                grouped.setdefault(county.code, (county, []))[1].append(
                    ListedArea(number, code, level, str(text).strip())
                )
    for code, (county, areas) in grouped.items():
        yield Truth(f"{file.stem}:{code[:6]}", county, areas)


def write_set(folder: Path, rows: Sequence[DivisionRow], out: Path, seed: int, wanted: int) -> dict[str, int]:
    """Write books and about `wanted` cases as JSON lines into `out`; the number of cases by kind.

    Raises FileNotFoundError if the folder holds no list.
    """
    from .cases import Maker, is_enough

    files = sorted(folder.glob("*.json"))
    if not files:
        raise FileNotFoundError(folder)
    counties = read_counties(rows)
    chance = random.Random(seed)  # noqa: S311 - a reproducible sample, no secret
    largest = max(files, key=lambda f: f.stat().st_size)
    # Versions a few days apart, so that their entries differ, and always the largest.
    chosen = [largest, *chance.sample(files, k=min(80, len(files)))]
    counts: dict[str, int] = {}
    made: set[tuple[str, str, str]] = set()
    maker = Maker(chance, [t for f in chosen[:3] for t in read_truths(f, counties)])
    with out.open("w", encoding="utf-8") as stream:
        for index, file in enumerate(chosen):
            share = wanted // 2 if index == 0 else wanted // 2 // (len(chosen) - 1)
            for truth, cases in maker.file(list(read_truths(file, counties)), share):
                fresh = [
                    c
                    for c in cases
                    if (c.kind, c.text, truth.county.code) not in made and not is_enough(counts, c, wanted)
                ]
                if not fresh:
                    continue
                stream.write(json.dumps(_book(truth), ensure_ascii=False) + "\n")
                for case in fresh:
                    made.add((case.kind, case.text, truth.county.code))
                    counts[case.kind] = counts.get(case.kind, 0) + 1
                    stream.write(json.dumps({"type": "case", **_fields(case)}, ensure_ascii=False) + "\n")
    return counts


def _book(truth: Truth) -> dict[str, object]:
    county = truth.county
    towns = dict(county.towns)
    for villages in county.villages.values():
        towns.update(villages)
    areas = [[a.id, a.code, a.level.value, a.text] for a in truth.areas]
    return {
        "type": "book",
        "book": truth.key,
        "county": county.code,
        "ancestors": county.ancestors,
        "towns": towns,
        "areas": areas,
    }


def _fields(case: Case) -> dict[str, object]:
    return {name: getattr(case, name) for name in Case.__slots__}
