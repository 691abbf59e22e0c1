"""Keys, made at the first start and kept in CHECKPOINT_DATA/keys, outside the repository and the database.

`sealing.json` holds the keys that seal personal fields and the key of the look-up hashes; `passes.json` the ES256 keys that
sign passes; `carried.json` the P-256 keys to which tablets seal what they carry; `session.json` the secret of cookies.
Every key has an identifier, so that a new one can be made while the old one is still read.
"""

import fcntl
import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True)
class Keyring:
    """Everything secret that the running system holds in memory.

    `sealing` maps a key id (1 to 255) to AES-256-GCM; `signing` maps a pass key id (2 bytes) to its private key; `carried`
    maps the id (2 bytes) of a key that tablets seal to.
    """

    sealing: dict[int, AESGCM]
    sealing_current: int
    lookup: bytes
    signing: dict[bytes, EllipticCurvePrivateKey]
    signing_current: bytes
    carried: dict[bytes, EllipticCurvePrivateKey]
    carried_current: bytes
    session: str = field(repr=False)


def _new_sealing() -> dict[str, object]:
    return {"current": 1, "keys": {"1": _b64(secrets.token_bytes(32))}, "lookup": _b64(secrets.token_bytes(32))}


def _new_pair() -> dict[str, object]:
    key = generate_private_key(SECP256R1())
    kid = secrets.token_hex(2)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"current": kid, "keys": {kid: pem}}


def _b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _document(path: Path, make: Callable[[], dict[str, object]]) -> dict[str, object]:
    """Read a key file, making it first if it is missing. The caller holds the folder's lock."""
    if not path.exists():
        temporary = path.with_suffix(".new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(make(), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    loaded: dict[str, object] = json.loads(path.read_text())
    return loaded


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two processes of one first start must not make two sets of keys."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def key_document(data: Path, name: str, make: Callable[[], dict[str, object]]) -> dict[str, object]:
    """One further key file of this instance, made now if there is none; for a key that only one room needs."""
    folder = data / "keys"
    with _locked(folder):
        return _document(folder / name, make)


def load_keyring(data: Path) -> Keyring:
    """The keys of this instance, made now if there are none."""
    folder = data / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder):
        sealing = _document(folder / "sealing.json", _new_sealing)
        signing = _document(folder / "passes.json", _new_pair)
        carried = _document(folder / "carried.json", _new_pair)
        session = _document(folder / "session.json", lambda: {"secret": secrets.token_urlsafe(48)})
    sealing_keys = sealing["keys"]
    if not isinstance(sealing_keys, dict):
        raise TypeError(f"The key files in {folder} are damaged: 'keys' is not an object.")
    return Keyring(
        sealing={int(number): AESGCM(b64decode(raw)) for number, raw in sealing_keys.items()},
        sealing_current=int(str(sealing["current"])),
        lookup=b64decode(str(sealing["lookup"])),
        signing=_pairs(signing, folder),
        signing_current=bytes.fromhex(str(signing["current"])),
        carried=_pairs(carried, folder),
        carried_current=bytes.fromhex(str(carried["current"])),
        session=str(session["secret"]),
    )


def _pairs(document: dict[str, object], folder: Path) -> dict[bytes, EllipticCurvePrivateKey]:
    keys = document["keys"]
    if not isinstance(keys, dict):
        raise TypeError(f"The key files in {folder} are damaged: 'keys' is not an object.")
    return {bytes.fromhex(kid): _private(pem) for kid, pem in keys.items()}


def _private(pem: str) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("A key of the key files is not an elliptic-curve key.")
    return key
