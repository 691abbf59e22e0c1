"""A hostile file is refused in a sentence while the server goes on answering everybody else: the real gunicorn."""

import http.client
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from flask import Flask

from checkpoint.accounts.models import Role
from checkpoint.database import db
from checkpoint.inquiries.converting import MAX_UNPACKED
from tests.factories import hostile, people
from tests.factories.divisions import SITE
from tests.factories.gunicorns import real_server

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

_EDGE = "edge-of-a-part"
_FIELDS = {
    "source": "x",
    "case": "",
    "level": "red",
    "legal_basis": "x",
    "valid_from": "2026-01-01",
    "valid_until": "2026-01-02",
}
_PIECE = b"x" * (1 << 20)


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody of command who has signed in at a running server."""

    server: str
    cookie: str
    form_token: str


@pytest.fixture
def desk(app: Flask, environment: dict[str, str]) -> Iterator[Desk]:
    with app.app_context():
        people.user("command", Role.COMMAND, SITE)
        db.session.remove()
    with real_server(environment) as address:
        jar = CookieJar()
        browser = build_opener(HTTPCookieProcessor(jar))

        def form_token(path: str) -> str:
            with browser.open(address + path) as page:
                found = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
            assert found is not None
            return found[1]

        said = {"csrf_token": form_token("/login?lang=en"), "login": "command", "password": people.PASSWORD}
        browser.open(f"{address}/login", urlencode(said).encode()).close()
        token = form_token("/command/inquiries")
        yield Desk(urlsplit(address).netloc, "; ".join(f"{one.name}={one.value}" for one in jar), token)


def post(desk: Desk, pieces: Iterable[bytes], size: int) -> tuple[int, str]:
    """Upload a file of `size` bytes as a list; the status and the page."""
    fields = _FIELDS | {"csrf_token": desk.form_token}
    head = "".join(
        f'--{_EDGE}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
    )
    head += f'--{_EDGE}\r\nContent-Disposition: form-data; name="file"; filename="list.csv"\r\n\r\n'
    tail = f"\r\n--{_EDGE}--\r\n".encode()
    headers = {
        "Cookie": desk.cookie,
        "Content-Type": f"multipart/form-data; boundary={_EDGE}",
        "Content-Length": str(len(head.encode()) + size + len(tail)),
    }
    connection = http.client.HTTPConnection(desk.server, timeout=100)
    try:
        connection.request("POST", "/command/inquiries", (part for part in (head.encode(), *pieces, tail)), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def alive(server: str) -> int:
    connection = http.client.HTTPConnection(server, timeout=60)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def refused(desk: Desk, pieces: Iterable[bytes], size: int) -> tuple[str, list[int]]:
    """What is said of a hostile file, and the answers that others had from the moment it began until it was refused."""
    found: list[tuple[int, str]] = []
    upload = threading.Thread(target=lambda: found.append(post(desk, pieces, size)))
    upload.start()
    others = []
    while True:
        status = alive(desk.server)
        if not upload.is_alive():
            break  # the last one may have been answered only when the file was done with
        others.append(status)
    upload.join()
    ((status, page),) = found
    assert status == 422
    return page, others


@pytest.mark.slow
def test_others_are_answered_during_a_zip_bomb(desk: Desk, tmp_path: Path) -> None:
    bomb = hostile.bomb(tmp_path / "bomb", "xl/worksheets/sheet1.xml", MAX_UNPACKED - (1 << 20)).read_bytes()
    page, others = refused(desk, [bomb], len(bomb))
    assert "This workbook is damaged or protected by a password." in page
    assert len(others) >= 5
    assert set(others) == {200}


@pytest.mark.slow
def test_others_are_answered_during_a_gigabyte_on_one_line(desk: Desk) -> None:
    page, others = refused(desk, [_PIECE] * 1024, 1 << 30)
    assert "A line of this file is longer than a megabyte" in page
    assert len(others) >= 5
    assert set(others) == {200}
