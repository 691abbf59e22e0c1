"""What strangers send as a picture, and what is left of it."""

import io
import struct
import zlib

import pytest
from PIL import Image

from checkpoint.privacy import pictures
from checkpoint.privacy.pictures import UnfitPicture, clean_picture


def image(width: int = 40, height: int = 30, kind: str = "JPEG", mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), 128 if mode in ("L", "P") else None).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("WEBP", "RGB")],
)
def test_every_picture_becomes_a_plain_jpeg(kind: str, mode: str) -> None:
    with Image.open(io.BytesIO(clean_picture(image(kind=kind, mode=mode)))) as made:
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (40, 30))


def test_nothing_is_carried_over_but_pixels() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    exif[0x0112] = 6  # lying on its side
    made = clean_picture(image(40, 20, exif=exif, comment=b"secret comment") + b"<script>secret tail</script>")
    assert b"secret" not in made
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.size == (20, 40)  # upright
        assert dict(opened.getexif()) == {}


def test_a_large_one_is_made_smaller() -> None:
    with Image.open(io.BytesIO(clean_picture(image(3000, 1500)))) as made:
        assert made.size == (1600, 800)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One piece of a PNG, with its check sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more piece behind its head."""
    plain = image(kind="PNG")
    return plain[:33] + chunk(kind, data) + plain[33:]


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "empty"),
        (b"GIF89a not that", "unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
        (image()[:200], "unreadable"),
        (image(kind="PNG")[:60], "unreadable"),
        (image(kind="GIF"), "unreadable"),
        (with_chunk(b"iCCP", b"name\0"), "unreadable"),  # ends before what it says of itself
        (with_chunk(b"eXIf", b"MM\0*\0"), "unreadable"),
        (bomb(60_000, 60_000), "too_many_pixels"),
        (bomb(8_000, 8_000), "too_many_pixels"),
    ],
)
def test_what_is_not_kept(raw: bytes, problem: str) -> None:
    with pytest.raises(UnfitPicture) as refused:
        clean_picture(raw)
    assert refused.value.problem == problem


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)
    with pytest.raises(UnfitPicture) as refused:
        clean_picture(image())
    assert refused.value.problem == "too_large"
