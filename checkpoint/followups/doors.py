"""The poster at the door of a village or community: a signed link to its division. Who scans it there has arrived there."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

from checkpoint.privacy import Keyring, same, secret_tag

_TAG = 8
_CODE = 12
_PURPOSE = "door"


def door_handle(ring: Keyring, division_code: str) -> str:
    """The handle of /a/<handle>: the 12-digit code and a keyed tag."""
    raw = division_code.encode()
    return urlsafe_b64encode(raw + secret_tag(ring, _PURPOSE, raw, _TAG)).decode().rstrip("=")


def open_door(ring: Keyring, handle: str) -> str | None:
    """The division that a handle stands for, or None if we did not make it."""
    try:
        raw = urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
    except (Base64Error, ValueError):
        return None
    if len(raw) != _CODE + _TAG or not same(raw[_CODE:], secret_tag(ring, _PURPOSE, raw[:_CODE], _TAG)):
        return None
    return raw[:_CODE].decode()
