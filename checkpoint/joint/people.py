"""The people whom somebody asks about, as lines that a person types or pastes: one person a line, in any order of fields. Pure."""

import re
from collections.abc import Iterable, Sequence

from checkpoint.inquiries.dates import read_date
from checkpoint.inquiries.documents import DocumentKind, read_document, read_phone, read_plate
from checkpoint.inquiries.listfile import Listed

MOST = 500
LONGEST = 60  # characters of a field
_SEPARATORS = re.compile(r"[,\t，、;；|]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ID_CHARACTERS = re.compile(r"[0-9A-Za-z*xX()（）-]+")


class WrongLine(ValueError):
    """A line by which nobody can be looked for; `number` from 1."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def clean(text: str) -> str:
    """A field without control characters and blanks around it."""
    return _CONTROL.sub(" ", text).strip()


def is_enough(one: Listed) -> bool:
    """Whether somebody can be looked for by this: a document, a phone, a plate, or a name with a birth date."""
    return bool(
        (one.document and read_document(one.document))
        or (one.phone and read_phone(one.phone))
        or (one.plate and read_plate(one.plate))
        or (one.name and one.born and read_date(one.born))
    )


def read_lines(text: str) -> list[Listed]:
    """People from lines of text; empty lines are left out. Raises WrongLine."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        one = _read_line(line)
        if not is_enough(one) or any(len(field) > LONGEST for field in (one.name, one.document, one.phone)):
            raise WrongLine(number)
        found.append(one)
    return found


def _read_line(line: str) -> Listed:
    """Fields between commas or tabs; where there are none, between blanks, and what is left over is the name."""
    whole = _SEPARATORS.search(line) or _is_phone(line.strip())  # a number may be written with blanks in it
    cells = [clean(cell) for cell in (_SEPARATORS.split(line) if whole else line.split())]
    known: dict[str, str] = {}
    names = []
    for cell in filter(None, cells):
        field = _field_of(cell)
        if field and field not in known:
            known[field] = cell
        else:
            names.append(cell)
    return Listed(name=" ".join(names), **known)


def _field_of(cell: str) -> str | None:
    """What a cell is by its look; None for a name. A resident ID comes before a phone, and a date before any other number."""
    document = read_document(cell) if _ID_CHARACTERS.fullmatch(cell) else None
    if document is not None and document.kind in (DocumentKind.RESIDENT, DocumentKind.RESIDENT_WRONG):
        return "document"
    if len(cell) >= 8 and read_date(cell) is not None:
        return "born"
    if _is_phone(cell):
        return "phone"
    if any(letter.isdigit() for letter in cell):
        if read_plate(cell) is not None and not cell[0].isascii():
            return "plate"
        if document is not None:
            return "document"
    return None


def _is_phone(cell: str) -> bool:
    digits = sum(letter.isdigit() for letter in cell)
    return (
        7 <= digits <= 13
        and digits + sum(letter in "+- ()*" for letter in cell) == len(cell)
        and bool(read_phone(cell))
    )


def distinct(people: Iterable[Listed]) -> list[Listed]:
    """Each once, in the order given: two lines for one person would be answered at one of them only."""
    return list(dict.fromkeys(people))


def ranges(text: str, rows: int) -> list[int]:
    """Row numbers as people write them, from 1: `1-20, 35`; returned from 0. Raises ValueError for what is no row of the list."""
    found: dict[int, None] = {}
    for part in re.split(r"[,，\s]+", text.strip()):
        low, dash, high = part.partition("-")
        first, last = int(low), int(high if dash else low)
        if not 1 <= first <= last <= rows or last - first > MOST:
            raise ValueError(part)
        found.update(dict.fromkeys(range(first - 1, last)))
    return list(found)


def numbered(people: Sequence[Listed]) -> list[list[str]]:
    """The rows of the list that is made of them: name, document, phone, birth date, plate."""
    return [[one.name, one.document, one.phone, one.born, one.plate] for one in people]
