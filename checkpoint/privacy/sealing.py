"""Personal text sealed at rest: AES-256-GCM, bound to the table, column and row it belongs to.

Layout of a sealed value: 1 byte key id, 12 bytes nonce, ciphertext with its 16-byte tag. The associated data is
`table|column|row id`, so that a value copied to another row or column does not open.
"""

import hashlib
import hmac
import os
import uuid
from typing import Any, overload

from flask import current_app

from checkpoint.privacy.keyring import Keyring


class SealBroken(ValueError):
    """A sealed value does not open: wrong key, wrong row, or altered bytes."""


def keyring() -> Keyring:
    """The keys of the running application."""
    ring: Keyring = current_app.extensions["keyring"]
    return ring


def seal(ring: Keyring, text: str, table: str, column: str, row: uuid.UUID) -> bytes:
    """Seal `text` for one column of one row."""
    nonce = os.urandom(12)
    aad = f"{table}|{column}|{row.hex}".encode()
    sealed = ring.sealing[ring.sealing_current].encrypt(nonce, text.encode(), aad)
    return bytes((ring.sealing_current,)) + nonce + sealed


def unseal(ring: Keyring, sealed: bytes, table: str, column: str, row: uuid.UUID) -> str:
    """Open a sealed value; raises SealBroken if it does not belong to this column and row."""
    aad = f"{table}|{column}|{row.hex}".encode()
    try:
        return ring.sealing[sealed[0]].decrypt(sealed[1:13], sealed[13:], aad).decode()
    except Exception as error:
        raise SealBroken(SealBroken.__doc__) from error


def lookup_hash(ring: Keyring, kind: str, value: str) -> bytes:
    """16 bytes by which a document or phone is found without being readable: keyed BLAKE2b over `kind:value`."""
    return hashlib.blake2b(f"{kind}:{value}".encode(), key=ring.lookup, digest_size=16).digest()


def secret_tag(ring: Keyring, purpose: str, value: bytes, size: int = 12) -> bytes:
    """A keyed tag that proves that this instance issued `value` for `purpose` (capability links, short hashes)."""
    return hashlib.blake2b(value, key=ring.lookup, digest_size=size, person=purpose.encode()[:16]).digest()


def same(left: bytes, right: bytes) -> bool:
    """Compare two secrets without telling by time where they differ."""
    return hmac.compare_digest(left, right)


class Sealed:
    """A text attribute whose value is sealed in the column `<name>_sealed`; the model has a UUID `id` and a `__tablename__`.

    >>> class Traveller(Base): name_sealed: Mapped[bytes]; name = Sealed()
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.column = f"{name}_sealed"

    @overload
    def __get__(self, row: None, owner: type) -> "Sealed": ...
    @overload
    def __get__(self, row: Any, owner: type) -> str | None: ...
    def __get__(self, row: Any, owner: type) -> "Sealed | str | None":
        if row is None:
            return self
        sealed = getattr(row, self.column)
        return None if sealed is None else unseal(keyring(), sealed, row.__tablename__, self.name, row.id)

    def __set__(self, row: Any, value: str | None) -> None:
        if value is not None and row.id is None:
            raise ValueError("give the row its id before its sealed values: they are bound to it")
        sealed = None if value is None else seal(keyring(), value, row.__tablename__, self.name, row.id)
        setattr(row, self.column, sealed)
