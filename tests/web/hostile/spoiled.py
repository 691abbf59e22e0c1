"""A world in which every text that a person wrote is a mark: in each free column and each sealed attribute of every row.

What is written past all forms shows what the pages do by themselves: a mark holds markup, a template's braces, a formula's sign and
characters that turn the line around, and the number of its column, so that it is found again wherever it comes out.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from sqlalchemy import JSON, String, select
from sqlalchemy import inspect as look_into

from checkpoint.database import Base, db, transaction
from checkpoint.privacy import Sealed
from tests.web.access.world import World

TURNED = "\u202e"
FREE = {
    "api_token.label", "channel_target.label", "checkpoint.name", "company.name", "device.label", "division_alias.text",
    "division_alias.note", "inquiry.source", "inquiry.legal_basis", "joint_record.legal_basis", "patrol_point.name",
    "patrol_route.name", "peer.name", "policy.reason", "risk_area.text", "risk_feed.name", "risk_list.source",
    "user_account.display_name", "user_session.device",
}  # fmt: skip
"""Readable columns that hold what somebody wrote."""
NO_TEXT = {
    "channel_target.address", "inquiry.key", "joint_message.body", "user_totp.secret", "company_import.good",
    "company_import.bad", "carried_refusal.declaration", "inquiry_hit.listed", "joint_person.listed",
}  # fmt: skip
"""Sealed attributes that hold an address, a key or JSON; the texts inside of JSON are spoiled one by one."""
_WORDS = {
    "name",
    "text",
    "address",
    "plate",
    "note",
    "purpose",
    "evidence",
    "area",
    "place",
    "company",
    "document",
    "phone",
    "city",
}
_IMAGE = "<img src=/xsscp onerror=window.hit=1>"
_MARK = re.compile(r"xsscp(\d+)q")


def mark(number: int) -> str:
    """The text of a column."""
    return f"=xsscp{number}q'\"><xsscp onxsscp=1 href=javascript:xsscp><script>xsscp</script>{{{{7*'xsscp'}}}}{TURNED}</textarea>{_IMAGE}"


def found(text: str) -> set[int]:
    """The numbers of the columns whose whole marks stand in a text, however it is escaped."""
    plain = html.unescape(text).replace("\\u003c", "<").replace('\\"', '"').replace("\\u0027", "'")
    return {
        int(one[1]) for one in _MARK.finditer(plain) if plain[one.end() :].startswith(("'\"><xsscp", '\'""><xsscp'))
    }


class Columns:
    """The columns that were spoiled, each with its number."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def number(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def of(self, numbers: Iterable[int]) -> set[str]:
        return {self.names[one] for one in numbers}


def spoil(world: World) -> Columns:
    """Write marks over every text of every row, and keep the world so."""
    with world.app.app_context():
        columns = spoil_rows()
        db.session.remove()
    world.keep()
    return columns


def spoil_rows() -> Columns:
    """Write marks over every text of every row, in an app context."""
    columns = Columns()
    with transaction() as session:
        for mapper in Base.registry.mappers:
            table = mapper.local_table.name  # type: ignore[attr-defined]
            sealed = [name for name, value in vars(mapper.class_).items() if isinstance(value, Sealed)]
            texts = [
                c.key
                for c in look_into(mapper.class_).columns
                if isinstance(c.type, String) and f"{table}.{c.key}" in FREE
            ]
            values = [c.key for c in look_into(mapper.class_).columns if isinstance(c.type, JSON)]
            for row in session.scalars(select(mapper.class_)):
                for name in (*texts, *sealed):
                    if getattr(row, name) is not None:
                        setattr(row, name, _spoilt(columns, f"{table}.{name}", getattr(row, name)))
                for name in values:
                    if table not in ("policy", "audit_entry") and getattr(row, name):
                        setattr(row, name, _inside(columns, f"{table}.{name}", getattr(row, name)))
    return columns


def _spoilt(columns: Columns, name: str, value: Any) -> Any:
    if name not in NO_TEXT:
        return mark(columns.number(name))
    try:
        inside = json.loads(value)
    except (ValueError, TypeError):
        return value
    return json.dumps(_inside(columns, name, inside), ensure_ascii=False)


def _inside(columns: Columns, name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: mark(columns.number(f"{name}.{key}"))
            if isinstance(one, str) and key in _WORDS and not _is_code(one)
            else _inside(columns, name, one)
            for key, one in value.items()
        }
    return [_inside(columns, name, one) for one in value] if isinstance(value, list) else value


def _is_code(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f-]{32,36}|\d{2,12}|[a-z_]+", text))


class Faults(HTMLParser):
    """What a page made of marks: elements, attributes, links that are scripts, comments, or what a template worked out."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self._script = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag in ("script", "style")
        if "xsscp" in tag:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            self.faults.extend(self._attribute(tag, name, value or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._script = False

    def _attribute(self, tag: str, name: str, value: str) -> Iterator[str]:
        leads = name in ("href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href")
        if "xsscp" in name or (name.startswith("on") and "xsscp" in value):
            yield f"<{tag} {name}>"
        if leads and re.sub(r"[\x00-\x20]", "", value).lower().startswith(("javascript:", "data:text", "vbscript:")):
            yield f"<{tag} {name}={value[:40]}>"
        if tag == "img" and name == "src" and "xsscp" in value:
            yield f"<img {name}>"
        if name == "style" and "xsscp" in value:
            yield f"<{tag} style>"

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script and "xsscp" in data:
            self.faults.append(f"in a script: {data[:80]}")
        if "xsscp" * 7 in data:
            self.faults.append("a template worked it out")
        if TURNED in data:
            self.faults.append("turns the line around")

    def handle_comment(self, data: str) -> None:
        if "xsscp" in data:
            self.faults.append("in a comment")
