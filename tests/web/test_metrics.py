"""What /metrics tells: the figures of the city, the state of each part, and the requests of all workers together."""

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.test import Client as Caller

from checkpoint.database import LockTimeout
from checkpoint.web.counting import Counting, Counts, family_of, kind_of
from tests.factories import NOW, declarations, lists, people

Figures = dict[str, float]
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def figures(client: FlaskClient) -> Figures:
    """Each sample by its name and the values of its labels: `checkpoint_people inside red`."""
    found = {}
    for line in client.get("/metrics").text.splitlines():
        if not line.startswith("#"):
            name, labels, value = _SAMPLE.fullmatch(line).groups()  # type: ignore[union-attr]
            found[" ".join((name, *re.findall(r'"([^"]*)"', labels or "")))] = float(value)
    return found


def test_a_city_where_nothing_has_happened(client: FlaskClient) -> None:
    found = figures(client)
    assert found["checkpoint_people inside red"] == found["checkpoint_feed_pending"] == 0
    assert found["checkpoint_risk_list_age_seconds"] == found["checkpoint_backup_age_seconds"] == -1
    assert (found["checkpoint_part_grade database"], found["checkpoint_part_grade backup"]) == (0, -1)
    assert found["checkpoint_part_grade list"] == found["checkpoint_part_grade scheduler"] == 2
    assert found["checkpoint_disk_free_bytes"] > 0


def test_a_traveller_is_seen_in_the_figures(context: Flask, client: FlaskClient) -> None:
    lists.in_force(at=NOW - timedelta(hours=1))
    body = declarations.declaration(tests=[declarations.negative_test()])
    assert client.post("/api/v1/registrations", json=body).status_code == 201
    found = figures(client)
    assert sum(number for name, number in found.items() if name.startswith("checkpoint_people declared")) == 1
    assert found["checkpoint_risk_list_age_seconds"] == 3600
    assert found["checkpoint_requests_total registration 2xx"] == 1
    assert found["checkpoint_request_seconds_count registration"] == 1
    assert found["checkpoint_request_seconds_bucket registration +Inf"] == 1
    assert found["checkpoint_request_seconds_sum registration"] > 0


def test_figures_hold_nobody(context: Flask, client: FlaskClient) -> None:
    lists.in_force()
    token = people.tablet().token
    shown = client.post("/api/v1/registrations", json=declarations.declaration()).get_json()
    client.get(f"/p/{shown['pass']['url'].rpartition('/')[2]}")
    client.post("/api/v1/scans", json={}, headers=people.bearer(token))
    text = client.get("/metrics").text
    assert "/p/" not in text
    assert figures(client)["checkpoint_requests_total scan 4xx"] == 1


def test_whoever_asks_for_the_figures_does_not_change_them(client: FlaskClient) -> None:
    before = figures(client)
    client.get("/healthz")
    assert {name: number for name, number in figures(client).items() if "_requests" in name} == {
        name: number for name, number in before.items() if "_requests" in name
    }


@pytest.mark.parametrize(
    ("error", "wait"), [(PoolTimeout("none free"), "connection"), (LockTimeout("others"), "turn_to_write")]
)
def test_who_waits_in_vain_is_counted(app: Flask, client: FlaskClient, error: Exception, wait: str) -> None:
    app.add_url_rule("/waiting", "waiting", _raiser(error))
    assert client.get("/waiting").status_code == 503
    found = figures(client)
    assert found[f"checkpoint_waits_given_up_total {wait}"] == 1
    assert found["checkpoint_requests_total page 503"] == 1


def _raiser(error: Exception) -> Callable[[], str]:
    def view() -> str:
        raise error

    return view


def test_the_figures_of_all_workers_are_added_up_and_outlive_them() -> None:
    counts = Counts()
    counts.stream(1)  # of the master, which serves nobody after the fork
    for number in (1, 2):
        pid = os.fork()
        if pid == 0:
            counts.take_place(number)
            counts.answered("scan", 200, 0.003)
            counts.answered("scan", 503, 99.0)
            counts.stream(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    counts.take_place(3)
    counts.stream(1)
    samples = {(one.name, *one.labels.values()): one.value for metric in counts.collect() for one in metric.samples}
    assert (
        samples["checkpoint_requests_total", "scan", "2xx"] == samples["checkpoint_requests_total", "scan", "503"] == 2
    )
    assert samples["checkpoint_request_seconds_bucket", "scan", "0.005"] == 2
    assert samples["checkpoint_request_seconds_bucket", "scan", "10.0"] == 2
    assert samples["checkpoint_request_seconds_bucket", "scan", "+Inf"] == 4
    assert samples["checkpoint_request_seconds_sum", "scan"] == pytest.approx(198.006)
    assert samples[("checkpoint_streams",)] == samples[("checkpoint_workers",)] == 1


def test_an_application_that_raises_is_counted_as_failed_and_a_stream_until_it_is_closed() -> None:
    counts = Counts()

    def inner(environ: dict[str, object], start: Callable[..., object]) -> list[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise ZeroDivisionError
        start("200 OK", [])
        return [b"retry: 1\n\n"]

    caller = Caller(Counting(inner, counts))
    with pytest.raises(ZeroDivisionError):
        caller.get("/broken")
    answer = caller.get("/api/v1/stream", buffered=False)
    open_now = {metric.name: metric.samples[0].value for metric in counts.collect()}["checkpoint_streams"]
    answer.close()
    after = {(one.name, *one.labels.values()): one.value for metric in counts.collect() for one in metric.samples}
    assert (open_now, after[("checkpoint_streams",)]) == (1, 0)
    assert after["checkpoint_requests_total", "page", "5xx"] == 1


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/api/v1/scans", "scan"), ("POST", "/api/v1/scans/7/decision", "decision"), ("GET", "/", "page"),
        ("POST", "/", "registration"), ("POST", "/c/G60", "registration"), ("POST", "/api/v1/scans/batch", "api"),
        ("POST", "/api/v1/gate/registrations", "registration"), ("GET", "/static/css/base.css", "static"),
        ("GET", "/api/v1/stream", "stream"), ("GET", "/api/v1/alerts", "api"), ("POST", "/login", "page"),
    ],
)  # fmt: skip
def test_kinds_of_requests(method: str, path: str, kind: str) -> None:
    assert kind_of(method, path) == kind


def test_families_of_answers() -> None:
    assert [family_of(number) for number in (101, 204, 304, 404, 429, 500, 502, 503)] == [
        "2xx", "2xx", "3xx", "4xx", "429", "5xx", "5xx", "503",
    ]  # fmt: skip
