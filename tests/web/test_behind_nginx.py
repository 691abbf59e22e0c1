"""Checkpoint as a city runs it: nginx with the configuration of deploy/ before gunicorn, over TLS."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.database import db
from tests.factories import declarations, lists, people
from tests.factories.divisions import SITE
from tests.factories.fronted import NAME, NGINX, Answer, Front, free_port, fronted, read
from tests.factories.gunicorns import real_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)"),
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]
BEHIND = {"TRUSTED_PROXIES": "1", "PUBLIC_URL": f"https://{NAME}", "REGISTRATION_LIMIT": "3 per hour"}
SAME = (
    "cache-control", "content-type", "content-security-policy", "x-content-type-options", "referrer-policy",
    "permissions-policy", "cross-origin-opener-policy", "strict-transport-security", "vary",
)  # fmt: skip


@pytest.fixture
def front(app: Flask, environment: dict[str, str], tmp_path: Path) -> Iterator[Front]:
    with app.app_context():
        lists.in_force(at=clock.now())
        db.session.remove()
    folder = tmp_path / "front"
    folder.mkdir()
    systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind(str(tmp_path / "n"))
    systemd.settimeout(5)
    with systemd, real_server(environment | BEHIND | {"NOTIFY_SOCKET": str(tmp_path / "n")}) as address:
        assert b"READY=1" in systemd.recv(200)  # Type=notify of the unit
        port = int(address.rpartition(":")[2])
        with fronted(folder, web=port, stream=port) as found:
            yield found


def register(front: Front, number: int, **more: Any) -> Answer:
    today = clock.local_date(clock.now(), "Asia/Shanghai").isoformat()
    body = json.dumps(declarations.declaration(number, arriving_on=today)).encode()
    kind = {"Content-Type": "application/json", **more.pop("headers", {})}
    return front.ask("/api/v1/registrations", method="POST", body=body, headers=kind, **more)


def test_a_city_behind_nginx(app: Flask, front: Front) -> None:
    """One test for one start of both servers: each step names what it looks at."""
    _pages(front)
    _static_files(front)
    _large_bodies(front)
    _addresses(front)
    _events(app, front)
    _names(front)
    assert "/p/" not in front.logged()
    assert "/static/" not in front.logged()


def _pages(front: Front) -> None:
    page = front.ask("/?lang=en", headers={"Accept-Encoding": "br"})
    assert (page.status, page.headers["content-encoding"]) == (200, ["br"])
    assert {
        name: values for name, values in page.headers.items() if len(values) > 1 and name != "set-cookie"
    } == {}  # nothing is said twice
    assert page.headers["strict-transport-security"] == ["max-age=31536000"]
    assert "server" in page.headers
    assert page.headers["server"] == ["nginx"]
    assert [front.ask(path).status for path in ("/healthz", "/readyz", "/metrics", "/nothing")] == [200, 404, 404, 404]
    with front.context().wrap_socket(socket.create_connection(("127.0.0.1", front.port)), server_hostname=NAME) as sock:
        assert sock.selected_alpn_protocol() == "h2"


def _static_files(front: Front) -> None:
    whole = front.ask("/static/css/base.css")
    assert (whole.status, whole.headers["cache-control"]) == (200, ["no-cache"])
    forms = {"gzip": "gzip", "br, gzip": "br" if front.has_brotli else "gzip"}
    for accepted, given in forms.items():
        small = front.ask("/static/css/base.css?v=0123456789ab", headers={"Accept-Encoding": accepted})
        assert small.headers["content-encoding"] == [given]
        assert small.headers["cache-control"] == ["public, max-age=31536000, immutable"]
        assert small.headers["vary"] == ["Accept-Encoding"]
        assert len(small.body) < len(whole.body)
        again = front.ask(
            "/static/css/base.css", headers={"If-None-Match": small.headers["etag"][0], "Accept-Encoding": accepted}
        )
        assert again.status == 304
    # Every kind of file says the same of itself as when the application sends it.
    for path in ("css/base.css", "js/gate/gate.js", "vendor/zxing/reader/zxing_reader.wasm"):
        for stamp in ("", "?v=0123456789ab"):
            nginx = front.ask(f"/static/{path}{stamp}")
            served = front.folder / "www/checkpoint/static" / path
            served.rename(served.with_suffix(".away"))  # so that nginx asks the application
            own = front.ask(f"/static/{path}{stamp}")
            served.with_suffix(".away").rename(served)
            assert nginx.body == served.read_bytes()
            assert {name: nginx.headers.get(name) for name in SAME[:-1]} == {
                name: own.headers.get(name) for name in SAME[:-1]
            }
    assert front.ask("/static/nothing.css").status == 404
    assert front.ask("/static/../nginx.conf").status in (400, 404)


def _large_bodies(front: Front) -> None:
    for path, size in (("/api/v1/registrations", 2 << 20), ("/api/v1/scans/batch", 18 << 20)):
        answer = _sent_too_much(front, path, size)
        assert (answer.status, answer.headers["content-type"]) == (413, ["application/problem+json"])
        assert json.loads(answer.body)["status"] == 413
        assert answer.headers["content-security-policy"]
    page = _sent_too_much(front, "/c/G60", 2 << 20)
    assert (page.status, page.headers["content-type"]) == (413, ["text/html; charset=utf-8"])
    assert "文件太大" in page.body.decode()
    # Below nginx's limit it is the application that speaks, in its own words.
    own = front.ask(
        "/api/v1/registrations",
        method="POST",
        body=b" " * (1 << 20) + b"{}",
        headers={"Content-Type": "application/json"},
    )
    assert own.status == 413
    picture = front.ask("/apply/person", method="POST", body=b"x" * (20 << 20), headers={"Content-Type": "text/plain"})
    assert picture.status != 413


def _sent_too_much(front: Front, path: str, size: int) -> Answer:
    """Only the head: nginx answers before anybody has to send the rest."""
    connection = front.connection()
    connection.putrequest("POST", path)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    answer = read(connection.getresponse())
    connection.close()
    return answer


def _addresses(front: Front) -> None:
    """The limit counts the sender's own address, whatever the sender says of it."""
    claims = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(4)]
    seen = [register(front, number, source="127.0.0.2", headers=claim).status for number, claim in enumerate(claims, 1)]
    assert seen == [201, 201, 201, 429]
    assert register(front, 5, source="127.0.0.3").status == 201
    shown = json.loads(register(front, 6, source="127.0.0.4").body)["pass"]["url"]
    assert shown.startswith(f"https://{NAME}/p/")
    assert front.ask(shown.removeprefix(f"https://{NAME}")).status == 200


def _events(app: Flask, front: Front) -> None:
    """An event arrives while the stream is open: nothing between collects it first."""
    with app.app_context():
        token = people.token(Role.COMMAND, SITE)
        db.session.remove()
    connection = front.connection()
    connection.request("GET", "/api/v1/stream", headers=people.bearer(token))
    stream = connection.getresponse()
    assert (stream.status, stream.getheader("Content-Type")) == (200, "text/event-stream; charset=utf-8")
    assert stream.readline().startswith(b"retry: ")
    assert register(front, 7, source="127.0.0.4").status == 201
    while not (line := stream.readline()).startswith(b"event: "):
        assert line
    assert line.strip() in (b"event: alert", b"event: change")
    connection.close()


def _names(front: Front) -> None:
    """Plain http leads to https, and other names to nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", front.plain_port, timeout=10)
    connection.request("GET", "/c/G60?lang=en")
    moved = connection.getresponse()
    assert (moved.status, moved.getheader("Location")) == (301, f"https://{NAME}/c/G60?lang=en")
    connection.close()
    with pytest.raises(ssl.SSLError):
        front.connection(name="other.example")


def test_while_the_application_is_away_people_and_programs_are_told_to_come_back(tmp_path: Path, backend: str) -> None:
    with fronted(tmp_path, web=free_port(), stream=free_port()) as front:
        page, program = front.ask("/c/G60"), register(front, 1)
        assert (page.status, program.status) == (503, 503)
        assert page.headers["retry-after"] == program.headers["retry-after"] == ["5"]
        assert page.headers["cache-control"] == ["no-store"]
        assert "请过几秒再试一次" in page.body.decode()
        assert json.loads(program.body)["type"] == "urn:checkpoint:problem:too_busy"
        assert front.ask("/static/css/base.css").status == 200
        assert front.ask("/_errors/503.html").status in (404, 503)
        assert "/c/G60" not in front.logged().replace("/c/G60?lang", "")
