"""The floor: a bare Flask application with one indexed SELECT, and one INSERT and COMMIT of 1 KB, on the same database.

It has what any Flask service on this stack needs and nothing else: no sessions, no forms, no ORM. On SQLite it uses the same
pragmas as the application, so that a commit costs both the same.
"""

import secrets

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Column, Engine, Integer, LargeBinary, MetaData, String, Table, create_engine, insert, select

from checkpoint.config import Settings
from checkpoint.database import prepare_engine

ROWS = 10_000
BODY_BYTES = 1024
PREFIX = "/floor"

metadata = MetaData()
_read = Table(
    "bench_floor_read",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(16), unique=True, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
_written = Table(
    "bench_floor_written",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(16), unique=True, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
_SELECT = select(_read.c.body)
_INSERT = insert(_written)


def key(number: int) -> str:
    """The key of a row that can be read; `number` from 0 to ROWS - 1."""
    return f"k{number:015d}"


def engine_for(settings: Settings) -> Engine:
    """An engine with a connection for each thread, and nothing that a bare service would not have."""
    url = settings.database_url
    if settings.is_sqlite:
        arguments = {"check_same_thread": False, "timeout": 30}
        engine = create_engine(url, pool_size=settings.web_threads * 2, connect_args=arguments)
    else:
        engine = create_engine(url, pool_size=settings.web_threads * 2)
    prepare_engine(engine)
    return engine


def fill(engine: Engine) -> None:
    """Make the floor's tables and the rows that are read."""
    metadata.create_all(engine)
    body = secrets.token_bytes(BODY_BYTES)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        connection.execute(insert(_read), [{"key": key(number), "body": body} for number in range(ROWS)])


def create_floor(engine: Engine) -> Flask:
    """`GET /select?key=` answers with one row, `POST /insert?key=` stores the body and answers 201."""
    app = Flask("checkpoint.benchmarks.floor", static_folder=None)
    writer = engine.execution_options(sqlite_begin="IMMEDIATE")

    @app.get("/select")
    def read() -> ResponseReturnValue:
        with engine.connect() as connection:
            body = connection.execute(_SELECT.where(_read.c.key == request.args["key"])).scalar_one()
        return Response(body, mimetype="application/octet-stream")

    @app.post("/insert")
    def write() -> ResponseReturnValue:
        with writer.begin() as connection:
            connection.execute(_INSERT, {"key": request.args["key"], "body": request.get_data()})
        return Response(status=201)

    return app
