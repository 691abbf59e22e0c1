"""Which listed and registered people are worth comparing: keys that two spellings of one person share. Pure.

A key is the first 39 bits of a MAC (AES in CBC mode over exactly two blocks, which is a pseudo-random function for texts of one
length) of a kind and a text; its low 25 bits are left to number a row or a person. So one sorted array of 64-bit numbers is an index
that can be searched, merged and mapped into memory, and tells nothing without the key. Two keys meet by chance once in 5e11 pairs,
which costs one comparison and nothing else: the evidence decides (evidence.py).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray
from pypinyin import lazy_pinyin

from checkpoint.inquiries.documents import (
    DocumentKind,
    check_digit,
    one_slip_away,
    read_document,
    read_phone,
    read_plate,
)
from checkpoint.inquiries.names import SURNAME_READINGS

Keys = NDArray[np.uint64]

ROW_BITS = 25
MAX_ROWS = 1 << ROW_BITS
ROW_MASK = np.uint64(MAX_ROWS - 1)
KEY_MASK = ~ROW_MASK
WIDTH = 32

DOCUMENT, PHONE, PLATE = "D", "P", "L"
_BIRTH, _TAIL, _HEAD, _PHONE_HEAD, _PHONE_TAIL = "B", "M", "H", "F", "G"  # each with the sound of the name
# Letters that dialects, ears and systems exchange: the sound of a name is what stays.
_FOLD = str.maketrans({"l": "n", "r": "n", "b": "p", "d": "t", "v": "u", "ü": "u", "g": "", "h": "", "f": ""})
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003134f]")
_LETTER = re.compile("[a-zü]")


class Blocker:
    """Makes keys under one secret of 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = Cipher(AES(secret), ECB())  # noqa: S305 - the block function of the MAC below

    def keys(self, messages: bytes) -> Keys:
        """The keys of messages of 32 bytes each, one behind the other; their low bits are zero."""
        blocks = np.frombuffer(messages, np.uint64).reshape(-1, WIDTH // 8)
        first = self._encrypt(np.ascontiguousarray(blocks[:, :2]))
        return np.ascontiguousarray(self._encrypt(first ^ blocks[:, 2:])[:, 0]) & KEY_MASK

    def _encrypt(self, blocks: Keys) -> Keys:
        encryptor = self._cipher.encryptor()
        return np.frombuffer(encryptor.update(blocks.tobytes()) + encryptor.finalize(), np.uint64).reshape(-1, 2)

    def of(self, blocks: Iterable[str]) -> Keys:
        """The keys of some blocks, each a kind's letter with its text."""
        return self.keys(b"".join(map(message, blocks)))


def message(block: str) -> bytes:
    """A block as the 32 bytes that are hashed."""
    return block.encode()[:WIDTH].ljust(WIDTH, b"\0")


def plate_block(plate: str) -> str:
    """The block of a plate as `read_plate` returns it; hexadecimal, since tables of columns can only be padded by characters."""
    return PLATE + plate.encode().hex()


@lru_cache(maxsize=32768)
def _sound_of(character: str) -> str:
    return str(lazy_pinyin(character)[0]).translate(_FOLD)


@lru_cache(maxsize=65536)
def sound(name: str) -> str:
    """What is common to the spellings of a name: its folded pinyin letters, sorted; empty if there is no name.

    >>> sound("張偉") == sound("zhang wei") == sound("Wei Zhang") == sound("章威")
    True
    """
    folded = unicodedata.normalize("NFKC", name).strip()
    han = _HAN.findall(folded)
    if len(han) >= 2:
        first = SURNAME_READINGS.get(han[0])
        sounds = [first.translate(_FOLD) if first else _sound_of(han[0]), *map(_sound_of, han[1:])]
        return "".join(sorted("".join(sounds)))
    plain = unicodedata.normalize("NFD", folded.lower().replace("ü", "v"))
    letters = "".join(_LETTER.findall(plain)).translate(_FOLD)
    return "".join(sorted(letters)) if len(letters) >= 2 else ""


def document_blocks(text: str, kind: DocumentKind) -> Iterator[str]:
    """The blocks of a whole number: an old one of 15 digits as those of 18 that may have replaced it, a wrong one with its neighbours."""
    if kind is DocumentKind.RESIDENT_15:
        for body in (text[:6] + century + text[6:] for century in ("19", "20")):
            yield DOCUMENT + body + check_digit(body)
        return
    yield DOCUMENT + text
    if kind is DocumentKind.RESIDENT_WRONG:
        yield from (DOCUMENT + other for other in one_slip_away(text))


def registered_blocks(name: str, document: str, phone: str, plates: Sequence[str]) -> Iterator[str]:
    """The blocks under which a registered person is found; texts as they were declared, empty if there are none.

    A resident ID and a mainland mobile were checked when they were declared, and are not checked again: this runs for everybody.
    """
    heard = sound(name)
    if len(document) == 18 and document[:17].isdigit():
        yield DOCUMENT + document
        if heard:
            yield f"{_TAIL}{document[14:]}{heard}"
            yield f"{_BIRTH}{document[6:14]}{heard}"
    elif document:
        yield from _by_other_document(document, heard)
    number = phone[3:] if len(phone) == 14 and phone.startswith("+86") else read_phone(phone) if phone else None
    if number is not None:
        yield from _whole_phone(number)
        if heard:
            yield from _by_phone(number, heard)
    for plate in plates:
        known = read_plate(plate)
        if known is not None:
            yield plate_block(known)


def _by_other_document(document: str, heard: str) -> Iterator[str]:
    """The blocks of a registered person whose document is no resident ID of 18 digits."""
    found = read_document(document)
    if found is None:
        return
    yield from document_blocks(found.text, found.kind)
    if heard:
        yield f"{_TAIL}{found.text[-4:]}{heard}"
        if found.born is not None:
            yield f"{_BIRTH}{found.born:%Y%m%d}{heard}"
        if found.kind is DocumentKind.OTHER:
            yield f"{_HEAD}{found.text[:4]}{heard}"


def listed_blocks(name: str, document: str, phone: str, born: str, plate: str) -> Iterator[str]:
    """The blocks of a listed person. `born` is YYYYMMDD or empty. A person with a valid document is looked for by whole values only."""
    found = read_document(document) if document else None
    number = read_phone(phone) if phone else None
    known = read_plate(plate) if plate else None
    if found is not None and found.kind is not DocumentKind.MASKED:
        yield from document_blocks(found.text, found.kind)
    if number is not None:
        yield from _whole_phone(number)
    if known is not None:
        yield plate_block(known)
    if found is None or found.kind is not DocumentKind.RESIDENT:
        yield from by_name(name, found.text if found else "", found.kind if found else None, number or "", born)


def by_name(name: str, document: str, kind: DocumentKind | None, phone: str, born: str) -> Iterator[str]:
    """The blocks that need the sound of a listed name; `document` and `phone` as they were read."""
    heard = sound(name)
    if not heard:
        return
    tail, digits = document[-4:], document[6:14]
    if kind is DocumentKind.RESIDENT_15:
        digits = "19" + document[6:12]
    elif document and "*" not in tail:
        yield f"{_TAIL}{tail}{heard}"
    if kind is DocumentKind.OTHER:
        yield f"{_HEAD}{document[:4]}{heard}"
    if born or (len(digits) == 8 and digits.isdigit()):
        yield f"{_BIRTH}{born or digits}{heard}"
    if phone:
        yield from _by_phone(phone, heard)


def _whole_phone(number: str) -> Iterator[str]:
    if "*" not in number:
        yield PHONE + number


def _by_phone(number: str, heard: str) -> Iterator[str]:
    """One wrong digit leaves the head or the tail whole; a mask mostly leaves the tail."""
    head, tail = number[:7], number[-4:]
    if "*" not in head:
        yield f"{_PHONE_HEAD}{head}{heard}"
    if "*" not in tail:
        yield f"{_PHONE_TAIL}{tail}{heard}"
