"""Command's page of what is kept, and holding one person's data from their page."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Registration
from checkpoint.retention.models import LegalHold
from tests.factories import NOW, declarations, inside, people
from tests.factories.divisions import OTHER_TOWN, SITE, VILLAGE
from tests.web.test_command import signed_in

LATER = NOW + timedelta(days=40)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(LATER)


@pytest.fixture
def person(app: Flask) -> str:
    """The page of somebody who was released forty days ago."""
    with app.app_context():
        found = inside.let_in(people.tablet(), 1)
        with transaction() as session:
            session.execute(update(Registration).values(state="left", released_at=NOW, updated_at=NOW))
            session.execute(update(Alert).values(state="resolved"))
        return f"/inbox/people/{found.id}"


def test_command_holds_and_lets_go_of_a_persons_data(app: Flask, client: FlaskClient, person: str) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    assert "Goes by itself on" in chief.get(f"{person}?lang=en").text
    assert chief.post(f"{person}/hold", data={"why": " "}).location == f"{person}#kept"
    assert chief.post(f"{person}/hold", data={"why": "法院来函，案号 12"}).location == f"{person}#kept"
    page = chief.get(f"{person}?lang=en").text
    assert "法院来函，案号 12" in page
    assert "command holds it" in page
    overview = chief.get("/command/retention?lang=en").text
    assert "command holds it" in overview
    assert person in overview
    assert declarations.resident_id(1) not in overview
    with app.app_context():
        assert "法院".encode() not in db.session.scalars(select(LegalHold.why_sealed)).one()
    assert chief.post(f"{person}/hold/end").location == f"{person}#kept"
    assert "Hold this data" in chief.get(f"{person}?lang=en").text
    with app.app_context():
        acts = list(
            db.session.scalars(select(AuditEntry.act).where(AuditEntry.act.like("data.%")).order_by(AuditEntry.id))
        )
    assert acts == ["data.hold", "data.hold_end"]


def test_the_page_tells_of_the_last_run(app: Flask, client: FlaskClient, person: str) -> None:
    chief = signed_in(app, client, Role.COMMAND, SITE)
    before = chief.get("/command/retention?lang=en").text
    assert "Nothing was purged yet." in before
    assert app.test_cli_runner().invoke(args=["purge"]).exit_code == 0
    after = chief.get("/command/retention?lang=en").text
    assert 'data-label="People"><span>1</span>' in after
    assert 'data-label="Crossings counted"><span>1</span>' in after
    assert chief.get(person).status_code == 404


@pytest.mark.parametrize(("role", "division"), [(Role.VILLAGE, VILLAGE), (Role.TOWN, OTHER_TOWN)])
def test_only_command_holds(app: Flask, client: FlaskClient, person: str, role: Role, division: str) -> None:
    worker = signed_in(app, client, role, division)
    assert worker.post(f"{person}/hold", data={"why": "x"}).status_code == 403
    assert worker.post(f"{person}/hold/end").status_code == 403
    assert worker.get("/command/retention").status_code == 403
    assert "hold-why" not in worker.get(person).text


def test_the_auditor_reads_the_counts_and_nobodys_name(app: Flask, client: FlaskClient, person: str) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Alert).values(state="open"))
    auditor = signed_in(app, client, Role.AUDITOR, SITE)
    page = auditor.get("/command/retention?lang=en").text
    assert "an alert is open: <strong>1</strong>" in page
    assert person not in page
