"""An outside client of /api/v1: it knows the contract, its own token, and nothing of the code."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from checkpoint.accounts.models import Role
from checkpoint.database import Base, db
from checkpoint.registrations.models import Registration
from tests.factories import NOW, declarations, people
from tests.factories.divisions import SITE

PREFIX = "/api/v1"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_TIME_FIELDS = re.compile(r"_at$|_by$")
# What a reply may never show: where the code lies, what the database said, how the language speaks of an error.
_INSIDES = ("Traceback", "sqlalchemy", "psycopg", "sqlite3", ".py", "pydantic", "werkzeug", "Exception")


@dataclass(frozen=True, slots=True)
class Api:
    """A client with a token; each answer is checked for what holds of all answers."""

    client: FlaskClient
    token: str | None = None

    def get(self, path: str, **more: Any) -> TestResponse:
        """A GET of a path below /api/v1."""
        return self._checked(self.client.get(PREFIX + path, headers=self._headers(), **more))

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """A POST with a JSON body, or with whatever `more` says."""
        given = {"json": body} if body is not None else {}
        return self._checked(self.client.post(PREFIX + path, headers=self._headers(), **given, **more))

    def declare(self, number: int = 1, **changes: Any) -> dict[str, Any]:
        """The answer to a declaration that is accepted."""
        answer = self.post("/registrations", declarations.declaration(number, **changes))
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def _headers(self) -> dict[str, str]:
        return people.bearer(self.token) if self.token is not None else {}

    @staticmethod
    def _checked(answer: TestResponse) -> TestResponse:
        assert answer.status_code < 500
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        body = answer.get_json()
        assert_times(body)
        if answer.status_code < 400:
            assert answer.mimetype == "application/json"
            return answer
        assert answer.mimetype == "application/problem+json"
        assert set(body) == {"type", "title", "status", "detail", "errors"}
        assert body["status"] == answer.status_code
        assert not [word for word in _INSIDES if word in answer.text]
        return answer


def assert_times(value: Any, name: str = "") -> None:
    """Every time in a body is RFC 3339 with an offset."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            assert_times(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            assert_times(inner, name)
    elif _TIME_FIELDS.search(name) and value is not None:
        assert RFC_3339.fullmatch(value), (name, value)
        assert datetime.fromisoformat(value).tzinfo is not None


def errors_of(answer: TestResponse) -> dict[str, str]:
    """The wrong fields of a 422 with their codes; each has a sentence for people."""
    assert answer.status_code == 422, answer.text
    errors = answer.get_json()["errors"]
    assert all(set(one) == {"field", "code", "message"} and one["message"] for one in errors)
    found = {one["field"]: one["code"] for one in errors}
    assert len(found) == len(errors)
    return found


def integration(app: Flask, client: FlaskClient, role: Role = Role.INTEGRATION, division: str = SITE) -> Api:
    """A client with a token of a role."""
    with app.app_context():
        return Api(client, people.token(role, division))


def tablet(app: Flask, client: FlaskClient, code: str = "G60") -> Api:
    """An enrolled tablet of a checkpoint of its own."""
    with app.app_context():
        return Api(client, people.tablet(people.checkpoint(code)).token)


def scan_of(token: str, **changes: Any) -> dict[str, Any]:
    """The body of a scan of a pass, now."""
    return {"scan_id": str(uuid.uuid4()), "token": token, "scanned_at": NOW.isoformat(), **changes}


def stored(app: Flask, model: type[Base] = Registration) -> int:
    """How many rows of a table there are."""
    with app.app_context():
        return int(db.session.scalar(select(func.count()).select_from(model)) or 0)
