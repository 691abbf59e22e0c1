"""Reading a published risk list from bytes: the national JSON format, and tables in CSV or XLSX. Pure.

National format (as the national health authority published it in 2022): `{"data": {"end_update_time": "2022-08-12 15时", "hcount",
"mcount", "lcount", "highlist": […], "middlelist": […], "lowlist": […]}}`, each entry `{"province", "city", "county",
"communitys": [text, …]}`; the low-risk part is missing before 2022-07-21. Tables: see checkpoint/risk/tables.py.

What is wrong with one row is collected (WrongRow) and never stops the reading; what is wrong with the file as a whole raises
UnreadableList with the sentence to show.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from checkpoint.errors import FieldError, InvalidInput
from checkpoint.risk.levels import Level

MAX_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 300_000
MAX_NAME, MAX_TEXT = 64, 2000
SAMPLE_SOURCE = "sample"
TIMEZONE = ZoneInfo("Asia/Shanghai")

_INVISIBLE = re.compile(
    r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
)
_TIME = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})日?[\sT]*(?:(\d{1,2})\s*(?:[时点]|:(\d{2})(?::\d{2})?))?")
_PARTS = (("highlist", "hcount", Level.HIGH), ("middlelist", "mcount", Level.MIDDLE), ("lowlist", "lcount", Level.LOW))

_SENTENCES = {
    "too_large": "The file is larger than 32 MB.",
    "too_many": "The file has more than 300,000 entries.",
    "empty": "The file is empty.",
    "encoding": "The text is neither UTF-8 nor GB18030.",
    "not_json": "This is not a JSON document.",
    "not_a_list": "This JSON document is not a risk list: it has no data with highlist, middlelist or lowlist.",
    "not_a_workbook": "This is not an XLSX workbook, or it is damaged.",
    "hostile_workbook": "The workbook unpacks to more than it should, and was not opened.",
    "header": "The first row must name the columns level, province, city, county, text (等级, 省, 市, 县, 社区).",
    "not_a_table": "This is not a CSV table.",
    "nothing": "The file names no area.",
}


class UnreadableList(InvalidInput):
    """This file cannot be read as a risk list."""

    code = "unreadable_list"

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__([FieldError("file", cause, _SENTENCES[cause])], _SENTENCES[cause])


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed place in the list's own words. `code` is a division code where a table gives one; `row` says where it stood."""

    level: Level
    province: str
    city: str
    county: str
    text: str
    code: str | None = None
    row: int = 0


def fingerprint(entry: Entry) -> bytes:
    """16 bytes that are the same whenever the same place is named, however spaces and widths are written."""
    parts = fold("|".join((entry.province, entry.city, entry.county, entry.text, entry.code or "")))
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that cannot be taken: its number in the file (1 is the first line or entry, 0 the file as a whole) and a stable cause.

    Causes: level_unknown, province_missing, county_missing, text_missing, too_long, formula, code_invalid, code_unknown, shape, count.
    """

    number: int
    cause: str


@dataclass(frozen=True, slots=True)
class ParsedList:
    """A list as read. `published_at` is an instant in UTC, or None where the file does not say."""

    source: str
    published_at: datetime | None
    entries: tuple[Entry, ...]
    wrong_rows: tuple[WrongRow, ...] = ()

    @property
    def counts(self) -> dict[Level, int]:
        """Entries by level, as published (a place named twice counts twice)."""
        counted = Counter(entry.level for entry in self.entries)
        return {level: counted[level] for level in Level}

    def fingerprints(self) -> list[bytes]:
        """The fingerprint of each entry, in order."""
        return [fingerprint(entry) for entry in self.entries]

    def checksum(self, fingerprints: Sequence[bytes]) -> str:
        """SHA-256 of the content in canonical order, with the published time if the file itself tells it."""
        lines = sorted(
            entry.level.value.encode() + print_ for entry, print_ in zip(self.entries, fingerprints, strict=True)
        )
        stamp = self.published_at.isoformat() if self.published_at else ""
        return hashlib.sha256(stamp.encode() + b"\n" + b"".join(lines)).hexdigest()


def fold(text: str) -> str:
    """Width, compatibility forms, invisible characters and spaces folded away."""
    return "".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())


def clean(text: str) -> str:
    """A cell as kept: invisible characters out, spaces at the ends out, the words untouched."""
    return _INVISIBLE.sub("", text).strip()


def published(text: str) -> datetime | None:
    """`2022-08-12 15时`, `2022年8月12日15时`, `2022-08-12 15:00` in China's time, as an instant in UTC; None if it is none of them."""
    match = _TIME.search(unicodedata.normalize("NFKC", text))
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) if part else 0 for part in match.groups())
    try:
        start = datetime(year, month, day, tzinfo=TIMEZONE)
        if hour > 24 or minute > 59:
            return None
        return (start + timedelta(hours=hour, minutes=minute)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def source_name(filename: str) -> str:
    """The last part of a file name, cut to what the table holds; never the name that marks the shipped sample."""
    name = clean(re.split(r"[\\/]", filename)[-1])[:200] or "list"
    return f"{name} (file)" if name == SAMPLE_SOURCE else name


def check(entry: Entry) -> WrongRow | None:
    """What is wrong with an entry's own fields, if anything."""
    if not entry.province:
        return WrongRow(entry.row, "province_missing")
    if not entry.county and not entry.code:
        return WrongRow(entry.row, "county_missing")
    if not entry.text:
        return WrongRow(entry.row, "text_missing")
    if max(map(len, (entry.province, entry.city, entry.county))) > MAX_NAME or len(entry.text) > MAX_TEXT:
        return WrongRow(entry.row, "too_long")
    return None


def parse(data: bytes, filename: str) -> ParsedList:
    """Read a file of any of the three formats, told apart by its content. Raises UnreadableList."""
    from checkpoint.risk.tables import read_csv, read_xlsx

    if len(data) > MAX_BYTES:
        raise UnreadableList("too_large")
    if not data.strip():
        raise UnreadableList("empty")
    if data.startswith(b"PK"):
        found = collect(read_xlsx(data))
        told = None
    elif data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        document = _document(data)
        found = collect(_national(document))
        found[1].extend(_miscounts(document, found))
        told = published(str(document.get("end_update_time", "")))
    else:
        found = collect(read_csv(data))
        told = None
    entries, wrong = found
    if not entries and not wrong:
        raise UnreadableList("nothing")
    return ParsedList(source_name(filename), told, tuple(entries), tuple(wrong))


def collect(items: Iterator[Entry | WrongRow]) -> tuple[list[Entry], list[WrongRow]]:
    """Entries that are right, and the rows that are not. Raises UnreadableList beyond MAX_ENTRIES."""
    entries: list[Entry] = []
    wrong: list[WrongRow] = []
    for item in items:
        problem = item if isinstance(item, WrongRow) else check(item)
        if problem is not None:
            wrong.append(problem)
        elif isinstance(item, Entry):
            entries.append(item)
        if len(entries) + len(wrong) > MAX_ENTRIES:
            raise UnreadableList("too_many")
    return entries, wrong


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise UnreadableList("encoding") from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableList("not_json") from error
    inner = document.get("data", document) if isinstance(document, dict) else None
    if not isinstance(inner, dict) or not any(isinstance(inner.get(part), list) for part, _, _ in _PARTS):
        raise UnreadableList("not_a_list")
    return inner


def _national(document: Mapping[str, Any]) -> Iterator[Entry | WrongRow]:
    number = 0
    for part, _, level in _PARTS:
        groups = document.get(part) or []
        if not isinstance(groups, list):
            yield WrongRow(0, "shape")
            continue
        for group in groups:
            if _is_blank(group):  # the placeholder row that stands in some files of September 2022
                continue
            for item in _group(group, level):
                number += 1
                yield replace(item, row=number) if isinstance(item, Entry) else WrongRow(number, item)


def _is_blank(group: object) -> bool:
    return isinstance(group, dict) and not any(group.values())


def _group(group: object, level: Level) -> Iterator[Entry | str]:
    """The entries of one county, or the cause why one is none."""
    if not isinstance(group, dict):
        yield "shape"
        return
    names = [group.get(key) or "" for key in ("province", "city", "county")]
    texts = group.get("communitys")
    if not isinstance(texts, list) or not all(isinstance(name, str) for name in names):
        yield "shape"
        return
    province, city, county = (clean(name) for name in names)
    for text in texts:
        yield Entry(level, province, city, county, clean(text)) if isinstance(text, str) else "shape"


def _miscounts(document: Mapping[str, Any], found: tuple[list[Entry], list[WrongRow]]) -> list[WrongRow]:
    """A stated count that differs from what is there: the file was cut or damaged on its way."""
    if found[1]:
        return []
    counted = Counter(entry.level for entry in found[0])
    stated = [(document.get(key), counted[level]) for _, key, level in _PARTS]
    return [WrongRow(0, "count")] if any(isinstance(n, int) and n != there for n, there in stated) else []
