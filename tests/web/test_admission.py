"""More requests than a process can work on: some wait for their turn, the rest is told at once when to come back."""

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import create_environ

from checkpoint import config
from checkpoint.web.admission import Admission, Turns
from checkpoint.web.auth import public
from checkpoint.web.counting import Counting

PATIENCE = 20.0


def test_places_are_given_in_the_order_of_arrival() -> None:
    turns = Turns(1, 3)
    assert turns.take(0)
    came: list[int] = []

    def wait(number: int) -> None:
        assert turns.take(PATIENCE)
        came.append(number)
        turns.give_back()

    threads = []
    for number in range(3):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(turns._queue) <= number:
            pass
    assert not turns.take(PATIENCE)  # the queue is full: no waiting at all
    turns.give_back()
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2]
    assert turns.take(0)


def test_nobody_waits_longer_than_the_patience() -> None:
    turns = Turns(1, 3)
    assert turns.take(0)
    assert not turns.take(0.01)
    assert not turns._queue
    turns.give_back()
    assert turns.take(0)


@pytest.fixture
def full(app: Flask) -> Iterator[Flask]:
    """An application that has no place left."""
    turns = Turns(1, 0)
    inner = app.wsgi_app

    @public
    def fail() -> str:
        raise RuntimeError("broken")

    app.add_url_rule("/fail", "fail", fail)
    app.wsgi_app = Admission(app, inner, turns)  # type: ignore[method-assign]
    app.extensions["turns"] = turns
    turns.take(0)
    yield app
    app.wsgi_app = inner  # type: ignore[method-assign]


@pytest.mark.parametrize("path", ["/api/v1/registrations", "/api/v1/scans"])
def test_the_api_sends_away_with_a_problem_document(full: Flask, client: FlaskClient, path: str) -> None:
    answer = client.post(path, json={}, headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == "urn:checkpoint:problem:too_busy"
    assert int(answer.headers["Retry-After"]) >= 2
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_people_are_sent_away_with_a_page(full: Flask, client: FlaskClient, language: str) -> None:
    page = client.get(f"/register?lang={language}")
    assert page.status_code == 503
    assert "<h1>" in page.text
    assert int(page.headers["Retry-After"]) >= 2
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_each_is_sent_away_in_the_form_and_language_they_asked_for(full: Flask, client: FlaskClient) -> None:
    """The refusal is made once for each way of asking, and nobody gets that of another."""

    def asked(path: str, **headers: str) -> tuple[str, str, str]:
        answer = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status_code == 503
        return answer.mimetype, answer.text, answer.headers["X-Request-Id"]

    for _ in range(2):
        zh, en = asked("/register?lang=zh"), asked("/register?lang=en")
        api = asked("/api/v1/scans", Accept_Language="en")
        assert "请几秒后再试" in zh[1]
        assert '<html lang="zh-CN">' in zh[1]
        assert "The system is busy" in en[1]
        assert (zh[0], api[0]) == ("text/html", "application/problem+json")
        assert "The system is busy" in api[1]
        assert asked("/api/v1/scans", Accept_Language="zh")[1] != api[1]
        assert asked("/", Accept="application/json")[0] == "application/problem+json"
        client.set_cookie("lang", "en")
        assert asked("/register")[1] == en[1]
        client.delete_cookie("lang")
    assert asked("/register")[2] != asked("/register")[2]
    plain = client.get(
        "/register", headers={"Accept-Encoding": "gzip"}
    )  # an error is never squeezed, so that one serves all
    assert "Content-Encoding" not in plain.headers
    assert "请几秒后再试" in plain.text
    assert client.head("/register").data == b""


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/css/base.css"])
def test_what_an_operator_asks_and_files_are_answered_all_the_same(full: Flask, client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    answer.close()


def test_a_place_comes_free_with_the_answer_also_of_a_request_that_failed(full: Flask, client: FlaskClient) -> None:
    full.extensions["turns"].give_back()
    full.config["PROPAGATE_EXCEPTIONS"] = False
    assert [client.get("/fail").status_code for _ in range(3)] == [500, 500, 500]
    assert client.get("/healthz").status_code == 200


def test_the_application_has_the_gate_as_the_settings_say(app: Flask) -> None:
    counting = app.wsgi_app
    assert isinstance(counting, Counting)
    gate = counting.inner
    assert isinstance(gate, Admission)
    settings: config.Settings = app.extensions["settings"]
    assert (gate._turns._free, gate._turns._most) == (settings.web_threads, settings.web_queue)


def test_a_database_that_dies_while_the_request_is_tidied_up_is_a_clean_error(app: Flask) -> None:
    failures = [OperationalError("ROLLBACK", {}, Exception("the connection is closed"))]

    @app.teardown_request
    def tidy(_error: BaseException | None) -> None:
        if failures:
            raise failures.pop()

    said: list[tuple[str, dict[str, str], bool]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], failure: object = None
    ) -> Callable[[bytes], object]:
        said.append((status, dict(headers), failure is not None))
        return lambda _data: None

    body = b"".join(app.wsgi_app(create_environ("/api/v1/openapi.json"), start_response))
    assert b"urn:checkpoint:problem:too_busy" in body
    status, headers, takes_back = said[-1]
    assert (status[:3], takes_back) == ("503", True)
    assert int(headers["Retry-After"]) >= 2
