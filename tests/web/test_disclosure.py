"""Who looked at whom, on the pages: the person's own line of time, the traveller's copy, the auditor's list, and the count behind it."""

import re
import time
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.database import db
from checkpoint.disclosure import meter
from checkpoint.disclosure.models import PeopleShown
from checkpoint.privacy import keyring
from checkpoint.registrations import passes
from tests.factories import people, reading
from tests.factories.declarations import phone, resident_id
from tests.factories.divisions import SITE, TOWN, VILLAGE
from tests.factories.travelling import declared

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def signed_in(app: Flask, role: Role, division: str, login: str) -> FlaskClient:
    with app.app_context():
        people.user(login, role, division)
    client = app.test_client()
    assert client.post("/login", data={"login": login, "password": people.PASSWORD}).status_code == 302
    return client


@pytest.fixture
def trip(app: Flask) -> uuid.UUID:
    with app.app_context():
        return declared(number=1).registration.id


def shown(app: Flask) -> list[tuple[str, int]]:
    with app.app_context():
        meter.flush()
        return [(row.role, row.people) for row in db.session.scalars(select(PeopleShown).order_by(PeopleShown.role))]


def test_the_person_s_page_says_who_looked_and_names_only_whom_the_reader_may_find(app: Flask, trip: uuid.UUID) -> None:
    village = signed_in(app, Role.VILLAGE, VILLAGE, "village")
    chief = signed_in(app, Role.COMMAND, SITE, "chief")
    village.post(f"/inbox/people/{trip}/reveal", data={"what": "phone", "purpose": "call"})
    chief.post(f"/inbox/people/{trip}/reveal", data={"what": "document", "purpose": "request"})
    for client, names_chief in ((village, False), (chief, True)):
        page = client.get(f"/inbox/people/{trip}?lang=en").text
        steps = re.findall(r"<strong>(Shown in full: [^<]*)</strong><p>([^<]*)</p>", page)
        assert [title for title, _text in steps] == ["Shown in full: Name; Phone", "Shown in full: Name; Document"]
        assert "To call them · Village or community · " in steps[0][1]
        assert "village 测试" in steps[0][1]
        assert "To answer those who asked · City command" in steps[1][1]
        assert ("chief 测试" in steps[1][1]) == names_chief
        assert phone(1) not in page


def test_the_auditor_finds_openings_by_what_their_purpose_is_called(app: Flask, trip: uuid.UUID) -> None:
    village = signed_in(app, Role.VILLAGE, VILLAGE, "village")
    for what, purpose in (("phone", "call"), ("document", "identify")):
        village.post(f"/inbox/people/{trip}/reveal", data={"what": what, "purpose": purpose})
    auditor = signed_in(app, Role.AUDITOR, SITE, "auditor")
    for asked in ("check who", "identify"):
        page = auditor.get("/audit", query_string={"lang": "en", "purpose": asked}).text
        assert (page.count("To check who they are"), page.count("To call them")) == (1, 0)


def test_a_purpose_can_be_chosen_for_anything_else(app: Flask, trip: uuid.UUID) -> None:
    page = signed_in(app, Role.VILLAGE, VILLAGE, "village").get(f"/inbox/people/{trip}").text
    assert re.findall(r'<option value="(\w+)"', page) == ["call", "visit", "identify", "transfer", "request"]


def test_the_traveller_s_copy_tells_which_office_looked(app: Flask, trip: uuid.UUID) -> None:
    village = signed_in(app, Role.VILLAGE, VILLAGE, "zhangsan")
    village.post(f"/inbox/people/{trip}/reveal", data={"what": "address", "purpose": "visit"})
    with app.app_context():
        handle = passes.link_handle(keyring(), trip)
    given = {"document": resident_id(1)[-4:]}
    page = app.test_client().post(f"/p/{handle}/data?lang=en", data=given).text
    assert "Who opened your name, number or address" in page
    for words in ("Village or community", "八字村", "Name; Address", "To visit them"):
        assert words in page
    assert "zhangsan" not in page  # an office, not a name
    copy = app.test_client().post(f"/p/{handle}/data", data={**given, "as": "json"}).json
    assert copy is not None
    assert [one["purpose"] for one in copy["looks"]] == ["visit"]


def test_pages_and_answers_count_whom_they_show_once(app: Flask, trip: uuid.UUID) -> None:
    with app.app_context():
        declared(number=2)
    town = signed_in(app, Role.TOWN, TOWN, "town")
    for path in ("/inbox", "/inbox", f"/inbox/people/{trip}", "/duty"):
        assert town.get(path).status_code == 200
    assert shown(app) == [("town", 2)]
    with app.app_context():
        headers = people.bearer(people.token())
    assert app.test_client().get(f"/api/v1/registrations/{trip}", headers=headers).status_code == 200
    assert shown(app) == [("integration", 1), ("town", 2)]


def test_counts_are_written_after_the_answer_and_not_with_each(
    app: Flask, trip: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = signed_in(app, Role.TOWN, TOWN, "town")

    def written() -> int:
        with app.app_context():
            return len(db.session.scalars(select(PeopleShown)).all())

    town.get(f"/inbox/people/{trip}").close()
    town.get("/inbox").close()
    assert written() == 0
    later = time.monotonic() + meter.FLUSH_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    answer = town.get("/duty")
    assert written() == 0
    answer.close()
    assert written() == 1


def test_the_auditor_finds_unusual_reading_and_says_what_came_of_it(app: Flask) -> None:
    auditor = signed_in(app, Role.AUDITOR, SITE, "auditor")
    assert "Unusual reading" not in auditor.get("/audit?lang=en").text
    with app.app_context():
        worker = people.village_worker(login="lisi")
        alert = reading.unusual(worker.key, at=clock.now() + timedelta(minutes=1))
    page = auditor.get("/audit?lang=en").text
    assert "10000 people shown within an hour (limit 150)" in page
    assert "lisi" in page
    wrong = auditor.post(f"/audit/readers/{alert}?lang=en", data={"answer": ""})
    assert (wrong.status_code, "Write what came of it" in wrong.text) == (422, True)
    done = auditor.post(f"/audit/readers/{alert}?lang=en", data={"answer": "核酸点转移"}, follow_redirects=True)
    assert "核酸点转移" in done.text
    assert 'class="tag tag-good">looked into' in done.text
    chief = signed_in(app, Role.COMMAND, SITE, "chief")
    assert str(alert) not in chief.get("/inbox?view=all").text
    assert chief.get(f"/inbox/alerts/{alert}").status_code == 404


def test_command_is_told_who_sets_the_rule_about_colleagues(app: Flask) -> None:
    chief, auditor = signed_in(app, Role.COMMAND, SITE, "chief"), signed_in(app, Role.AUDITOR, SITE, "auditor")
    limits = {"village": "77", "town": "400", "command": "800", "integration": "3000", "day_times": "4", "exports": "3"}
    form = {**limits, "enabled": "1", "tier": "yellow"}
    assert "The auditor sets it" in chief.get("/command/watch/bulk_reading?lang=en").text
    assert chief.post("/command/watch/bulk_reading", data=form).status_code == 403
    assert "bulk_reading/limits" in auditor.get("/command/watch/bulk_reading").text
    assert auditor.post("/command/watch/bulk_reading/limits", data=form).status_code == 303
    assert "77" in auditor.get("/command/watch/bulk_reading").text
