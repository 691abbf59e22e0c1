"""The pass: short, signed, and nothing that can be bent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import base45
import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.privacy import Keyring, load_keyring
from checkpoint.registrations.passes import (
    MAX_LENGTH,
    PREFIX,
    Claims,
    PassKeys,
    document_key,
    document_tag,
    fit_counties,
    link_handle,
    new_serial,
    open_link,
)

NOW = datetime(2022, 8, 12, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return load_keyring(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def keys(ring: Keyring) -> PassKeys:
    return PassKeys(ring)


def claims(counties: int = 3, expires_at: datetime = NOW + timedelta(days=8)) -> Claims:
    codes = tuple(f"{330400 + number}" for number in range(counties))
    return Claims(new_serial(), expires_at, "yellow", b"\x01\x02\x03\x04", codes, truncated=counties == 6)


@pytest.mark.parametrize("counties", range(7))
def test_what_goes_in_comes_out_and_fits(keys: PassKeys, counties: int) -> None:
    given_claims = claims(counties)
    token = keys.sign(given_claims)
    assert token.startswith(PREFIX)
    assert len(token) <= MAX_LENGTH
    assert token == token.strip()
    assert keys.read(token, NOW) == keys.read(token, NOW)
    reading = keys.read(token, NOW)
    assert reading.problem is None
    assert reading.claims == given_claims


def test_an_expired_pass_says_so_and_still_says_whose_it_is(keys: PassKeys) -> None:
    reading = keys.read(keys.sign(claims(expires_at=NOW)), NOW)
    assert reading.problem == "expired"
    assert reading.claims is not None


def test_every_altered_byte_is_noticed(keys: PassKeys) -> None:
    raw = base45.b45decode(keys.sign(claims())[len(PREFIX) :])
    for at in range(len(raw)):
        bent = bytearray(raw)
        bent[at] ^= 1
        reading = keys.read(PREFIX + base45.b45encode(bytes(bent)).decode(), NOW)
        assert reading.problem in ("forged", "other_key", "unreadable"), at
        assert reading.claims is None


def test_a_pass_of_another_instance_is_not_ours(keys: PassKeys, tmp_path: Path) -> None:
    other = PassKeys(load_keyring(tmp_path))
    assert keys.read(other.sign(claims()), NOW).problem == "other_key"


def test_no_algorithm_and_a_stranger_with_our_key_id(keys: PassKeys, tmp_path: Path) -> None:
    raw = cbor2.loads(base45.b45decode(keys.sign(claims())[len(PREFIX) :]))
    kid = cbor2.loads(raw.value[0])[4]
    for header in ({4: kid}, {1: -8, 4: kid}, {1: None, 4: kid}):
        bent = cbor2.CBORTag(18, [cbor2.dumps(header), {}, raw.value[2], raw.value[3]])
        assert keys.read(PREFIX + base45.b45encode(cbor2.dumps(bent)).decode(), NOW).problem == "unreadable"
    stranger = cbor2.loads(base45.b45decode(PassKeys(load_keyring(tmp_path)).sign(claims())[len(PREFIX) :]))
    bent = cbor2.CBORTag(18, [raw.value[0], {}, raw.value[2], stranger.value[3]])
    assert keys.read(PREFIX + base45.b45encode(cbor2.dumps(bent)).decode(), NOW).problem == "forged"


@given(
    st.text()
    | st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=190).map(lambda rest: PREFIX + rest)
)
def test_reading_never_raises(keys: PassKeys, token: str) -> None:
    assert keys.read(token, NOW).problem is not None


def test_the_riskiest_counties_are_kept() -> None:
    codes = [f"{310100 + number}000000" for number in range(8)]
    assert fit_counties([*codes, codes[0]]) == (tuple(code[:6] for code in codes[:6]), True)
    assert fit_counties(codes[:2]) == (("310100", "310101"), False)


def test_links_open_only_what_we_made(ring: Keyring, tmp_path: Path) -> None:
    import uuid

    registration = uuid.uuid4()
    handle = link_handle(ring, registration)
    assert open_link(ring, handle) == registration
    assert open_link(ring, handle[:-2] + ("AA" if not handle.endswith("AA") else "BB")) is None
    assert open_link(load_keyring(tmp_path), handle) is None
    for wrong in ("", "x", "é", "=" * 40, handle + "AAAA"):
        assert open_link(ring, wrong) is None


@pytest.mark.parametrize(
    ("minutes_before_expiry", "hours"),
    [(1, 1), (60, 1), (61, 2), (48 * 60, 48), (255 * 60, 255), (255 * 60 + 1, None), (0, None), (-60, None)],
)
def test_the_newest_negative_test_is_never_newer_than_it_was(
    keys: PassKeys, minutes_before_expiry: int, hours: int | None
) -> None:
    expires_at = NOW + timedelta(days=8)
    taken_at = expires_at - timedelta(minutes=minutes_before_expiry)
    given_claims = replace(claims(2, expires_at), negative_test_at=taken_at)
    reading = keys.read(keys.sign(given_claims), NOW)
    assert reading.claims is not None
    assert reading.claims.negative_test_at == (None if hours is None else expires_at - timedelta(hours=hours))
    assert reading.claims.counties == given_claims.counties


def test_a_document_tag_is_an_hmac_that_a_browser_can_compute() -> None:
    key = bytes(range(32))
    # RFC 2104 over SHA-256, computed with openssl: printf %s 11010519491231002X | openssl dgst -sha256 -mac HMAC …
    assert document_tag(key, "11010519491231002X").hex() == "a6675545"


def test_the_document_key_is_one_for_an_instance(ring: Keyring, tmp_path: Path) -> None:
    assert len(document_key(ring)) == 32
    assert document_key(ring) == document_key(ring) != document_key(load_keyring(tmp_path))


@pytest.mark.parametrize(
    "item",
    [
        bytes.fromhex("c11bffffffffffffffff"),  # a time after the end of time
        bytes.fromhex("d2843bffffffffffffffff"),  # a number below what 64 bits hold
        bytes.fromhex("d81e820100"),  # a fraction over nothing
        bytes.fromhex("c5821bffffffffffffffff01"),  # a power that no computer has room for
        bytes.fromhex("d823615b"),  # a pattern that is none
        bytes.fromhex("5b7fffffffffffffff00"),  # bytes without end
        b"\x81" * 3000,  # lists in lists
    ],
)
def test_cbor_that_means_harm_is_unreadable(keys: PassKeys, item: bytes) -> None:
    for raw in (item, cbor2.dumps(cbor2.CBORTag(18, [item, {}, b"", b""])), b"\xd2\x84" + item + b"\xa0\x40\x40"):
        token = (PREFIX + base45.b45encode(raw).decode())[:MAX_LENGTH]
        assert keys.read(token, NOW).problem == "unreadable"
