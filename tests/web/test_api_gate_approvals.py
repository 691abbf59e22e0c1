"""The approvals in a tablet's snapshot: whole at first, then what has changed, whichever way it changed."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import service as approvals
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval, ApprovalKind, ApprovalState
from checkpoint.approvals.queries import holders
from checkpoint.approvals.service import Holder
from checkpoint.crossings import spot_tests
from checkpoint.crossings.snapshot import Version, snapshot_at, version_at
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.web.api.gate_bodies import SnapshotOut
from tests.factories import NOW, applications, declarations, lists, people, travelling
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, SAME_PROVINCE
from tests.web.api_support import tablet

EARLIER, SOON, LATER = NOW - timedelta(hours=2), NOW + timedelta(minutes=1), NOW + timedelta(hours=3)
ASKED = {"hours": ["06:00", "22:00"], "covers": "red", "binding": True}
TERMS = {"hours": ["06:00", "22:00"], "covers": "red", "binding": True}


class Gate:
    """A tablet that keeps what it is told, as static/js/gate/snapshot.js does."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.version: Version | None = None
        self.approvals: dict[str, list[dict[str, Any]]] = {}
        self.terms: dict[str, dict[str, Any]] = {}

    def ask(self, at: datetime) -> dict[str, Any]:
        """What an answer says of approvals; nothing where the tablet has everything."""
        version = version_at(self.actor, at)
        if version == self.version:
            return {}
        answer = snapshot_at(version, self.version, actor=self.actor, at=at)
        self.version = Version.parse(str(version))
        self.approvals |= answer["approvals"]
        self.terms |= answer["terms"]
        return dict(answer["approvals"])

    def knows(self, receipt: registrations.Receipt) -> list[tuple[str, dict[str, Any]]]:
        """The approvals of a pass with their terms."""
        return [
            (one["number"], self.terms[one["terms"]]) for one in self.approvals.get(receipt.issued.serial.hex(), [])
        ]


@pytest.fixture
def gate(context: None) -> Gate:
    lists.in_force()
    return Gate(people.tablet().actor)


def named(number: int) -> Holder:
    return Holder(
        declarations.name(number), "resident_id", declarations.resident_id(number), declarations.phone(number)
    )


def granted(kind: ApprovalKind = ApprovalKind.PERSON, at: datetime = NOW, **changes: Any) -> Approval:
    wanted = Conditions.from_json(applications.conditions(**changes.pop("asked", ASKED)))
    changes.setdefault("holders", (named(1),))
    approval = applications.applied(kind, at, conditions=wanted, **changes)
    while approval.state != ApprovalState.GRANTED.value:
        approval = approvals.approve(approval.id, None, "", actor=people.operator(), at=at)
    return approval


def trip(number: int = 1, at: datetime = NOW, **changes: Any) -> registrations.Receipt:
    return travelling.declared(at, number=number, **changes)


def test_a_first_snapshot_has_every_pass_that_an_approval_touches(gate: Gate) -> None:
    mine, other = trip(1), trip(2)
    approval = granted()
    gate.ask(SOON)
    assert gate.knows(mine) == [(approval.number, TERMS)]
    assert gate.knows(other) == []
    entry = gate.approvals[mine.issued.serial.hex()][0]
    assert (entry["from"], entry["until"]) == ("2022-04-12T02:00:00+00:00", "2022-04-15T02:00:00+00:00")
    assert "broken" not in entry


def test_what_is_granted_afterwards_is_told_without_what_is_known(gate: Gate) -> None:
    """But for the last ten minutes before the newest change, which are repeated."""
    long_ago = EARLIER - timedelta(hours=1)
    known, second = trip(1, long_ago), trip(2, EARLIER)
    granted(at=long_ago)
    granted(at=EARLIER, holders=(named(3),))
    gate.ask(NOW)
    assert gate.ask(NOW) == {}
    later = granted(holders=(named(2),), at=LATER)
    assert set(gate.ask(LATER)) == {second.issued.serial.hex()}
    assert (gate.knows(second)[0][0], len(gate.knows(known))) == (later.number, 1)


@pytest.mark.parametrize("end", ["revoked", "withdrawn", "taken off"])
def test_what_has_ended_goes_at_the_next_contact(gate: Gate, end: str) -> None:
    mine, beside = trip(1), trip(2)
    approval = granted(holders=(named(1), named(2)))
    other = granted(asked={"covers": "yellow"}, holders=(named(2),))
    gate.ask(NOW)
    assert (len(gate.knows(mine)), len(gate.knows(beside))) == (1, 2)
    if end == "revoked":
        approvals.revoke(approval.id, "名单变化", actor=people.operator(), at=LATER)
    elif end == "withdrawn":
        approvals.withdraw(approval.id, actor=applications.applicant(approval.id), at=LATER)
    else:
        ids = [one.id for one in holders(approval.id)]
        approvals.remove_holders(approval.id, ids, actor=people.operator(), at=LATER)
    gate.ask(LATER)
    assert gate.knows(mine) == []
    assert gate.knows(beside) == [(other.number, {"covers": "yellow"})]


def test_a_new_trip_of_somebody_approved_is_told_within_seconds(gate: Gate) -> None:
    approval = granted(holders=(named(1), Holder(plate="沪A12345")))
    lorry = granted(ApprovalKind.LORRY, holders=(Holder(plate="沪A12345"),))
    gate.ask(NOW)
    mine, stranger = trip(1, SOON), trip(2, SOON)
    driven = trip(3, SOON, plate="沪A12345", destination={"code": OTHER_VILLAGE, "address": "1 号"})
    told = gate.ask(SOON + timedelta(seconds=5))
    assert set(told) == {mine.issued.serial.hex(), driven.issued.serial.hex()}
    assert gate.knows(mine) == [(approval.number, TERMS)]
    assert gate.knows(driven) == [(lorry.number, TERMS)]
    assert gate.knows(stranger) == []


def test_a_tablet_that_was_away_for_hours_hears_of_every_trip_since(gate: Gate) -> None:
    granted(holders=tuple(named(number) for number in (1, 2, 3)))
    gate.ask(NOW)
    trips = [trip(number, NOW + timedelta(hours=number)) for number in (1, 2, 3)]
    gate.ask(NOW + timedelta(hours=5))
    assert all(gate.knows(one) for one in trips)


def test_a_trip_that_is_committed_late_is_not_missed(gate: Gate) -> None:
    """The tablet asks before a trip is committed that carries an earlier instant."""
    granted(holders=(named(1), named(2)))
    trip(1, SOON)
    gate.ask(SOON)
    late = trip(2, SOON - timedelta(seconds=30))
    gate.ask(SOON + timedelta(seconds=6))
    assert gate.knows(late)


def test_a_pass_that_took_the_place_of_another_has_its_approvals(gate: Gate) -> None:
    granted()
    mine = trip(1)
    gate.ask(NOW)
    body = Declaration.model_validate(declarations.declaration(1, client_id=str(uuid.uuid4())))
    amended = registrations.amend(mine.registration.id, body, actor=people.operator(), at=LATER)
    gate.ask(LATER)
    assert amended.issued.serial != mine.issued.serial
    assert gate.knows(amended)


def test_an_amended_trip_may_leave_its_route(gate: Gate) -> None:
    granted(asked={"route": {"from": SAME_PROVINCE, "to": [], "stops": []}})
    mine = trip(1)
    gate.ask(NOW)
    changed = declarations.declaration(1, origin={"code": NEIGHBOUR_TOWN}, client_id=str(uuid.uuid4()))
    amended = registrations.amend(
        mine.registration.id, Declaration.model_validate(changed), actor=people.operator(), at=LATER
    )
    gate.ask(LATER)
    assert "broken" not in gate.approvals[mine.issued.serial.hex()][0]
    assert gate.approvals[amended.issued.serial.hex()][0]["broken"] == ["route"]


def test_what_covers_red_stops_doing_so_for_whoever_falls_ill(gate: Gate) -> None:
    granted()
    mine, lane = trip(1), people.tablet(people.checkpoint("S7"))
    gate.ask(NOW)
    crossing = travelling.scanned(mine.issued.token, lane)
    reading = spot_tests.Reading(uuid.uuid4(), crossing.id, "positive", SOON, SOON)
    spot_tests.record_test(reading, actor=lane.actor, at=SOON)
    gate.ask(SOON)
    assert gate.knows(mine)[0][1]["covers"] == "yellow"


def test_passes_that_are_no_good_are_not_told(gate: Gate) -> None:
    gone = trip(1)
    granted(asked={"until": (NOW + timedelta(days=13)).isoformat()})
    registrations.withdraw(gone.registration.id, uuid.uuid4(), actor=people.operator(), at=NOW)
    gate.ask(SOON)
    assert gate.approvals == {}
    mine = trip(1)
    fresh = Gate(gate.actor)
    fresh.ask(mine.issued.expires_at)
    assert fresh.approvals == {}


def test_the_body_is_that_of_the_contract(app: Flask, client: FlaskClient, freeze: Callable[[datetime], None]) -> None:
    freeze(SOON)
    with app.app_context():
        lists.in_force()
        trip(1)
        granted(asked=ASKED | {"route": {"from": NEIGHBOUR_TOWN, "to": [], "stops": []}})
    body = tablet(app, client).get("/gate/snapshot").get_json()
    parsed = SnapshotOut.model_validate(body)
    [told] = next(iter(parsed.approvals.values()))
    assert (told.broken, parsed.terms[told.terms].covers) == (["route"], "red")
