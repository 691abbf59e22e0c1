"""Opening what is sealed: for a purpose, within a bound, seen by whoever it is about; and noticing who reads very many people."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor, traveller_actor
from checkpoint.alerts import queries as alerts
from checkpoint.alerts.kinds import explained
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.coverage.service import note_read
from checkpoint.database import db
from checkpoint.disclosure import meter
from checkpoint.disclosure.models import PeopleShown
from checkpoint.disclosure.purposes import PURPOSES
from checkpoint.disclosure.service import TooManyOpened, exported
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.registrations.disclosure import reveal
from checkpoint.registrations.queries import visible
from checkpoint.retention.looks import looks_at
from checkpoint.retention.own import own_copy
from checkpoint.risk.policies import publish_policy
from checkpoint.risk.policy import default_policy
from checkpoint.watch import readers
from checkpoint.watch import service as watch
from tests.factories import NOW, people, reading
from tests.factories.declarations import resident_id
from tests.factories.divisions import SITE, TOWN
from tests.factories.travelling import declared

POLICY = default_policy()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def trip() -> uuid.UUID:
    return declared(number=1).registration.id


@pytest.fixture
def narrow() -> None:
    """A policy by which a village worker may open the data of two people in an hour."""
    policy = POLICY.model_copy(update={"unmaskings_per_hour": {"village": 2}})
    publish_policy(policy, actor=people.operator(), at=NOW - HOUR)


@pytest.fixture
def auditor() -> Actor:
    return people.actor_of(people.user("auditor", Role.AUDITOR, SITE))


def entries(act: str) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.act == act).order_by(AuditEntry.id)))


def look(at: datetime) -> int:
    return watch.look(watch.standing("bulk_reading"), at, POLICY)


class TestOpening:
    def test_it_needs_the_permission_and_a_purpose(self, trip: uuid.UUID) -> None:
        worker = people.village_worker()
        with pytest.raises(NotAllowed):
            reveal(trip, "phone", "call", actor=replace(worker, permissions=frozenset()), at=NOW)
        for wrong in ("", "curiosity", "mend"):
            with pytest.raises(InvalidInput):
                reveal(trip, "phone", wrong, actor=worker, at=NOW)
        with pytest.raises(NotFound):
            reveal(trip, "phone", "call", actor=people.stranger(), at=NOW)
        assert entries("people.unmask") == []
        assert reveal(trip, "document", "identify", actor=worker, at=NOW).id_number == resident_id(1)
        [entry] = entries("people.unmask")
        assert (entry.object_id, entry.purpose) == (str(trip), "identify")
        assert entry.data == {"fields": ["name", "id_number"], "people": 1}

    @pytest.mark.usefixtures("narrow")
    def test_more_people_than_the_policy_allows_are_refused_and_that_is_written_down(self) -> None:
        worker = people.village_worker()
        first, second, third = (declared(number=number).registration.id for number in (1, 2, 3))
        reveal(first, "phone", "call", actor=worker, at=NOW)
        reveal(second, "phone", "call", actor=worker, at=NOW + MINUTE)
        with pytest.raises(TooManyOpened) as refused:
            reveal(third, "phone", "call", actor=worker, at=NOW + 2 * MINUTE)
        assert refused.value.retry_after == 58 * 60
        [entry] = entries("people.unmask_refused")
        assert (entry.object_id, entry.data) == (str(third), {"opened": 2, "limit": 2})
        assert reveal(first, "address", "visit", actor=worker, at=NOW + 3 * MINUTE).address, (
            "the same person is no other"
        )
        colleague = people.village_worker(login="colleague")
        assert reveal(third, "phone", "call", actor=colleague, at=NOW + 3 * MINUTE).phone

    @pytest.mark.usefixtures("narrow")
    def test_after_an_hour_it_goes_on(self) -> None:
        worker = people.village_worker()
        for number in (1, 2):
            reveal(declared(number=number).registration.id, "phone", "call", actor=worker, at=NOW)
        assert reveal(declared(number=3).registration.id, "phone", "call", actor=worker, at=NOW + HOUR).phone
        assert entries("people.unmask_refused") == []

    def test_every_role_that_may_open_has_a_bound(self) -> None:
        assert [POLICY.ceiling_of(role) for role in ("village", "town", "command")] == [60, 150, 300]
        assert POLICY.ceiling_of("auditor") is None
        assert all(PURPOSES.values())


class TestWhoLooked:
    def test_the_person_s_record_says_who_and_what_for(self, trip: uuid.UUID) -> None:
        worker = people.village_worker()
        reveal(trip, "phone", "call", actor=worker, at=NOW)
        [one] = looks_at(visible(worker, trip), with_inquiries=False)
        assert (one.by, one.role, one.purpose, one.fields) == (worker.key, "village", "call", ("name", "phone"))
        assert one.division_code == worker.division

    def test_the_traveller_s_copy_tells_the_office_and_not_the_name(self, trip: uuid.UUID) -> None:
        worker = people.village_worker()
        reveal(trip, "address", "visit", actor=worker, at=NOW)
        copy = own_copy(trip, resident_id(1)[-4:], actor=traveller_actor(trip, SITE), at=NOW + HOUR)
        [told] = copy["looks"]
        assert told == {
            "opened_at": NOW.isoformat(),
            "role": "village",
            "office": told["office"],
            "fields": ["name", "address"],
            "purpose": "visit",
        }
        assert "八字村" in told["office"]
        assert "worker" not in str(copy["looks"])


class TestMeter:
    def test_somebody_counts_once_a_day_and_is_written_in_spans(self) -> None:
        worker = people.village_worker()
        first, second = (("traveller", uuid.uuid4()) for _ in range(2))
        meter.shown(worker, [first, second], at=NOW)
        meter.shown(worker, [first], at=NOW + MINUTE)
        assert db.session.scalar(select(func.count()).select_from(PeopleShown)) == 0, "no request writes"
        assert meter.flush() == 2
        assert meter.flush() == 0
        meter.shown(worker, [first], at=NOW + timedelta(days=1))
        meter.flush()
        rows = db.session.scalars(select(PeopleShown).order_by(PeopleShown.starts_at)).all()
        assert [(row.reader, row.role, row.people) for row in rows] == [
            (worker.key, "village", 2),
            (worker.key, "village", 1),
        ]

    def test_two_processes_write_into_one_span(self, app: Flask) -> None:
        worker = people.village_worker()
        for number in (3, 4):
            app.extensions.pop("people_meter", None)  # another process knows nothing of the first
            meter.shown(worker, more=number, at=NOW)
            meter.flush()
        assert db.session.scalars(select(PeopleShown.people)).all() == [7]

    def test_what_cannot_be_written_now_is_written_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        worker = people.village_worker()
        meter.shown(worker, more=5, at=NOW)
        with monkeypatch.context() as patch:

            def busy() -> None:
                raise OperationalError("INSERT", {}, Exception("database is locked"))

            patch.setattr(meter, "transaction", busy)
            with pytest.raises(OperationalError):
                meter.flush()
        assert meter.flush() == 5

    def test_tablets_and_companies_are_not_metered(self) -> None:
        for actor in (people.tablet().actor, people.operator()):
            meter.shown(actor, more=5, at=NOW)
        assert meter.flush() == 0


class TestUnusualReading:
    def test_an_hour_is_judged_by_the_role_and_told_once(self, auditor: Actor) -> None:
        village, town = people.village_worker(), people.town_worker()
        for at in (NOW, NOW + 20 * MINUTE):
            reading.shown(village.key, 100, at=at)
            reading.shown(town.key, 100, at=at, role="town")
        assert look(NOW + 25 * MINUTE) == 1
        assert look(NOW + 26 * MINUTE) == 0
        [alert] = readers.unusual(auditor)
        assert (alert.subject_id, alert.state, alert.division_code) == (village.id, "notice", SITE)
        assert alert.params == {"reader": village.key, "what": "hour", "number": 200, "limit": 150}
        assert "200" in explained(alert.kind, alert.params)[0]
        [entry] = entries("reading.unusual")
        assert (entry.object_type, entry.object_id) == ("user", str(village.id))

    def test_a_slow_reader_is_found_by_the_day(self) -> None:
        worker = people.village_worker()
        for number in range(7):
            reading.shown(worker.key, 100, at=NOW + number * HOUR)
        assert look(NOW + 6 * HOUR + MINUTE) == 1
        assert db.session.scalars(select(Alert.params)).one()["what"] == "day"

    def test_within_the_limits_is_nothing(self) -> None:
        worker = people.village_worker()
        for number in range(3):
            reading.shown(worker.key, 75, at=NOW + number * HOUR)
        assert look(NOW + 3 * HOUR) == 0

    def test_files_and_refusals_count(self) -> None:
        worker = people.town_worker()
        for number in range(4):
            exported("company_member", 10, actor=worker, at=NOW + number * MINUTE)
        assert look(NOW + 5 * MINUTE) == 1
        assert [entry.data for entry in entries("people.export")] == [{"rows": 10}] * 4
        assert look(NOW + 7 * MINUTE) == 0
        assert db.session.scalars(select(Alert.params)).one() == {
            "reader": worker.key,
            "what": "exports",
            "number": 4,
            "limit": 3,
        }

    def test_a_list_that_was_only_looked_at_is_no_file(self) -> None:
        worker = people.town_worker()
        for how, found in (("screen", 0), ("csv", 1)):
            for number in range(4):
                at = NOW + number * MINUTE
                note_read(worker, "tested", NOW.date(), TOWN, 10, how=how, at=at)
            assert look(NOW + (5 if how == "screen" else 7) * MINUTE) == found

    @pytest.mark.usefixtures("narrow")
    def test_whoever_was_refused_is_told_of(self) -> None:
        worker = people.village_worker()
        for number in (1, 2):
            reveal(declared(number=number).registration.id, "phone", "call", actor=worker, at=NOW)
        with pytest.raises(TooManyOpened):
            reveal(declared(number=3).registration.id, "phone", "call", actor=worker, at=NOW + MINUTE)
        assert look(NOW + 2 * MINUTE) == 1
        kind = Alert.kind == "watch_bulk_reading"
        assert db.session.scalars(select(Alert.params).where(kind)).one()["what"] == "refused"

    def test_the_past_can_be_tried_out(self) -> None:
        worker, chief = people.village_worker(), people.commander()
        for day in range(3):
            reading.shown(worker.key, 500, at=NOW - timedelta(days=day))
        for limit, number in ((300, 3), (1000, 0)):
            found = watch.dry_run("bulk_reading", {"village": limit}, 7, actor=chief, at=NOW + HOUR)
            assert found.total == number

    def test_the_auditor_sets_the_limits_and_command_does_not(self, auditor: Actor) -> None:
        new = {"enabled": False, "tier": "red", "limits": {"village": 20}}
        with pytest.raises(NotAllowed):
            watch.change("bulk_reading", **new, actor=people.commander(), at=NOW)
        assert watch.change("bulk_reading", **new, actor=auditor, at=NOW).limits["village"] == 20
        with pytest.raises(NotAllowed):
            watch.change("one_phone", enabled=True, tier="red", limits={}, actor=auditor, at=NOW)

    def test_command_does_not_see_it_and_the_auditor_answers(self, auditor: Actor) -> None:
        chief = people.commander()
        reading.shown(chief.key, 1000, at=NOW, role="command")
        look(NOW + MINUTE)
        [alert] = readers.unusual(auditor)
        with pytest.raises(NotFound):
            alerts.one(chief, alert.id)
        for act in (lambda: readers.unusual(chief), lambda: readers.settle(alert.id, "好的", actor=chief, at=NOW)):
            with pytest.raises(NotAllowed):
                act()
        with pytest.raises(InvalidInput):
            readers.settle(alert.id, " ", actor=auditor, at=NOW)
        readers.settle(alert.id, "夜间转运，已核实", actor=auditor, at=NOW + HOUR)
        readers.settle(alert.id, "再说一次", actor=auditor, at=NOW + 2 * HOUR)
        [again] = readers.unusual(auditor)
        assert (again.state, again.note, again.resolved_by) == ("resolved", "夜间转运，已核实", auditor.key)
        assert len(entries("reading.answered")) == 1
