"""nginx with the configuration of deploy/, in a folder of its own on the loopback, with a certificate made for the test."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from checkpoint.config import PROJECT_ROOT

NAME = "checkpoint.example"
SOURCE = PROJECT_ROOT / "deploy" / "nginx"
BROTLI = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
_MAIN = """
daemon off;
{user}
{modules}
pid {folder}/nginx.pid;
error_log {folder}/main.log;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: headers by their names in small letters, each with all its values."""

    status: int
    headers: dict[str, list[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Front:
    """A running nginx: its ports, and the certificate it is known by."""

    folder: Path
    port: int
    plain_port: int
    has_brotli: bool

    def context(self) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        made.set_alpn_protocols(["h2", "http/1.1"])
        return made

    def connection(self, *, source: str = "127.0.0.1", name: str = NAME) -> http.client.HTTPSConnection:
        """A connection that speaks HTTP/1.1, from an address of the loopback."""
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))
        made = http.client.HTTPSConnection(name, timeout=30)
        made.sock = context.wrap_socket(raw, server_hostname=name)
        return made

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """One request over a connection of its own."""
        connection = self.connection(source=source)
        try:
            connection.request(method, path, body, dict(headers))
            return read(connection.getresponse())
        finally:
            connection.close()

    def logged(self) -> str:
        """Everything that nginx has written."""
        return "".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))


def read(response: http.client.HTTPResponse) -> Answer:
    """A whole answer."""
    headers: dict[str, list[str]] = {}
    for name, value in response.getheaders():
        headers.setdefault(name.lower(), []).append(value)
    return Answer(response.status, headers, response.read())


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _site(folder: Path, port: int, plain: int, web: int, stream: int) -> str:
    """The committed site with the ports, folders and certificate of the test; everything else as it is."""
    text = (SOURCE / "checkpoint.conf").read_text("utf-8")
    changes = {
        "listen 80 ": f"listen 127.0.0.1:{plain} ",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{web};",
        "server 127.0.0.1:8001;": f"server 127.0.0.1:{stream};",
        "/etc/ssl/checkpoint/fullchain.pem": f"{folder}/cert.pem",
        "/etc/ssl/checkpoint/privkey.pem": f"{folder}/key.pem",
        "/var/log/checkpoint/": f"{folder}/",
        "/etc/nginx/checkpoint/": f"{folder}/checkpoint/",
        "/var/www/": f"{folder}/www/",
    }
    if not BROTLI.exists():
        changes["    brotli_static on;"] = "    #"
    for old, new in changes.items():
        assert old in text, f"the site no longer says {old!r}"
        text = text.replace(old, new)
    return "\n".join(line for line in text.splitlines() if "listen [::]" not in line)


def _certificate(folder: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    whose = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*made, *whose, *files], check=True, capture_output=True)


@contextmanager
def fronted(folder: Path, *, web: int, stream: int) -> Iterator[Front]:
    """nginx before two servers of the loopback, with the static files laid out as operators do it."""
    assert NGINX is not None
    port, plain = free_port(), free_port()
    _certificate(folder)
    shutil.copytree(SOURCE, folder / "checkpoint")
    (folder / "www" / "acme").mkdir(parents=True)
    static = folder / "www" / "checkpoint" / "static"
    subprocess.run([sys.executable, "scripts/lib/compressing.py", str(static)], cwd=PROJECT_ROOT, check=True)
    (folder / "site.conf").write_text(_site(folder, port, plain, web, stream), "utf-8")
    modules = f"load_module {BROTLI};" if BROTLI.exists() else ""
    user = "user root;" if os.geteuid() == 0 else ""  # the folders of tests are their owner's alone
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder, modules=modules, user=user), "utf-8")
    command = [NGINX, "-p", str(folder), "-c", str(main), "-e", str(folder / "start.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    with subprocess.Popen(command) as server:
        try:
            deadline = time.monotonic() + 20
            while not _listens(port):
                assert server.poll() is None, "nginx did not start"
                assert time.monotonic() < deadline, "nginx does not listen"
                time.sleep(0.05)
            yield Front(folder, port, plain, BROTLI.exists())
        finally:
            server.terminate()
            server.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
