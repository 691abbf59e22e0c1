"""A declaration sealed as a tablet seals it, written from the description of the envelope alone."""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def sealed(jwk: dict[str, str], raw: bytes) -> str:
    """The envelope in base64url, without padding."""
    public = EllipticCurvePublicNumbers(coordinate(jwk["x"]), coordinate(jwk["y"]), SECP256R1()).public_key()
    own = generate_private_key(SECP256R1())
    key = HKDF(SHA256(), 32, salt=None, info=b"checkpoint carried 1").derive(own.exchange(ECDH(), public))
    nonce = os.urandom(12)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point + nonce + AESGCM(key).encrypt(nonce, raw, None)).decode().rstrip("=")


def carried(jwk: dict[str, str], declaration: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The body of POST /api/v1/registrations/carried."""
    raw = json.dumps(declaration, ensure_ascii=False).encode()
    return {"client_id": declaration["client_id"], "kid": jwk["kid"], "sealed": sealed(jwk, raw), **changes}


def coordinate(text: str) -> int:
    """A coordinate of a JSON web key as a number."""
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
