"""The key by which browsers' push services know this instance (VAPID, RFC 8292), made at the first use beside the other keys."""

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from flask import current_app
from py_vapid import Vapid02

from checkpoint.config import Settings
from checkpoint.privacy.keyring import key_document

FILE = "vapid.json"
VALID = timedelta(hours=12)  # RFC 8292 allows at most 24 hours


def _new() -> dict[str, object]:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"key": pem.decode()}


def _private(data: Path) -> EllipticCurvePrivateKey:
    known: EllipticCurvePrivateKey | None = current_app.extensions.get("vapid")
    if known is None:
        loaded = load_pem_private_key(str(key_document(data, FILE, _new)["key"]).encode(), password=None)
        if not isinstance(loaded, EllipticCurvePrivateKey):
            raise TypeError("The push key is not an elliptic-curve key.")
        known = current_app.extensions["vapid"] = loaded
    return known


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def public_key() -> str:
    """The key that a page hands to `pushManager.subscribe`: an uncompressed point, base64url without padding."""
    point = _private(_settings().data).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def authorization(endpoint: str, at: datetime) -> dict[str, str]:
    """The headers that sign a call to a push service."""
    settings = _settings()
    parts = urlsplit(endpoint)
    host = urlsplit(settings.public_url).hostname or "localhost"
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((at + VALID).timestamp()),
        "sub": settings.public_url if settings.is_https else f"mailto:checkpoint@{host}",
    }
    return dict(Vapid02(_private(settings.data)).sign(claims))
