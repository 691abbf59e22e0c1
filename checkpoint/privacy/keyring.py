"""Keys, made at the first start and kept in CHECKPOINT_DATA/keys, outside the repository and the database, under a master key.

`sealing.json` holds the keys that seal personal fields and the key of the look-up hashes; `passes.json` the ES256 keys that
sign passes; `carried.json` the P-256 keys to which tablets seal what they carry; `session.json` the secret of cookies.
Every key has an identifier, so that a new one can be made while the old one is still read. A process that is already running sees
a new sealing key at its next use: `fresh` looks at the file's time, which costs a microsecond.
"""

import logging
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from checkpoint.privacy.keyfiles import (
    KeyDocument,
    KeysUnreadable,
    Masters,
    adopt,
    locked,
    masters_of,
    read_document,
    write_private,
)

SEALING = "sealing.json"
LAST_ID = 255  # a sealed value names its key in one byte


@dataclass(frozen=True)
class Keyring:
    """Everything secret that the running system holds in memory.

    `sealing` maps a key id (1 to 255) to AES-256-GCM; `signing` maps a pass key id (2 bytes) to its private key; `carried`
    maps the id (2 bytes) of a key that tablets seal to. `made` tells since when a sealing key exists, where that is known;
    `current_since` since when the current one seals. `stamp` is the state of the file that they were read from.
    """

    sealing: dict[int, AESGCM]
    sealing_current: int
    lookup: bytes = field(repr=False)
    signing: dict[bytes, EllipticCurvePrivateKey]
    signing_current: bytes
    carried: dict[bytes, EllipticCurvePrivateKey]
    carried_current: bytes
    session: str = field(repr=False)
    folder: Path
    stamp: tuple[int, int]
    made: dict[int, datetime]
    current_since: datetime | None

    def cipher(self, number: int) -> AESGCM:
        """The sealing key of an id, also one that was made after this ring was read. Raises KeyError."""
        found = self.sealing.get(number)
        return fresh(self).sealing[number] if found is None else found


class NoRoomForKeys(ValueError):
    """All 255 ids of sealing keys have been used."""


_log = logging.getLogger(__name__)

_masters: dict[Path, Masters] = {}
_rings: dict[Path, Keyring] = {}


def _new_sealing() -> KeyDocument:
    return {"current": 1, "keys": {"1": _new_key()}, "lookup": _new_key()}


def _new_key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


def _new_pair() -> KeyDocument:
    key = generate_private_key(SECP256R1())
    kid = secrets.token_hex(2)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"current": kid, "keys": {kid: pem}}


def _opened(folder: Path) -> Masters:
    """The master keys with which this process opened the folder, else those of its environment. The caller holds the lock."""
    found = _masters.get(folder)
    if found is None:
        found = _masters[folder] = masters_of(folder)
    return found


def key_document(data: Path, name: str, make: Callable[[], KeyDocument]) -> KeyDocument:
    """One further key file of this instance, made now if there is none; for a key that only one room needs."""
    folder = data / "keys"
    with locked(folder):
        return read_document(folder / name, _opened(folder), make)


def load_keyring(data: Path, master_keys: Sequence[bytes] | None = None) -> Keyring:
    """The keys of this instance, made now if there are none; sealed anew where the master key has changed.

    `master_keys` are those of CHECKPOINT_KEY, read from the environment unless given. Raises KeysUnreadable.
    """
    folder = data / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder):
        masters = _masters[folder] = masters_of(folder, master_keys)
        adopt(folder, masters)
        return _read(folder, masters)


def fresh(ring: Keyring) -> Keyring:
    """The ring itself, or what its files hold now if a command has changed them.

    Where they cannot be read any more (a start with a new master key has taken them over) this process goes on with what it has.
    """
    try:
        stamp = _stamp(ring.folder)
        if stamp == ring.stamp:
            return ring
        known = _rings.get(ring.folder)
        if known is None or known.stamp != stamp:
            with locked(ring.folder):
                known = _rings[ring.folder] = _read(ring.folder, _opened(ring.folder))
    except OSError:
        return ring
    except KeysUnreadable:
        _log.warning("the key files have another master key now; this process must be started again")
        known = _rings[ring.folder] = replace(ring, stamp=stamp)
    return known


def _stamp(folder: Path) -> tuple[int, int]:
    found = os.stat(folder / SEALING)
    return found.st_mtime_ns, found.st_ino


def _read(folder: Path, masters: Masters) -> Keyring:
    sealing = read_document(folder / SEALING, masters, _new_sealing)
    signing = read_document(folder / "passes.json", masters, _new_pair)
    carried = read_document(folder / "carried.json", masters, _new_pair)
    session = read_document(folder / "session.json", masters, lambda: {"secret": secrets.token_urlsafe(48)})
    since = sealing.get("current_since")
    return Keyring(
        sealing={int(number): AESGCM(b64decode(str(raw))) for number, raw in _part(sealing, "keys").items()},
        sealing_current=int(str(sealing["current"])),
        lookup=b64decode(str(sealing["lookup"])),
        signing=_pairs(signing),
        signing_current=bytes.fromhex(str(signing["current"])),
        carried=_pairs(carried),
        carried_current=bytes.fromhex(str(carried["current"])),
        session=str(session["secret"]),
        folder=folder,
        stamp=_stamp(folder),
        made={int(number): datetime.fromisoformat(str(at)) for number, at in _part(sealing, "made").items()},
        current_since=None if since is None else datetime.fromisoformat(str(since)),
    )


def _part(document: KeyDocument, name: str) -> dict[str, object]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise TypeError(f"A key file is damaged: {name!r} is not an object.")
    return found


def _change(ring: Keyring, change: Callable[[KeyDocument], None]) -> Keyring:
    """Change the document of the sealing keys; every process sees it at its next use."""
    with locked(ring.folder):
        masters = _opened(ring.folder)
        document = read_document(ring.folder / SEALING, masters, _new_sealing)
        change(document)
        write_private(ring.folder / SEALING, masters.wrap(SEALING, document))
        _rings[ring.folder] = found = _read(ring.folder, masters)
    return found


def add_sealing_key(ring: Keyring, at: datetime) -> tuple[Keyring, int]:
    """Add a sealing key that does not seal yet; its id is one that was never used. Raises NoRoomForKeys."""
    added: list[int] = []

    def change(document: KeyDocument) -> None:
        keys, made = _part(document, "keys"), _part(document, "made")
        number = max(int(str(document.get("last", 0))), *map(int, keys)) + 1
        if number > LAST_ID:
            raise NoRoomForKeys(NoRoomForKeys.__doc__)
        keys[str(number)] = _new_key()
        made[str(number)] = at.isoformat()
        document.update(keys=keys, made=made, last=number)
        added.append(number)

    return _change(ring, change), added[0]


def use_sealing_key(ring: Keyring, number: int, at: datetime) -> Keyring:
    """Seal with another key from now on. Raises KeyError if there is none of this id."""

    def change(document: KeyDocument) -> None:
        if str(number) not in _part(document, "keys"):
            raise KeyError(number)
        if int(str(document["current"])) != number:
            document.update(current=number, current_since=at.isoformat())

    return _change(ring, change)


def drop_sealing_key(ring: Keyring, number: int) -> Keyring:
    """Forget a sealing key for good. Raises KeyError if there is none of this id or it is the current one."""

    def change(document: KeyDocument) -> None:
        keys, made = _part(document, "keys"), _part(document, "made")
        if int(str(document["current"])) == number:
            raise KeyError(number)
        document["last"] = max(int(str(document.get("last", 0))), *map(int, keys))
        del keys[str(number)]
        made.pop(str(number), None)
        document.update(keys=keys, made=made)

    return _change(ring, change)


def _pairs(document: KeyDocument) -> dict[bytes, EllipticCurvePrivateKey]:
    return {bytes.fromhex(kid): _private(str(pem)) for kid, pem in _part(document, "keys").items()}


def _private(pem: str) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("A key of the key files is not an elliptic-curve key.")
    return key
