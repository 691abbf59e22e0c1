"""What can be wrong with a request. The docstring of each class is its message; HTTP status is chosen only in web/errors.py."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `field` is a dotted path (`stays.0.from`), `code` a stable word, `message` a sentence for people."""

    field: str
    code: str
    message: str


class CheckpointError(Exception):
    """Something went wrong."""

    code = "error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class InvalidInput(CheckpointError):
    """Some fields are wrong; each is named."""

    code = "invalid"

    def __init__(self, errors: Sequence[FieldError], message: str | None = None) -> None:
        super().__init__(message)
        self.errors = tuple(errors)

    @classmethod
    def one(cls, field: str, code: str, message: str) -> "InvalidInput":
        """The error of a single field."""
        return cls([FieldError(field, code, message)])


class Unauthenticated(CheckpointError):
    """Sign in first, or send a valid token."""

    code = "unauthenticated"


class DeviceRevoked(Unauthenticated):
    """This tablet was revoked. It must wipe what it has stored."""

    code = "device_revoked"


class NotAllowed(CheckpointError):
    """You may not do this."""

    code = "not_allowed"


class SecondStepMissing(NotAllowed):
    """Your role needs the second step of signing in: set it up first."""

    code = "second_step_missing"


class NotFound(CheckpointError):
    """There is nothing here, or nothing that you may see."""

    code = "not_found"


class Conflict(CheckpointError):
    """This does not fit what was recorded before."""

    code = "conflict"


class TooBusy(CheckpointError):
    """The system is busy; try again shortly."""

    code = "too_busy"

    def __init__(self, message: str | None = None, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigurationError(CheckpointError):
    """A setting is wrong."""

    code = "configuration"


def described(error: BaseException) -> str:
    """An exception by types and places in the code, without its message or any value: those may hold what a person typed."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 4:
        frames = traceback.extract_tb(seen.__traceback__)
        ours = [frame for frame in frames if "/checkpoint/" in frame.filename] or frames[-1:]
        places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in ours[-8:]]
        parts.append(f"{type(seen).__module__}.{type(seen).__name__} at {' > '.join(places)}")
        seen = seen.__cause__ or seen.__context__
    return " | caused by ".join(parts)
