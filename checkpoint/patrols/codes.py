"""The code on a point: `CPP1:<id>.<tag>`, in capitals and digits, so that it prints large and survives a hand scanner.

The tag is keyed: without the instance's keys nobody can print a code that counts, or stand at home with one made up.
"""

import hashlib
import re
import uuid
from base64 import urlsafe_b64encode

from checkpoint.privacy import Keyring, same, secret_tag

PREFIX = "CPP1:"
_TAG_BYTES = 10
_CODE = re.compile(r"CPP1:([0-9A-F]{32})\.([0-9A-F]{20})")


def code_of(ring: Keyring, point_id: uuid.UUID) -> str:
    """The text of a point's QR code."""
    return f"{PREFIX}{point_id.hex.upper()}.{_tag(ring, point_id).hex().upper()}"


def read_code(ring: Keyring, text: str) -> uuid.UUID | None:
    """The point that a code stands for; None for anything that this instance has not issued."""
    match = _CODE.fullmatch(text.strip().upper())
    if match is None:
        return None
    point_id = uuid.UUID(hex=match[1])
    return point_id if same(bytes.fromhex(match[2]), _tag(ring, point_id)) else None


def fingerprint(code: str) -> str:
    """By what a tablet knows a point's code again without holding it: a stolen tablet prints no codes."""
    return urlsafe_b64encode(hashlib.sha256(code.encode()).digest()).decode().rstrip("=")


def _tag(ring: Keyring, point_id: uuid.UUID) -> bytes:
    return secret_tag(ring, "patrol point", point_id.bytes, _TAG_BYTES)
