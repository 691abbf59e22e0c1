"""A company's own link: `/companies/application/<handle>` shows how its registration stands. Only the newest that was given out opens."""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

from checkpoint.privacy import Keyring, same, secret_tag

_PURPOSE = "company"
_ID, _TAG = 16, 12


def _tag(ring: Keyring, company_id: uuid.UUID, epoch: int) -> bytes:
    return secret_tag(ring, _PURPOSE, company_id.bytes + epoch.to_bytes(2, "big"), _TAG)


def link_handle(ring: Keyring, company_id: uuid.UUID, epoch: int) -> str:
    """The handle: the company's id and a keyed tag over it and the number of the link."""
    return urlsafe_b64encode(company_id.bytes + _tag(ring, company_id, epoch)).decode().rstrip("=")


def named_by(handle: str) -> tuple[uuid.UUID, bytes] | None:
    """The id and the tag of a handle; None for what cannot be one. The tag is not checked yet: that needs the company's row."""
    try:
        raw = urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
    except (Base64Error, ValueError):
        return None
    return (uuid.UUID(bytes=raw[:_ID]), raw[_ID:]) if len(raw) == _ID + _TAG else None


def opens(ring: Keyring, company_id: uuid.UUID, epoch: int, tag: bytes) -> bool:
    """Whether a tag belongs to the newest link of a company."""
    return same(tag, _tag(ring, company_id, epoch))
