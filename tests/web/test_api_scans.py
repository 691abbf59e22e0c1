"""Scans, batches and decisions as a tablet sends them."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db
from checkpoint.registrations import service
from checkpoint.registrations.service import pass_keys
from checkpoint.risk.models import Assessment
from tests.factories import NOW, TODAY, lists, people
from tests.factories.declarations import companion, declaration, from_far_away, negative_test
from tests.web.api_support import Api, errors_of, integration, scan_of, stored, tablet

POSITIVE = [negative_test(result="positive")]


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def public(client: FlaskClient, app: Flask) -> Api:
    """A traveller's phone, with a risk list in force."""
    with app.app_context():
        lists.in_force()
    return Api(client)


@pytest.fixture
def gate(app: Flask, client: FlaskClient) -> Api:
    """The tablet of a checkpoint."""
    return tablet(app, client)


def scanned(gate: Api, token: str, **changes: Any) -> dict[str, Any]:
    answer = gate.post("/scans", scan_of(token, **changes))
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_a_scan_is_answered_with_a_verdict_and_why(public: Api, gate: Api) -> None:
    body = declaration(tests=[negative_test()], companions=[companion()])
    issued = public.post("/registrations", body).get_json()["pass"]
    answer = gate.post("/scans", scan_of(issued["token"]))
    verdict = answer.get_json()
    assert (verdict["verdict"], verdict["tier"], verdict["problem"]) == ("admit", "green", None)
    assert verdict["reasons"][0]["text"]
    assert verdict["person"]["companions"] == 1
    assert verdict["person"]["arriving_on"] == TODAY.isoformat()
    assert verdict["person"]["origin"].endswith("嘉善县")
    assert verdict["previous"] is None
    for secret in ("name", "id_number", "phone"):
        assert verdict["person"][secret]
        assert body[secret] not in answer.text
    by_hand = scanned(gate, issued["short_code"].lower())
    assert (by_hand["verdict"], by_hand["person"]) == ("admit", verdict["person"])
    assert by_hand["previous"]["verdict"] == "admit"


def test_each_tier_has_its_verdict(public: Api, gate: Api) -> None:
    found = {
        scanned(gate, public.declare(number, **changes)["pass"]["token"])["verdict"]: changes
        for number, changes in enumerate(({"tests": [negative_test()]}, {}, {"tests": POSITIVE}), 1)
    }
    assert list(found) == ["admit", "test", "hold"]


def test_the_same_scan_again_is_the_first_answer(app: Flask, public: Api, gate: Api) -> None:
    token = public.declare(tests=[negative_test()])["pass"]["token"]
    body = scan_of(token)
    first = gate.post("/scans", body)
    again = gate.post("/scans", body)
    other_words = gate.post("/scans", body | {"token": "ZZZZ2345"})
    assert first.get_data() == again.get_data() == other_words.get_data()
    assert stored(app, Crossing) == 1


def test_the_same_scan_at_another_checkpoint_is_nobodys(app: Flask, client: FlaskClient, gate: Api) -> None:
    body = scan_of("ZZZZ2345")
    assert gate.post("/scans", body).status_code == 200
    assert tablet(app, client, "S11").post("/scans", body).status_code == 404


def test_a_pass_that_does_not_hold_is_a_stored_refusal(
    app: Flask, public: Api, gate: Api, freeze: Callable[[datetime], None]
) -> None:
    token = public.declare()["pass"]["token"]
    middle = len(token) // 2
    forged = token[:middle] + ("0" if token[middle] != "0" else "1") + token[middle + 1 :]
    with app.app_context():
        reading = pass_keys().read(token, NOW)
        assert reading.claims is not None
        claims = reading.claims
        stranger = pass_keys().sign(type(claims)(b"\0" * 8, claims.expires_at, "green", claims.document, ()))
    withdrawn = public.declare(2)
    with app.app_context():
        service.withdraw(uuid.UUID(withdrawn["id"]), uuid.uuid4(), actor=people.operator(), at=NOW)
    refused = {
        "forged": scanned(gate, forged),
        "nobody's": scanned(gate, stranger),
        "unknown": scanned(gate, "ZZZZ2345"),
        "withdrawn": scanned(gate, withdrawn["pass"]["token"]),
        "another country's": scanned(gate, "HC1:6BF+70790T9WJWG.FKY*4GO0"),
        "a web address": scanned(gate, "https://pay.example.com/abc"),
        "empty": scanned(gate, ""),
        "hostile": scanned(gate, "CP1:\u0000\ud7ff<script>" + "9" * 4000),
    }
    later = NOW + timedelta(days=40)
    freeze(later)
    refused["expired"] = scanned(gate, token, scanned_at=later.isoformat())
    assert {case: answer["problem"] for case, answer in refused.items()} == {
        "forged": "forged",
        "nobody's": "unknown",
        "unknown": "unknown",
        "withdrawn": "withdrawn",
        "another country's": "unreadable",
        "a web address": "unreadable",
        "empty": "unreadable",
        "hostile": "unreadable",
        "expired": "expired",
    }
    assert {answer["verdict"] for answer in refused.values()} == {"refuse"}
    assert all(answer["reasons"][0]["text"] and answer["tier"] is None for answer in refused.values())
    assert stored(app, Crossing) == len(refused)


@pytest.mark.parametrize("decision", ["admitted", "turned_back"])
def test_a_decision_is_harmless_twice(app: Flask, public: Api, gate: Api, decision: str) -> None:
    scan = scanned(gate, public.declare(tests=[negative_test()])["pass"]["token"])
    path = f"/scans/{scan['scan_id']}/decision"
    first = gate.post(path, {"decision": decision, "note": "看过证件"})
    events = stored(app, FeedEntry)
    again = gate.post(path, {"decision": decision})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_json()["decision"] == decision
    assert first.get_data() == again.get_data()
    assert (stored(app, CrossingDecision), stored(app, FeedEntry)) == (1, events)


def test_going_against_the_verdict_needs_a_reason(app: Flask, public: Api, gate: Api) -> None:
    scan = scanned(gate, public.declare(tests=POSITIVE)["pass"]["token"])
    path = f"/scans/{scan['scan_id']}/decision"
    for note in (None, "", "  "):
        assert errors_of(gate.post(path, {"decision": "admitted", "note": note})) == {"note": "missing"}
    assert stored(app, CrossingDecision) == 0
    assert gate.post(path, {"decision": "admitted", "note": "急救"}).get_json()["decision"] == "admitted"


def test_wrong_decisions(app: Flask, client: FlaskClient, public: Api, gate: Api) -> None:
    path = f"/scans/{scanned(gate, public.declare()['pass']['token'])['scan_id']}/decision"
    assert errors_of(gate.post(path, {"decision": "waved"})) == {"decision": "literal_error"}
    assert errors_of(gate.post(path, {"decision": "tested", "note": "x" * 501})) == {"note": "string_too_long"}
    assert gate.post(f"/scans/{uuid.uuid4()}/decision", {"decision": "tested"}).status_code == 404
    assert tablet(app, client, "S11").post(path, {"decision": "tested"}).status_code == 404
    assert stored(app, CrossingDecision) == 0


def test_wrong_scans_name_their_fields_and_store_nothing(app: Flask, gate: Api) -> None:
    right = scan_of("ZZZZ2345")
    cases: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
        "empty": ({}, {"scan_id": "missing", "token": "missing", "scanned_at": "missing"}),
        "no identifier": (right | {"scan_id": "1"}, {"scan_id": "uuid_parsing"}),
        "no zone": (right | {"scanned_at": "2022-04-12T10:00:00"}, {"scanned_at": "timezone_aware"}),
        "too long": (right | {"token": "x" * 4097}, {"token": "string_too_long"}),
        "end of time": (right | {"scanned_at": "9999-12-31T23:59:59-12:00"}, {"scanned_at": "time_far"}),
        "its beginning": (right | {"scanned_at": "0001-01-01T00:00:00+14:00"}, {"scanned_at": "time_far"}),
    }
    found = {case: errors_of(gate.post("/scans", body)) for case, (body, _) in cases.items()}
    assert found == {case: wrong for case, (_, wrong) in cases.items()}
    nested = {"scans": [right | {"decision": {"decision": "admitted", "decided_at": "9999-12-31T23:59:59-12:00"}}]}
    assert errors_of(gate.post("/scans/batch", nested)) == {"scans.0.decision.decided_at": "time_far"}
    assert stored(app, Crossing) == 0


def test_only_a_tablet_scans(app: Flask, client: FlaskClient, public: Api) -> None:
    issued = public.declare()["pass"]["token"]
    body = scan_of(issued)
    assert public.post("/scans", body).status_code == 401
    assert Api(client, issued).post("/scans", body).status_code == 401
    for role in (Role.COMMAND, Role.VILLAGE, Role.INTEGRATION, Role.OFFICER):
        assert integration(app, client, role).post("/scans", body).status_code == 403
    assert stored(app, Crossing) == 0


def offline(token: str, minutes: int, decision: str | None = None, note: str | None = None) -> dict[str, Any]:
    """A scan made `minutes` ago without a network, with what the officer did then."""
    then = NOW - timedelta(minutes=minutes)
    made = {"decision": decision, "note": note, "decided_at": (then + timedelta(seconds=20)).isoformat()}
    return scan_of(token, scanned_at=then.isoformat(), decision=made if decision else None)


def test_a_day_off_line_is_delivered_at_once_and_once(app: Flask, public: Api, gate: Api) -> None:
    good = public.declare(1, tests=[negative_test()])["pass"]["token"]
    ill = public.declare(2, tests=POSITIVE)["pass"]["token"]
    far = public.post("/registrations", from_far_away(3)).get_json()["pass"]["token"]
    sent = [
        offline(good, 300, "admitted"),
        offline(ill, 200, "admitted"),
        offline(far, 100, "tested"),
        offline("ZZZZ2345", 50, "turned_back"),
        offline(good, 40),
    ]
    answer = gate.post("/scans/batch", {"scans": sent})
    assert answer.status_code == 200
    results = answer.get_json()["results"]
    assert [one["scan_id"] for one in results] == [one["scan_id"] for one in sent]
    assert [one["verdict"] for one in results] == ["admit", "hold", "test", "refuse", "admit"]
    assert [one["decision"] for one in results] == ["admitted", "admitted", "tested", "turned_back", None]
    assert [one["error"] for one in results] == [None] * 5
    kept = (stored(app, Crossing), stored(app, CrossingDecision), stored(app, FeedEntry), stored(app, Alert))
    again = gate.post("/scans/batch", {"scans": sent})
    assert again.get_data() == answer.get_data()
    after = (stored(app, Crossing), stored(app, CrossingDecision), stored(app, FeedEntry), stored(app, Alert))
    assert after == kept
    assert stored(app, Assessment) == 3


def test_an_early_pass_was_valid_when_it_was_scanned(
    public: Api, gate: Api, freeze: Callable[[datetime], None]
) -> None:
    """The tablet was off line while the pass expired: the time of the scan counts."""
    token = public.declare()["pass"]["token"]
    then = scan_of(token)
    freeze(NOW + timedelta(days=40))
    results = gate.post(
        "/scans/batch", {"scans": [then, scan_of(token, scanned_at=(NOW + timedelta(days=39)).isoformat())]}
    )
    assert [one["problem"] for one in results.get_json()["results"]] == [None, "expired"]


def test_a_batch_of_two_thousand_with_all_their_notes(app: Flask, public: Api, gate: Api) -> None:
    """Three megabytes: more than any other body may have."""
    token = public.declare(tests=[negative_test()])["pass"]["token"]
    note = "核对证件与车辆，人证一致，已告知规定。" * 12
    codes = [token if number % 100 == 0 else f"ZZZZ{number:04d}".translate(DIGITS) for number in range(2000)]
    sent = [offline(code, 300) for code in codes]
    for one in sent[::100]:
        one["decision"] = {"decision": "tested", "note": note, "decided_at": one["scanned_at"]}
    padded = json.dumps({"scans": sent}).encode().ljust(3_000_000)
    answer = gate.post("/scans/batch", data=padded, content_type="application/json")
    assert answer.status_code == 200, answer.text
    results = answer.get_json()["results"]
    assert [one["scan_id"] for one in results] == [one["scan_id"] for one in sent]
    assert sum(one["verdict"] != "refuse" for one in results) == 20
    assert [one["error"] for one in results] == [None] * 2000
    assert (stored(app, Crossing), stored(app, CrossingDecision)) == (2000, 20)
    assert errors_of(gate.post("/scans/batch", {"scans": [*sent, offline(token, 1)]})) == {"scans": "too_long"}
    huge = json.dumps({"scans": sent}).encode().ljust(20_000_000)
    assert gate.post("/scans/batch", data=huge, content_type="application/json").status_code == 413
    assert stored(app, Crossing) == 2000


DIGITS = str.maketrans("01", "AB")  # a short code has neither 0 nor 1


def test_an_empty_batch_is_answered(gate: Api) -> None:
    answer = gate.post("/scans/batch", {"scans": []})
    assert (answer.status_code, answer.get_json()) == (200, {"results": []})


def test_a_batch_carries_what_the_tablet_showed_and_several_decisions(app: Flask, public: Api, gate: Api) -> None:
    token = public.declare()["pass"]["token"]
    then = NOW - timedelta(minutes=90)
    steps = [
        {
            "decision_id": str(uuid.uuid4()),
            "decision": made,
            "decided_at": (then + timedelta(minutes=minutes)).isoformat(),
        }
        for minutes, made in ((1, "tested"), (20, "admitted"))
    ]
    rule = {"rule": "snapshot_stale", "points": 40, "detail": ["30"]}
    item = scan_of(
        token,
        scanned_at=then.isoformat(),
        skew_seconds=-7,
        snapshot_version="a-1-2",
        shown={"verdict": "test", "tier": "yellow", "rules": [rule]},
        decisions=steps,
    )
    first = gate.post("/scans/batch", {"scans": [item, item]})
    assert first.status_code == 200, first.text
    results = first.get_json()["results"]
    assert [(one["decision"], one["error"], one["conflicts"]) for one in results] == [("admitted", None, [])] * 2
    assert gate.post("/scans/batch", {"scans": [item]}).get_json()["results"] == results[:1]
    assert (stored(app, Crossing), stored(app, CrossingDecision)) == (1, 2)
    with app.app_context():
        kept = db.session.scalars(select(Crossing)).one()
        assert kept.shown == item["shown"]
        assert (kept.skew_seconds, kept.snapshot_version, kept.scanned_at) == (-7, "a-1-2", then)


def test_a_batch_goes_on_past_a_scan_of_another_checkpoint(app: Flask, client: FlaskClient, gate: Api) -> None:
    """The tablet was moved to another post while it had not heard whether its scans had come."""
    moved = offline("ZZZZ2345", 30, "turned_back")
    assert gate.post("/scans/batch", {"scans": [moved]}).status_code == 200
    results = tablet(app, client, "S11").post("/scans/batch", {"scans": [moved, offline("ZZZZ2346", 20)]}).get_json()
    assert [(one["verdict"], one["error"]) for one in results["results"]] == [(None, "not_found"), ("refuse", None)]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"shown": {"verdict": "wave", "rules": []}}, "shown.verdict"),
        ({"shown": {"verdict": "admit", "rules": [{"rule": "<script>", "points": 0}]}}, "shown.rules.0.rule"),
        ({"skew_seconds": 2**31}, "skew_seconds"),
        ({"snapshot_version": "x" * 121}, "snapshot_version"),
    ],
)
def test_what_a_tablet_showed_has_a_form(gate: Api, change: dict[str, Any], wrong: str) -> None:
    assert set(errors_of(gate.post("/scans", scan_of("ZZZZ2345", **change)))) == {wrong}


def test_an_override_is_final_for_its_crossing(public: Api, gate: Api) -> None:
    path = f"/scans/{scanned(gate, public.declare(tests=POSITIVE)['pass']['token'])['scan_id']}/decision"
    body = {"decision_id": str(uuid.uuid4()), "decision": "admitted", "note": "急救"}
    first = gate.post(path, body)
    assert gate.post(path, body).get_data() == first.get_data()
    refused = gate.post(path, {"decision": "turned_back"})
    assert refused.status_code == 409
    assert gate.post(path, body).get_json()["decision"] == "admitted"


def test_two_lanes_see_each_other(app: Flask, client: FlaskClient, public: Api, gate: Api) -> None:
    token, other_lane = public.declare()["pass"]["token"], tablet(app, client, "S11")
    here, there = scanned(gate, token), scanned(other_lane, token)
    assert there["previous"]["checkpoint"] == "G60 出口"
    gate.post(f"/scans/{here['scan_id']}/decision", {"decision": "held"})
    decided = other_lane.post(f"/scans/{there['scan_id']}/decision", {"decision": "tested"}).get_json()
    assert [(one["scan_id"], one["decision"]) for one in decided["conflicts"]] == [(here["scan_id"], "held")]
    again = gate.post("/scans", scan_of(token, scan_id=here["scan_id"])).get_json()
    assert [(one["checkpoint"], one["decision"]) for one in again["conflicts"]] == [("S11 出口", "tested")]
    other_lane.post(f"/scans/{there['scan_id']}/decision", {"decision": "held"})
    settled = gate.post("/scans", scan_of(token, scan_id=here["scan_id"])).get_json()
    assert (settled["decision"], settled["conflicts"]) == ("held", [])
