"""The siege in small, and that its reckoning finds what is missing, doubled or otherwise than it was answered."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.benchmarks import disks, siege
from checkpoint.benchmarks.crowd import Ledger, registration_facts, scan_facts
from checkpoint.benchmarks.fleet import own_postgres
from checkpoint.benchmarks.reckoning import reckon
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import transaction
from checkpoint.registrations.models import Registration
from tests.factories import NOW, declarations, lists, people

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ledger(app: Flask, freeze: Callable[[datetime], None]) -> Ledger:
    """One traveller who was let in, through the API, as the crowd does it."""
    freeze(NOW)
    lists.in_force()
    kept, client = Ledger(), app.test_client()
    token = people.tablet().token
    body = declarations.declaration(tests=[declarations.negative_test()])
    answer = client.post("/api/v1/registrations", json=body)
    registered = answer.get_json()
    kept.registrations[body["client_id"]] = registration_facts(registered)
    scan_id, decision_id = str(uuid.uuid4()), str(uuid.uuid4())
    headers = people.bearer(token)
    scan = {"scan_id": scan_id, "token": registered["pass"]["token"], "scanned_at": NOW.isoformat()}
    scanned = client.post("/api/v1/scans", json=scan, headers=headers).get_json()
    kept.scans[scan_id] = scan_facts(scanned) | {"registration": registered["id"]}
    made = {"decision_id": decision_id, "decision": "admitted", "note": "演练"}
    assert client.post(f"/api/v1/scans/{scan_id}/decision", json=made, headers=headers).status_code == 200
    kept.decisions[decision_id] = {"scan": scan_id, "decision": "admitted"}
    kept.sent |= {body["client_id"], scan_id, decision_id}
    return kept


def test_what_was_answered_and_is_there_is_in_order(ledger: Ledger) -> None:
    found = reckon(ledger, set())
    assert (found.lost, found.doubled, found.wrong) == ([], [], [])


def test_an_answer_without_a_row_is_lost(ledger: Ledger) -> None:
    ledger.registrations[str(uuid.uuid4())] = next(iter(ledger.registrations.values()))
    ledger.scans[str(uuid.uuid4())] = next(iter(ledger.scans.values()))
    assert len([words for words in reckon(ledger, set()).lost if words.startswith(("registration", "scan"))]) == 2


def test_a_lost_decision_and_a_lost_alert_are_found(ledger: Ledger) -> None:
    with transaction() as session:
        session.execute(delete(CrossingDecision))
        arrival = session.scalars(select(Alert.id).where(Alert.kind == "arrival")).one()
        session.execute(delete(FeedEntry).where(FeedEntry.alert_id == arrival))
        session.execute(update(Registration).values(alert_id=None))
        session.execute(delete(Alert).where(Alert.id == arrival))
    lost = reckon(ledger, set()).lost
    assert [words.split(" ")[0] for words in lost] == ["decision", "alert"]


def test_what_is_told_twice_is_doubled(ledger: Ledger) -> None:
    with transaction() as session:
        entry = session.scalars(select(FeedEntry).where(FeedEntry.event == "alert").limit(1)).one()
        again = {"event": "alert", "alert_id": entry.alert_id, "division_code": entry.division_code, "at": entry.at}
        session.execute(insert(FeedEntry), again)
    assert [words.split(" ")[0] for words in reckon(ledger, set()).doubled] == ["feed"]


def test_what_is_stored_otherwise_or_was_never_sent_is_wrong(ledger: Ledger) -> None:
    with transaction() as session:
        session.execute(update(Crossing).values(verdict="refuse"))
    ledger.sent.clear()
    wrong = reckon(ledger, set()).wrong
    assert [words.split(" ")[0] for words in wrong] == ["nobody", "scan", "nobody"]


def _hold(figures: dict[str, float]) -> None:
    assert figures["answered"] > 0
    assert (figures["lost"], figures["doubled"], figures["wrong"]) == (0, 0, 0), figures
    assert figures["peak_untold"] == 0, figures


@on_sqlite
@pytest.mark.timeout(400)
@pytest.mark.slow
def test_a_few_seconds_under_siege() -> None:
    plan = replace(siege.QUICK, mixed=5.0, ramp=1.0, travellers=(4,), between=(0.4, 0.8), peak=1.0, city=0.5)
    _where, figures = siege.measure(None, replace(plan, with_disks=False), on_sqlite=True)
    assert figures["kills"] >= 2
    _hold(figures)


@on_sqlite
@pytest.mark.timeout(400)
@pytest.mark.slow
def test_a_disk_that_takes_nothing_says_so_and_spoils_nothing() -> None:
    figures = disks.measure()
    assert figures["disk_refused"] >= disks.AFTER
    assert (figures["disk_unclear"], figures["disk_lost"], figures["disk_corrupt"]) == (0, 0, 0)


@on_sqlite
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_minute_under_siege_with_a_postgresql_that_is_killed_too() -> None:
    plan = replace(siege.QUICK, mixed=60.0, with_disks=False)
    _where, figures = siege.measure(None, plan)
    with own_postgres() as server:
        assert (figures.get("kills_database", 0) > 0) == (server is not None)
    assert figures["kills"] >= 10
    _hold(figures)
