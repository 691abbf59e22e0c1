"""What a tablet sends as the photo of a visit: a JPEG of at most 200 KB, made anew before it is kept."""

from checkpoint.errors import InvalidInput
from checkpoint.privacy.pictures import UnfitPicture, clean_picture
from checkpoint.words import _

MAX_BYTES = 200 * 1024  # what a tablet makes of its camera's picture before it sends it
LONGEST_SIDE = 1280
_JPEG = b"\xff\xd8\xff"


def checked(raw: bytes) -> bytes:
    """The photo made anew as a JPEG; InvalidInput (field `photo`) for what is no JPEG, too large, damaged or of too many pixels."""
    if len(raw) > MAX_BYTES:
        raise InvalidInput.one("photo", "too_large", _("The photo is larger than 200 KB."))
    if not raw.startswith(_JPEG):
        raise InvalidInput.one("photo", "format", _("The photo is not a JPEG picture."))
    try:
        return clean_picture(raw, longest_side=LONGEST_SIDE)
    except UnfitPicture as error:
        raise InvalidInput.one("photo", error.problem, _("The photo cannot be read.")) from error
