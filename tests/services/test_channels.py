"""Messages about alerts: owed once, sent at least once, one for a storm, silent at night but for red, given up where command sees it."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import feed, handing, receipts, service
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.alerts.models import DutyShift
from checkpoint.alerts.service import NewAlert
from checkpoint.channels import targets
from checkpoint.channels.collecting import collect
from checkpoint.channels.messages import Message
from checkpoint.channels.models import Delivery
from checkpoint.channels.sending import send_due
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.risk.policy import default_policy
from tests.factories import NOW, alerting, people
from tests.factories.divisions import SECOND_VILLAGE, TOWN, VILLAGE
from tests.factories.outboxes import HOOK, Outbox, hook, states, told

POLICY = default_policy()


@pytest.fixture
def worker() -> Actor:
    return people.village_worker()


class TestWhoIsTold:
    def test_those_on_duty_and_the_jurisdiction(self, worker: Actor) -> None:
        boss = people.commander()
        colleague = people.village_worker(login="second")
        hook(worker, f"{HOOK}/worker")
        hook(colleague, f"{HOOK}/colleague")
        hook(people.village_worker(SECOND_VILLAGE, "third"), f"{HOOK}/elsewhere")
        hook(boss, f"{HOOK}/village", division_code=VILLAGE)
        hook(boss, f"{HOOK}/town", division_code=TOWN)
        alerting.alert()
        box = told()
        assert sorted(address.rpartition("/")[2] for address, _ in box.sent) == ["colleague", "village", "worker"]

    def test_only_those_whose_shift_runs(self, worker: Actor) -> None:
        second = people.village_worker(login="second")
        hook(worker, f"{HOOK}/1")
        hook(second, f"{HOOK}/2")
        with transaction() as session:
            session.add(
                DutyShift(
                    division_code=VILLAGE,
                    user_id=second.id,
                    starts_at=NOW,
                    ends_at=NOW + timedelta(hours=8),
                    made_by="system",
                    made_at=NOW,
                )
            )
        alerting.alert()
        assert [address for address, _ in told().sent] == [f"{HOOK}/2"]

    def test_escalation_tells_the_town_and_not_the_village_again(self, worker: Actor) -> None:
        town = people.town_worker()
        hook(worker, f"{HOOK}/village")
        hook(town, f"{HOOK}/town")
        alerting.alert(tier="red")
        told()
        later = NOW + timedelta(minutes=15)
        assert escalate_overdue(actor=people.operator(), at=later, policy=POLICY) == 1
        assert [address for address, _ in told(at=later).sent] == [f"{HOOK}/town"]

    def test_handing_over_tells_only_the_receiver_and_reopening_tells_again(self, worker: Actor) -> None:
        second = people.village_worker(login="second")
        hook(worker, f"{HOOK}/1")
        hook(second, f"{HOOK}/2")
        one = alerting.alert()
        assert len(told().sent) == 2
        assert second.id is not None
        handing.assign(one, second.id, actor=worker, at=NOW + timedelta(minutes=5), policy=POLICY)
        assert [address for address, _ in told(at=NOW + timedelta(minutes=5)).sent] == [f"{HOOK}/2"]
        service.resolve(one, "handled", None, actor=second, at=NOW + timedelta(minutes=6))
        handing.reopen(one, "again", actor=worker, at=NOW + timedelta(minutes=20), policy=POLICY)
        assert len(told(at=NOW + timedelta(minutes=20)).sent) == 2

    def test_notices_and_lower_tiers_are_not_sent(self, worker: Actor) -> None:
        hook(worker, lowest_tier="red")
        alerting.alert(tier="yellow")
        alerting.alert(tier="green", needs_answer=False)
        assert told().sent == []

    def test_what_was_answered_before_it_went_is_not_sent(self, worker: Actor) -> None:
        hook(worker)
        one, two = alerting.alert(), alerting.alert()
        feed.number()
        collect(NOW)
        service.acknowledge(one, actor=worker, at=NOW)
        assert told().counts == [(0, 1, 0, 0)]
        assert states() == ["needless", "sent"]
        assert two

    def test_those_who_were_told_hear_that_it_was_taken_back(self, worker: Actor) -> None:
        hook(worker)
        news = [
            NewAlert("registration", f"c:{number}", VILLAGE, "red", True, subject_id=new_id()) for number in range(3)
        ]
        service.raise_alerts(news[:2], POLICY, NOW)
        told()
        later = NOW + timedelta(minutes=2)
        service.raise_alerts(news[2:], POLICY, later)
        for new in news:
            assert new.subject_id is not None
            service.retract_for(new.subject_id, actor=people.operator(), at=later)
        assert told(at=later).counts == [(0, 0, 0, 2)]


class TestAStorm:
    def test_four_hundred_alerts_are_one_message(self, worker: Actor) -> None:
        hook(worker)
        tiers = ["red"] * 40 + ["yellow"] * 360
        news = [NewAlert("registration", f"c:{n}", VILLAGE, tier, True) for n, tier in enumerate(tiers)]
        service.raise_alerts(news, POLICY, NOW)
        box = told()
        assert box.counts == [(40, 360, 0, 0)]
        assert states() == ["sent"] * 400
        receipts_of = receipts.of_alerts([new.id for new in news])
        assert len(receipts_of) == 400
        assert {row.channel for row in receipts_of} == {"webhook"}

    def test_a_list_that_raises_a_village_batch_by_batch_is_one_message_to_each_who_answers(
        self, worker: Actor
    ) -> None:
        """Batches are committed a second apart; the scheduler looks after each of them."""
        boss, elsewhere = people.commander(), people.village_worker(SECOND_VILLAGE, "third")
        hook(worker, f"{HOOK}/worker")
        hook(boss, f"{HOOK}/village", division_code=VILLAGE)
        hook(elsewhere, f"{HOOK}/elsewhere")
        box = Outbox()
        for batch in range(10):
            at = NOW + timedelta(seconds=batch)
            tiers = ["red"] * 4 + ["yellow"] * 36
            news = [
                NewAlert("reassessment", f"r:{batch}:{n}", VILLAGE, tier, True, group_key="reassessment:7")
                for n, tier in enumerate(tiers)
            ]
            service.raise_alerts(news, POLICY, at)
            told(after=0.5, at=at, box=box)
        assert box.sent == []
        told(after=12, box=box)
        told(after=90, box=box)
        assert sorted(address.rpartition("/")[2] for address, _ in box.sent) == ["village", "worker"]
        assert box.counts == [(40, 360, 0, 0)] * 2
        assert states() == ["sent"] * 800

    def test_a_storm_that_does_not_end_is_told_in_time_and_each_alert_once(self, worker: Actor) -> None:
        hook(worker)
        box = Outbox()
        for second in range(40):
            at = NOW + timedelta(seconds=second)
            news = [NewAlert("reassessment", f"r:{second}:{n}", VILLAGE, "red", True) for n in range(10)]
            service.raise_alerts(news, POLICY, at)
            told(after=0, at=at, box=box)
        told(after=60, box=box)
        assert sum(red for red, *_ in box.counts) == 400
        assert len(box.sent) == 3  # the first after fifteen seconds, the last when it is over

    def test_nothing_goes_while_more_is_coming(self, worker: Actor) -> None:
        hook(worker)
        alerting.alert()
        assert told(after=2).sent == []
        assert told(after=3).counts == [(0, 1, 0, 0)]

    def test_a_message_names_nobody(self, worker: Actor) -> None:
        hook(worker, language="en")
        alerting.alert(tier="red")
        [(_address, message)] = told().sent
        assert message.text == "1 red alert waiting for an answer"
        assert message.url.endswith("/inbox")
        assert VILLAGE not in repr(message)

    def test_the_same_things_have_the_same_name(self, worker: Actor) -> None:
        hook(worker)
        alerting.alert()
        box = Outbox("http_500")
        told(box=box)
        told(after=60, box=box)
        assert len(box.sent) == 1
        assert len(box.sent[0][1].id) == 32


class TestQuietHours:
    def test_yellow_waits_for_the_morning_and_red_does_not(self, worker: Actor) -> None:
        hook(worker, quiet_from="09:30", quiet_to="12:00")
        alerting.alert(tier="yellow")
        alerting.alert(tier="red")
        assert told().counts == [(1, 0, 0, 0)]
        morning = NOW + timedelta(hours=2)
        assert told(at=morning - timedelta(minutes=1)).sent == []
        assert told(at=morning).counts == [(0, 1, 0, 0)]


class TestFailing:
    def test_it_tries_again_later_each_time_and_gives_up_where_command_sees_it(self, worker: Actor) -> None:
        boss = people.commander()
        target = hook(worker)
        alerting.alert(tier="red")
        box, at = Outbox(*["http_500"] * 8), NOW + timedelta(seconds=10)
        feed.number()
        collect(NOW)
        waits = []
        for _ in range(8):
            send_due(lambda at=at: at, sender=box)
            db.session.refresh(target)
            assert target.retry_at is not None
            waits.append((target.retry_at - at).total_seconds())
            assert send_due(lambda at=target.retry_at - timedelta(seconds=1): at, sender=box) == 0
            at = target.retry_at
        assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600]
        assert states() == ["dead"]
        [dead] = targets.dead_letters(boss)
        assert (dead.number, dead.error, dead.target.id) == (1, "http_500", target.id)
        assert targets.retry_dead(target.id, actor=boss, at=at) == 1
        assert send_due(lambda: at, sender=box) == 1
        assert targets.dead_letters(boss) == []
        assert states() == ["sent"]

    def test_a_subscription_that_is_gone_is_not_tried_again(self, worker: Actor) -> None:
        target = hook(worker)
        alerting.alert()
        told(box=Outbox("gone"))
        db.session.refresh(target)
        assert (target.active, states()) == (False, ["dead"])
        boss = people.commander()
        assert targets.discard_dead(target.id, actor=boss, at=NOW) == 1
        assert states() == ["needless"]

    def test_dead_letters_of_another_jurisdiction_stay_closed(self, worker: Actor) -> None:
        target = hook(worker)
        alerting.alert()
        told(box=Outbox("gone"))
        stranger = people.stranger()
        assert targets.dead_letters(stranger) == []
        with pytest.raises(NotFound):
            targets.retry_dead(target.id, actor=stranger, at=NOW)
        with pytest.raises(NotAllowed):
            targets.dead_letters(worker)

    def test_one_broken_channel_does_not_hold_up_another(self, worker: Actor) -> None:
        hook(worker, f"{HOOK}/1")
        hook(worker, f"{HOOK}/2")
        alerting.alert()

        def sender(_kind: str, address: str, _message: Message, _at: datetime) -> None:
            if address.endswith("1"):
                raise RuntimeError("secret")

        feed.number()
        collect(NOW)
        assert send_due(lambda: NOW + timedelta(seconds=5), sender=sender) == 1
        assert states() == ["sent", "waiting"]
        assert "secret" not in str(list(db.session.scalars(select(Delivery.error))))


class TestTwoSchedulers:
    def _both(self, app: Flask, work: Callable[[], object]) -> None:
        start, failures = threading.Barrier(2), []
        db.session.remove()

        def run() -> None:
            with app.app_context():
                try:
                    start.wait(10)
                    work()
                except BaseException as error:
                    failures.append(error)
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failures == []

    def test_at_once_they_owe_and_send_nothing_twice(self, app: Flask) -> None:
        for number in range(20):
            hook(people.village_worker(login=f"w{number}"), f"{HOOK}/{number}")
        for _ in range(30):
            alerting.alert()
        feed.number()
        self._both(app, lambda: [collect(NOW, limit=7) for _ in range(10)])
        collect(NOW)
        assert len(states()) == 600
        box = Outbox()
        self._both(app, lambda: send_due(lambda: NOW + timedelta(seconds=10), sender=box))
        assert sorted(address for address, _ in box.sent) == sorted(f"{HOOK}/{number}" for number in range(20))
        assert {one.yellow for _, one in box.sent} == {30}

    def test_what_a_dead_sender_held_is_sent_after_its_lease(self, worker: Actor) -> None:
        hook(worker)
        alerting.alert()
        feed.number()
        collect(NOW)

        class Killed(BaseException):
            pass

        def dies(*_arguments: object) -> None:
            raise Killed

        with pytest.raises(Killed):
            send_due(lambda: NOW + timedelta(seconds=10), sender=dies)
        db.session.remove()
        box = Outbox()
        assert send_due(lambda: NOW + timedelta(minutes=2), sender=box) == 0
        assert send_due(lambda: NOW + timedelta(minutes=4), sender=box) == 1

    def test_a_crash_while_collecting_forgets_nothing(self, worker: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        hook(worker)
        alerting.alert()
        feed.number()
        with monkeypatch.context() as patch:
            patch.setattr("checkpoint.channels.collecting._owe_taken_back", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                collect(NOW)
        assert states() == []
        assert told().counts == [(0, 1, 0, 0)]
