"""Inquiry lists as files, and reading them to their end."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from checkpoint.crossmatch import service as crossmatch
from checkpoint.inquiries import service
from checkpoint.inquiries.models import Inquiry
from tests.factories import NOW, TODAY, people

HEADER = "姓名,证件号码,联系电话,出生日期,车牌号"


def details(source: str = "嘉兴市疾控中心", days: int = 14, level: str = "red") -> service.Details:
    """What somebody says of a list that is valid from today."""
    return service.Details(source, "某案密接", level, "传染病防治法第三十九条", TODAY, TODAY + timedelta(days=days))


def write(
    folder: Path, rows: Sequence[str], *, header: str = HEADER, encoding: str = "utf-8", name: str = "list.csv"
) -> Path:
    """A CSV file of these lines."""
    path = folder / name
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def draft(path: Path, **more: object) -> Inquiry:
    """The file taken in, with its columns not yet confirmed; the file stays where it is."""
    return service.take_in(path, details(**more), actor=people.operator(), at=NOW, keep=False)  # type: ignore[arg-type]


def confirmed(path: Path, **more: object) -> Inquiry:
    """The file taken in with the columns that its header names."""
    inquiry = draft(path, **more)
    columns = {field: f"#{column + 1}" for field, column in (inquiry.mapping or {})["columns"].items()}
    return service.confirm(inquiry.id, columns, actor=people.operator(), at=NOW)


def read(path: Path, **more: object) -> Inquiry:
    """The file read to its end and in force."""
    return crossmatch.run(confirmed(path, **more).id, actor=people.operator(), clock=lambda: NOW, workers=1)


def birth(text: str) -> date:
    """The birth date inside a resident ID."""
    return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
