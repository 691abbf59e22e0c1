"""Sealing, look-up hashes and masking: nothing personal is readable at rest or on a screen by accident."""

from checkpoint.privacy.carried import open_carried, public_jwk
from checkpoint.privacy.keyring import Keyring, fresh, load_keyring
from checkpoint.privacy.masking import mask_document, mask_name, mask_phone, mask_plate
from checkpoint.privacy.sealing import (
    SealBroken,
    Sealed,
    keyring,
    lookup_hash,
    same,
    seal,
    seal_bytes,
    secret_tag,
    unseal,
    unseal_bytes,
    watchers,
)

__all__ = [
    "Keyring",
    "SealBroken",
    "Sealed",
    "fresh",
    "keyring",
    "load_keyring",
    "lookup_hash",
    "mask_document",
    "mask_name",
    "mask_phone",
    "mask_plate",
    "open_carried",
    "public_jwk",
    "same",
    "seal",
    "seal_bytes",
    "secret_tag",
    "unseal",
    "unseal_bytes",
    "watchers",
]
