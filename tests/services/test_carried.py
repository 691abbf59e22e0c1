"""What a tablet seals to the server opens here, and nothing else does. The sealing side is what WebCrypto does."""

import os
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checkpoint.privacy import SealBroken, keyring, open_carried, public_jwk


def public_key() -> EllipticCurvePublicKey:
    ring = keyring()
    jwk = public_jwk(ring.carried_current, ring.carried[ring.carried_current])
    x, y = (int.from_bytes(urlsafe_b64decode(jwk[name] + "="), "big") for name in ("x", "y"))
    return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()


def sealed(plain: bytes) -> bytes:
    own = generate_private_key(SECP256R1())
    key = HKDF(SHA256(), 32, salt=b"", info=b"checkpoint carried 1").derive(own.exchange(ECDH(), public_key()))
    nonce = os.urandom(12)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return point + nonce + AESGCM(key).encrypt(nonce, plain, None)


def test_what_was_sealed_to_us_opens() -> None:
    text = "一份在没有网络时填写的申报".encode()
    envelope = sealed(text)
    assert open_carried(envelope) == text
    assert open_carried(envelope, keyring().carried_current) == text
    assert text not in envelope


@pytest.mark.parametrize("at", [0, 1, 64, 65, 76, 77, -1])
def test_a_changed_byte_does_not_open(at: int) -> None:
    envelope = bytearray(sealed(b"somebody"))
    envelope[at] ^= 1
    with pytest.raises(SealBroken):
        open_carried(bytes(envelope))


@pytest.mark.parametrize("envelope", [b"", b"\x04" * 65, os.urandom(200)])
def test_what_is_no_envelope_does_not_open(envelope: bytes) -> None:
    with pytest.raises(SealBroken):
        open_carried(envelope)


def test_an_unknown_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        open_carried(sealed(b"somebody"), b"\0\0\0")
