"""The WSGI entry: `gunicorn wsgi:app`, `flask --app wsgi …`."""

import sys

from checkpoint import create_app
from checkpoint.errors import ConfigurationError

try:
    app = create_app()
except ConfigurationError as error:
    sys.exit(f"checkpoint: {error}")
except OSError as error:
    sys.exit(f"checkpoint: the folder CHECKPOINT_DATA cannot be used: {error.strerror} ({error.filename}).")
