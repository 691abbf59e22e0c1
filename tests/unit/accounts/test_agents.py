"""What the list of sessions keeps of a device and its address; codes of an authenticator app against the vectors of RFC 6238."""

import base64
from datetime import UTC, datetime

import pytest

from checkpoint.accounts import totp
from checkpoint.accounts.agents import device_words, network_of

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"{IPHONE} Version/18.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.50", "WeChat, iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("curl/8.0", ""),
        ("", ""),
        ("<script>" * 1000, ""),
    ],
)
def test_a_device_is_known_by_browser_and_system(agent: str, words: str) -> None:
    assert device_words(agent) == words


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_cut_to_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_rfc_6238(second: int, code: str) -> None:
    at = datetime.fromtimestamp(second, UTC)
    assert totp.code_at(RFC_SECRET, totp.step_of(at)) == code
    assert totp.accepted_step(RFC_SECRET, f"{code[:3]} {code[3:]}", at, 0) == totp.step_of(at)
    assert totp.accepted_step(RFC_SECRET, code, at, totp.step_of(at)) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "２８７０８２"])
def test_what_is_no_code_opens_nothing(code: str) -> None:
    assert totp.accepted_step(RFC_SECRET, code, datetime.fromtimestamp(59, UTC), 0) is None
