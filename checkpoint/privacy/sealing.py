"""Personal text sealed at rest: AES-256-GCM, bound to the table, column and row it belongs to.

Layout of a sealed value: 1 byte key id, 12 bytes nonce, ciphertext with its 16-byte tag. The associated data is
`table|column|row id`, so that a value copied to another row or column does not open.
"""

import hashlib
import hmac
import os
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, overload

from flask import current_app

from checkpoint.privacy.keyring import Keyring, fresh

Watcher = Callable[[str, str, uuid.UUID, str], None]
watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())
"""Who is told of each text that is opened in this context: table, column, row and the text itself. Every page that shows a person has to
open their name, masked or not, so this is the one place at which it can be counted whom somebody is shown."""


class SealBroken(ValueError):
    """A sealed value does not open: wrong key, wrong row, or altered bytes."""


def keyring() -> Keyring:
    """The keys of the running application, as their files are now."""
    ring: Keyring = fresh(current_app.extensions["keyring"])
    current_app.extensions["keyring"] = ring
    return ring


def seal_bytes(ring: Keyring, content: bytes, table: str, column: str, row: uuid.UUID) -> bytes:
    """Seal `content` for one column of one row."""
    nonce = os.urandom(12)
    sealed = ring.cipher(ring.sealing_current).encrypt(nonce, content, _bound(table, column, row))
    return bytes((ring.sealing_current,)) + nonce + sealed


def unseal_bytes(ring: Keyring, sealed: bytes, table: str, column: str, row: uuid.UUID) -> bytes:
    """Open a sealed value; raises SealBroken if it does not belong to this column and row."""
    try:
        return ring.cipher(sealed[0]).decrypt(sealed[1:13], sealed[13:], _bound(table, column, row))
    except Exception as error:
        raise SealBroken(SealBroken.__doc__) from error


def _bound(table: str, column: str, row: uuid.UUID) -> bytes:
    return f"{table}|{column}|{row.hex}".encode()


def seal(ring: Keyring, text: str, table: str, column: str, row: uuid.UUID) -> bytes:
    """Seal `text` for one column of one row."""
    return seal_bytes(ring, text.encode(), table, column, row)


def unseal(ring: Keyring, sealed: bytes, table: str, column: str, row: uuid.UUID) -> str:
    """Open a sealed value; raises SealBroken if it does not belong to this column and row."""
    try:
        text = unseal_bytes(ring, sealed, table, column, row).decode()
    except UnicodeDecodeError as error:
        raise SealBroken(SealBroken.__doc__) from error
    for watch in watchers.get():
        watch(table, column, row, text)
    return text


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
