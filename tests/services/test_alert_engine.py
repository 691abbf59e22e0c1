"""The alert engine: routing by roster, deadlines and escalation under a moving clock, races, hand-over, reopening, receipts."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Permission
from checkpoint.alerts import duty, handing, kinds, service
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.alerts.models import AlertEvent, FeedEntry
from checkpoint.alerts.queries import history, inbox
from checkpoint.alerts.service import NewAlert
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.risk.policy import Deadline, Tier, default_policy
from checkpoint.words import lazy
from tests.factories import NOW, alerting, people
from tests.factories.alerting import escalate, get, minutes, shift
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, SITE, TOWN, VILLAGE

POLICY = default_policy()
ZONE = "Asia/Shanghai"


class TestRouting:
    def test_without_a_roster_every_worker_is_on_duty(self) -> None:
        people.village_worker()
        assert get(alerting.alert()).responsible_level == 5

    def test_where_nobody_works_the_next_level_hears_at_once(self) -> None:
        people.town_worker()
        alert = get(alerting.alert())
        assert (alert.responsible_level, alert.state, alert.escalated_at) == (4, "open", None)
        assert [(one.event, one.data) for one in history(alert.id)] == [
            ("routed", {"to": 4, "after": "nobody_on_duty"})
        ]

    def test_with_nobody_anywhere_it_stays_where_it_is(self) -> None:
        assert get(alerting.alert()).responsible_level == 5
        assert history(alerting.alert()) == []

    def test_a_roster_decides_by_the_hour(self) -> None:
        village = people.user("v", Role.VILLAGE, VILLAGE)
        people.commander()
        shift(village.id, VILLAGE, timedelta(hours=1), timedelta(hours=9))
        at_once = alerting.alert()
        within = alerting.alert(at=NOW + timedelta(hours=2))
        assert [get(one).responsible_level for one in (at_once, within)] == [3, 5]

    def test_a_roster_that_has_run_out_is_none(self) -> None:
        village = people.user("v", Role.VILLAGE, VILLAGE)
        people.commander()
        shift(village.id, VILLAGE, -timedelta(hours=9), -timedelta(hours=1))
        assert get(alerting.alert()).responsible_level == 5

    def test_closed_accounts_and_other_roles_are_not_on_duty(self) -> None:
        closed = people.user("closed", Role.VILLAGE, VILLAGE)
        with transaction():
            closed.active = False
        people.user("officer", Role.OFFICER, VILLAGE)
        people.town_worker()
        assert get(alerting.alert()).responsible_level == 4

    def test_a_notice_is_not_routed_with_a_step(self) -> None:
        people.town_worker()
        notice = alerting.alert(tier="green", needs_answer=False)
        assert (get(notice).responsible_level, history(notice)) == (5, [])

    def test_many_villages_are_routed_by_one_query(self) -> None:
        people.user("a", Role.VILLAGE, VILLAGE)
        people.user("b", Role.TOWN, TOWN)
        assert duty.routes([VILLAGE, SECOND_VILLAGE, OTHER_VILLAGE, TOWN, SITE], NOW) == {
            VILLAGE: 5,
            SECOND_VILLAGE: 4,
            OTHER_VILLAGE: 5,  # nobody is on duty in its town or the city either
            TOWN: 4,
            SITE: 3,
        }


class TestDeadlines:
    @pytest.mark.parametrize(("tier", "ack", "result"), [("red", 15, 240), ("yellow", 60, 1440)])
    def test_each_deadline_of_each_tier_moves_it_at_its_minute_and_not_before(
        self, tier: str, ack: int, result: int
    ) -> None:
        one = alerting.alert(tier=tier)
        assert escalate(minutes(ack) - timedelta(seconds=1)) == 0
        assert escalate(minutes(ack)) == 1
        assert (get(one).responsible_level, get(one).wave) == (4, 1)
        assert escalate(minutes(2 * ack) - timedelta(seconds=1)) == 0
        assert escalate(minutes(2 * ack)) == 1
        assert get(one).responsible_level == 3
        assert escalate(minutes(9 * ack)) == 0
        assert get(one).ack_due == NOW + minutes(3 * ack)
        assert get(one).resolve_due == NOW + minutes(result)

    @pytest.mark.parametrize(("tier", "result"), [("red", 240), ("yellow", 1440)])
    def test_an_acknowledgement_without_a_result_expires(self, tier: str, result: int) -> None:
        one = alerting.alert(tier=tier)
        worker = people.village_worker()
        service.acknowledge(one, actor=worker, at=NOW + minutes(5))
        assert escalate(minutes(result) - timedelta(seconds=1)) == 0
        assert escalate(minutes(result)) == 1
        alert = get(one)
        assert (alert.state, alert.responsible_level) == ("open", 4)
        assert alert.resolve_due == NOW + minutes(2 * result)

    def test_what_the_city_took_on_and_forgot_waits_again_every_time(self) -> None:
        one = alerting.alert(SITE, "red")
        boss = people.commander()
        at = timedelta()
        for number in range(1, 4):
            service.acknowledge(one, actor=boss, at=NOW + at)
            due = get(one).resolve_due
            assert due is not None
            at = due - NOW
            assert escalate(at) == 1
            assert (get(one).state, get(one).responsible_level, get(one).wave) == ("open", 3, number)

    def test_a_level_without_anybody_on_duty_is_passed_over(self) -> None:
        people.village_worker()
        people.commander()
        one = alerting.alert(tier="red")
        assert escalate(minutes(15)) == 1
        assert get(one).responsible_level == 3

    def test_a_policy_may_set_the_time_of_a_kind(self) -> None:
        policy = POLICY.model_copy(
            update={"kind_deadlines": {"slow": Deadline(acknowledge_minutes=100, resolve_minutes=200)}}
        )
        new = NewAlert("slow", "c:1", VILLAGE, "green", True)
        service.raise_alerts([new], policy, NOW)
        alert = get(new.id)
        assert (alert.state, alert.ack_due, alert.resolve_due) == ("open", NOW + minutes(100), NOW + minutes(200))
        assert escalate_overdue(actor=people.operator(), at=NOW + minutes(100), policy=policy) == 1

    def test_a_kind_brings_its_own_tier_time_and_need_of_an_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
        monkeypatch.setattr(kinds, "LABELS", dict(kinds.LABELS))
        quick = Deadline(acknowledge_minutes=1, resolve_minutes=2)
        kinds.register(kinds.Kind("quick", lazy("Registered"), Tier.RED, deadline=quick))
        kinds.register(kinds.Kind("mere_notice", lazy("Notices"), Tier.GREEN, needs_answer=False))
        first, second = NewAlert("quick", "c:1", VILLAGE), NewAlert("mere_notice", "c:2", VILLAGE)
        service.raise_alerts([first, second], POLICY, NOW)
        assert (get(first.id).tier, get(first.id).ack_due) == ("red", NOW + minutes(1))
        assert (get(second.id).tier, get(second.id).state) == ("green", "notice")
        with pytest.raises(ValueError, match="twice"):
            kinds.register(kinds.Kind("quick", lazy("Registered")))

    def test_a_kind_may_ask_for_a_permission(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
        monkeypatch.setattr(kinds, "LABELS", dict(kinds.LABELS))
        kinds.register(kinds.Kind("for_command", lazy("Registered"), permission=Permission.COMMAND_READ))
        one = alerting.alert(kind="for_command")
        assert [alert.id for alert in inbox(people.commander())] == [one]
        worker = people.village_worker()
        assert inbox(worker) == []
        with pytest.raises(NotFound):
            service.acknowledge(one, actor=worker, at=NOW)

    def test_two_schedulers_at_once_move_each_alert_once(self, app: Flask) -> None:
        ones = [alerting.alert(tier="red") for _ in range(30)]
        _at_once(app, [lambda: escalate(minutes(15))] * 4)
        assert {get(one).responsible_level for one in ones} == {4}
        steps = db.session.scalars(select(AlertEvent).where(AlertEvent.event == "escalated")).all()
        assert len(steps) == 30


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


class TestRaces:
    def test_acknowledge_and_resolve_at_once_end_resolved(self, app: Flask) -> None:
        worker, town = people.village_worker(), people.town_worker()
        for number in range(8):
            one = alerting.alert()
            moment = NOW + minutes(number)
            _at_once(
                app,
                [
                    lambda one=one, at=moment: service.acknowledge(one, actor=worker, at=at),
                    lambda one=one, at=moment: service.resolve(one, "handled", None, actor=town, at=at),
                ],
            )
            alert = get(one)
            assert (alert.state, alert.result, alert.resolved_by) == ("resolved", "handled", town.key)
            assert alert.acknowledged_at is not None

    def test_of_two_results_at_once_one_stands(self, app: Flask) -> None:
        worker, town = people.village_worker(), people.town_worker()
        one = alerting.alert()
        _at_once(
            app,
            [
                lambda: service.resolve(one, "handled", None, actor=worker, at=NOW),
                lambda: service.resolve(one, "not_here", None, actor=town, at=NOW),
            ],
        )
        steps = [step for step in history(one) if step.event == "resolved"]
        assert len(steps) == 1
        assert steps[0].data == {"result": get(one).result}
        assert steps[0].actor == get(one).resolved_by

    def test_a_stale_object_in_the_session_does_not_undo_a_result(self, app: Flask) -> None:
        worker = people.village_worker()
        one = alerting.alert()
        held = get(one)  # this session has read it as open
        assert held.state == "open"

        def elsewhere() -> None:
            with app.app_context():
                service.resolve(one, "handled", None, actor=worker, at=NOW)
                db.session.remove()

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(10)
        assert service.acknowledge(one, actor=worker, at=NOW).state == "resolved"


class TestHanding:
    def test_only_those_who_may_see_the_person_are_offered(self) -> None:
        me = people.village_worker()
        colleague = people.user("second", Role.VILLAGE, VILLAGE)
        town, boss = people.user("town", Role.TOWN, TOWN), people.user("boss", Role.COMMAND, SITE)
        people.user("other", Role.VILLAGE, SECOND_VILLAGE)
        people.user("officer", Role.OFFICER, VILLAGE)
        people.user("auditor", Role.AUDITOR, SITE)
        gone = people.user("gone", Role.VILLAGE, VILLAGE)
        with transaction():
            gone.active = False
        alert = get(alerting.alert())
        assert [one.id for one in handing.colleagues(me, [alert])] == [colleague.id, town.id, boss.id]
        elsewhere = get(alerting.alert(SECOND_VILLAGE))
        assert [one.id for one in handing.colleagues(people.actor_of(town), [alert, elsewhere])] == [boss.id]

    def test_nobody_else_can_be_given_it_either(self) -> None:
        me, one = people.village_worker(), alerting.alert()
        for stranger in (people.user("x", Role.VILLAGE, SECOND_VILLAGE), people.user("y", Role.OFFICER, VILLAGE)):
            with pytest.raises(InvalidInput):
                handing.assign(one, stranger.id, actor=me, at=NOW, policy=POLICY)
        with pytest.raises(InvalidInput):
            handing.assign(one, uuid.uuid4(), actor=me, at=NOW, policy=POLICY)
        with pytest.raises(NotFound):
            handing.assign(one, me.id or uuid.uuid4(), actor=people.stranger(), at=NOW, policy=POLICY)

    def test_the_colleague_has_to_acknowledge_and_the_result_is_still_due(self) -> None:
        me, one = people.village_worker(), alerting.alert(tier="red")
        town = people.user("town", Role.TOWN, TOWN)
        service.acknowledge(one, actor=me, at=NOW + minutes(1))
        alert = handing.assign(one, town.id, actor=me, at=NOW + minutes(10), policy=POLICY)
        assert (alert.state, alert.assigned_to, alert.responsible_level, alert.wave) == ("open", town.id, 4, 1)
        assert (alert.ack_due, alert.resolve_due) == (NOW + minutes(25), NOW + minutes(240))
        handing.assign(one, town.id, actor=me, at=NOW + minutes(11), policy=POLICY)
        assert get(one).wave == 1
        assert escalate(minutes(25)) == 1
        assert (get(one).responsible_level, get(one).assigned_to) == (3, None)

    def test_handing_over_takes_everything_in_hand_and_nothing_closed(self) -> None:
        me = people.village_worker()
        colleague = people.user("second", Role.VILLAGE, VILLAGE)
        ones = [alerting.alert() for _ in range(3)]
        for one in ones:
            service.acknowledge(one, actor=me, at=NOW)
        service.resolve(ones[0], "handled", None, actor=me, at=NOW)
        assert {alert.id for alert in handing.in_hand(me)} == set(ones[1:])
        moved = handing.hand_over(ones, colleague.id, actor=me, at=NOW + minutes(1), policy=POLICY)
        assert moved == 2
        assert handing.in_hand(me) == []
        assert {alert.id for alert in handing.in_hand(people.actor_of(colleague))} == set(ones[1:])

    def test_a_closed_alert_is_not_handed_over(self) -> None:
        me, one = people.village_worker(), alerting.alert()
        town = people.user("town", Role.TOWN, TOWN)
        service.resolve(one, "handled", None, actor=me, at=NOW)
        with pytest.raises(Conflict):
            handing.assign(one, town.id, actor=me, at=NOW, policy=POLICY)


class TestReopening:
    def test_it_is_explicit_with_a_reason_and_new_deadlines(self) -> None:
        me, one = people.village_worker(), alerting.alert(tier="red")
        service.resolve(one, "handled", "电话确认", actor=me, at=NOW + minutes(5))
        with pytest.raises(InvalidInput):
            handing.reopen(one, "  ", actor=me, at=NOW + minutes(30), policy=POLICY)
        alert = handing.reopen(one, "又来了", actor=me, at=NOW + minutes(30), policy=POLICY)
        assert (alert.state, alert.result, alert.acknowledged_at, alert.resolved_at) == ("open", None, None, None)
        assert (alert.ack_due, alert.resolve_due) == (NOW + minutes(45), NOW + minutes(270))
        assert alert.note == "电话确认\n又来了"
        assert history(one)[-1].data == {"result": "handled"}
        wave = alert.wave
        assert handing.reopen(one, "again", actor=me, at=NOW + minutes(31), policy=POLICY).wave == wave

    def test_acknowledging_does_not_reopen_and_what_was_taken_back_stays_so(self) -> None:
        me, one, subject = people.village_worker(), alerting.alert(), uuid.uuid4()
        service.resolve(one, "handled", None, actor=me, at=NOW)
        assert service.acknowledge(one, actor=me, at=NOW).state == "resolved"
        new = NewAlert("registration", "c:9", VILLAGE, "red", True, subject_id=subject)
        service.raise_alerts([new], POLICY, NOW)
        assert service.retract_for(subject, actor=me, at=NOW) == 1
        with pytest.raises(Conflict):
            handing.reopen(new.id, "why", actor=me, at=NOW, policy=POLICY)
        waves = db.session.scalars(select(FeedEntry.wave).where(FeedEntry.alert_id == new.id).order_by(FeedEntry.id))
        assert list(waves) == [0, -1]
