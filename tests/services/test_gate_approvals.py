"""Approvals at the barrier on line: which passes they touch, what a scan says of them, what an officer may then do."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert
from checkpoint.approvals import service as approvals
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalKind, ApprovalState
from checkpoint.approvals.service import Holder
from checkpoint.crossings import service, spot_tests
from checkpoint.crossings.batches import Delivery, deliver
from checkpoint.crossings.deciding import Made
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.service import Scan
from checkpoint.database import db, transaction
from checkpoint.registrations.models import Registration, RegistrationState
from tests.factories import NOW, applications, declarations, lists, people, travelling
from tests.factories.declarations import negative_test
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, SAME_PROVINCE, SECOND_VILLAGE, TOWN, VILLAGE

RED_ORIGIN: dict[str, Any] = {"origin": {"code": NEIGHBOUR_TOWN}}
PLATE = "沪A12345"


def granted(
    kind: ApprovalKind = ApprovalKind.PERSON, *, asked: dict[str, Any] | None = None, **changes: Any
) -> Approval:
    """An application that all levels said yes to; `asked` changes its conditions."""
    wanted = Conditions.from_json(applications.conditions(**(asked or {})))
    if kind is ApprovalKind.PERSON:
        changes.setdefault("holders", (named(1),))
    approval = applications.applied(kind, conditions=wanted, **changes)
    while approval.state != ApprovalState.GRANTED.value:
        approval = approvals.approve(approval.id, None, "", actor=command(), at=NOW)
    return approval


def command() -> Actor:
    return people.operator()


def named(number: int) -> Holder:
    """The traveller of `declaration(number)`."""
    return Holder(
        declarations.name(number), "resident_id", declarations.resident_id(number), declarations.phone(number)
    )


def scanned(at: datetime = NOW, tablet: people.Tablet | None = None, **changes: Any) -> Crossing:
    """A scan of a new declaration, red by its origin unless changed."""
    receipt = travelling.declared(NOW, **{**RED_ORIGIN, **changes})
    return travelling.scanned(receipt.issued.token, tablet or gate(), at)


def said(crossing: Crossing) -> tuple[str, str | None, list[tuple[str, int, list[str]]]]:
    """Verdict, tier, and what was said of approvals."""
    found = [
        (reason["rule"], reason["points"], reason["detail"])
        for reason in crossing.reasons
        if reason["rule"].startswith("approval_")
    ]
    return crossing.verdict, crossing.tier, found


@pytest.fixture(autouse=True)
def _listed(context: None) -> None:
    lists.in_force()
    people.checkpoint("G60")
    people.checkpoint("S7")


def gate() -> people.Tablet:
    """A tablet at G60."""
    return people.tablet(db.session.query(Checkpoint).filter_by(code="G60").one())


@pytest.mark.parametrize(("covers", "verdict"), [("green", "hold"), ("yellow", "hold"), ("red", "test")])
def test_who_is_red_is_let_in_to_a_test_by_an_approval_that_covers_red(covers: str, verdict: str) -> None:
    approval = granted(asked={"covers": covers})
    crossing = scanned()
    assert said(crossing) == (verdict, "red", [("approval_granted", 0, [approval.number])])
    assert crossing.measures[0]["kind"] == "central_quarantine"  # an approval says nothing of the person's risk


@pytest.mark.parametrize(
    "unwell",
    [{"symptoms": ["fever"]}, {"tests": [negative_test(hours_ago=2, result="positive")]}],
)
def test_neither_a_positive_test_nor_symptoms_are_covered(unwell: dict[str, Any]) -> None:
    granted(asked={"covers": "red"})
    crossing = scanned(**unwell)
    assert crossing.verdict == "hold"
    assert said(crossing)[2][0][0] == "approval_granted"


def test_a_clock_that_is_wrong_lets_nobody_red_in() -> None:
    granted(asked={"covers": "red"})
    receipt = travelling.declared(NOW, **RED_ORIGIN)
    late = Scan(uuid.uuid4(), receipt.issued.token, NOW + timedelta(minutes=20))
    crossing = service.record_scan(late, actor=gate().actor, at=NOW)
    assert (crossing.verdict, crossing.reasons[1]["rule"]) == ("hold", "clock_skew")


# NOW is 10:00 at the site, on a Tuesday.
@pytest.mark.parametrize(
    ("asked", "which"),
    [
        ({"from": (NOW + timedelta(seconds=1)).isoformat()}, "not_yet"),
        ({"days": [1, 3]}, "days"),
        ({"hours": ["22:00", "06:00"]}, "hours"),
        ({"checkpoints": ["S7"]}, "checkpoint"),
        ({"route": {"from": "110105000000"}}, "route"),
        ({"route": {"to": [OTHER_VILLAGE]}}, "route"),
    ],
)
@pytest.mark.parametrize("binding", [True, False])
def test_outside_of_its_conditions_a_pass_that_is_bound_is_held(
    asked: dict[str, Any], which: str, binding: bool
) -> None:
    approval = granted(asked=asked | {"binding": binding})
    crossing = scanned(origin={"code": SAME_PROVINCE}, tests=[negative_test(hours_ago=20)])
    points = 80 if binding else 0
    verdict = "hold" if binding else "admit"
    assert said(crossing) == (verdict, "green", [("approval_broken", points, [approval.number, which])])


@pytest.mark.parametrize(("binding", "points", "verdict"), [(True, 40, "test"), (False, 0, "admit")])
def test_who_lacks_only_a_fresh_test_is_tested(binding: bool, points: int, verdict: str) -> None:
    approval = granted(asked={"test_hours": 12, "binding": binding})
    crossing = scanned(origin={"code": SAME_PROVINCE}, tests=[negative_test(hours_ago=20)])
    assert said(crossing) == (verdict, "green", [("approval_broken", points, [approval.number, "test"])])


def test_within_its_conditions_it_is_an_ordinary_pass() -> None:
    asked = {
        "binding": True,
        "days": [2],
        "hours": ["09:00", "11:00"],
        "checkpoints": ["G60"],
        "route": {"from": SAME_PROVINCE, "to": [TOWN], "stops": []},
        "test_hours": 24,
    }
    approval = granted(asked=asked)
    crossing = scanned(origin={"code": SAME_PROVINCE}, tests=[negative_test(hours_ago=20)])
    assert said(crossing) == ("admit", "green", [("approval_granted", 0, [approval.number])])
    assert crossing.reasons[0]["terms"]["hours"] == ["09:00", "11:00"]


@pytest.mark.parametrize(("village", "touched"), [(VILLAGE, True), (SECOND_VILLAGE, True), (OTHER_VILLAGE, False)])
def test_a_person_is_let_into_the_town_that_granted_it(village: str, touched: bool) -> None:
    granted(asked={"covers": "red"})
    crossing = scanned(destination={"code": village, "address": "1 号"})
    assert (crossing.verdict, bool(said(crossing)[2])) == (("test", True) if touched else ("hold", False))


def test_a_lorry_is_known_by_its_plate_whoever_drives_and_wherever_it_goes() -> None:
    approval = granted(ApprovalKind.LORRY, asked={"covers": "red"})
    driver = approval.number
    elsewhere = {"destination": {"code": OTHER_VILLAGE, "address": "1 号"}}
    assert said(scanned(number=7, plate=PLATE, **elsewhere))[2] == [("approval_granted", 0, [driver])]
    assert said(scanned(number=8, plate="沪A54321"))[2] == []


def test_a_company_names_people_and_vehicles() -> None:
    granted(ApprovalKind.COMPANY, asked={"covers": "red"}, holders=(named(3), Holder(plate=PLATE)))
    assert scanned(number=3).verdict == "test"
    assert scanned(number=4, plate=PLATE).verdict == "test"
    assert scanned(number=5).verdict == "hold"


@pytest.mark.parametrize("end", ["revoked", "withdrawn", "taken off", "not granted"])
def test_what_is_not_in_force_touches_nothing(end: str) -> None:
    if end == "not granted":
        applications.applied(
            conditions=Conditions.from_json(applications.conditions(covers="red")), holders=(named(1),)
        )
    else:
        approval = granted(asked={"covers": "red"})
        if end == "revoked":
            approvals.revoke(approval.id, "名单变化", actor=command(), at=NOW)
        elif end == "withdrawn":
            approvals.withdraw(approval.id, actor=applications.applicant(approval.id), at=NOW)
        else:
            with transaction() as session:
                session.query(ApprovalHolder).update({"removed_at": NOW})
    assert said(scanned()) == ("hold", "red", [])


def test_a_trip_that_begins_after_it_has_ended_is_none_of_its_business() -> None:
    """It ends with the 12th at the site: a pass for that day is bound when used on the 13th, one for the 13th is not."""
    until = datetime(2022, 4, 12, 16, 0, tzinfo=UTC)
    approval = granted(asked={"binding": True, "until": until.isoformat()})
    nearby = {"origin": {"code": SAME_PROVINCE}, "tests": [negative_test(hours_ago=1)]}
    tablet = gate()
    bound = scanned(until + timedelta(hours=1), tablet, **nearby)
    assert said(bound) == ("hold", "green", [("approval_broken", 80, [approval.number, "over"])])
    free = scanned(until + timedelta(hours=1), tablet, arriving_on="2022-04-13", **nearby)
    assert said(free) == ("admit", "green", [])


def test_one_that_is_kept_counts_whatever_else_is_broken() -> None:
    granted(asked={"binding": True, "hours": ["22:00", "06:00"]})
    second = granted(asked={"covers": "red"})
    assert said(scanned()) == ("test", "red", [("approval_granted", 0, [second.number])])


def test_letting_in_who_is_approved_is_no_override_and_off_line_nobody_is_told() -> None:
    granted(asked={"covers": "red"})
    tablet, receipt = gate(), travelling.declared(NOW, **RED_ORIGIN)
    scan = Scan(uuid.uuid4(), receipt.issued.token, NOW, offline=True, shown={"verdict": "test"})
    made = Made("admitted", None, NOW + timedelta(minutes=20), uuid.uuid4())
    done = deliver([Delivery(scan, (made,))], actor=tablet.actor, at=NOW + timedelta(hours=1))[0]
    assert (done.error, done.crossing and done.crossing.decision) == (None, "admitted")
    kinds = {one.kind: one.params for one in db.session.query(Alert)}
    assert "crossed_against_rules" not in kinds
    assert kinds["arrival"]["overridden"] is False


def test_letting_in_who_is_held_by_an_approval_needs_a_reason_and_is_told_off_line() -> None:
    granted(asked={"binding": True, "hours": ["22:00", "06:00"]})
    tablet = gate()
    receipt = travelling.declared(NOW, tests=[negative_test()])
    scan = Scan(uuid.uuid4(), receipt.issued.token, NOW, offline=True)
    deliver([Delivery(scan, (Made("admitted", None, NOW, uuid.uuid4()),))], actor=tablet.actor, at=NOW)
    assert "crossed_against_rules" in {one.kind for one in db.session.query(Alert)}


@pytest.mark.parametrize(
    ("asked", "changes", "verdict"),
    [
        ({"covers": "red"}, RED_ORIGIN, "admit"),
        ({"binding": True, "hours": ["22:00", "06:00"]}, {}, "hold"),
        ({"binding": True, "test_hours": 12}, {}, "admit"),
        ({"binding": True, "test_hours": 12, "covers": "red"}, RED_ORIGIN, "admit"),
    ],
)
def test_the_verdict_after_a_test_on_the_spot(asked: dict[str, Any], changes: dict[str, Any], verdict: str) -> None:
    granted(asked=asked)
    tablet, receipt = gate(), travelling.declared(NOW, **changes)
    crossing = travelling.scanned(receipt.issued.token, tablet)
    service.decide(crossing.id, "tested", None, actor=tablet.actor, at=NOW)
    read = NOW + timedelta(minutes=15)
    reading = spot_tests.Reading(uuid.uuid4(), crossing.id, "negative", NOW, read)
    assert spot_tests.record_test(reading, actor=tablet.actor, at=read).after.verdict == verdict
    service.decide(crossing.id, "admitted", "已检测" if verdict == "hold" else None, actor=tablet.actor, at=read)
    db.session.expire_all()
    assert db.session.get_one(Registration, receipt.registration.id).state == RegistrationState.INSIDE.value


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_scan_asks_once_more_only_where_there_is_an_approval() -> None:
    tablet = gate()
    tokens = [travelling.declared(NOW, number=number).issued.token for number in (1, 2, 3)]
    travelling.scanned(tokens[2], tablet)  # whatever is read once for each process
    with counted() as plain:
        travelling.scanned(tokens[1], tablet)
    granted()
    db.session.commit()
    with counted() as approved:
        travelling.scanned(tokens[0], tablet)
    with counted() as still:
        travelling.scanned(tokens[1], tablet)
    assert len([one for one in approved if "approval" in one]) == 2
    assert (len(approved) - len(plain), len(still) - len(plain)) == (1, 0)
