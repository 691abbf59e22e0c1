"""The auditor's page: who did what, narrowed, exported, and whether the trail is whole."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.audit.service import record
from checkpoint.database import transaction
from tests.factories import NOW
from tests.factories.divisions import SITE
from tests.web.test_command import signed_in


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def _acts(app: Flask) -> None:
    with app.app_context():
        for number in range(120):
            with transaction():
                record(
                    at=NOW,
                    actor_kind="system",
                    actor_id=None,
                    act="device.create" if number else "policy.publish",
                    object_type="device",
                    object_id=f"one-{number}",
                    purpose="<b>drill</b>",
                    data={"n": number},
                )


@pytest.mark.usefixtures("_acts")
def test_the_newest_first_in_pages(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client, Role.AUDITOR, SITE)
    page = client.get("/audit").text
    assert "one-119" in page
    assert "one-1 " not in page
    assert "&lt;b&gt;drill&lt;/b&gt;" in page
    older = page.split('href="/audit?before=', 1)[1].split('"', 1)[0]
    assert "one-0" in client.get(f"/audit?before={older}").text


@pytest.mark.usefixtures("_acts")
def test_it_is_narrowed_by_what_is_asked(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client, Role.AUDITOR, SITE)
    page = client.get("/audit?act=policy.publish").text
    assert "one-0" in page
    assert "one-119" not in page
    assert "one-" not in client.get(f"/audit?until={NOW.date().replace(year=2020)}").text
    wrong = client.get("/audit?since=yesterday")
    assert wrong.status_code == 422
    assert "since-error" in wrong.text


@pytest.mark.usefixtures("_acts")
def test_what_is_taken_out_is_audited(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client, Role.AUDITOR, SITE)
    answer = client.get("/audit/entries.jsonl?act=device.")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 119
    assert answer.headers["Content-Disposition"].startswith("attachment")
    newest = client.get("/audit?act=audit.export").text
    assert "act: device." in newest


@pytest.mark.usefixtures("_acts")
def test_it_says_whether_the_trail_is_whole(app: Flask, client: FlaskClient) -> None:
    signed_in(app, client, Role.AUDITOR, SITE)
    client.set_cookie("lang", "en")
    assert "The trail is whole." in client.post("/audit/verify").text
    with app.app_context(), transaction() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO audit_entry (at, actor_kind, act, stamp) VALUES "
            "('2026-03-01 00:00:00', 'user', 'user.open', '0123456789abcdef01234567')"
        )
    page = client.post("/audit/verify").text
    assert "The trail was changed." in page
    assert "Entry written in from outside" in page


@pytest.mark.parametrize("role", [Role.VILLAGE, Role.TOWN, Role.COMMAND])
def test_nobody_else_reads_it(app: Flask, client: FlaskClient, role: Role) -> None:
    signed_in(app, client, role, SITE)
    assert client.get("/audit").status_code == 403
    assert client.post("/audit/verify").status_code == 403
    assert client.get("/audit/entries.jsonl").status_code == 403
