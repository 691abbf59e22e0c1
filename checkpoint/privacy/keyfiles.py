"""The folder CHECKPOINT_DATA/keys: every document in it is sealed under one master key, which need not lie there itself.

The master key is 32 bytes in base64 or hex: `CHECKPOINT_KEY`, or else `keys/master.key`, made at the first start. `CHECKPOINT_KEY` may
name several, separated by commas: the first one seals, the others only open, so that a new master takes over at the next start.
Documents that were written before there was a master key, or under another one that still opens, are sealed anew at the start.
"""

import fcntl
import hashlib
import json
import os
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checkpoint.errors import ConfigurationError

MASTER_FILE = "master.key"
_BYTES = 32
_NONCE = 12

KeyDocument = dict[str, object]


class KeysUnreadable(ConfigurationError):
    """The key files do not open. Give the master key under which they were sealed, in CHECKPOINT_KEY or as keys/master.key."""


def read_master_keys(text: str) -> tuple[bytes, ...]:
    """The master keys that `CHECKPOINT_KEY` names, none if it is empty. Raises ConfigurationError."""
    return tuple(_master_key(part.strip()) for part in text.split(",") if part.strip())


def _master_key(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * _BYTES else b64decode(text, validate=True)
    except (ValueError, Base64Error):
        raw = b""
    if len(raw) != _BYTES:
        raise ConfigurationError(
            "CHECKPOINT_KEY must be 32 bytes in base64 or hex, as `openssl rand -base64 32` makes them."
        )
    return raw


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Two processes of one first start must not make two sets of keys, nor two commands change one file."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_private(path: Path, content: bytes) -> None:
    """A file that is whole or not there at all, on disk when this returns, readable by nobody else."""
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    above = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(above)
    finally:
        os.close(above)


@dataclass(frozen=True, slots=True)
class Masters:
    """The master keys of a folder; the first one seals. `given` says that they came from the environment."""

    keys: tuple[bytes, ...]
    given: bool

    def wrap(self, name: str, document: Mapping[str, object]) -> bytes:
        """A key document as its file holds it, bound to the file's name."""
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self.keys[0]).encrypt(nonce, json.dumps(document).encode(), _bound(name))
        return json.dumps({"master": _fingerprint(self.keys[0]), "sealed": b64encode(nonce + sealed).decode()}).encode()

    def unwrap(self, name: str, content: bytes) -> tuple[KeyDocument, bool]:
        """A key document, and whether it is sealed under the first master key. Raises KeysUnreadable."""
        try:
            outer = json.loads(content)
            if not isinstance(outer, dict):
                raise TypeError
            if "sealed" not in outer:
                return outer, False  # of a start before there were master keys
            raw = b64decode(str(outer["sealed"]))
        except (ValueError, TypeError) as error:
            raise KeysUnreadable(f"The key file {name} is damaged.") from error
        for key in self.keys:
            try:
                opened: KeyDocument = json.loads(AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(name)))
            except (InvalidTag, ValueError):
                continue
            return opened, key == self.keys[0]
        raise KeysUnreadable


def _bound(name: str) -> bytes:
    return b"checkpoint key file|" + name.encode()


def _fingerprint(key: bytes) -> str:
    """Eight digits by which an operator tells master keys apart; of a random key they give nothing away."""
    return hashlib.sha256(b"checkpoint master key" + key).hexdigest()[:8]


def masters_of(folder: Path, given: Sequence[bytes] | None = None) -> Masters:
    """The master keys for a folder of keys: those given, else of the environment, else of the file, made now if there is none.

    The caller holds the folder's lock.
    """
    named = tuple(read_master_keys(os.environ.get("CHECKPOINT_KEY", "")) if given is None else given)
    path = folder / MASTER_FILE
    if not named and not path.exists():
        write_private(path, b64encode(secrets.token_bytes(_BYTES)) + b"\n")
    filed = read_master_keys(path.read_text()) if path.exists() else ()
    return Masters((*named, *(key for key in filed if key not in named)), bool(named))


def adopt(folder: Path, masters: Masters) -> None:
    """Seal anew, under the first master key, every document that is not; then the file of a master key that was given is removed.

    The caller holds the folder's lock. All documents are opened before the first is written.
    """
    opened = {path: masters.unwrap(path.name, path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    for path, (document, is_current) in opened.items():
        if not is_current:
            write_private(path, masters.wrap(path.name, document))
    if masters.given:
        (folder / MASTER_FILE).unlink(missing_ok=True)


def read_document(path: Path, masters: Masters, make: Callable[[], KeyDocument]) -> KeyDocument:
    """Read a key document, making it first if it is missing. The caller holds the folder's lock."""
    if not path.exists():
        write_private(path, masters.wrap(path.name, make()))
    return masters.unwrap(path.name, path.read_bytes())[0]


def sealed_documents(folder: Path) -> dict[str, bytes]:
    """The key files as they lie there, by name, all of one moment; useless without the master key."""
    with locked(folder):
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}


def master_text(folder: Path, given: Sequence[bytes]) -> bytes:
    """The master key that seals now, as keys/master.key holds it."""
    with locked(folder):
        return b64encode(masters_of(folder, given).keys[0]) + b"\n"


def put_documents(
    folder: Path, documents: Mapping[str, bytes], aside: str, given: Sequence[bytes], master: bytes | None
) -> None:
    """Let the key files of another time take the place of those here, which are kept in the folder `aside`.

    They must open with a master key that was given, that lies here, or that comes with them as `master`; otherwise nothing is
    changed. Raises KeysUnreadable.
    """
    with locked(folder):
        known = masters_of(folder, given)
        carried = read_master_keys(master.decode()) if master is not None else ()
        masters = Masters((*known.keys, *(key for key in carried if key not in known.keys)), known.given)
        opened = {name: masters.unwrap(name, content)[0] for name, content in documents.items()}
        kept = folder / aside
        kept.mkdir(mode=0o700)
        for path in [*folder.glob("*.json"), *folder.glob(MASTER_FILE)]:
            write_private(kept / path.name, path.read_bytes())
        for path in folder.glob("*.json"):
            path.unlink()
        for name, document in opened.items():
            write_private(folder / name, masters.wrap(name, document))
