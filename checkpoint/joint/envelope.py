"""One message from one instance to another: sealed to the receiver, signed by the sender, and good once, for five minutes. Pure.

An envelope is a COSE_Sign1 (RFC 9052, ES256) over a CBOR map of CWT claims (RFC 8392): 1 the sender's key id, 3 the receiver's, 4 when it
ends, 6 when it was made (whole seconds), 7 a nonce of 16 bytes, and -65537 what it is for (`message`, or `receipt` for the answer to
one), HTTP method and path, and the content. The content is sealed by HPKE (RFC 9180: base mode, DHKEM P-256, HKDF-SHA-256,
AES-256-GCM), bound by its `info` to the use and to both key ids: who takes a signature off and puts their own on has something that
does not open. All that matters lies inside of the signature, so gateways may change headers as they like.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError

from checkpoint.errors import CheckpointError
from checkpoint.privacy.cose import ES256, HEADER_ALG, HEADER_KID, UNREADABLE, key_id

LASTS = timedelta(minutes=5)
"""How far the time of a message may lie from the receiver's, before and behind."""
LARGEST = 512 * 1024  # bytes of an envelope
METHOD, PATH = "POST", "/api/v1/joint/messages"
MESSAGE, RECEIPT = "message", "receipt"
NONCE = 16

_ISSUER, _AUDIENCE, _EXPIRY, _ISSUED, _NONCE = 1, 3, 4, 6, 7
_FACTS = -65537  # private use


class Refused(CheckpointError):
    """This message is not accepted."""

    code = "refused"

    def __init__(self, cause: str, kid: str = "") -> None:
        super().__init__()
        self.cause = cause
        self.kid = kid


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The key pairs of an instance: one that signs, one to which others seal."""

    kid: str
    sign: EllipticCurvePrivateKey
    seal: EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class TheirKeys:
    """The public keys of another instance, uncompressed points."""

    kid: str
    sign: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that is genuine, fresh and meant for us; whether its nonce was used before is for the caller to know."""

    nonce: bytes
    expires_at: datetime
    content: bytes


def _suite() -> Suite:
    return Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _info(use: str, sender: str, receiver: str) -> bytes:
    return f"checkpoint joint 1|{use}|{sender}|{receiver}".encode()


def _signer(keys: OwnKeys) -> Any:
    pem = keys.sign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return COSEKey.from_pem(pem, kid=bytes.fromhex(keys.kid), alg="ES256")


def verifier(kid: str, point: bytes) -> Any:
    """The COSE key of a public point. Raises ValueError if it is not one of P-256."""
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return COSEKey.from_pem(pem, kid=bytes.fromhex(kid), alg="ES256")


def signed(payload: Mapping[int, Any], keys: OwnKeys) -> bytes:
    """A COSE_Sign1 over a map, by our own key."""
    header = {HEADER_ALG: ES256, HEADER_KID: bytes.fromhex(keys.kid)}
    made: bytes = COSE.new().encode_and_sign(cbor2.dumps(dict(payload)), key=_signer(keys), protected=header)
    return made


def write(content: bytes, sender: OwnKeys, receiver: TheirKeys, at: datetime, *, use: str = MESSAGE) -> bytes:
    """An envelope with `content` for one receiver."""
    point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), receiver.seal)
    sealed = _suite().encrypt(content, point, info=_info(use, sender.kid, receiver.kid))
    made = int(at.timestamp())
    claims = {
        _ISSUER: sender.kid,
        _AUDIENCE: receiver.kid,
        _EXPIRY: made + int(LASTS.total_seconds()),
        _ISSUED: made,
        _NONCE: os.urandom(NONCE),
        _FACTS: {"use": use, "method": METHOD, "path": PATH, "sealed": sealed},
    }
    return signed(claims, sender)


def sender_of(raw: bytes) -> str:
    """The key id under which an envelope was signed, not yet proved. Raises Refused."""
    try:
        return key_id(raw).hex()
    except UNREADABLE as error:
        raise Refused("unreadable") from error


def read(
    raw: bytes,
    own: Mapping[str, OwnKeys],
    sender: TheirKeys,
    at: datetime,
    *,
    use: str = MESSAGE,
    method: str = METHOD,
    path: str = PATH,
) -> Opened:
    """Verify and open an envelope from `sender`; `own` are our keys by id.

    Raises Refused with its cause: forged, unreadable, wrong_recipient, stale, wrong_address.
    """
    try:
        payload = COSE.new().decode(raw, keys=[verifier(sender.kid, sender.sign)])
    except CWTError as error:
        raise Refused("forged", sender.kid) from error
    except UNREADABLE as error:
        raise Refused("unreadable", sender.kid) from error
    try:
        return _checked(cbor2.loads(payload), own, sender, at, (use, method, path))
    except (*UNREADABLE, InvalidTag) as error:
        raise Refused("unreadable", sender.kid) from error


def _checked(
    claims: dict[int, Any], own: Mapping[str, OwnKeys], sender: TheirKeys, at: datetime, place: tuple[str, str, str]
) -> Opened:
    facts, nonce = claims[_FACTS], claims[_NONCE]
    if claims[_ISSUER] != sender.kid:
        raise Refused("forged", sender.kid)
    keys = own.get(claims[_AUDIENCE])
    if keys is None:
        raise Refused("wrong_recipient", sender.kid)
    made, ends = (datetime.fromtimestamp(claims[claim], UTC) for claim in (_ISSUED, _EXPIRY))
    if abs(at - made) > LASTS or not made < ends <= made + LASTS or at > ends:
        raise Refused("stale", sender.kid)
    if (facts["use"], facts["method"], facts["path"]) != place:
        raise Refused("wrong_address", sender.kid)
    if not isinstance(nonce, bytes) or len(nonce) != NONCE:
        raise Refused("unreadable", sender.kid)
    content = _suite().decrypt(facts["sealed"], keys.seal, info=_info(place[0], sender.kid, keys.kid))
    return Opened(nonce, ends, content)
