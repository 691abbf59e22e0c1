"""Checkpoint (边界防疫联防联控系统): border pre-registration, risk alerts and the way to the front door."""

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask.json.provider import DefaultJSONProvider

__all__ = ["create_app"]

POOL_PATIENCE = 5  # seconds for a connection that others of this process hold
# A server that is gone without a word: seconds until a connection to it is given up, one being made and one in use.
POSTGRES_PATIENCE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """The application, configured from the environment (see checkpoint/config.py)."""
    from checkpoint import (
        cli,
        models,  # noqa: F401 - every table is known before the first query
        web,
    )
    from checkpoint.config import PROJECT_ROOT, settings_from
    from checkpoint.database import db, prepare_engine
    from checkpoint.extensions import babel, compress, csrf, limiter, login_manager, migrate
    from checkpoint.limiting import REDIS_PATIENCE, SCHEME
    from checkpoint.privacy import load_keyring
    from checkpoint.regions import configure

    settings = settings_from(environ)
    settings.data.mkdir(parents=True, exist_ok=True)
    ring = load_keyring(settings.data, settings.master_keys)
    app = Flask("checkpoint", template_folder=str(PROJECT_ROOT / "templates"), instance_path=str(settings.data))
    app.extensions["settings"] = settings
    app.extensions["keyring"] = ring
    app.config.update(
        SECRET_KEY=ring.session,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.is_sqlite, settings.web_threads + settings.stream_limit),
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        RATELIMIT_STORAGE_URI=settings.redis_url or f"{SCHEME}://{settings.data / 'limits.sqlite'}",
        RATELIMIT_STORAGE_OPTIONS=REDIS_PATIENCE if settings.redis_url else {},
        # Of two requests that meet a counter that has just died, the first turns to the fallback; the second goes on uncounted.
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,  # a dead counter keeps nobody out: each process counts by itself
        BABEL_DEFAULT_LOCALE="zh",
        BABEL_DEFAULT_TIMEZONE=settings.timezone,
        BABEL_TRANSLATION_DIRECTORIES=str(Path(__file__).parent / "translations"),
        WTF_CSRF_TIME_LIMIT=None,
        # One bar of signal: everything that is text, and the QR reader. Never a stream: an event must not wait for a buffer.
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/javascript",
            "application/json",
            "application/problem+json",
            "application/wasm",
            "image/svg+xml",
        ],
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "deflate"],  # files are sent as streams, for which gzip is not offered
        COMPRESS_BR_LEVEL=4,
        COMPRESS_STREAMS=True,
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=True,
    )
    if isinstance(app.json, DefaultJSONProvider):
        app.json.ensure_ascii = False  # Chinese as Chinese: a third of the bytes, and readable
    configure(settings.data / "regions.idx")
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate.init_app(app, db, directory=str(PROJECT_ROOT / "migrations"), render_as_batch=True, compare_type=True)
    csrf.init_app(app)
    compress.init_app(app)
    limiter.init_app(app)
    login_manager.init_app(app)
    web.init_app(app, babel)
    cli.init_app(app)
    return app


def _engine_options(is_sqlite: bool, threads: int) -> dict[str, object]:
    # No message of the database layer ever carries the values of a statement: they may be what a person typed.
    if is_sqlite:
        return {
            "hide_parameters": True,
            "connect_args": {"check_same_thread": False},
            "pool_size": threads,
            "max_overflow": 8,
            "pool_timeout": POOL_PATIENCE,
        }
    return {
        "hide_parameters": True,
        "connect_args": POSTGRES_PATIENCE,
        "pool_size": min(threads, 20),
        "max_overflow": 10,
        "pool_timeout": POOL_PATIENCE,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }
