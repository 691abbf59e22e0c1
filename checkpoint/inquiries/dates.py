"""Birth dates as lists write them. Pure."""

import re
from datetime import date, timedelta

PATTERN = (
    r"^\s*(?:(?:1[89]|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:[ T].*)?|(?:1[89]|20)\d{6}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:1[89]|20)\d\d|\d{4,5}(?:\.0+)?)\s*$"
)
"""What a date may look like, for checking a whole column at once; `read_date` decides."""

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_RUN = re.compile(r"\d{8}")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_SERIAL = re.compile(r"(\d{4,5})(?:\.0+)?")
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets


def read_date(text: str) -> date | None:
    """1990-01-02, 1990/1/2, 1990.1.2, 1990年1月2日, 19900102, 02/01/1990 (day first unless only month first is a date), or a
    spreadsheet's day number; with a time behind it or not. None if it is none of these."""
    text = text.strip()
    if found := _YEAR_FIRST.match(text):
        return _day(*map(int, found.groups()))
    if _RUN.fullmatch(text):
        return _day(int(text[:4]), int(text[4:6]), int(text[6:]))
    if found := _YEAR_LAST.fullmatch(text):
        first, second, year = map(int, found.groups())
        return _day(year, second, first) or _day(year, first, second)
    if (found := _SERIAL.fullmatch(text)) and int(found[1]) >= 1000:
        return _EPOCH + timedelta(days=int(found[1]))
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1850 <= year <= 2100 else None
    except ValueError:
        return None
