"""The pass (通行码): `CP1:` and a CWT in COSE_Sign1 (ES256), base45, at most 200 characters; and the link that reopens it.

Claims: 4 expiry (seconds since 1970), 7 serial (8 bytes), -65537 (private use) the facts that an off-line tablet needs:
byte 0 flags (bits 0-1 tier 1 green 2 yellow 3 red, bit 2 not all counties fitted, bit 3 a place is unresolved), bytes 1-4 the
tag of the document, byte 5 the newest negative test (whole hours from the test to the expiry, rounded up; 0 none that fits), then
3 bytes for each visited county (its 6-digit code).
Sources: RFC 8392 (CWT), RFC 9052 (COSE), RFC 9285 (base45).
"""

import hashlib
import hmac
import secrets
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError, VerifyError

from checkpoint.privacy import Keyring, same, secret_tag
from checkpoint.privacy.cose import ES256, HEADER_ALG, HEADER_KID, UNREADABLE, key_id

PREFIX = "CP1:"
MAX_LENGTH = 200
MAX_COUNTIES = 6
CLAIM_EXPIRY = 4
CLAIM_SERIAL = 7
CLAIM_FACTS = -65537
_TIER_BITS = {"green": 1, "yellow": 2, "red": 3}
_TIER_NAMES = {bits: name for name, bits in _TIER_BITS.items()}
_HOUR = timedelta(hours=1)
_LONGEST_TEST_HOURS = 255
_COUNTIES_FROM = 6
_SHORT_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LINK_TAG = 10


@dataclass(frozen=True, slots=True)
class Claims:
    """What a pass says. `document` is 4 bytes; `counties` are 6-digit codes, riskiest first.

    `negative_test_at` keeps whole hours before the expiry: a test reads at most an hour older than it is, never newer.
    """

    serial: bytes
    expires_at: datetime
    tier: str
    document: bytes
    counties: tuple[str, ...]
    truncated: bool = False
    unresolved: bool = False
    negative_test_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenReading:
    """What reading a token gave. `problem` is None, unreadable, other_key, forged or expired; claims stand even when expired."""

    problem: str | None
    claims: Claims | None


class PassKeys:
    """The COSE keys of a keyring, made once for each process."""

    def __init__(self, ring: Keyring) -> None:
        self._signers: dict[bytes, Any] = {}
        self._verifiers: dict[bytes, Any] = {}
        for kid, private in ring.signing.items():
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            self._signers[kid] = COSEKey.from_pem(pem, kid=kid, alg="ES256")
            self._verifiers[kid] = COSEKey.from_pem(public, kid=kid, alg="ES256")
        self._current = ring.signing_current
        self._writer = COSE.new()
        self._reader = COSE.new()

    def sign(self, claims: Claims) -> str:
        """The token of some claims. Never ends in a blank, which headers and scanners would trim."""
        payload = cbor2.dumps(
            {
                CLAIM_EXPIRY: int(claims.expires_at.timestamp()),
                CLAIM_SERIAL: claims.serial,
                CLAIM_FACTS: _pack(claims),
            }
        )
        header = {HEADER_ALG: ES256, HEADER_KID: self._current}
        while True:
            signed = self._writer.encode_and_sign(payload, key=self._signers[self._current], protected=header)
            token: str = PREFIX + base45.b45encode(signed).decode()
            if not token.endswith(" "):
                return token

    def read(self, token: str, at: datetime) -> TokenReading:
        """Read and verify a token; never raises, whatever it is given."""
        if not token.startswith(PREFIX) or len(token) > MAX_LENGTH:
            return TokenReading("unreadable", None)
        try:
            raw = base45.b45decode(token[len(PREFIX) :])
            kid = key_id(raw)
        except UNREADABLE:
            return TokenReading("unreadable", None)
        verifier = self._verifiers.get(kid)
        if verifier is None:
            return TokenReading("other_key", None)
        try:
            claims = _unpack(cbor2.loads(self._reader.decode(raw, keys=[verifier])))
        except (VerifyError, CWTError):
            return TokenReading("forged", None)
        except UNREADABLE:
            return TokenReading("unreadable", None)
        return TokenReading("expired" if claims.expires_at <= at else None, claims)


def _pack(claims: Claims) -> bytes:
    flags = _TIER_BITS[claims.tier] | (4 if claims.truncated else 0) | (8 if claims.unresolved else 0)
    counties = b"".join(int(code).to_bytes(3, "big") for code in claims.counties)
    return bytes((flags,)) + claims.document + bytes((_test_hours(claims),)) + counties


def _test_hours(claims: Claims) -> int:
    """Hours from the newest negative test to the expiry, rounded up; 0 for none, and for one that no byte can say."""
    if claims.negative_test_at is None:
        return 0
    hours = -((claims.negative_test_at - claims.expires_at) // _HOUR)
    return hours if 1 <= hours <= _LONGEST_TEST_HOURS else 0


def _unpack(payload: dict[int, Any]) -> Claims:
    facts: bytes = payload[CLAIM_FACTS]
    expires_at = datetime.fromtimestamp(payload[CLAIM_EXPIRY], UTC)
    hours = facts[5]
    starts = range(_COUNTIES_FROM, len(facts) - 2, 3)
    counties = tuple(f"{int.from_bytes(facts[at : at + 3], 'big'):06d}" for at in starts)
    return Claims(
        serial=bytes(payload[CLAIM_SERIAL]),
        expires_at=expires_at,
        tier=_TIER_NAMES[facts[0] & 3],
        document=facts[1:5],
        counties=counties,
        truncated=bool(facts[0] & 4),
        unresolved=bool(facts[0] & 8),
        negative_test_at=expires_at - hours * _HOUR if hours else None,
    )


def fit_counties(codes: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The 6-digit counties that go into a pass, riskiest first as given, and whether some had to stay out."""
    distinct = tuple(dict.fromkeys(code[:6] for code in codes))
    return distinct[:MAX_COUNTIES], len(distinct) > MAX_COUNTIES


def document_key(ring: Keyring) -> bytes:
    """The 32-byte key of document tags; tablets hold it, so it serves nothing else."""
    return secret_tag(ring, "pass-document", b"", 32)


def document_tag(key: bytes, id_number: str) -> bytes:
    """Four bytes by which an off-line tablet can compare a pass with the document in hand.

    HMAC-SHA-256, which every browser can compute, over the number as a declaration normalises it.
    """
    return hmac.new(key, id_number.encode(), hashlib.sha256).digest()[:4]


def new_serial() -> bytes:
    """A fresh pass serial."""
    return secrets.token_bytes(8)


def new_short_code() -> str:
    """Eight characters that a person can read out and type, without 0 O 1 I L U."""
    return "".join(secrets.choice(_SHORT_ALPHABET) for _ in range(8))


def link_handle(ring: Keyring, registration_id: uuid.UUID) -> str:
    """The unguessable handle of /p/<handle>: the registration's id and a keyed tag, nothing personal."""
    tag = secret_tag(ring, "pass-link", registration_id.bytes, _LINK_TAG)
    return urlsafe_b64encode(registration_id.bytes + tag).decode().rstrip("=")


def open_link(ring: Keyring, handle: str) -> uuid.UUID | None:
    """The registration that a handle stands for, or None if we did not make it."""
    try:
        raw = urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
    except (Base64Error, ValueError):
        return None
    if len(raw) != 16 + _LINK_TAG:
        return None
    if not same(raw[16:], secret_tag(ring, "pass-link", raw[:16], _LINK_TAG)):
        return None
    return uuid.UUID(bytes=raw[:16])
