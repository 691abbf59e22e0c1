"""Two instances, each with its own database and keys, over real sockets: what is asked comes back on the same record."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.alerts import service as alerts
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.inquiries import service as inquiries
from checkpoint.inquiries.models import Inquiry
from checkpoint.joint import asking, peers, sending
from checkpoint.joint.models import JointMessage, JointPerson, JointTaken, PeerNonce
from tests.factories import NOW, TODAY, people
from tests.factories.declarations import name, resident_id
from tests.factories.divisions import TOWN
from tests.factories.inside import let_in, register
from tests.factories.joined import OPERATOR, Side, neighbour, request
from tests.factories.serving import serving

Later = Callable[..., None]


@pytest.fixture(autouse=True)
def later(freeze: Callable[[datetime], None]) -> Later:
    """Time stands still; `later(here, there, minutes=2)` lets it pass for all."""
    freeze(NOW)

    def move(*sides: Side, **span: float) -> None:
        for side in sides:
            side.at += timedelta(**span)
        freeze(sides[0].at)

    return move


@pytest.fixture
def here(app: Flask) -> Iterator[Side]:
    """The instance that is asked."""
    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], allow_private_targets=True)
    with serving(app) as address:
        app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], public_url=f"http://{address}")
        yield Side(app)


@pytest.fixture
def there(here: Side, template: Path, tmp_path: Path) -> Iterator[Side]:
    """The instance that asks; both know each other."""
    with neighbour(template, tmp_path / "there", "http://127.0.0.1:9") as app, serving(app) as address:
        app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], public_url=f"http://{address}")
        side = Side(app)
        here.know(side)
        side.know(here)
        yield side


def inquiry_alert() -> Alert:
    db.session.rollback()
    return db.session.scalars(select(Alert).where(Alert.kind == "inquiry")).one()


def kinds(side: Side) -> dict[str, int]:
    with side.app.app_context():
        rows = db.session.execute(
            select(Alert.kind, func.count()).where(Alert.subject_type == "joint").group_by(Alert.kind)
        )
        return {kind: count for kind, count in rows}


def test_asked_received_found_handled_closed(here: Side, there: Side, later: Later) -> None:
    with here.app.app_context():
        trip = let_in(people.tablet(), 1)
    there.ask(there.peer().id, f"{name(1)} {resident_id(1)}\n{name(2)}, {resident_id(2)}, 驾车")
    assert [one.state for one in there.people()] == ["asked", "asked"]
    assert there.send() == 1
    assert [one.state for one in there.people()] == ["received", "received"]
    assert there.record().received_at == NOW
    assert here.record().request_id == there.record().request_id
    assert kinds(here) == {"joint_asked": 1}

    later(here, there, minutes=2)
    here.work()
    assert here.send() == 1
    found, missing = there.people()
    assert (found.state, missing.state) == ("found", "not_found")
    assert found.answer is not None
    assert (found.answer["town"], found.answer["presence"]) == (TOWN, "inside")
    assert set(found.answer) == {"state", "at", "presence", "since", "town"}
    assert there.record().answered_at is not None
    assert there.record().handled_at is None
    assert kinds(there) == {"joint_found": 1, "joint_answered": 1}

    with here.app.app_context():
        alarm = inquiry_alert()
        assert (alarm.subject_id, alarm.tier) == (trip.id, "red")
        alerts.resolve(alarm.id, "handled", None, actor=OPERATOR, at=NOW + timedelta(minutes=30))
    later(here, there, minutes=40)
    here.work()
    assert here.send() == 1
    assert there.people()[0].state == "handled"
    assert there.people()[0].answer["result"] == "handled"  # type: ignore[index]
    assert there.record().handled_at == NOW + timedelta(minutes=30)

    with there.app.app_context():
        asking.finish(there.record().id, actor=OPERATOR, at=there.at)
    assert there.send() == 1
    here.work()
    assert (here.record().close_reason, there.record().close_reason) == ("finished", "finished")
    assert [one.listed_sealed for one in here.people()] == [None, None]
    with here.app.app_context():
        assert db.session.scalars(select(Inquiry)).one().state == "withdrawn"
        assert inquiry_alert().state == "resolved"
    assert there.steps() == ["asked", "received", "found", "not_found", "handled", "closed"]
    assert here.send() == there.send() == 0
    with there.app.app_context():
        acts = set(db.session.scalars(select(AuditEntry.act)))
    assert {"peer.add", "joint.ask", "joint.answered", "joint.close"} <= acts


def test_who_comes_later_is_found_and_told(here: Side, there: Side, later: Later) -> None:
    there.ask(there.peer().id, resident_id(3))
    there.send()
    here.work()
    here.send()
    assert there.people()[0].state == "not_found"
    with here.app.app_context():
        inquiries_seen()
        register(3)
    later(here, minutes=5)
    here.work()
    assert here.send() == 1
    assert there.people()[0].state == "found"
    assert there.people()[0].answer["presence"] == "declared"  # type: ignore[index]
    assert there.record().answered_at is not None


def inquiries_seen() -> None:
    from checkpoint.inquiries.lookup import shelf

    shelf().forget()


def test_what_is_repeated_is_told_once(here: Side, there: Side) -> None:
    form = request(there.peer().id, resident_id(4))
    with there.app.app_context():
        first = asking.ask(form, actor=OPERATOR, at=NOW).id
        assert asking.ask(form, actor=OPERATOR, at=NOW).id == first
        assert db.session.scalar(select(func.count()).select_from(JointMessage)) == 1
    there.send()
    for _ in range(3):
        here.work()
    assert here.send() == 1
    assert there.record().serial == 1


def test_a_place_that_is_down_gets_it_once_when_it_is_up(
    here: Side, there: Side, template: Path, tmp_path: Path, later: Later
) -> None:
    there.ask(there.peer().id, resident_id(5))
    with there.app.app_context():
        peer = db.session.scalars(select(peers.Peer)).one()
        peer.url, right = "http://127.0.0.1:9", peer.url
        db.session.commit()
    assert there.send() == 0
    assert there.send() == 0  # not before half a minute has passed
    with there.app.app_context():
        message = db.session.scalars(select(JointMessage)).one()
        assert (message.state, message.attempts, message.error) == ("waiting", 1, "unreachable")
        peer = db.session.scalars(select(peers.Peer)).one()
        peer.url = right
        db.session.commit()
    later(there, here, seconds=31)
    assert there.send() == 1
    assert here.record().people == 1


def test_a_sender_that_dies_before_it_hears_the_receipt_sends_again_and_changes_nothing(
    here: Side, there: Side, later: Later
) -> None:
    there.ask(there.peer().id, resident_id(6))
    with there.app.app_context():
        (claimed,) = sending.claim(NOW)
        reply = sending._call(claimed, sending.own(), NOW, True)
        assert not isinstance(reply, str)
        assert reply.status == 200  # received, and then the sender is killed
        assert sending.claim(NOW) == []  # nobody else sends meanwhile
    later(there, here, minutes=3)
    assert there.send() == 1
    assert there.record().received_at == NOW
    with here.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(JointTaken)) == 1
    assert kinds(here) == {"joint_asked": 1}
    assert here.record().people == 1


def test_an_answer_without_a_receipt_proves_nothing(here: Side, there: Side) -> None:
    there.ask(there.peer().id, resident_id(6))
    with there.app.app_context():
        (claimed,) = sending.claim(NOW)
        for body in (b"", b"\x00" * 300):
            outcome = sending.judged(claimed, sending.Reply(200, {}, body, False), NOW)
            assert (outcome.received_at, outcome.error) == (None, "no_receipt")
        assert sending.settle(outcome, NOW) is False
    assert there.record().received_at is None


def test_revoking_ends_what_stands_between_two_places(here: Side, there: Side) -> None:
    there.ask(there.peer().id, resident_id(1))
    there.send()
    here.work()
    with here.app.app_context():
        peers.revoke(here.peer().id, actor=OPERATOR, at=NOW)
        peers.revoke(here.peer().id, actor=OPERATOR, at=NOW)
    here.work()
    assert here.send() == 0
    assert here.record().close_reason == "revoked"
    with here.app.app_context():
        assert db.session.scalars(select(Inquiry)).one().state == "withdrawn"
    with there.app.app_context():
        peers.revoke(there.peer().id, actor=OPERATOR, at=NOW)
        with pytest.raises(InvalidInput):
            asking.ask(request(there.peer().id, resident_id(1)), actor=OPERATOR, at=NOW)


def test_the_answering_place_takes_its_list_back(here: Side, there: Side) -> None:
    there.ask(there.peer().id, resident_id(1))
    there.send()
    here.work()
    here.send()
    with here.app.app_context():
        inquiries.withdraw(here.record().inquiry_id, actor=OPERATOR, at=NOW)  # type: ignore[arg-type]
    here.work()
    assert here.send() == 1
    assert there.record().close_reason == "ended"


def test_after_the_last_day_what_was_found_may_still_be_dealt_with(here: Side, there: Side, later: Later) -> None:
    with here.app.app_context():
        register(1)
    there.ask(there.peer().id, f"{resident_id(1)}\n{resident_id(2)}")
    there.send()
    here.work()
    here.send()
    later(here, there, days=9)
    with here.app.app_context():
        inquiries.expire(TODAY + timedelta(days=9), actor=OPERATOR, at=here.at)
    here.work()
    assert here.record().closed_at is None
    with here.app.app_context():
        alerts.resolve(inquiry_alert().id, "transferred", None, actor=OPERATOR, at=here.at)
    here.work()
    assert here.send() == 2
    assert there.record().close_reason == "expired"
    assert [one.state for one in there.people()] == ["handled", "not_found"]


def test_a_request_that_nobody_ever_closed_ends_by_itself(here: Side, there: Side, later: Later) -> None:
    there.ask(there.peer().id, resident_id(1))
    later(there, days=23)
    there.work()
    assert there.record().close_reason == "expired"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"typed": ""}, "typed"),
        ({"typed": "张三"}, "typed"),
        ({"typed": "\n".join(resident_id(number) for number in range(1, 502))}, "typed"),
        ({"legal_basis": " "}, "legal_basis"),
        ({"question": ""}, "question"),
        ({"case": "长" * 201}, "case"),
        ({"level": "blue"}, "level"),
        ({"valid_until": TODAY - timedelta(days=1)}, "valid_until"),
        ({"valid_until": TODAY + timedelta(days=101)}, "valid_until"),
    ],
)
def test_a_wrong_request_is_refused_by_field(here: Side, there: Side, changes: dict[str, object], field: str) -> None:
    with there.app.app_context(), pytest.raises(InvalidInput) as caught:
        asking.ask(request(there.peer().id, **{"typed": resident_id(1), **changes}), actor=OPERATOR, at=NOW)  # type: ignore[arg-type]
    assert [one.field for one in caught.value.errors] == [field]
    assert there.people() == []


def test_people_are_taken_from_a_registration_as_far_as_the_asker_may_see_them(here: Side, there: Side) -> None:
    with here.app.app_context():
        trip, chief, stranger = register(7), people.commander(), people.stranger()
        peer = here.peer().id
        record = asking.ask(request(peer, "", registration_id=trip.id), actor=chief, at=NOW)
        (person,) = db.session.scalars(select(JointPerson).where(JointPerson.record_id == record.id))
        assert resident_id(7) in (person.listed or "")
        with pytest.raises(NotFound):
            asking.ask(request(peer, "", registration_id=trip.id), actor=stranger, at=NOW)


def test_nothing_personal_is_stored_in_the_clear(here: Side, there: Side) -> None:
    there.ask(there.peer().id, f"{name(1)} {resident_id(1)}")
    for side in (there, here):
        with side.app.app_context():
            rows = [
                str(row._mapping)
                for table in ("joint_record", "joint_person", "joint_step", "joint_message", "audit_entry", "alert")
                for row in db.session.execute(db.text(f"SELECT * FROM {table}"))  # noqa: S608 - our own names
            ]
        assert rows or side is here
        assert not any(resident_id(1) in row or name(1) in row or "某案" in row for row in rows)
        there.send()
    with there.app.app_context():
        assert db.session.scalars(select(JointMessage)).one().body_sealed is None  # once it is there, it is forgotten
    with here.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(PeerNonce)) == 1
