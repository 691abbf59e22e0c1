"""A small share of `scripts/fuzz routes`, and what its runs have found."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.config import PROJECT_ROOT
from tests.factories import NOW, people

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    "path", ["/command", "/inbox", "/command/lists", "/patrols/points", "/channels/divisions", "/duty"]
)
def test_a_page_that_is_asked_for_with_a_token_is_made_for_its_role(
    app: Flask, client: FlaskClient, freeze: Callable[[datetime], None], path: str
) -> None:
    freeze(NOW)
    with app.app_context():
        secret = people.token(Role.COMMAND)
    answer = client.get(path, headers=people.bearer(secret))
    assert answer.status_code == 200
    assert 'href="/command"' in answer.text  # the ways of this role
    assert client.get(path, headers=people.bearer("cpt_" + "x" * 43)).status_code == 401


def test_a_number_beyond_all_rows_names_nothing(app: Flask) -> None:
    with app.app_context():
        secret = people.token(Role.COMMAND)
    adapter, wrong, asked = app.url_map.bind("localhost"), [], 0
    for rule in app.url_map.iter_rules():
        if any("Number" in type(one).__name__ or "Integer" in type(one).__name__ for one in rule._converters.values()):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                path = adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, 7), method=method).replace(
                    "7", str(1 << 63), 1
                )
                answer = app.test_client().open(path, method=method, headers=people.bearer(secret))
                wrong += [f"{method} {path}: {answer.status_code}"] if answer.status_code not in (404, 405) else []
                asked += 1
    assert wrong == []
    assert asked > 10


def run(requests: int, seed: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.fuzz", "routes", "--json", f"--requests={requests}", f"--seed={seed}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(done.stdout.splitlines()[-1])["figures"])


@pytest.mark.slow
def test_no_route_fails_on_some_requests(backend: str) -> None:
    found = run(1200, 1)
    assert found["server_errors"] == 0
    assert found["routes"] > 80
    assert min(found["answered_2xx"], found["answered_3xx"], found["answered_4xx"]) > 50


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_route_fails_on_many_requests(backend: str) -> None:
    found = run(20_000, 2)
    assert found["server_errors"] == 0
    assert found["routes"] > 220
