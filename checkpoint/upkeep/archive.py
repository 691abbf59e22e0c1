"""The file of a backup: a tar of small members inside an age file, so that `age` and `tar` open it as well in twenty years.

Whoever holds one of the recipients' keys opens it. With a passphrase, a first line holds a key that was made for this file only,
sealed under the passphrase (an age file of its own, in base64), and the age file begins behind it. age authenticates every chunk, its
place and the end (https://age-encryption.org/v1), so a backup that was cut, altered or put together anew does not read.
"""

import io
import os
import tarfile
import threading
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyrage

from checkpoint.errors import CheckpointError

FIRST_LINE = b"checkpoint backup 1 "
_LONGEST_LINE = 4096
_MODE = 0o600

Member = tuple[str, bytes]


class BackupUnreadable(CheckpointError):
    """This backup does not open: it was cut short or altered, or it is not a backup."""


class WrongBackupKey(CheckpointError):
    """This backup does not open with that key or passphrase."""


class BackupFailed(CheckpointError):
    """The backup could not be written; nothing was left behind."""


@dataclass(frozen=True, slots=True)
class Opener:
    """What opens a backup: age identities (`AGE-SECRET-KEY-1…`), a passphrase, or both."""

    identities: tuple[str, ...] = field(default=(), repr=False)
    passphrase: str | None = field(default=None, repr=False)


def new_identity() -> tuple[str, str]:
    """A new age key: the secret identity, and the recipient that may be known to everybody."""
    made = pyrage.x25519.Identity.generate()
    return str(made), str(made.to_public())


def is_recipient(text: str) -> bool:
    """Whether a text is an age recipient."""
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


class _Tar(io.RawIOBase):
    """The bytes of a tar, made as they are asked for; `failed` is what went wrong while making them."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = iter(members)
        self.made = bytearray()
        self._into = _Into(self)
        self._tar: tarfile.TarFile | None = tarfile.open(mode="w|", fileobj=self._into, format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed at its end
        self.failed: BaseException | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            while self._tar is not None and (size < 0 or len(self.made) < size):
                self._go_on(self._tar)
        except BaseException as error:
            self.failed = error
            raise
        taken = bytes(self.made if size < 0 else self.made[:size])
        del self.made[: len(taken)]
        return taken

    def _go_on(self, tar: tarfile.TarFile) -> None:
        member = next(self._members, None)
        if member is None:
            tar.close()
            self._tar = None
            return
        info = tarfile.TarInfo(member[0])
        info.size, info.mode = len(member[1]), _MODE
        tar.addfile(info, io.BytesIO(member[1]))


class _Into(io.RawIOBase):
    """Where the tar writes."""

    def __init__(self, tar: _Tar) -> None:
        self._to = tar

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self._to.made += content
        return len(content)


class _Out:
    """The file, remembering what went wrong: age tells of it as a text only."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failed: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self._file.write(content)
        except OSError as error:
            self.failed = error
            raise

    def flush(self) -> None:
        self._file.flush()


def write(path: Path, members: Iterable[Member], *, recipients: Sequence[str], passphrase: str | None) -> Opener:
    """Write a new file for some recipients or for a passphrase; returns what opens it, for reading it back at once.

    That opener is a key of this one file that nobody else gets. The caller removes what a failure leaves. Raises BackupFailed.
    """
    own = pyrage.x25519.Identity.generate()
    wanted = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    tar = _Tar(members)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(handle, "wb") as file:
        out = _Out(file)
        try:
            if passphrase is not None:
                sealed = pyrage.passphrase.encrypt(str(own).encode(), passphrase)
                out.write(FIRST_LINE + b64encode(sealed) + b"\n")
            pyrage.encrypt_io(tar, out, [*wanted, own.to_public()])
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise _told(error) from error
        except pyrage.EncryptError as error:
            if out.failed is not None:
                raise _told(out.failed) from error
            raise (tar.failed or BackupFailed()) from error
    return Opener((str(own),))


def _told(error: OSError) -> BackupFailed:
    return BackupFailed(f"The backup could not be written: {error.strerror}. Nothing was left behind.")


@contextmanager
def read(path: Path, opener: Opener) -> Iterator[Iterator[Member]]:
    """The members of a backup in their order. What was read may be believed once the iterator has ended, not before.

    Raises WrongBackupKey and BackupUnreadable, also while the members are read.
    """
    with path.open("rb") as file:
        identities = _identities(file, opener)
        source, target = os.pipe()
        failed: list[BaseException] = []

        def decrypt() -> None:
            try:
                with os.fdopen(target, "wb") as into:
                    pyrage.decrypt_io(file, into, identities)
            except BaseException as error:
                failed.append(error)

        worker = threading.Thread(target=decrypt, daemon=True)
        worker.start()
        try:
            with os.fdopen(source, "rb") as plain:
                yield _members(plain, worker, failed)
        finally:
            worker.join()


def _members(plain: IO[bytes], worker: threading.Thread, failed: list[BaseException]) -> Iterator[Member]:
    try:
        with tarfile.open(mode="r|", fileobj=plain) as tar:
            for info in tar:
                content = tar.extractfile(info)
                if content is None:
                    raise BackupUnreadable
                yield info.name, content.read()
        while plain.read(1 << 16):  # to the end of the age file, where it says that nothing is missing
            pass
    except (tarfile.TarError, EOFError, OSError) as error:
        worker.join(timeout=60)
        raise _unreadable(failed) from error
    worker.join()
    if failed:
        raise _unreadable(failed)


def _unreadable(failed: list[BaseException]) -> CheckpointError:
    if failed and isinstance(failed[0], pyrage.DecryptError) and "No matching keys" in str(failed[0]):
        return WrongBackupKey()
    return BackupUnreadable()


def _identities(file: IO[bytes], opener: Opener) -> list[pyrage.x25519.Identity]:
    """The keys to try, and the file where its age part begins."""
    found = [pyrage.x25519.Identity.from_str(one) for one in opener.identities]
    first = file.read(len(FIRST_LINE))
    if first != FIRST_LINE:
        file.seek(0)
        if not found:
            raise WrongBackupKey(
                "This backup opens with an age key, not with a passphrase. Name its file with --identity."
            )
        return found
    line = file.readline(_LONGEST_LINE)
    if opener.passphrase is None:
        if found:
            return found  # the key of this file that its writer has
        raise WrongBackupKey("This backup opens with a passphrase. Give it in BACKUP_PASSPHRASE.")
    try:
        own = pyrage.passphrase.decrypt(b64decode(line.strip(), validate=True), opener.passphrase)
    except (Base64Error, ValueError) as error:
        raise BackupUnreadable from error
    except pyrage.DecryptError as error:
        raise WrongBackupKey from error
    return [*found, pyrage.x25519.Identity.from_str(own.decode())]
