"""Dates and numbers are written as the reader's language writes them: by the filters of `web/filters.py`, and nowhere by hand."""

import re
from pathlib import Path

import pytest

from checkpoint.config import PROJECT_ROOT

TEMPLATES = sorted((PROJECT_ROOT / "templates").rglob("*.html"))
FACES = sorted((PROJECT_ROOT / "checkpoint" / "web").rglob("*.py"))
BY_HAND = re.compile(r"\.(?:isoformat|strftime)\(|[\"'][^\"']*\{:[^}]*\}[^\"']*[\"']\.format\(")
RAW_MOMENT = re.compile(r"\{\{-?\s*(?:[\w.]+\.)?\w+_at\s*-?\}\}")
MACHINE = re.compile(r"""=\s*"\{\{[^}]*\|\s*iso|\|\s*iso\s*(?:\}\})?"|url_for\([^{}]*\|\s*iso|field\([^{}]*\|\s*iso""")
FORMATS = re.compile(r"\bformat_(?:date|time|datetime|decimal|percent|number|currency)\b|\.strftime\(")
OWN_FORMATS = {
    "checkpoint/web/filters.py": "the one home of them",
    "checkpoint/web/forms/conditions.py": "the value of a datetime-local field",
    "checkpoint/web/pass_reports.py": "the value of a datetime-local field, and a tag that is compared",
}


def name(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


@pytest.mark.parametrize("page", TEMPLATES, ids=name)
def test_no_page_writes_a_date_or_a_number_by_hand(page: Path) -> None:
    wrong = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if BY_HAND.search(line) or RAW_MOMENT.search(line):
            wrong.append(f"{number}: {line.strip()[:120]}")
        if re.search(r"\|\s*iso\b", line) and not MACHINE.search(line):
            wrong.append(f"{number}: for machines only, in an attribute: {line.strip()[:120]}")
    assert wrong == []


def test_no_face_formats_by_itself() -> None:
    found = {name(path) for path in FACES if FORMATS.search(path.read_text("utf-8"))}
    assert found == set(OWN_FORMATS)


@pytest.mark.parametrize(
    "line",
    [
        "{{ record.valid_until.isoformat() }}",
        '{{ "{:,}".format(report.rows) }}',
        "<td>{{ shift.starts_at }}</td>",
        "{{ at.strftime('%H') }}",
    ],
)
def test_the_guard_knows_what_is_by_hand(line: str) -> None:
    assert BY_HAND.search(line) or RAW_MOMENT.search(line)
    assert not BY_HAND.search('<time datetime="{{ shift.starts_at | iso }}">{{ shift.starts_at | when }}</time>')
