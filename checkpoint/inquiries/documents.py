"""What two documents, phones or plates say of two people being one. Pure.

A resident ID (GB 11643) ends in a check digit (ISO 7064 MOD 11-2) that finds every single wrong digit and every exchange of
neighbours. So of two numbers one slip apart, at least one is invalid if they are the same document; if both are valid they are two
people. The numbers of 15 digits that were issued until 1999 have no check digit and no century.
"""

import enum
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rapidfuzz.distance import OSA

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_MASK = re.compile(r"[*●•＊]+")
_RESIDENT = re.compile(r"\d{17}[\dX]")
_NEARLY = re.compile(r"[\dX]{17,19}")
_BIRTH_ENDS = {18: 14, 15: 12}  # of a resident ID: behind it stands what tells two of one county and birth date apart


class DocumentKind(enum.StrEnum):
    """What a document's text is."""

    RESIDENT = "resident"
    RESIDENT_15 = "resident_15"
    RESIDENT_WRONG = "resident_wrong"  # 17 to 19 digits that are no valid number
    MASKED = "masked"
    OTHER = "other"  # passports and permits


class DocumentLevel(enum.StrEnum):
    """From the same to different; `missing` and `unrelated` say nothing."""

    SAME = "same"
    SAME_15 = "same_15"
    ONE_WRONG = "one_wrong"
    MASKED_FITS = "masked_fits"
    MASKED_PLACE = "masked_place"  # the mask leaves county and birth date, and hides what tells two people apart
    NEAR_OTHER = "near_other"  # passports with one character wrong
    DIFFERENT_OTHER = "different_other"  # passports are renewed with a new number
    DIFFERENT_WRONG = "different_wrong"  # one is invalid, and they are far apart
    CONTRADICTS = "contradicts"  # two valid numbers, or a mask that does not fit: two people
    UNRELATED = "unrelated"
    MISSING = "missing"


class Agreement(enum.StrEnum):
    """Of phones, birth dates and plates."""

    SAME = "same"
    FITS = "fits"  # masked
    ONE_WRONG = "one_wrong"
    DIFFERENT = "different"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Document:
    """A document made ready: `text` without blanks, in capitals, masks as `*`."""

    kind: DocumentKind
    text: str
    born: date | None = None


def check_digit(body: str) -> str:
    """The 18th character for the first 17 digits."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def read_document(raw: str) -> Document | None:
    """A document's number as it was typed; None when there is nothing to compare."""
    text = re.sub(r"[\s\-–—·.]", "", unicodedata.normalize("NFKC", raw)).upper()
    text = _MASK.sub(lambda found: "*" * len(found.group()), text)
    if "*" in text:
        return Document(DocumentKind.MASKED, text) if len(text.replace("*", "")) >= 4 else None
    if _RESIDENT.fullmatch(text) and check_digit(text[:17]) == text[17] and (born := _day(text[6:14])) is not None:
        return Document(DocumentKind.RESIDENT, text, born)
    if len(text) == 15 and text.isdigit() and (born := _day("19" + text[6:12])) is not None:
        return Document(DocumentKind.RESIDENT_15, text, born)
    if _NEARLY.fullmatch(text):
        return Document(DocumentKind.RESIDENT_WRONG, text)
    return Document(DocumentKind.OTHER, text) if len(text) >= 5 and text.isalnum() else None


def compare_documents(left: Document | None, right: Document | None) -> DocumentLevel:
    """The level at which two documents agree."""
    if left is None or right is None:
        return DocumentLevel.MISSING
    if left.text == right.text and left.kind is not DocumentKind.MASKED:
        return DocumentLevel.SAME if left.kind is not DocumentKind.RESIDENT_WRONG else DocumentLevel.ONE_WRONG
    kinds = {left.kind, right.kind}
    if DocumentKind.MASKED in kinds:
        return _masked(left.text, right.text)
    if DocumentKind.OTHER in kinds:
        return _others(left, right) if len(kinds) == 1 else DocumentLevel.UNRELATED
    if DocumentKind.RESIDENT_15 in kinds:
        return _short(left, right)
    if kinds == {DocumentKind.RESIDENT}:
        return DocumentLevel.CONTRADICTS
    one_off = OSA.distance(left.text, right.text, score_cutoff=1) == 1
    return DocumentLevel.ONE_WRONG if one_off else DocumentLevel.DIFFERENT_WRONG


def _masked(left: str, right: str) -> DocumentLevel:
    if len(left) != len(right):
        return DocumentLevel.UNRELATED  # masks of a fixed width hide how long the number was
    known = [(one, other) for one, other in zip(left, right, strict=True) if "*" not in (one, other)]
    if any(one != other for one, other in known):
        return DocumentLevel.CONTRADICTS
    if len(known) < 4:
        return DocumentLevel.UNRELATED
    end = _BIRTH_ENDS.get(len(left), 0)
    if end and sum("*" not in pair for pair in zip(left[end:], right[end:], strict=True)) < 3:
        whole = all("*" not in pair for pair in zip(left[:end], right[:end], strict=True))
        return DocumentLevel.MASKED_PLACE if whole else DocumentLevel.UNRELATED
    return DocumentLevel.MASKED_FITS


def _others(left: Document, right: Document) -> DocumentLevel:
    near = len(left.text) >= 7 and OSA.distance(left.text, right.text, score_cutoff=1) == 1
    return DocumentLevel.NEAR_OTHER if near else DocumentLevel.DIFFERENT_OTHER


def _short(left: Document, right: Document) -> DocumentLevel:
    short, long = (left, right) if len(left.text) == 15 else (right, left)
    if long.kind is DocumentKind.RESIDENT_15:
        return DocumentLevel.DIFFERENT_WRONG
    if long.kind is DocumentKind.RESIDENT and long.text[:6] + long.text[8:17] == short.text:
        return DocumentLevel.SAME_15
    return DocumentLevel.CONTRADICTS if long.kind is DocumentKind.RESIDENT else DocumentLevel.DIFFERENT_WRONG


def one_slip_away(text: str) -> Iterator[str]:
    """The valid resident IDs from which `text` is one wrong, dropped or doubled digit, or one exchange of neighbours away.

    Looking up each of them (about 20) finds the person behind a slip without a search through the registry.
    """
    seen = {text}
    for candidate in _neighbours(text):
        if candidate not in seen:
            seen.add(candidate)
            found = read_document(candidate)
            if found is not None and found.kind is DocumentKind.RESIDENT:
                yield candidate


def _neighbours(text: str) -> Iterator[str]:
    digits = "0123456789"
    if len(text) == 18:
        for at in range(18):
            yield from (text[:at] + digit + text[at + 1 :] for digit in digits + ("X" if at == 17 else ""))
        yield from (text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(17))
    elif len(text) == 17:
        for at in range(18):
            yield from (text[:at] + digit + text[at:] for digit in digits + ("X" if at == 17 else ""))
    elif len(text) == 19:
        yield from (text[:at] + text[at + 1 :] for at in range(19))


def read_phone(raw: str) -> str | None:
    """A mobile number's 11 digits, or fewer with a mask; None when there is nothing to compare."""
    text = re.sub(r"[^\d*]", "", _MASK.sub(lambda found: "*" * len(found.group()), unicodedata.normalize("NFKC", raw)))
    text = text.removeprefix("0086").removeprefix("86") if len(text) > 11 else text
    return text if len(text.replace("*", "")) >= 5 else None


def compare_phones(left: str | None, right: str | None) -> Agreement:
    """The same number, one digit wrong, a mask that fits, or another number."""
    if left is None or right is None:
        return Agreement.MISSING
    if "*" in left + right:
        fits = len(left) == len(right) and all(
            "*" in pair or pair[0] == pair[1] for pair in zip(left, right, strict=True)
        )
        return Agreement.FITS if fits else Agreement.DIFFERENT
    if left == right:
        return Agreement.SAME
    return Agreement.ONE_WRONG if OSA.distance(left, right, score_cutoff=1) == 1 else Agreement.DIFFERENT


def read_plate(raw: str) -> str | None:
    """A vehicle's plate without blanks and dots, in capitals; None when there is none."""
    text = re.sub(r"[\s·.\-]", "", unicodedata.normalize("NFKC", raw)).upper()
    return text if len(text) >= 5 else None


def compare_plates(left: str | None, right: str | None) -> Agreement:
    """The same plate or another one; people change cars, so another one says little."""
    if left is None or right is None:
        return Agreement.MISSING
    return Agreement.SAME if left == right else Agreement.DIFFERENT
