"""Pictures that strangers send: looked at by content and not by name, made anew, and sealed at rest.

What is stored is never what was sent: the picture is decoded, turned upright, made smaller and written again as a JPEG without
metadata (no place, no camera, nothing hidden behind the end of the file).
"""

import io
import struct
import uuid
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from checkpoint.privacy.keyring import Keyring
from checkpoint.privacy.sealing import seal_bytes, unseal_bytes

MAX_BYTES = 8 * 1024 * 1024  # as sent
MAX_PIXELS = 50_000_000  # as it claims to be: checked before it is decoded
LONGEST_SIDE = 1600
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")
MIMETYPE = "image/jpeg"
# What Pillow raises over broken files: besides its own errors those of whatever its readers do with bytes that are not there.
UNREADABLE = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, struct.error)


class UnfitPicture(ValueError):
    """Not a picture that can be kept; `problem` is empty, too_large, unreadable or too_many_pixels."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def clean_picture(raw: bytes, *, longest_side: int = LONGEST_SIDE) -> bytes:
    """A JPEG made anew from `raw` (JPEG, PNG or WebP); raises UnfitPicture."""
    if not raw:
        raise UnfitPicture("empty")
    if len(raw) > MAX_BYTES:
        raise UnfitPicture("too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise UnfitPicture("too_many_pixels")
                picture.draft("RGB", (longest_side, longest_side))  # a large JPEG is decoded small
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((longest_side, longest_side))
                return _written(_opaque(upright))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnfitPicture("too_many_pixels") from error
    except UNREADABLE as error:
        if isinstance(error, UnfitPicture):
            raise
        raise UnfitPicture("unreadable") from error


def _opaque(picture: Image.Image) -> Image.Image:
    """On white, where the picture is see-through."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        shown = picture.convert("RGBA")
        ground = Image.new("RGB", shown.size, "white")
        ground.paste(shown, mask=shown.getchannel("A"))
        return ground
    return picture.convert("RGB")


def _written(picture: Image.Image) -> bytes:
    plain = Image.new("RGB", picture.size)
    plain.paste(picture)  # pixels only: nothing of the file's own notes is carried over
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def seal_picture(ring: Keyring, picture: bytes, table: str, column: str, row: uuid.UUID) -> bytes:
    """Seal a picture for one column of one row, in the layout of sealed texts."""
    return seal_bytes(ring, picture, table, column, row)


def open_picture(ring: Keyring, sealed: bytes, table: str, column: str, row: uuid.UUID) -> bytes:
    """Open a sealed picture; raises SealBroken if it does not belong to this column and row."""
    return unseal_bytes(ring, sealed, table, column, row)
