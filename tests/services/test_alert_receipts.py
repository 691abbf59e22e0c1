"""Who was told and who has seen it, and the rosters that say who is on duty."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import duty, receipts, service
from checkpoint.alerts.models import AlertReceipt, DutyShift
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.risk.policy import default_policy
from tests.factories import NOW, TODAY, alerting, people
from tests.factories.alerting import get, minutes, shift
from tests.factories.divisions import OTHER_VILLAGE, SITE, VILLAGE

POLICY = default_policy()
ZONE = "Asia/Shanghai"


def _at_once(app: Flask, works: list[Callable[[], object]]) -> list[object]:
    """Do several things at the same moment, each with a session of its own; returns what they returned."""
    start, results, failures = threading.Barrier(len(works)), [], []
    db.session.remove()

    def run(work: Callable[[], object]) -> None:
        with app.app_context():
            try:
                start.wait(10)
                results.append(work())
            except BaseException as error:
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    return results


class TestReceipts:
    def test_told_and_seen_stand_for_each_person_and_the_first_on_the_alert(self) -> None:
        me, town, one = people.village_worker(), people.town_worker(), alerting.alert()
        receipts.delivered_to(me, [one], NOW + minutes(1))
        receipts.delivered_to(me, [one], NOW + minutes(2))
        receipts.seen_by(town, [one], NOW + minutes(3))
        receipts.seen_by(me, [one], NOW + minutes(4))
        rows = {row.user_id: row for row in receipts.of_alerts([one])}
        assert me.id is not None
        assert town.id is not None
        assert (rows[me.id].delivered_at, rows[me.id].seen_at) == (NOW + minutes(1), NOW + minutes(4))
        assert (rows[town.id].delivered_at, rows[town.id].seen_at) == (NOW + minutes(3), NOW + minutes(3))
        alert = get(one)
        assert (alert.delivered_at, alert.seen_at, alert.seen_by) == (NOW + minutes(1), NOW + minutes(3), town.key)

    def test_an_act_is_seeing(self) -> None:
        me, one = people.village_worker(), alerting.alert()
        service.acknowledge(one, actor=me, at=NOW + minutes(2))
        assert get(one).seen_at == NOW + minutes(2)

    def test_nobody_sees_what_is_not_theirs_and_tokens_see_nothing(self) -> None:
        one = alerting.alert()
        assert receipts.seen_by(people.stranger(), [one, uuid.uuid4()], NOW) == 0
        assert receipts.seen_by(people.operator(), [one], NOW) == 0
        assert db.session.scalars(select(AlertReceipt)).all() == []

    def test_a_hundred_alerts_are_marked_at_once_by_two_screens(self, app: Flask) -> None:
        me = people.village_worker()
        ones = [alerting.alert() for _ in range(100)]
        _at_once(app, [lambda: receipts.seen_by(me, ones, NOW)] * 3)
        assert len(receipts.of_alerts(ones)) == 100


class TestRosters:
    def shifts(self, user_id: uuid.UUID, **changes: object) -> duty.Shifts:
        values = {"first": TODAY, "days": 3, "begins": "08:00", "ends": "20:00", **changes}
        return duty.Shifts(user_id=user_id, **values)  # type: ignore[arg-type]

    def add(self, given: duty.Shifts, actor: Actor) -> int:
        return duty.add_shifts(given, actor=actor, at=NOW, timezone=ZONE)

    def test_days_are_entered_at_once_and_twice_is_harmless(self) -> None:
        boss, worker = people.commander(), people.user("v", Role.VILLAGE, VILLAGE)
        assert self.add(self.shifts(worker.id), boss) == 3
        assert self.add(self.shifts(worker.id, days=4), boss) == 1
        rows = duty.roster(boss, NOW - timedelta(days=1), NOW + timedelta(days=9))
        assert [(one.starts_at - NOW, one.ends_at - one.starts_at) for one, _user in rows] == [
            (timedelta(days=day, hours=-2), timedelta(hours=12)) for day in range(4)
        ]
        duty.remove_shift(rows[0][0].id, actor=boss, at=NOW)
        assert len(duty.roster(boss, NOW - timedelta(days=1), NOW + timedelta(days=9))) == 3

    def test_a_night_ends_the_next_morning(self) -> None:
        me = people.village_worker()
        self.add(self.shifts(me.id or uuid.uuid4(), days=1, begins="20:00", ends="08:00"), me)
        [(shift, _user)] = duty.roster(me, NOW, NOW + timedelta(days=2))
        assert shift.ends_at - shift.starts_at == timedelta(hours=12)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"begins": "8"}, "begins"),
            ({"begins": "24:00"}, "begins"),
            ({"ends": "25:00"}, "ends"),
            ({"days": 0}, "days"),
        ],
    )
    def test_wrong_shifts_are_named(self, changes: dict[str, object], field: str) -> None:
        me = people.village_worker()
        with pytest.raises(InvalidInput) as caught:
            self.add(self.shifts(me.id or uuid.uuid4(), **changes), me)
        assert [error.field for error in caught.value.errors] == [field]

    def test_only_the_own_jurisdiction(self) -> None:
        me, other = people.village_worker(), people.user("o", Role.VILLAGE, OTHER_VILLAGE)
        with pytest.raises(InvalidInput):
            self.add(self.shifts(other.id), me)
        shift(other.id, OTHER_VILLAGE, timedelta(), timedelta(hours=1))
        assert duty.roster(me, NOW, NOW + timedelta(days=1)) == []
        row = db.session.scalars(select(DutyShift)).one()
        with pytest.raises(NotFound):
            duty.remove_shift(row.id, actor=me, at=NOW)
        auditor = people.actor_of(people.user("a", Role.AUDITOR, SITE))
        with pytest.raises(NotAllowed):
            duty.remove_shift(row.id, actor=auditor, at=NOW)

    def test_gaps_are_found(self) -> None:
        hours = [(NOW + timedelta(hours=a), NOW + timedelta(hours=b)) for a, b in ((2, 4), (3, 6), (8, 10))]
        found = duty.gaps(hours, NOW, NOW + timedelta(hours=12))
        assert [((a - NOW) / timedelta(hours=1), (b - NOW) / timedelta(hours=1)) for a, b in found] == [
            (0, 2),
            (6, 8),
            (10, 12),
        ]
