"""Slowing down whoever guesses secrets, without letting one person lock another out.

Failures count by account and address together, so that a stranger's guesses never close the door for its owner, and by
address alone, so that one address cannot try one password on every account. Counts live where the rate limits live:
in Redis when there is one, otherwise in each process.
"""

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from redis.exceptions import RedisError

from checkpoint.errors import CheckpointError
from checkpoint.extensions import limiter

_ONE_ACCOUNT = RateLimitItemPerMinute(5, 5, namespace="sign-in")
_ONE_ADDRESS = RateLimitItemPerMinute(100, 10, namespace="sign-in")
_ENROLMENT = RateLimitItemPerMinute(20, 10, namespace="enrolment")
_PIN = RateLimitItemPerMinute(8, 10, namespace="pin")


class TooManyAttempts(CheckpointError):
    """Too many failed attempts; wait a little before the next one."""

    code = "too_many_attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


def check_sign_in(login: str, address: str) -> None:
    """Raise TooManyAttempts when this address has failed too often, on this account or on many."""
    _check(_ONE_ACCOUNT, login, address)
    _check(_ONE_ADDRESS, address)


def failed_sign_in(login: str, address: str) -> None:
    """Count one failure."""
    _hit(_ONE_ACCOUNT, login, address)
    _hit(_ONE_ADDRESS, address)


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


def _check(item: RateLimitItem, *keys: str) -> None:
    try:
        if limiter.limiter.test(item, *keys):
            return
        reset = limiter.limiter.get_window_stats(item, *keys).reset_time
    except RedisError:
        return  # with the counter gone people must still be able to sign in; argon2 slows guessing down by itself
    raise TooManyAttempts(max(1, math.ceil(reset - time.time())))


def _hit(item: RateLimitItem, *keys: str) -> None:
    try:
        limiter.limiter.hit(item, *keys)
    except RedisError:
        return
