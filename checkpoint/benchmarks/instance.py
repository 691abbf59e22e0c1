"""An instance for one benchmark: its own folder, its own database, its own gunicorn; all of it is gone afterwards."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import flask_migrate
import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import create_engine

from checkpoint import clock, create_app
from checkpoint.accounts import posts
from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import CheckpointKind, Role
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.benchmarks import floor
from checkpoint.benchmarks.processes import Workers, workers_of
from checkpoint.config import PROJECT_ROOT, Settings
from checkpoint.database import db, prepare_engine, transaction
from checkpoint.errors import ConfigurationError
from checkpoint.regions import IndexUnusable, build_index, default_index, open_index, read_divisions
from checkpoint.regions import service as regions
from checkpoint.regions.loading import compare, write
from checkpoint.regions.models import contains
from checkpoint.regions.places import DivisionRow
from checkpoint.risk.importing import import_list
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, ParsedList
from checkpoint.risk.publishing import publish

READY_WITHIN = 60.0
LISTED_PLACES = 2000
_COUNTY = 3


@dataclass(frozen=True, slots=True)
class Instance:
    """A prepared instance: its application (in this process), environment, and the tokens of a tablet and of the command."""

    app: Flask
    environ: dict[str, str]
    settings: Settings
    device_token: str
    command_token: str


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn."""

    port: int
    workers: Workers


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _own_database(server: str | None) -> Iterator[str | None]:
    """An empty database on a PostgreSQL server, dropped at the end; None for SQLite in the instance's folder."""
    if server is None:
        yield None
        return
    plain = server.replace("postgresql+psycopg://", "postgresql://", 1)
    name = f"checkpoint_bench_{os.getpid()}"
    base, _, query = plain.partition("?")
    _execute(plain, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", name)
    try:
        address = base.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://", 1)
        yield f"{address}/{name}" + (f"?{query}" if query else "")
    finally:
        _execute(plain, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(server: str, command: LiteralString, database: str) -> None:
    """One command about a database, over a connection of its own: the server may have been killed since the last one."""
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.SQL(command).format(sql.Identifier(database)))
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"The PostgreSQL server cannot be reached: {str(error).strip().splitlines()[0]}"
        ) from error


def _rows(site: str) -> list[DivisionRow]:
    """Provinces, cities and counties of the country, and every town and village of the site."""
    package = regions.DIST
    if not (package / "villages.csv").is_file():
        raise regions.SourceMissing
    return [row for row in read_divisions(package) if row.level <= _COUNTY or contains(site, row.code)]


def _place_index(target: Path, rows: list[DivisionRow]) -> None:
    """Copy the index of an instance that is there, or build a small one of the rows."""
    asked = os.environ.get("CHECKPOINT_DATA", "").strip()
    for folder in ([Path(asked)] if asked else []) + [PROJECT_ROOT / "instance"]:
        try:
            open_index(folder / "regions.idx")
        except IndexUnusable:
            continue
        shutil.copyfile(folder / "regions.idx", target)
        return
    build_index(rows, target)


def _publish_list(rows: list[DivisionRow], actor: Actor) -> None:
    """A list of the length of a national one: places all over the country, the same in every run."""
    rng = random.Random(7)  # noqa: S311 - places, not secrets
    index = default_index()
    counties = [row.code for row in rows if row.level == _COUNTY]
    entries = {}
    for _ in range(LISTED_PLACES):
        county = rng.choice(counties)
        city, province = county[:4].ljust(12, "0"), county[:2].ljust(12, "0")
        level = rng.choices((Level.HIGH, Level.MIDDLE, Level.LOW), (30, 50, 20))[0]
        text = f"人民路{rng.randrange(1, 900)}号"
        names = [index.name(code) for code in (province, city, county)]
        entries[county, text] = Entry(level, names[0], names[1], names[2], text)
    now = clock.now()
    parsed = ParsedList("benchmark", now, tuple(entries.values()))
    publish(import_list(parsed, actor=actor, at=now).id, actor=actor, at=now)


def _fill(app: Flask, settings: Settings) -> tuple[str, str]:
    """Migrate, load what a registration needs, publish a list, enrol a tablet; the tablet's token and the command's."""
    rows = _rows(settings.site_division)
    _place_index(settings.data / "regions.idx", rows)
    with app.app_context():
        flask_migrate.upgrade()
        with transaction() as session:
            write(session, compare(rows, lambda *_: None), lambda *_: None)
        actor, at = system_actor(""), clock.now()
        _publish_list(rows, actor)
        posts.create_checkpoint(
            "BENCH", "测速卡口", CheckpointKind.EXPRESSWAY, settings.site_division, actor=actor, at=at
        )
        tablet = posts.enrol_device(posts.create_device("BENCH", actor=actor, at=at).code, "benchmark", at=at)
        command = accounts.issue_token(Role.COMMAND, settings.site_division, actor=actor, at=at, label="benchmark")
        db.session.remove()
        db.engine.dispose()
    engine = create_engine(settings.database_url)
    prepare_engine(engine)
    floor.fill(engine)
    engine.dispose()
    return tablet.token, command.token


@contextmanager
def prepared(database_url: str | None, overrides: Mapping[str, str]) -> Iterator[Instance]:
    """An instance that is ready to be served. `database_url` names a PostgreSQL server; None means SQLite."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="checkpoint-bench-"))
        address = stack.enter_context(_own_database(database_url))
        environ = {
            **{name: value for name, value in os.environ.items() if name not in ("PUBLIC_URL", "TRUSTED_PROXIES")},
            "HOST": "127.0.0.1",
            "PORT": str(_free_port()),
            "CHECKPOINT_DATA": folder,
            "DATABASE_URL": address or "",
            "REGISTRATION_LIMIT": "100000000 per second",
            **overrides,
        }
        app = create_app(environ)
        settings: Settings = app.extensions["settings"]
        device, command = _fill(app, settings)
        yield Instance(app, environ, settings, device, command)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def served(instance: Instance) -> Iterator[Server]:
    """gunicorn with the project's own configuration, until the block ends."""
    log = instance.settings.data / "server.log"
    with instance.app.app_context():
        db.session.remove()
        db.engine.dispose()
    command = [
        "-m",
        "gunicorn",
        "-c",
        "gunicorn.conf.py",
        "--log-level",
        "warning",
        "checkpoint.benchmarks.serving:app",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, *command],
            cwd=PROJECT_ROOT,
            env=instance.environ,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, instance.settings.port, log)
        workers = _all_workers(process.pid, instance.settings.web_workers)
        yield Server(instance.settings.port, workers)
        if workers_of(process.pid) != workers:
            raise ConfigurationError(f"A worker ended during the benchmark: {_tail(log)}")
    finally:
        _end(process)


def _all_workers(master: int, number: int) -> Workers:
    """The workers, once all of them are there: the first one answers while the others are still being forked."""
    deadline = time.monotonic() + READY_WITHIN
    while len((found := workers_of(master)).pids) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-1500:]


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ConfigurationError(f"The server ended at once: {_tail(log)}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except urllib.error.HTTPError as error:
            raise ConfigurationError(f"The server is not ready: {error.read(500).decode(errors='replace')}") from error
        except OSError:
            time.sleep(0.05)
    raise ConfigurationError(f"The server is not ready after {READY_WITHIN:.0f} s: {_tail(log)}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and SIGKILL to the whole group when that is not enough."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
