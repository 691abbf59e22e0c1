"""Valid inputs made wrong, by dice that fall the same way for the same seed: bytes, texts, JSON, CBOR, archives, PNG chunks."""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Dice = random.Random
Mutator = Callable[[Dice, bytes, Sequence[bytes]], bytes]
"""Dice, a valid input, all valid inputs of this parser → what the parser is given."""

LARGEST = 65_536
_CODES = "00 ff fe fffe feff efbbbf 7f 80 c0 c080 eda080 f4908080 0d0a 0d 0a 22 2c 09 1a 504b0304 81 30"
_PIECES = (b"=1+1", b"-1", b"NaN", b"1e999", b"9" * 20, b'""', b"[[[[", b"{{{{", b"<!DOCTYPE x>", b"&#0;", b"&lt;")
ODD_BYTES = (*map(bytes.fromhex, _CODES.split()), *_PIECES)
ODD_TEXTS = (
    "\0", "\n", "\r", "\t", " ", "\u3000", "\u200b", "\u202e", "\ufeff", "\ufffd", "\u0660\u0661", "²", "①", "Ⅷ", "㎡", "ﷺ", "ß",
    "İ", "ı", "e\u0301" * 9, "𠀀", "🙂", "\U000e0001", "〇", "壹", "廿", "-", "~", "至", "(", ")", "（", "）", "、", "，", "除", "以外",
    "其他区域", "号楼", "单元", "社区", "#", "=1+1", "@x", "'", '"', ",", ";", "*", "●", "+86", "0086", "X", "9" * 20, "0", "-1", ".",
    "1e999", "%s", "{0}", "<b>", "ID:", "CP1:", "CPP1:", "urn:uuid:", "市辖区", "浙江省", "平湖市", "ü", "NaN",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, 1e308, -0.0, "", " ", "\0", "\ud800", "x" * 3000,
    "9999-12-31", "0000-00-00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2022-02-30", [], {}, [[]], [None], {"": None},
    "NaN", "1e999", "０１", "\u202e", "330482000000",
)  # fmt: skip


def dice_for(seed: int, name: str, number: int) -> Dice:
    """The dice of one input: they depend on nothing that came before."""
    return random.Random(f"{seed}:{name}:{number}")  # noqa: S311 - inputs that can be made again, no secrets


def _some(dice: Dice) -> int:
    """How many changes: mostly one or two, sometimes many."""
    return min(12, 1 + int(dice.expovariate(0.6)))


def _stretch(dice: Dice, length: int) -> tuple[int, int]:
    start = dice.randrange(length + 1)
    return start, min(length, start + 1 + int(dice.expovariate(0.12)))


def mutate_bytes(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
    """Bits turned, pieces cut, doubled, put in from elsewhere."""
    data = bytearray(seed)
    for _round in range(_some(dice)):
        start, end = _stretch(dice, len(data))
        match dice.randrange(9):
            case 0 | 1 if data:
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            case 2 if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
            case 3:
                del data[start:end]
            case 4:
                data[start:start] = dice.choice(ODD_BYTES)
            case 5:
                data[start:end] = dice.choice(ODD_BYTES)
            case 6:
                data[start:start] = data[start:end] * dice.choice((1, 2, 8, 200))
            case 7:
                other = dice.choice(others)
                low, high = _stretch(dice, len(other))
                data[start:end] = other[low:high]
            case 8 if not dice.randrange(3):
                del data[start:]
            case _:
                data[start:start] = dice.randbytes(dice.randrange(1, 6))
    return bytes(data[:LARGEST])


def mutate_text(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
    """A text with characters of every kind put in, taken out, doubled; UTF-8."""
    text = seed.decode()
    for _round in range(_some(dice)):
        start, end = _stretch(dice, len(text))
        match dice.randrange(6):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + dice.choice(ODD_TEXTS) + text[start:]
            case 2:
                text = text[:start] + dice.choice(ODD_TEXTS) + text[end:]
            case 3:
                text = text[:start] + text[start:end] * dice.choice((2, 3, 30)) + text[end:]
            case 4:
                other = dice.choice(others).decode()
                low, high = _stretch(dice, len(other))
                text = text[:start] + other[low:high] + text[end:]
            case _:
                text = text[:start] + _character(dice) + text[end:]
    return text[: LARGEST // 4].encode()


def _character(dice: Dice) -> str:
    point = dice.randrange(dice.choice((0x80, 0x3000, 0xD800, 0x110000)))
    return "?" if 0xD800 <= point < 0xE000 else chr(point)


def mutate_json(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
    """A document with values and keys of the wrong kind; now and then its text is damaged as well."""
    document = json.loads(seed)
    for _round in range(_some(dice)):
        document = _changed(dice, document)
    text = json.dumps(document, ensure_ascii=bool(dice.randrange(2))).encode("utf-8", "replace")
    return text[:LARGEST] if dice.randrange(4) else mutate_bytes(dice, text, others)


def _changed(dice: Dice, value: Any) -> Any:
    if isinstance(value, dict) and value and dice.randrange(8):
        key = dice.choice(list(value))
        if not dice.randrange(6):
            return {name: inner for name, inner in value.items() if name != key}
        if not dice.randrange(10):
            return {**value, dice.choice(ODD_TEXTS): value[key]}
        return {**value, key: _changed(dice, value[key])}
    if isinstance(value, list) and value and dice.randrange(8):
        at = dice.randrange(len(value))
        if not dice.randrange(6):
            return value[:at] + value[at:] * dice.choice((0, 2, 25))
        return [*value[:at], _changed(dice, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and dice.randrange(3):
        return mutate_text(dice, value.encode("utf-8", "replace"), [value.encode("utf-8", "replace")]).decode()[:4000]
    if not dice.randrange(30):
        return json.loads("[" * 400 + "]" * 400)
    return dice.choice(ODD_VALUES)


def random_cbor(dice: Dice, depth: int = 0) -> bytes:
    """An item of CBOR, well formed or nearly: every major type, every tag that a decoder may act upon."""
    kind = dice.randrange(8) if depth < 6 else dice.choice((0, 1, 2, 3, 7))
    if kind == 6:
        tag = dice.choice(
            (0, 1, 2, 3, 4, 5, 16, 18, 24, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 55799, 2**33)
        )
        return _head(dice, 6, tag) + random_cbor(dice, depth + 1)
    if kind in (2, 3):
        body = dice.randbytes(dice.randrange(12))
        return _head(dice, kind, len(body)) + body
    if kind in (4, 5):
        count = dice.randrange(5)
        items = b"".join(random_cbor(dice, depth + 1) for _item in range(count * (kind - 3)))
        return _head(dice, kind, count) + items
    if kind == 7:
        return dice.choice(
            (b"\xf4", b"\xf6", b"\xf7", b"\xf9\x7e\x00", b"\xfb\x7f\xef" + b"\xff" * 6, b"\xff", b"\xf8\x20")
        )
    return _head(dice, kind, dice.choice((0, 1, 4, 7, 18, 23, 255, 65535, 2**31, 2**53, 2**63, 2**64 - 1)))


def _head(dice: Dice, major: int, value: int) -> bytes:
    """The first bytes of an item; one in forty tells another length, or none."""
    if not dice.randrange(40):
        value = dice.choice((min(value + 1, 2**64 - 1), 2**31, 2**62, 2**64 - 1))
    if major in (2, 3, 4, 5) and not dice.randrange(60):
        return bytes((major << 5 | 31,))
    if value < 24:
        return bytes((major << 5 | value,))
    for more, form in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if value < 1 << 8 * struct.calcsize(form):
            return bytes((major << 5 | more,)) + struct.pack(form, value)
    raise ValueError(value)


def mutate_zip(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
    """An archive whose parts are damaged, left out, doubled or renamed, and which is packed as it should be; or damaged itself."""
    if not dice.randrange(5):
        return mutate_bytes(dice, seed, others)
    with zipfile.ZipFile(io.BytesIO(seed)) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    for _round in range(_some(dice)):
        at = dice.randrange(len(parts))
        name, content = parts[at]
        match dice.randrange(10):
            case 0 if len(parts) > 1:
                del parts[at]
            case 1:
                parts[at] = (dice.choice((name + "x", parts[0][0], "content.xml", "xl/workbook.xml", "../x")), content)
            case 2:
                parts[at] = (name, mutate_bytes(dice, content, [content]))
            case _:
                parts[at] = (name, _mutate_markup(dice, content))
    return packed_zip(parts, dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def packed_zip(parts: Sequence[tuple[str, bytes]], how: int) -> bytes:
    """An archive without times, so that the same parts make the same bytes; of parts with one name the last counts."""
    packed, contents = io.BytesIO(), dict(parts)
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, how, 1)
    return packed.getvalue()


_VALUES = (
    b"", b"0", b"-1", b"1", b"A1", b"A0", b"ZZZZ9", b"A1048577", b"XFE1", b"99999999999999999999", b"1e400", b"NaN", b"s", b"d", b"b",
    b"e", b"inlineStr", b"str", b"n", b"1.5", b"2958466", b"-700000", b"2022-13-40", b"PT9999H", b"&x;", b"rId99", b"true",
)  # fmt: skip


def _mutate_markup(dice: Dice, content: bytes) -> bytes:
    """Values between quotation marks or between tags replaced, tags left out or doubled."""
    marks = [at for at, byte in enumerate(content) if byte in b'"><']
    if len(marks) < 4:
        return mutate_bytes(dice, content, [content])
    at = dice.randrange(len(marks) - 1)
    start, end = marks[at] + 1, marks[at + 1]
    if not dice.randrange(5):
        return content[:start] + content[start:end] * 2 + content[end:]
    if not dice.randrange(6):
        return content[: marks[at]] + content[end:]
    return content[:start] + dice.choice(_VALUES) + content[end:]


def mutate_png(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
    """A PNG whose chunks are changed and whose checksums are right; anything else is damaged as bytes."""
    if not seed.startswith(b"\x89PNG") or not dice.randrange(4):
        return mutate_bytes(dice, seed, others)
    chunks, at = [], 8
    while at + 12 <= len(seed):
        (size,) = struct.unpack(">I", seed[at : at + 4])
        chunks.append((seed[at + 4 : at + 8], seed[at + 8 : at + 8 + size]))
        at += 12 + size
    for _round in range(_some(dice)):
        which = dice.randrange(len(chunks))
        kind, body = chunks[which]
        match dice.randrange(5):
            case 0:
                chunks.insert(which, dice.choice(chunks))
            case 1 if len(chunks) > 1:
                del chunks[which]
            case 2:
                kinds = (
                    b"tRNS",
                    b"PLTE",
                    b"eXIf",
                    b"iCCP",
                    b"zTXt",
                    b"iTXt",
                    b"pHYs",
                    b"cHRM",
                    b"acTL",
                    b"fcTL",
                    b"fdAT",
                    b"gAMA",
                )
                chunks.insert(which, (dice.choice(kinds), dice.randbytes(dice.randrange(40))))
            case 3 if kind == b"IDAT":
                chunks[which] = (kind, zlib.compress(mutate_bytes(dice, bytes(64), [body]), 1))
            case _:
                chunks[which] = (kind, mutate_bytes(dice, body, [body]))
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return seed[:8] + b"".join(packed)
