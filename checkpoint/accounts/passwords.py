"""Passwords: argon2id at rest, made by the machine for newcomers, and as slow for a login that does not exist."""

import functools
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200

# OWASP's password storage recommendation for argon2id: 19 MiB and two passes keep 16 sign-ins at once affordable.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0 and 1, which people misread


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its parameters and salt."""
    return _HASHER.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password opens a stored hash. Without a stored hash the work is the same and the answer no."""
    decoy = _decoy()
    try:
        verified = _HASHER.verify(stored or decoy, password)
    except (VerificationError, InvalidHashError):
        return False
    return verified and stored is not None


def outdated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def random_password() -> str:
    """A password of 16 characters in groups of four: 79 bits, easy to read out over a phone."""
    return "-".join(legible(4) for _ in range(4))


def legible(length: int) -> str:
    """Random characters that people do not misread."""
    return "".join(secrets.choice(_LEGIBLE) for _ in range(length))


@functools.cache
def _decoy() -> str:
    return hash_password(secrets.token_urlsafe(24))
