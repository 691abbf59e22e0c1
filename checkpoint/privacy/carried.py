"""What a tablet carries for the server, sealed to a public key of ours: a stolen tablet shows nobody.

An envelope is a 65-byte uncompressed ephemeral P-256 public key, a 12-byte nonce, and the AES-256-GCM ciphertext with its tag. The
key is HKDF-SHA-256 of the ECDH secret with an empty salt and the info `checkpoint carried 1`: all of it is in every browser.
"""

from base64 import urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from checkpoint.privacy.sealing import SealBroken, keyring

_POINT, _NONCE, _TAG = 65, 12, 16
_INFO = b"checkpoint carried 1"


def open_carried(envelope: bytes, kid: bytes | None = None) -> bytes:
    """What lies in an envelope, sealed to the key `kid` (the one in use unless given). Raises SealBroken if it does not open."""
    ring = keyring()
    private = ring.carried.get(ring.carried_current if kid is None else kid)
    if private is None or len(envelope) < _POINT + _NONCE + _TAG:
        raise SealBroken(SealBroken.__doc__)
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), envelope[:_POINT])
        secret = private.exchange(ECDH(), point)
        key = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(secret)
        return AESGCM(key).decrypt(envelope[_POINT : _POINT + _NONCE], envelope[_POINT + _NONCE :], None)
    except (ValueError, InvalidTag) as error:
        raise SealBroken(SealBroken.__doc__) from error


def public_jwk(kid: bytes, private: EllipticCurvePrivateKey) -> dict[str, str]:
    """The public half of a P-256 key as a browser imports it (RFC 7517), with our key id in hex."""
    numbers = private.public_key().public_numbers()
    return {
        "kid": kid.hex(),
        "kty": "EC",
        "crv": "P-256",
        "x": _coordinate(numbers.x),
        "y": _coordinate(numbers.y),
    }


def _coordinate(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
