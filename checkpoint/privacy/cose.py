"""What is common to everything that we sign: a COSE_Sign1 with ES256, whose key id stands in the protected header (RFC 9052)."""

import re

import cbor2

SIGN1 = 18  # the CBOR tag
ES256 = -7
HEADER_ALG, HEADER_KID = 1, 4
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    RecursionError,
    re.error,
    cbor2.CBORDecodeError,
)
"""What comes of taking apart CBOR that strangers have made: its tags also mean dates, fractions, decimals and patterns, and a number or
length may be larger than the machine can count."""


def key_id(raw: bytes) -> bytes:
    """The key id of a COSE_Sign1: only its protected header is trusted, and only ES256 is accepted.

    Raises one of UNREADABLE for anything else.
    """
    tagged = cbor2.loads(raw)
    if getattr(tagged, "tag", None) != SIGN1 or len(tagged.value) != 4:
        raise ValueError("not a COSE_Sign1")
    header = cbor2.loads(tagged.value[0])
    if header.get(HEADER_ALG) != ES256:
        raise ValueError("not ES256")
    kid = header[HEADER_KID]
    if not isinstance(kid, bytes):
        raise TypeError("key id is not bytes")
    return kid
