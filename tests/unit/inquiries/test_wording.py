"""The wrong rows as a table: opened in a spreadsheet, no cell of it is a formula."""

import pytest

from checkpoint.inquiries.wording import bad_row_lines

FIELDS = ("name", "document", "phone", "born", "plate")
STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    " =",
    "\u3000+",
    "\ufeff=",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "|",
    "%",
)
PAYLOADS = ("1+1", 'HYPERLINK("http://x","y")', "cmd|' /C calc'!A0", "SUM(1)", "")


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("field", FIELDS)
def test_whatever_begins_as_a_formula_is_text(field: str, start: str) -> None:
    for payload in PAYLOADS:
        cell = start + payload
        row = dict.fromkeys(FIELDS, "王伟") | {field: cell, "row": 0, "used": False, "cause": "encoding"}
        _header, line = bad_row_lines([row], 1)
        assert line[3 + FIELDS.index(field)] == "'" + cell
        assert [value for value in line[3:] if value != "'" + cell] == ["王伟"] * 4


def test_what_is_no_formula_stays_as_it_is() -> None:
    plain = ("王伟", "330482********0012", "138****0001", "1985-03-17", "浙F·12345")
    row = dict(zip(FIELDS, plain, strict=True)) | {"row": 2, "used": True, "cause": "too_long encoding"}
    _header, line = bad_row_lines([row], 3)
    assert line[0] == "6"
    assert tuple(line[3:]) == plain
