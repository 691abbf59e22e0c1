"""Calls to addresses that people have typed in. Whoever may name an address must not be able to reach what only this machine can.

Every address of the host is looked at before the connection is made, and the connection goes to the very address that was looked
at: a name that answers differently the second time gains nothing. Redirects are not followed. Proxies are not used.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult, urlsplit

from checkpoint.errors import CheckpointError

_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that has been given out (RFC 4291 and IANA's registry)."""


class ForbiddenAddress(CheckpointError):
    """This address is not one that may be called."""

    code = "forbidden_address"


class Unreachable(CheckpointError):
    """The other side does not answer."""

    code = "unreachable"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered; `body` is cut off at the limit that was asked for, and `cut` says so."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool


def is_public(address: str) -> bool:
    """Whether an IP address lies on the open internet: not private, loopback, link-local, multicast or reserved."""
    found = ipaddress.ip_address(address.split("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            found = inner
        elif found in ipaddress.ip_network("64:ff9b::/96"):  # an IPv4 address behind NAT64
            found = ipaddress.IPv4Address(found.packed[-4:])
    if isinstance(found, ipaddress.IPv6Address) and found not in _UNICAST:
        return False  # ::127.0.0.1 and whatever else was never given to anybody
    return found.is_global and not found.is_multicast


def resolved(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host; ForbiddenAddress when any of them is not public, Unreachable when there are none."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("The host has no address.") from error
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    if not found:
        raise Unreachable("The host has no address.")
    if not allow_private and not all(is_public(one) for one in found):
        raise ForbiddenAddress
    return found


def split(url: str, *, allow_private: bool) -> SplitResult:
    """The parts of an http or https address; ForbiddenAddress for anything else. Plain http only where private hosts are allowed."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError as error:
        raise ForbiddenAddress from error
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password or not url.isprintable():
        raise ForbiddenAddress
    return parts


def port_of(parts: SplitResult) -> int:
    """The port of an address, also where it is not written."""
    return parts.port or (443 if parts.scheme == "https" else 80)


class _Pinned(http.client.HTTPConnection):
    """A connection to one IP address in the name of a host; over TLS the certificate must be the host's."""

    def __init__(self, parts: SplitResult, address: str, timeout: float) -> None:
        super().__init__(cast(str, parts.hostname), port_of(parts), timeout=timeout)
        self._address = address
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.default_port = 443 if self._tls else 80

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def call(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    allow_private: bool,
    timeout: float = 10.0,
    most: int = 65_536,
) -> Reply:
    """One request, answered with at most `most` bytes. Raises ForbiddenAddress or Unreachable; any status is an answer."""
    parts = split(url, allow_private=allow_private)
    addresses = resolved(cast(str, parts.hostname), port_of(parts), allow_private=allow_private)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Pinned(parts, addresses[0], timeout)
    try:
        connection.request(method, path, body=body, headers={"User-Agent": "checkpoint", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(type(error).__name__) from error
    finally:
        connection.close()
    return Reply(
        answer.status, {name.lower(): value for name, value in answer.getheaders()}, content[:most], len(content) > most
    )
