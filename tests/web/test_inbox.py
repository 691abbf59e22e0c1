"""The inbox as a browser without scripts sees it, and the parts that the page's script asks for."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.crossings.service import Scan, decide, record_scan
from checkpoint.database import db
from checkpoint.followups import queries as followups
from checkpoint.followups.models import FollowUp
from checkpoint.registrations import service
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.service import Receipt
from checkpoint.risk.policy import default_policy
from tests.factories import NOW, alerting, declarations, people
from tests.factories.divisions import OTHER_TOWN, OTHER_VILLAGE, SECOND_VILLAGE, TOWN, VILLAGE

FRAGMENT = {"X-Fragment": "1", "Accept": "application/json"}


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(minutes=5))


def declared(app: Flask, number: int = 1, destination: str = VILLAGE, **changes: object) -> Receipt:
    """Somebody on the way, yellow while no list is in force."""
    body = declarations.declaration(
        number, destination={"code": destination, "address": f"幸福路 {number} 号"}, **changes
    )
    with app.app_context():
        return service.submit(Declaration.model_validate(body), actor=people.operator(), at=NOW)


def admitted(app: Flask, number: int = 1) -> Receipt:
    """Somebody who has been let in at a checkpoint."""
    receipt = declared(app, number)
    with app.app_context():
        tablet, scan_id = people.tablet(), uuid.uuid4()
        scanned = NOW + timedelta(minutes=1)
        record_scan(Scan(scan_id, receipt.issued.token, scanned), actor=tablet.actor, at=scanned)
        decide(scan_id, "admitted", None, actor=tablet.actor, at=NOW + timedelta(minutes=2))
    return receipt


def alert_of(receipt: Receipt) -> uuid.UUID:
    assert receipt.registration.alert_id is not None
    return receipt.registration.alert_id


@pytest.fixture
def worker(app: Flask, client: FlaskClient) -> FlaskClient:
    """A village worker who has signed in."""
    return signed_in(app, client)


def signed_in(app: Flask, client: FlaskClient, role: Role = Role.VILLAGE, division: str = VILLAGE) -> FlaskClient:
    with app.app_context():
        people.user("worker", role, division)
    client.post("/login", data={"login": "worker", "password": people.PASSWORD})
    return client


def stored(app: Flask, alert_id: uuid.UUID) -> tuple[str, str | None, str | None]:
    """State, result and note of an alert."""
    with app.app_context():
        row = db.session.get_one(Alert, alert_id)
        return row.state, row.result, row.note


def order(page: str) -> list[str]:
    return re.findall(r'data-alert="([0-9a-f-]{36})"', page)


def test_an_empty_inbox_says_so(worker: FlaskClient) -> None:
    for view in ("now", "followups", "notices", "done"):
        page = worker.get(f"/inbox?view={view}&lang=en")
        assert page.status_code == 200
        assert 'class="empty-title"' in page.text
        assert order(page.text) == []


def test_red_stands_before_yellow_and_the_nearest_deadline_first(app: Flask, worker: FlaskClient) -> None:
    with app.app_context():
        later = alerting.alert(tier="yellow", at=NOW)
        earlier = alerting.alert(tier="yellow", at=NOW - timedelta(minutes=30))
        red = alerting.alert(tier="red", at=NOW)
        notice = alerting.alert(tier="green", needs_answer=False, at=NOW)
        alerting.alert(OTHER_VILLAGE, "red")
    page = worker.get("/inbox?lang=en").text
    assert order(page) == [str(red), str(earlier), str(later)]
    assert "acknowledge within 10:00" in page
    assert order(worker.get("/inbox?view=notices").text) == [str(notice)]


def test_a_deadline_gone_by_is_said_in_words(app: Flask, worker: FlaskClient) -> None:
    with app.app_context():
        alerting.alert(tier="red", at=NOW - timedelta(minutes=12, seconds=30))
    page = worker.get("/inbox?lang=en").text
    assert "acknowledgement overdue by 02:30" in page
    assert "is-overdue" in page


def test_a_card_shows_the_person_masked_with_reasons_and_the_way_there(app: Flask, worker: FlaskClient) -> None:
    receipt = declared(app, 11, origin={"code": "310116102000"}, symptoms=["fever"])
    page = worker.get("/inbox?lang=en").text
    assert order(page) == [str(alert_of(receipt))]
    assert "138****0011" in page
    assert "上海市金山区枫泾镇" in page
    assert "乍浦镇 八字村" in page
    assert "Symptoms declared" in page
    for secret in (declarations.name(11), declarations.phone(11), declarations.resident_id(11), "幸福路"):
        assert secret not in page


def test_what_happened_at_the_checkpoint_stands_on_the_card(app: Flask, worker: FlaskClient) -> None:
    admitted(app)
    page = worker.get("/inbox?lang=en").text
    assert "Past the checkpoint, arriving" in page
    assert "Scanned at G60 出口: test first → let in" in page


def test_acknowledging_and_closing_without_scripts(app: Flask, worker: FlaskClient) -> None:
    alert = alert_of(declared(app))
    answer = worker.post(f"/inbox/alerts/{alert}/acknowledge")
    assert (answer.status_code, answer.location) == (303, f"/inbox?view=now#alert-{alert}")
    assert stored(app, alert)[0] == "acknowledged"
    page = worker.get("/inbox?lang=en").text
    assert "close within" in page
    assert "Acknowledged by worker 测试" in page
    answer = worker.post(f"/inbox/alerts/{alert}/resolve", data={"result": "handled", "note": "已入住"})
    assert answer.status_code == 303
    assert stored(app, alert) == ("resolved", "handled", "已入住")
    assert order(worker.get("/inbox").text) == []
    assert order(worker.get("/inbox?view=done").text) == [str(alert)]


def test_with_scripts_an_act_is_answered_with_the_card(app: Flask, worker: FlaskClient) -> None:
    alert = alert_of(declared(app))
    card = worker.get(f"/inbox/alerts/{alert}", headers=FRAGMENT).text
    assert card.lstrip().startswith("<article")
    assert 'data-state="open"' in card
    card = worker.post(f"/inbox/alerts/{alert}/acknowledge", headers=FRAGMENT).text
    assert card.lstrip().startswith("<article")
    assert 'data-state="acknowledged"' in card
    assert worker.get(f"/inbox/alerts/{alert}").text.lstrip().startswith("<!doctype html>")


def test_notes_are_kept_one_below_the_other(app: Flask, worker: FlaskClient) -> None:
    alert = alert_of(declared(app))
    for words in ("电话无人接", "已到 <b>门口</b>"):
        assert worker.post(f"/inbox/alerts/{alert}/note", data={"note": words}).status_code == 303
    assert stored(app, alert)[2] == "电话无人接\n已到 <b>门口</b>"
    page = worker.get("/inbox").text
    assert "已到 &lt;b&gt;门口&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("act", "form", "field"),
    [
        ("note", {"note": "  "}, "note"),
        ("note", {"note": "长" * 501}, "note"),
        ("resolve", {"result": "gone"}, "result"),
        ("resolve", {}, "result"),
        ("resolve", {"result": "handled", "note": "长" * 501}, "note"),
    ],
)
def test_wrong_forms_are_refused_and_change_nothing(
    app: Flask, worker: FlaskClient, act: str, form: dict[str, str], field: str
) -> None:
    alert = alert_of(declared(app))
    answer = worker.post(f"/inbox/alerts/{alert}/{act}", data=form, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert stored(app, alert) == ("open", None, None)


def test_a_worker_of_another_village_finds_nothing(app: Flask, client: FlaskClient) -> None:
    receipt = declared(app)
    alert, person = alert_of(receipt), receipt.registration.id
    stranger = signed_in(app, client, division=SECOND_VILLAGE)
    assert order(stranger.get("/inbox").text) == []
    assert stranger.get(f"/inbox/alerts/{alert}").status_code == 404
    assert stranger.get(f"/inbox/people/{person}").status_code == 404
    for act in ("acknowledge", "note", "resolve"):
        answer = stranger.post(f"/inbox/alerts/{alert}/{act}", data={"note": "x", "result": "handled"})
        assert answer.status_code == 404
    assert stranger.post(f"/inbox/people/{person}/reveal", data={"what": "phone", "purpose": "call"}).status_code == 404
    assert stored(app, alert)[0] == "open"
    with app.app_context():
        assert db.session.scalar(select(AuditEntry).where(AuditEntry.act == "people.unmask")) is None


def test_calling_shows_the_phone_and_is_written_down(app: Flask, worker: FlaskClient) -> None:
    receipt = declared(app, 11)
    person, alert = receipt.registration.id, alert_of(receipt)
    page = worker.post(
        f"/inbox/people/{person}/reveal", data={"what": "phone", "purpose": "call", "alert": str(alert)}
    ).text
    assert f'href="tel:+86{declarations.phone(11)}"' in page
    assert declarations.name(11) in page
    assert "幸福路" not in page
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "people.unmask")).one()
        assert (entry.actor_kind, entry.object_id, entry.purpose) == ("user", str(person), "call")
        assert entry.data == {"fields": ["name", "phone"], "people": 1, "alert": str(alert)}
    assert "Called" in worker.get(f"/inbox/people/{person}?lang=en").text


@pytest.mark.parametrize(("what", "shown"), [("address", "幸福路 11 号"), ("document", declarations.resident_id(11))])
def test_address_and_document_are_opened_one_by_one(app: Flask, worker: FlaskClient, what: str, shown: str) -> None:
    person = declared(app, 11).registration.id
    part = worker.post(
        f"/inbox/people/{person}/reveal", data={"what": what, "purpose": "identify"}, headers=FRAGMENT
    ).text
    assert shown in part
    assert declarations.phone(11) not in part
    with app.app_context():
        assert db.session.scalars(select(AuditEntry).where(AuditEntry.act == "people.unmask")).one()


@pytest.mark.parametrize(
    "form",
    [
        {"what": "everything", "purpose": "call"},
        {"what": "phone", "purpose": "call", "alert": "no-uuid"},
        {},
        {"what": "phone"},
        {"what": "phone", "purpose": "curiosity"},
    ],
)
def test_nothing_else_can_be_opened(app: Flask, worker: FlaskClient, form: dict[str, str]) -> None:
    person = declared(app).registration.id
    assert worker.post(f"/inbox/people/{person}/reveal", data=form).status_code == 422


def test_a_call_needs_an_alert_about_that_person(app: Flask, worker: FlaskClient) -> None:
    person, other = declared(app, 1).registration.id, alert_of(declared(app, 2))
    form = {"what": "phone", "purpose": "call", "alert": str(other)}
    assert worker.post(f"/inbox/people/{person}/reveal", data=form).status_code == 404


def test_a_companion_without_a_phone_is_reached_through_the_other(app: Flask, worker: FlaskClient) -> None:
    child = {**declarations.companion(22), "phone": None}
    receipt = declared(app, 21, companions=[child])
    page = worker.post(
        f"/inbox/people/{receipt.companions[0].registration.id}/reveal?lang=en",
        data={"what": "phone", "purpose": "call"},
    ).text
    assert declarations.phone(21) in page
    assert "the person they travel with" in page


def test_follow_ups_of_today_are_done_here(app: Flask, worker: FlaskClient) -> None:
    receipt = admitted(app)
    page = worker.get("/inbox?view=followups&lang=en").text
    assert "Visit at the door" in page
    with app.app_context():
        [visit] = [one for one in followups.of_registration(receipt.registration.id) if one.kind == "arrival_visit"]
    answer = worker.post(f"/inbox/followups/{visit.id}", data={"result": "arrived", "view": "followups"})
    assert (answer.status_code, answer.location) == (303, "/inbox?view=followups")
    with app.app_context():
        done = db.session.get_one(FollowUp, visit.id)
        assert (done.state, done.result) == ("done", "arrived")
    assert worker.post(f"/inbox/followups/{visit.id}", data={"result": "vanished"}).status_code == 422
    assert "Has arrived" in worker.get(f"/inbox/people/{receipt.registration.id}?lang=en").text


def test_a_persons_page_tells_the_whole_way_in_order(app: Flask, worker: FlaskClient) -> None:
    receipt = admitted(app, 11)
    with app.app_context():  # the arrival has taken the place of the declaration's own alert
        arrival = db.session.scalars(select(Alert.id).where(Alert.kind == "arrival")).one()
    worker.post(f"/inbox/alerts/{arrival}/acknowledge")
    page = worker.get(f"/inbox/people/{receipt.registration.id}?lang=en").text
    steps = [
        "Declared",
        "Assessed: Yellow",
        "Alert to 乍浦镇 八字村",
        "Scanned at G60 出口",
        "The officer decided: let in",
    ]
    places = [page.index(f"<strong>{step}") for step in [*steps, "Acknowledged"]]
    assert places == sorted(places)
    for secret in (declarations.name(11), declarations.phone(11), declarations.resident_id(11), "幸福路"):
        assert secret not in page


def test_counts_and_changes_for_a_page_without_a_stream(app: Flask, worker: FlaskClient) -> None:
    assert worker.get("/inbox/changes?after=0").json == {"seq": 0, "reset": False, "events": []}
    alert = alert_of(declared(app))
    with app.app_context():
        alerting.alert(OTHER_VILLAGE, "red")
        alerting.alert(tier="green", needs_answer=False)
    answer = worker.get("/inbox/changes?after=0").json
    assert answer is not None
    assert answer["seq"] == 3
    assert [event["event"] for event in answer["events"]] == ["alert", "alert"]
    assert answer["events"][0] == {"seq": 1, "event": "alert", "alert": str(alert)}
    assert worker.get("/inbox/changes?after=3").json == {"seq": 3, "reset": False, "events": []}
    assert worker.get("/inbox/changes?after=99").json == {"seq": 3, "reset": True, "events": []}
    assert worker.get("/inbox/counts").json == {"now": 1, "open": 1, "followups": 0, "notices": 1, "done": 0}


def test_an_escalated_alert_says_with_whom_it_is(app: Flask, client: FlaskClient) -> None:
    alert = alert_of(declared(app))
    with app.app_context():
        escalate_overdue(actor=people.operator(), at=NOW + timedelta(hours=2), policy=default_policy())
    town = signed_in(app, client, Role.TOWN, TOWN)
    page = town.get("/inbox?lang=en").text
    assert order(page) == [str(alert)]
    assert "escalated to the town" in page


def test_who_may_come_in(app: Flask, client: FlaskClient) -> None:
    assert client.get("/inbox").location == "/login?next=/inbox"
    auditor = signed_in(app, client, Role.AUDITOR, OTHER_TOWN)
    assert auditor.get("/inbox").status_code == 403
