"""Addresses that people type in never lead to what only this machine can reach."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from checkpoint import outbound
from checkpoint.outbound import ForbiddenAddress, Unreachable, call, is_public, resolved, split


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1",
        "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::1",
        "2001:0:0:0:0:0:80ff:fffe", "2001:db8::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_on_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "::1", "0"])
def test_a_host_in_any_writing_is_what_it_stands_for(host: str) -> None:
    with pytest.raises((ForbiddenAddress, Unreachable)):
        resolved(host, 443, allow_private=False)


def test_one_private_answer_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(*_given: object, **_more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (address, 443)) for address in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", answers)
    with pytest.raises(ForbiddenAddress):
        call("GET", "https://example.org/", allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "file:///etc/passwd", "gopher://example.org/", "https://user:pass@example.org/", "https:///x",
        "https://example.org:99999/", "https://exa\nmple.org/", "https://[::1", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_only_plain_https_addresses_are_called(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        split(url, allow_private=False)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that sends everybody on to itself, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"x" * 100_000)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_is_an_answer_and_is_not_followed(elsewhere: tuple[str, list[str]]) -> None:
    address, asked = elsewhere
    reply = call("GET", f"{address}/start", allow_private=True, most=1000)
    assert (reply.status, reply.headers["location"], len(reply.body), reply.cut) == (302, "/secret", 1000, True)
    assert asked == ["/start"]
    with pytest.raises(ForbiddenAddress):
        call("GET", address.replace("http:", "https:"), allow_private=False)
