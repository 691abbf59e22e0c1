"""Passes that nobody issued, one for each way to make one: for the server, the scan and the tablet's own reader."""

import hashlib
import hmac
from datetime import datetime
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checkpoint.privacy import Keyring
from checkpoint.registrations.passes import PREFIX, Claims, PassKeys

ES256, ES384, HS256 = -7, -35, 5


def sealed(key: ec.EllipticCurvePrivateKey, header: bytes, payload: bytes) -> bytes:
    """The raw signature of COSE_Sign1 (RFC 9052, 4.4) with a key."""
    text = cbor2.dumps(["Signature1", header, b"", payload])
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token_of(parts: Any, tag: int = 18) -> str:
    """The text of a tagged structure."""
    return PREFIX + base45.b45encode(cbor2.dumps(cbor2.CBORTag(tag, parts))).decode()


def forgeries(ring: Keyring, at: datetime) -> dict[str, str]:
    """Tokens by what is wrong with them; the payloads are those of passes that are valid at `at`, where nothing else is said."""
    keys, kid = PassKeys(ring), ring.signing_current
    own, stranger = ring.signing[kid], ec.generate_private_key(ec.SECP256R1())
    public = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    right = keys.sign(Claims(b"\1" * 8, at, "green", b"\2" * 4, ("330411",)))
    second = keys.sign(Claims(b"\3" * 8, at, "red", b"\2" * 4, ("310116",)))
    header, _open, payload, signature = cbor2.loads(base45.b45decode(right[len(PREFIX) :])).value
    other_payload = cbor2.loads(base45.b45decode(second[len(PREFIX) :])).value[2]
    mac = hmac.new(public, cbor2.dumps(["Signature1", header, b"", payload]), hashlib.sha256).digest()

    def protected(**changes: Any) -> bytes:
        named = {"alg": 1, "kid": 4, "crit": 2, "iv": 5}
        return cbor2.dumps({1: ES256, 4: kid} | {named[name]: value for name, value in changes.items()})

    def by(key: ec.EllipticCurvePrivateKey, head: bytes, body: bytes = payload, unprotected: Any = None) -> str:
        return token_of([head, unprotected or {}, body, sealed(key, head, body)])

    made = {
        "no algorithm, no signature": token_of([protected(alg=None), {}, payload, b""]),
        "no algorithm, the old signature": token_of([cbor2.dumps({4: kid}), {}, payload, signature]),
        "algorithm without a key": token_of([protected(alg=HS256), {}, payload, mac]),
        "the public key as a secret": token_of([header, {}, payload, mac + mac]),
        "another algorithm's name": by(own, protected(alg=ES384)),
        "algorithm beside the signature": token_of([cbor2.dumps({4: kid}), {1: ES256}, payload, signature]),
        "another key under our key id": by(stranger, header),
        "an unknown key id": by(stranger, protected(kid=b"stranger")),
        "a key id that is a path": by(stranger, protected(kid=b"../../../dev/null")),
        "a key id that is an address": by(stranger, protected(kid=b"https://127.0.0.1/k")),
        "a key id that is a text": by(own, protected(kid="k")),
        "a key id that is a list": by(own, protected(kid=[kid])),
        "no key id": by(own, cbor2.dumps({1: ES256})),
        "a key id beside the signature": by(stranger, cbor2.dumps({1: ES256}), unprotected={4: kid}),
        "an altered header, the old signature": token_of([protected(iv=b"1"), {}, payload, signature]),
        "a critical header that nobody knows": token_of([protected(crit=[99]), {}, payload, signature]),
        "no signature": token_of([header, {}, payload, b""]),
        "a signature of noughts": token_of([header, {}, payload, bytes(64)]),
        "a signature of another pass": token_of([header, {}, other_payload, signature]),
        "a signature that is too long": token_of([header, {}, payload, signature + b"\0"]),
        "a header that is a map": token_of([{1: ES256, 4: kid}, {}, payload, signature]),
        "an empty header": token_of([b"", {}, payload, signature]),
        "a MAC in place of a signature": token_of([header, {}, payload, signature], tag=17),
        "many signatures": token_of([header, {}, payload, [[header, {}, signature]]], tag=98),
        "an encrypted message": token_of([header, {}, payload], tag=16),
        "three parts": token_of([header, {}, payload]),
        "five parts": token_of([header, {}, payload, signature, b""]),
        "no tag": PREFIX + base45.b45encode(cbor2.dumps([header, {}, payload, signature])).decode(),
        "small letters": PREFIX + right[len(PREFIX) :].lower(),
        "another version": "CP2:" + right[len(PREFIX) :],
        "a header before it": "HC1:" + right,
        "twice": right + right[len(PREFIX) :],
    }
    made |= {
        f"cut at {length}": right[:length] for length in (4, 7, 20, len(right) // 2, len(right) - 1, len(right) - 3)
    }
    bodies = {
        "an expiry that is a text": {4: "never", 7: b"\1" * 8, -65537: b"\1" * 9},
        "an expiry without end": {4: float("inf"), 7: b"\1" * 8, -65537: b"\1" * 9},
        "an expiry beyond all years": {4: 1 << 62, 7: b"\1" * 8, -65537: b"\1" * 9},
        "no expiry": {7: b"\1" * 8, -65537: b"\1" * 9},
        "facts that are a text": {4: int(at.timestamp()), 7: b"\1" * 8, -65537: "\1" * 9},
        "no facts": {4: int(at.timestamp()), 7: b"\1" * 8},
        "facts cut short": {4: int(at.timestamp()), 7: b"\1" * 8, -65537: b"\1\2"},
        "no tier": {4: int(at.timestamp()), 7: b"\1" * 8, -65537: b"\0" * 9},
        "a list for a map": [4, 7],
        "nothing": None,
    }
    # Signed by our own key: what no writer of ours makes must be unreadable, not half read.
    made |= {f"signed, with {name}": by(own, header, cbor2.dumps(body)) for name, body in bodies.items()}
    return made
