"""How gunicorn serves Checkpoint: `gunicorn -c gunicorn.conf.py wsgi:app`; the figures come from the environment.

Threads, not greenlets: SQLite must never yield inside a write. Each worker answers WEB_THREADS requests at once and holds
STREAM_LIMIT streams besides; checkpoint/web/admission.py sends away whoever is too many. The application is loaded once and
forked, so that the workers share its memory.
"""

import gc
import sys
from pathlib import Path

from checkpoint.config import settings_from
from checkpoint.errors import ConfigurationError

SPARE_THREADS = 8

try:
    _settings = settings_from()
except ConfigurationError as error:
    sys.exit(f"checkpoint: {error}")

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.web_workers
# Besides those who are answered and those who wait, some threads must be free to send the rest away at once.
threads = _settings.web_threads + _settings.stream_limit + _settings.web_queue + SPARE_THREADS
# Whoever stands in the kernel's queue hears nothing at all: it is better to let people in and to tell them.
worker_connections = threads + 1000
preload_app = True
timeout = 60
graceful_timeout = 5
keepalive = 5
backlog = 2048
limit_request_line = 4094
# Addresses hold the handles of passes, so requests are not logged; the application counts them for /metrics.
accesslog = None
errorlog = "-"
loglevel = "info"
# One shared socket path would tie instances on one machine together.
control_socket_disable = True
# The heartbeat of workers is a file that is touched every second: memory, where there is one.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def when_ready(_server: object) -> None:
    """What the application loaded stays for good: the collector need not look at it again in any worker."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: object) -> None:
    """A worker that stops ends its streams first; their screens come back to another one."""
    from checkpoint.web.stream import close_streams_on_exit

    close_streams_on_exit(getattr(worker, "app").callable)  # noqa: B009 - gunicorn's worker is untyped


def worker_exit(_server: object, worker: object) -> None:
    """What a worker has counted and not written yet is written now."""
    from checkpoint.web.metering import flush_at_end

    flush_at_end(getattr(worker, "app").callable)  # noqa: B009 - gunicorn's worker is untyped


def post_fork(_server: object, worker: object) -> None:
    """Forget the connections of the master: a connection has one process."""
    from checkpoint.database import bound_requests, db

    sys.setswitchinterval(0.001)  # seconds: those who are sent away wait behind those who are answered, a turn of each
    app = getattr(worker, "app").callable  # noqa: B009 - gunicorn's worker is untyped
    app.extensions["counts"].take_place(getattr(worker, "age"))  # noqa: B009 - gunicorn's worker is untyped
    with app.app_context():
        db.engine.dispose(close=False)
        bound_requests(db.engine)
