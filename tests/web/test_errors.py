"""Errors as clients see them: problem documents, kind pages, and nothing that a person typed in the log."""

import errno
import logging

import psycopg
import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, PendingRollbackError, ProgrammingError

from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotAllowed, NotFound, TooBusy, Unauthenticated
from checkpoint.web.auth import public

MARKED = "张三丰-13800001111"


def _sqlite(words: str) -> OperationalError:
    return OperationalError("INSERT", {"name": MARKED}, Exception(words))


def _postgresql(error: psycopg.Error) -> DBAPIError:
    kind = InternalError if isinstance(error, psycopg.InternalError) else OperationalError
    return kind("INSERT", {"name": MARKED}, error)


CASES: dict[str, tuple[Exception, int, str]] = {
    "invalid": (InvalidInput([FieldError("stays.0.from", "late", "太晚")]), 422, "invalid"),
    "unauthenticated": (Unauthenticated(), 401, "unauthenticated"),
    "not-allowed": (NotAllowed(), 403, "not_allowed"),
    "not-found": (NotFound(), 404, "not_found"),
    "conflict": (Conflict("已经处理过了"), 409, "conflict"),
    "throttled": (TooManyAttempts(7), 429, "too_many_attempts"),
    "busy": (TooBusy(retry_after=9), 503, "too_busy"),
    "database": (OperationalError("SELECT", {"name": MARKED}, Exception("database is locked")), 503, "too_busy"),
    "gone": (_postgresql(psycopg.errors.IdleInTransactionSessionTimeout()), 503, "too_busy"),
    "pending": (PendingRollbackError(MARKED), 503, "too_busy"),
    "full": (OSError(errno.ENOSPC, "No space left on device", MARKED), 503, "storage"),
    "sqlite_full": (_sqlite("database or disk is full"), 503, "storage"),
    "read_only": (_sqlite("attempt to write a readonly database"), 503, "storage"),
    "postgresql_full": (_postgresql(psycopg.errors.DiskFull()), 503, "storage"),
    "standby": (_postgresql(psycopg.errors.ReadOnlySqlTransaction()), 503, "storage"),
    "mistake": (ProgrammingError("SELECT", {"name": MARKED}, Exception("no such column")), 500, "internal"),
    "broken": (RuntimeError(MARKED), 500, "internal"),
}


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application as in production, with a route for each error."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @public
    def fail(name: str) -> str:
        if name.isdigit():
            abort(int(name))
        raise CASES[name][0]

    app.add_url_rule("/api/v1/fail/<name>", "api_fail", fail)
    app.add_url_rule("/fail/<name>", "page_fail", fail)
    return app


@pytest.mark.parametrize("name", CASES)
def test_the_api_answers_with_a_problem_document(client: FlaskClient, name: str) -> None:
    _error, status, code = CASES[name]
    answer = client.get(f"/api/v1/fail/{name}")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert problem["type"] == f"urn:checkpoint:problem:{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert MARKED not in answer.text


def test_each_wrong_field_is_named(client: FlaskClient) -> None:
    problem = client.get("/api/v1/fail/invalid").get_json()
    assert problem["errors"] == [{"field": "stays.0.from", "code": "late", "message": "太晚"}]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("throttled", range(7, 8)),
        ("busy", range(9, 10)),
        ("database", range(2, 7)),
        ("gone", range(2, 7)),
        ("full", range(30, 63)),
        ("429", range(60, 61)),
    ],
)
def test_whoever_must_wait_is_told_how_long(client: FlaskClient, name: str, seconds: range) -> None:
    for path in (f"/api/v1/fail/{name}", f"/fail/{name}"):
        answer = client.get(path)
        assert answer.status_code in (429, 503)
        assert int(answer.headers["Retry-After"]) in seconds


@pytest.mark.parametrize("name", ["full", "sqlite_full", "read_only", "postgresql_full", "standby"])
def test_a_disk_that_takes_nothing_is_named(client: FlaskClient, caplog: pytest.LogCaptureFixture, name: str) -> None:
    problem = client.get(f"/api/v1/fail/{name}?lang=en")
    assert (problem.status_code, problem.get_json()["type"]) == (503, "urn:checkpoint:problem:storage")
    assert "disk" in problem.get_json()["detail"]
    page = client.get(f"/fail/{name}?lang=en")
    assert page.status_code == 503
    assert "disk of the system is full" in page.text
    assert MARKED not in caplog.text + page.text + problem.text


def test_a_mistake_of_ours_in_the_database_is_no_reason_to_try_again(client: FlaskClient) -> None:
    assert client.get("/api/v1/fail/mistake").status_code == 500


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 415, 422, 500, 503])
def test_every_status_has_words_in_both_languages(client: FlaskClient, status: int) -> None:
    for language in ("zh", "en"):
        page = client.get(f"/fail/{status}?lang={language}")
        assert page.status_code == status
        assert page.mimetype == "text/html"
        assert "<h1>" in page.text
        problem = client.get(f"/api/v1/fail/{status}?lang={language}")
        assert problem.status_code == status
        assert problem.get_json()["status"] == status


def test_a_page_for_people_says_what_is_wrong(client: FlaskClient) -> None:
    page = client.get("/fail/conflict")
    assert page.status_code == 409
    assert "已经处理过了" in page.text


def test_an_unexpected_error_is_logged_without_what_a_person_typed(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/fail/broken", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    request_id = answer.headers["X-Request-Id"]
    assert request_id in answer.text
    assert request_id in caplog.text
    assert "RuntimeError" in caplog.text
    assert "auth.py" in caplog.text or "test_errors.py" in caplog.text
    assert MARKED not in caplog.text + answer.text


def test_when_the_database_fails_the_page_needs_none(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    page = client.get("/fail/database")
    assert page.status_code == 503
    assert "database is locked" in caplog.text
    assert MARKED not in caplog.text + page.text


def test_unknown_addresses_and_wrong_methods(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").get_json()["status"] == 404
    assert client.post("/nothing").status_code == 404
    wrong = client.delete("/login")
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]
    as_json = client.get("/nothing", headers={"Accept": "application/json"})
    assert as_json.mimetype == "application/problem+json"


def test_a_body_that_is_too_large_is_refused_kindly(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    body = b"login=" + b"a" * (app.config["MAX_CONTENT_LENGTH"] + 1)
    answer = client.post("/login", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
