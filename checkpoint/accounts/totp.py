"""Codes of an authenticator app (RFC 6238: six digits, 30 seconds, SHA-1 as every app knows it). Pure."""

import hmac
import re
from datetime import datetime

import pyotp

STEP_SECONDS = 30
TOLERANCE = 1  # steps before and after: a phone's clock, and the time that typing takes
_CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """A secret of 160 random bits in base32, as apps take it."""
    return pyotp.random_base32(32)


def address(secret: str, login: str, issuer: str) -> str:
    """The `otpauth:` address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def code_at(secret: str, step: int) -> str:
    """The code of one 30-second step since 1970."""
    return pyotp.TOTP(secret).generate_otp(step)


def step_of(at: datetime) -> int:
    """The step in which a moment lies."""
    return int(at.timestamp()) // STEP_SECONDS


def accepted_step(secret: str, code: str, at: datetime, after: int) -> int | None:
    """The step whose code this is, one step early or late included, if it comes after `after`; None for a wrong or used code."""
    typed = "".join(code.split())
    if not _CODE.fullmatch(typed):
        return None
    now = step_of(at)
    steps = range(now - TOLERANCE, now + TOLERANCE + 1)
    fitting = [step for step in steps if hmac.compare_digest(code_at(secret, step), typed) and step > after]
    return fitting[0] if fitting else None


def grouped(secret: str) -> str:
    """A secret in groups of four, to be typed."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
