"""Fixtures that every kind of test may use.

`app` is the whole application on a fresh migrated database, once on SQLite and once on PostgreSQL; no application
context is pushed, so that each request of `client` gets one of its own, as in production. Tests of services use
`context` (automatic in tests/services). A test for one database only says
`@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)`.
"""

import gc
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from checkpoint import clock, create_app
from checkpoint.extensions import limiter
from tests.factories import NOW, databases

BACKENDS = ("sqlite", "postgresql")
SETTINGS = (
    "DASK_SCHEDULER",
    "DATABASE_URL",
    "REDIS_URL",
    "HOST",
    "PORT",
    "CHECKPOINT_DATA",
    "SITE_DIVISION",
    "PUBLIC_URL",
    "SITE_TIMEZONE",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What pages do with the database their services have done on both: the web tests on PostgreSQL belong to the full run."""
    for item in items:
        is_web = Path(item.path).is_relative_to(Path(__file__).parent / "web")
        if is_web and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            asked = item.get_closest_marker("parametrize")
            on_both = asked is None or "backend" not in str(asked.args[0])
            if on_both and item.callspec.params.get("backend") == "postgresql":
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with keys, index and a migrated SQLite file."""
    return databases.make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Server]:
    """The PostgreSQL server of this run; without one the tests fail and say what to do."""
    try:
        with databases.server() as found:
            yield found
    except RuntimeError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def shared_postgres(postgres: databases.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[databases.Shared]:
    """The migrated database with the small tree that the tests of this worker use in turn."""
    shared = databases.Shared(postgres, tmp_path_factory.mktemp("postgres"))
    yield shared
    shared.drop()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def environment(backend: str, template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a fresh instance with its own data folder and database; a second process of it may be started."""
    data = databases.copy_template(template, tmp_path / "data", with_database=backend == "sqlite")
    if backend == "sqlite":
        return databases.environment(data)
    shared: databases.Shared = request.getfixturevalue("shared_postgres")
    shared.reset()
    return databases.environment(data, shared.url)


@pytest.fixture
def app(environment: dict[str, str]) -> Iterator[Flask]:
    """The application. Form tokens are not asked for; a test of them sets WTF_CSRF_ENABLED."""
    made = create_app(environment)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    limiter._storage_dead = (
        False  # the limiter serves every application of the process: one dead counter is its own test's affair
    )
    yield made
    databases.close(made)


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with its context pushed, as a service finds it."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()


@pytest.fixture
def at() -> datetime:
    """The time of the test: what services are given as `at`."""
    return NOW


@pytest.fixture
def freeze(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Stop the clock of faces and command line: `freeze(NOW)`; a second call moves it."""

    def stop(instant: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    return stop


@pytest.fixture(autouse=True, scope="session")
def _quick_applications() -> Iterator[None]:
    """Thousands of applications share a few hundred addresses: what werkzeug compiles for one serves them all, and the collector need
    not look through the libraries again for each."""
    compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
    compile_anew = Rule._compile_builder

    def remembered(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, rule.subdomain, append_unknown, *sorted((rule.defaults or {}).items()))
        if key not in compiled:
            compiled[key] = compile_anew(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", remembered)
        gc.collect()
        gc.freeze()
        yield


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """No setting of the shell reaches a test; scripts/test hands over the server in TEST_DATABASE_URL."""
    kept = {name: os.environ.pop(name) for name in SETTINGS if name in os.environ}
    yield
    os.environ.update(kept)
