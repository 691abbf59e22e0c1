"""What is hashed in the audit chain, and how. Pure.

The tags are HMAC-SHA256 (RFC 2104) under keys that are derived from one secret outside the database, so that whoever can write
to the database cannot make an entry or a seal that holds.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NONCE_BYTES, TAG_BYTES = 8, 16
FIRST = bytes(32)  # stands for the seal before the first


@dataclass(frozen=True, slots=True)
class Entry:
    """The content of one act, as it was stored; `at` is an instant."""

    at: datetime
    actor_kind: str
    actor_id: str | None
    act: str
    object_type: str | None
    object_id: str | None
    purpose: str | None
    data: dict[str, Any] | None

    def canonical(self) -> bytes:
        """The same bytes from either database: JSON with sorted keys, the time in UTC to the microsecond."""
        content = [
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.actor_kind,
            self.actor_id,
            self.act,
            self.object_type,
            self.object_id,
            self.purpose,
            self.data,
        ]
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class SealContent:
    """What a seal's hash covers, besides the seal before it."""

    number: int
    first_id: int
    last_id: int
    count: int
    is_old: bool
    root: bytes


def stamp(key: bytes, entry: Entry, nonce: bytes | None = None) -> bytes:
    """Nonce and tag that show that the application wrote the entry."""
    nonce = nonce or secrets.token_bytes(NONCE_BYTES)
    return nonce + _tag(key, b"entry", nonce + entry.canonical())[:TAG_BYTES]


def stamp_holds(key: bytes, entry: Entry, given: object) -> bool:
    """Whether a stamp belongs to this content; whatever else stands in the column does not hold."""
    if not isinstance(given, bytes) or len(given) != NONCE_BYTES + TAG_BYTES:
        return False
    return hmac.compare_digest(stamp(key, entry, given[:NONCE_BYTES]), given)


def digest(entry_id: int, entry: Entry, given: bytes | None) -> bytes:
    """SHA-256 of a row as it stands: id, stamp and content."""
    return hashlib.sha256(b"%d|" % entry_id + (given or b"") + b"|" + entry.canonical()).digest()


def root_of(digests: Iterable[bytes]) -> bytes:
    """SHA-256 over the digests of a batch, in order of the entries' ids."""
    whole = hashlib.sha256()
    for one in digests:
        whole.update(one)
    return whole.digest()


def seal_hash(key: bytes, previous: bytes, seal: SealContent) -> bytes:
    """The keyed hash of a seal; `previous` is the hash of the one before, FIRST for the first."""
    numbers = b"%d|%d|%d|%d|%d|" % (seal.number, seal.first_id, seal.last_id, seal.count, seal.is_old)
    return _tag(key, b"seal", previous + numbers + seal.root)


def _tag(key: bytes, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(key, purpose + b"|" + content, "sha256")
