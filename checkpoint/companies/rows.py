"""Reading the rows of a staff list: people by their document, lorries by their plate; what is wrong is named by row and cause.

Documents and plates are cleaned exactly as a declaration's are, because their hashes must meet. Pure.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import AfterValidator, TypeAdapter, ValidationError

from checkpoint.registrations.declaration import CompanionIn, Name, Phone, clean_plate

MOST_ROWS = 20_000
LONGEST_CELL = 200
_TYPES = (
    ("resident_id", re.compile(r"\d{17}[\dX]")),
    ("hk_macau_permit", re.compile(r"[HM]\d{8,10}")),
    ("taiwan_permit", re.compile(r"\d{8}")),
    ("foreign_permit", re.compile(r"[A-Z]{3}\d{12}")),
)
_CAUSES = {"name": "name_unreadable", "id_number": "document_unreadable", "phone": "phone_unreadable"}
_TEXTS = TypeAdapter(list[dict[str, str]])
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_PHONE: TypeAdapter[str] = TypeAdapter(Phone)
_PLATE: TypeAdapter[str | None] = TypeAdapter(Annotated[str, AfterValidator(clean_plate)])


@dataclass(frozen=True, slots=True)
class Row:
    """A person (name, document, perhaps a phone) or a lorry (plate); empty where it does not apply."""

    name: str = ""
    id_type: str = ""
    id_number: str = ""
    phone: str = ""
    plate: str = ""

    @property
    def is_lorry(self) -> bool:
        return not self.id_number


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its number in the file, the cause as a stable word, and what stood there."""

    row: int
    cause: str
    name: str
    document: str
    phone: str
    plate: str


class Wrong(ValueError):
    """A member that cannot be read; `field` and `cause` are stable words."""

    def __init__(self, field: str, cause: str) -> None:
        super().__init__(cause)
        self.field = field
        self.cause = cause


def id_type_of(number: str) -> str:
    """The kind of document that a number has the form of; a passport when it is none of the others."""
    text = re.sub(r"[\s\-]", "", number).upper()
    if text.startswith("9") and len(text) == 18:
        return "foreign_permit"
    return next((kind for kind, form in _TYPES if form.fullmatch(text)), "passport")


def person(name: str, number: str, phone: str = "", id_type: str = "") -> Row:
    """Somebody as typed, cleaned as a declaration would be. Raises Wrong."""
    given = {"name": name, "id_type": id_type or id_type_of(number), "id_number": number}
    try:
        found = CompanionIn.model_validate(given | ({"phone": phone} if phone.strip() else {}))
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise Wrong(field, _CAUSES.get(field, "document_unreadable")) from error
    return Row(found.name, found.id_type, found.id_number, found.phone or "")


def person_name(text: str) -> str:
    """A name as typed, cleaned. Raises Wrong."""
    return _cleaned(_NAME, text, "name", "name_unreadable")


def phone_number(text: str) -> str:
    """A phone as typed, as E.164. Raises Wrong."""
    return _cleaned(_PHONE, text, "phone", "phone_unreadable")


def _cleaned(form: TypeAdapter[str], text: str, field: str, cause: str) -> str:
    try:
        return form.validate_python(text.strip())
    except ValidationError as error:
        raise Wrong(field, cause) from error


def lorry(plate: str) -> Row:
    """A lorry by its plate. Raises Wrong."""
    try:
        found = _PLATE.validate_python(plate)
    except ValidationError as error:
        raise Wrong("plate", "plate_unreadable") from error
    if found is None:
        raise Wrong("plate", "plate_unreadable")
    return Row(plate=found)


def read(rows: Iterable[Sequence[str]], columns: Mapping[str, int], first: int) -> tuple[list[Row], list[BadRow]]:
    """Members, each once in the order of the file, and the wrong rows; `first` is the number of the first row in the file.

    A row with a document and a plate names a person and a lorry. Blank rows are passed over.
    """
    good: dict[tuple[str, str, str], Row] = {}
    bad: list[BadRow] = []
    for number, cells in enumerate(rows, first):
        texts = {field: cells[column].strip() if column < len(cells) else "" for field, column in columns.items()}
        name, document, phone, plate = (texts.get(field, "") for field in ("name", "document", "phone", "plate"))
        if not (name or document or plate):
            continue
        try:
            if any(len(text) > LONGEST_CELL for text in texts.values()):
                raise Wrong("name", "too_long")
            found = [person(name, document, phone)] if document else []
            if plate:
                found.append(lorry(plate))
            if not found:
                raise Wrong("document", "nothing_to_match")
        except Wrong as error:
            kept = (text[:LONGEST_CELL] for text in (name, document, phone, plate))
            bad.append(BadRow(number, error.cause, *kept))
            continue
        for one in found:
            good.setdefault((one.id_type, one.id_number, one.plate), one)
    return list(good.values()), bad


def dump(rows: Iterable[Row | BadRow]) -> str:
    """Rows as JSON, to be sealed."""
    return json.dumps([{key: str(value) for key, value in asdict(row).items()} for row in rows], ensure_ascii=False)


def load(text: str) -> list[Row]:
    """What `dump` made of members."""
    return [Row(**one) for one in _TEXTS.validate_json(text)]


def load_bad(text: str) -> list[dict[str, str]]:
    """What `dump` made of wrong rows."""
    return _TEXTS.validate_json(text)
