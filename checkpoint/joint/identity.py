"""Who we are to other instances: two P-256 key pairs in the key ring, and an introduction that carries their public halves.

`keys/peers.json` is made at the first use. Its key id is taken from the keys themselves, so that nobody can claim another's. A
further pair may stand beside the one in use: it signs nothing, and what was sealed to it still opens.

An introduction is `CPI1:` and, in base64url, a COSE_Sign1 by the very key it introduces. That proves only that whoever wrote it holds the
key; whose key it is, two people settle by reading the fingerprint to each other.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cwt import COSE
from cwt.exceptions import CWTError
from flask import current_app

from checkpoint.config import Settings
from checkpoint.joint.envelope import OwnKeys, TheirKeys, signed, verifier
from checkpoint.privacy.cose import UNREADABLE, key_id
from checkpoint.privacy.keyring import key_document
from checkpoint.regions import queries as divisions

FILE = "peers.json"
PREFIX = "CPI1:"
LONGEST = 4000  # characters of an introduction
_NAME, _DIVISION, _URL, _SIGN, _SEAL = 1, 2, 3, 4, 5
_GROUPS, _DIGITS = 8, 5


class BadIntroduction(ValueError):
    """This is no introduction, or it was altered on the way."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an instance says of itself."""

    name: str
    division_code: str
    url: str
    keys: TheirKeys


def _new() -> dict[str, object]:
    pair = {name: generate_private_key(SECP256R1()) for name in ("sign", "seal")}
    kid = _kid(_point(pair["sign"]), _point(pair["seal"]))
    return {"current": kid, "keys": {kid: {name: _pem(key) for name, key in pair.items()}}}


def _pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _digest(sign: bytes, seal: bytes) -> bytes:
    return hashlib.sha256(b"checkpoint peer 1|" + sign + seal).digest()


def _kid(sign: bytes, seal: bytes) -> str:
    return _digest(sign, seal)[:8].hex()


def fingerprint(keys: TheirKeys) -> str:
    """Eight groups of five digits, to be read to each other over the phone: 133 bits of the keys' hash."""
    number = int.from_bytes(_digest(keys.sign, keys.seal))
    digits = str(number % 10 ** (_GROUPS * _DIGITS)).zfill(_GROUPS * _DIGITS)
    return " ".join(digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))


def _loaded(data: Path) -> tuple[str, dict[str, OwnKeys]]:
    document: Mapping[str, Any] = key_document(data, FILE, _new)
    return str(document["current"]), {
        kid: OwnKeys(kid, _private(pair["sign"]), _private(pair["seal"])) for kid, pair in document["keys"].items()
    }


def _private(pem: str) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"A key of {FILE} is not an elliptic-curve key.")
    return key


def _identity() -> tuple[str, dict[str, OwnKeys]]:
    known: tuple[str, dict[str, OwnKeys]] | None = current_app.extensions.get("joint_identity")
    if known is None:
        settings: Settings = current_app.extensions["settings"]
        known = current_app.extensions["joint_identity"] = _loaded(settings.data)
    return known


def own() -> OwnKeys:
    """The keys in use."""
    current, keys = _identity()
    return keys[current]


def own_by_id() -> Mapping[str, OwnKeys]:
    """Every key pair of ours, by id."""
    return _identity()[1]


def public_half(keys: OwnKeys) -> TheirKeys:
    """Our keys as others know them."""
    return TheirKeys(keys.kid, _point(keys.sign), _point(keys.seal))


def site_name() -> str:
    """How this instance calls itself to others."""
    settings: Settings = current_app.extensions["settings"]
    known = divisions.find(settings.site_division)
    return (settings.site_name or (known.name if known is not None else settings.site_division))[:80]


def introduce() -> Introduction:
    """What we say of ourselves."""
    settings: Settings = current_app.extensions["settings"]
    return Introduction(site_name(), settings.site_division, settings.public_url, public_half(own()))


def written(introduction: Introduction) -> str:
    """Our introduction as one line to be pasted."""
    keys = introduction.keys
    claims = {
        _NAME: introduction.name,
        _DIVISION: introduction.division_code,
        _URL: introduction.url,
        _SIGN: keys.sign,
        _SEAL: keys.seal,
    }
    return PREFIX + urlsafe_b64encode(signed(claims, own())).rstrip(b"=").decode()


def read_introduction(text: str) -> Introduction:
    """Another instance's introduction, blanks and line breaks left out. Raises BadIntroduction."""
    plain = "".join(text.split())
    if not plain.startswith(PREFIX) or len(plain) > LONGEST:
        raise BadIntroduction
    try:
        encoded = plain.removeprefix(PREFIX)
        raw = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        claims = cbor2.loads(cbor2.loads(raw).value[2])
        sign, seal = claims[_SIGN], claims[_SEAL]
        keys = TheirKeys(_kid(sign, seal), sign, seal)
        verifier(keys.kid, seal)  # a point of the curve, else ValueError
        if key_id(raw).hex() != keys.kid:
            raise BadIntroduction
        COSE.new().decode(raw, keys=[verifier(keys.kid, sign)])
        found = Introduction(str(claims[_NAME]), str(claims[_DIVISION]), str(claims[_URL]), keys)
    except (*UNREADABLE, CWTError) as error:
        raise BadIntroduction from error
    return found
