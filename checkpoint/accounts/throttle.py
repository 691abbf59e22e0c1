"""Slowing down whoever guesses secrets, without letting one person lock another out.

Failures count by account and address together, so that a stranger's guesses never close the door for its owner, and by
address alone, so that one address cannot try one password on every account. Counts live where the rate limits live:
in Redis when there is one, otherwise in a file that all processes of the host share.
"""

import math
import sqlite3
import time

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from redis.exceptions import RedisError

from checkpoint.errors import CheckpointError
from checkpoint.extensions import limiter

_ONE_ACCOUNT = RateLimitItemPerMinute(5, 5, namespace="sign-in")
_ONE_ADDRESS = RateLimitItemPerMinute(100, 10, namespace="sign-in")
_CODE = RateLimitItemPerMinute(5, 5, namespace="sign-in-code")
_CODES_OF_ONE = RateLimitItemPerMinute(50, 60, namespace="sign-in-code")
_ENROLMENT = RateLimitItemPerMinute(20, 10, namespace="enrolment")
_OWN_DATA = RateLimitItemPerMinute(5, 15, namespace="own-data")
_PIN = RateLimitItemPerMinute(8, 10, namespace="pin")
COUNTER_GONE = (RedisError, sqlite3.Error)


class TooManyAttempts(CheckpointError):
    """Too many failed attempts; wait a little before the next one."""

    code = "too_many_attempts"

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def check_sign_in(login: str, address: str) -> None:
    """Raise TooManyAttempts when this address has failed too often, on this account or on many."""
    _check(_ONE_ACCOUNT, login, address)
    _check(_ONE_ADDRESS, address)


def failed_sign_in(login: str, address: str) -> None:
    """Count one failure."""
    _hit(_ONE_ACCOUNT, login, address)
    _hit(_ONE_ADDRESS, address)


def check_code(login: str, address: str) -> None:
    """Raise TooManyAttempts after too many wrong codes of the second step, from this address or for this account from anywhere.

    Only somebody who knows the password gets as far as a code: a stranger cannot close this door. Six digits need the bound for
    the account: many addresses together would guess them. Whom it keeps out has the recovery codes, which it does not count for.
    """
    _check(_CODE, login, address)
    _check(_CODES_OF_ONE, login)


def check_recovery(login: str, address: str) -> None:
    """Raise TooManyAttempts after too many wrong codes from this address."""
    _check(_CODE, login, address)


def failed_code(login: str, address: str) -> None:
    """Count one wrong code."""
    _hit(_CODE, login, address)
    _hit(_CODES_OF_ONE, login)


def check_enrolment(address: str) -> None:
    """Raise TooManyAttempts when this address has tried too many wrong enrolment codes."""
    _check(_ENROLMENT, address)


def failed_enrolment(address: str) -> None:
    """Count one wrong enrolment code."""
    _hit(_ENROLMENT, address)


def check_pin(device: str) -> None:
    """Raise TooManyAttempts when this tablet has sent too many wrong PINs, whoever they were for."""
    _check(_PIN, device)


def failed_pin(device: str) -> None:
    """Count one wrong PIN."""
    _hit(_PIN, device)


def check_own_data(handle: str) -> None:
    """Raise TooManyAttempts when too many wrong document characters were typed for one pass."""
    _check(_OWN_DATA, handle)


def failed_own_data(handle: str) -> None:
    """Count one wrong try."""
    _hit(_OWN_DATA, handle)


def check_phone(limit: str, phone_hash: bytes) -> None:
    """Raise TooManyAttempts when one phone has registered more often than `limit` (such as `1000 per hour`) allows."""
    _check(parse(limit), "phone", phone_hash.hex())


def registered_by_phone(limit: str, phone_hash: bytes) -> None:
    """Count one registration."""
    _hit(parse(limit), "phone", phone_hash.hex())


def _check(item: RateLimitItem, *keys: str) -> None:
    try:
        if limiter.limiter.test(item, *keys):
            return
        reset = limiter.limiter.get_window_stats(item, *keys).reset_time
    except COUNTER_GONE:
        return  # with the counter gone people must still be able to sign in; argon2 slows guessing down by itself
    raise TooManyAttempts(max(1, math.ceil(reset - time.time())))


def _hit(item: RateLimitItem, *keys: str) -> None:
    try:
        limiter.limiter.hit(item, *keys)
    except COUNTER_GONE:
        return
