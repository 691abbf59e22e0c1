"""Run an instance: one process loads the application and prepares its database, then forks the web server and the scheduler.

Loading once makes the second start quick. The port is taken before anything slow begins, so that a taken one is told at once.
"""

import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from say import CannotGoOn, say, stop
from supervise import Supervisor

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 60.0  # seconds


def take_port() -> socket.socket:
    """The listening socket of this instance; CannotGoOn in a sentence if it cannot be had."""
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    port = os.environ.get("PORT", "").strip() or "8000"
    if not re.fullmatch(r"\d{1,5}", port) or not 1 <= int(port) <= 65535:
        raise CannotGoOn(f"PORT must be a whole number from 1 to 65535, not {port!r}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, int(port)))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise CannotGoOn(
            f"Port {port} on {host} cannot be used ({error.strerror}); stop what holds it, or choose another one: "
            f"PORT={int(port) % 65535 + 1} scripts/start"
        ) from error
    return listening


def serve(app: "Flask", listening: socket.socket) -> None:
    """gunicorn on a socket that is already open, with the application that is already loaded."""
    from gunicorn.app.base import Application

    class Server(Application):  # type: ignore[misc]
        def init(self, _parser: Any, _options: Any, _arguments: Any) -> None:
            return

        def load(self) -> "Flask":
            return app

        def load_config(self) -> None:
            self.load_config_from_file(str(ROOT / "gunicorn.conf.py"))
            self.cfg.set("bind", [f"fd://{listening.fileno()}"])
            self.cfg.set("loglevel", "warning")

    Server().run()


def schedule(app: "Flask") -> None:
    """`flask scheduler` with the application that is already loaded."""
    from flask.cli import ScriptInfo

    app.cli.main(args=["scheduler"], prog_name="flask", obj=ScriptInfo(create_app=lambda _info=None: app))


def wait_until_ready(supervisor: Supervisor, address: str) -> None:
    """Until /readyz answers 200; CannotGoOn if a child ends before or it takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    last = "no answer"
    while not supervisor.stopping:
        gone = supervisor.ended()
        if gone is not None:
            raise CannotGoOn(f"The {gone[0]} ended at once with status {gone[1]}; its message stands above.")
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):  # noqa: S310 - our own http address
                return
        except urllib.error.HTTPError as error:
            last = error.read(2000).decode(errors="replace").strip()
        except OSError as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise CannotGoOn(f"The system is not ready after {READY_WITHIN:.0f} s; /readyz says: {last}")
        time.sleep(0.05)


def show(app: "Flask") -> None:
    """Which address is for whom."""
    from checkpoint.cli.demo import addresses

    lines = addresses(app)
    width = max(len(who) for who, _ in lines)
    print()
    for who, address in lines:
        print(f"  {who:<{width}}  {address}")
    print("\n  Ctrl-C ends it.", flush=True)


def main() -> None:
    """Start, say where, and stay until Ctrl-C or until a part ends."""
    begun = time.monotonic()
    try:
        listening = take_port()
        sys.path.insert(0, str(ROOT))
        from checkpoint.cli.demo import prepare
        from wsgi import app

        prepare(app)
    except CannotGoOn as error:
        stop(str(error))
    except KeyboardInterrupt:
        stop("interrupted; the next start goes on where this one stopped.")
    supervisor = Supervisor()
    status = 0
    try:
        supervisor.fork("web server", lambda: serve(app, listening))
        supervisor.fork("scheduler", lambda: schedule(app))
        listening.close()
        settings = app.extensions["settings"]
        here = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - compared, not bound
        wait_until_ready(supervisor, f"http://{'[' + here + ']' if ':' in here else here}:{settings.port}")
        if not supervisor.stopping:
            show(app)
            say(f"  Ready after {time.monotonic() - begun:.1f} s.")
        gone = supervisor.wait()
        if gone is not None:
            status = 1
            say(f"checkpoint: the {gone[0]} ended with status {gone[1]}, so everything ends.")
    except CannotGoOn as error:
        status = 1
        say(f"checkpoint: {error}")
    finally:
        supervisor.end_all()
    sys.exit(status)


if __name__ == "__main__":
    main()
