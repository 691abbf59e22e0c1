"""What gunicorn loads for a benchmark: the application as it is, with the floor mounted beside it under /floor."""

import os
import signal
import sys
import threading

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from checkpoint import create_app
from checkpoint.benchmarks.floor import PREFIX, create_floor, engine_for


def _end_with_parent() -> None:
    """End the server when the benchmark is gone, however it went: it holds the other end of standard input."""
    sys.stdin.buffer.read(1)
    os.kill(os.getpid(), signal.SIGTERM)


app = create_app()
app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
    app.wsgi_app, {PREFIX: create_floor(engine_for(app.extensions["settings"]))}
)
threading.Thread(target=_end_with_parent, daemon=True, name="parent-watch").start()
