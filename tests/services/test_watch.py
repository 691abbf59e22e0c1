"""The watch rules: each finds its cause once, explains it, can be set by command and tried out over the past."""

import threading
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.alerts import receipts, service
from checkpoint.alerts.kinds import explained
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.crossings.service import Scan, decide, record_scan
from checkpoint.database import db, transaction
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.followups import queries as followups
from checkpoint.followups import service as work
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.service import Receipt
from checkpoint.risk.policy import default_policy
from checkpoint.watch import service as watch
from checkpoint.watch.models import WatchRule
from checkpoint.watch.rules import RULES, Span, cause_of, doublings, openings, within_hours
from tests.factories import NOW, alerting, people
from tests.factories.declarations import companion, declaration
from tests.factories.divisions import FAR_AWAY, OTHER_VILLAGE, SAME_PROVINCE, SITE, TOWN, VILLAGE

POLICY = default_policy()


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def declared(number: int = 1, at: datetime = NOW, **changes: Any) -> Receipt:
    body = declaration(number, arriving_on=at.date().isoformat(), **changes)
    return registrations.submit(Declaration.model_validate(body), actor=people.operator(), at=at)


def scanned(receipt: Receipt, tablet: people.Tablet, at: datetime) -> uuid.UUID:
    scan = Scan(uuid.uuid4(), receipt.issued.token, at)
    return record_scan(scan, actor=tablet.actor, at=at).id


def look(name: str, at: datetime) -> int:
    return watch.look(watch.standing(name), at, POLICY)


def raised(name: str) -> list[Alert]:
    query = select(Alert).where(Alert.kind == f"watch_{name}").order_by(Alert.created_at)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def every_minute(name: str, since: datetime, until: datetime) -> int:
    total = 0
    while since <= until:
        total += look(name, since)
        since += minutes(1)
    return total


def set_limits(name: str, **limits: int) -> None:
    watch.change(name, enabled=True, tier="yellow", limits=limits, actor=people.operator(), at=NOW)


class TestNotArrived:
    def test_it_tells_the_town_once_after_four_hours(self) -> None:
        receipt, tablet = declared(), people.tablet()
        decide(scanned(receipt, tablet, NOW), "admitted", None, actor=tablet.actor, at=NOW)
        assert every_minute("not_arrived", NOW + hours(3.9), NOW + hours(4) - minutes(1)) == 0
        assert every_minute("not_arrived", NOW + hours(4), NOW + hours(4.3)) == 1
        [alert] = raised("not_arrived")
        assert (alert.division_code, alert.tier, alert.state) == (TOWN, "yellow", "open")
        assert alert.subject_id == receipt.registration.id
        [said] = explained(alert.kind, alert.params)
        assert "八字村" in said

    def test_an_arrival_in_time_is_none_and_a_late_one_is(self) -> None:
        tablet = people.tablet()
        for number, arrived in ((1, hours(3)), (2, hours(5))):
            receipt = declared(number)
            decide(scanned(receipt, tablet, NOW), "admitted", None, actor=tablet.actor, at=NOW)
            [visit] = [one for one in followups.of_registration(receipt.registration.id) if one.kind == "arrival_visit"]
            worker = people.village_worker(login=f"w{number}")
            work.complete(visit.id, "arrived", None, actor=worker, at=NOW + arrived)
        found = watch.dry_run("not_arrived", {"hours": 4}, 1, actor=people.commander(), at=NOW + hours(6))
        assert found.total == 1


class TestImpossibleTravel:
    def test_two_checkpoints_in_three_minutes(self) -> None:
        receipt = declared()
        first, second = (people.tablet(people.checkpoint(code)) for code in ("ONE", "TWO"))
        scanned(receipt, first, NOW)
        scanned(receipt, second, NOW + minutes(3))
        scanned(receipt, second, NOW + minutes(4))
        assert look("impossible_travel", NOW + minutes(5)) == 2
        assert look("impossible_travel", NOW + minutes(6)) == 0
        alert = raised("impossible_travel")[0]
        assert alert.division_code == SITE
        assert "ONE" in explained(alert.kind, alert.params)[0]

    def test_the_same_checkpoint_or_time_enough_is_nothing(self) -> None:
        receipt = declared()
        first, second = (people.tablet(people.checkpoint(code)) for code in ("ONE", "TWO"))
        for tablet, after in ((first, 0), (first, 2), (second, 12)):
            scanned(receipt, tablet, NOW + minutes(after))
        assert look("impossible_travel", NOW + minutes(13)) == 0

    def test_a_scan_that_comes_late_from_a_tablet_off_line_is_found_too(self) -> None:
        receipt = declared()
        first, second = (people.tablet(people.checkpoint(code)) for code in ("ONE", "TWO"))
        scanned(receipt, first, NOW)
        look("impossible_travel", NOW + minutes(1))
        late = Scan(uuid.uuid4(), receipt.issued.token, NOW - minutes(2), offline=True)
        record_scan(late, actor=second.actor, at=NOW + hours(5))
        assert look("impossible_travel", NOW + hours(5)) == 1


class TestOnePhone:
    def test_more_people_than_the_limit_on_one_day(self) -> None:
        set_limits("one_phone", people=2)
        phone = "13810009999"
        for number in range(1, 4):
            assert look("one_phone", NOW + minutes(number) - timedelta(seconds=1)) == 0
            declared(number, NOW + minutes(number), phone=phone)
        assert look("one_phone", NOW + minutes(4)) == 1
        declared(4, NOW + minutes(5), phone=phone)
        assert look("one_phone", NOW + minutes(6)) == 0
        [alert] = raised("one_phone")
        assert phone not in str(alert.params) + alert.cause
        assert alert.params["people"] == 3

    def test_the_same_person_again_and_a_family_within_the_limit_are_nothing(self) -> None:
        set_limits("one_phone", people=2)
        for after in range(4):
            declared(1, NOW + minutes(after), companions=[{**companion(2), "phone": None}])
        assert look("one_phone", NOW + minutes(9)) == 0


class TestPlateAllNight:
    def test_four_passages_in_a_night(self) -> None:
        receipt, tablet = declared(at=NOW), people.tablet()
        night = NOW + hours(13)  # eleven in the evening at the site
        for number in range(4):
            scanned(receipt, tablet, night + hours(number * 1.5))
            scanned(receipt, tablet, night + hours(number * 1.5) + minutes(2))
            found = look("plate_all_night", night + hours(number * 1.5) + minutes(5))
            assert found == (1 if number == 3 else 0)
        assert look("plate_all_night", night + hours(5)) == 0
        [alert] = raised("plate_all_night")
        assert alert.params == {"times": 4, "limit": 4, "night": "2022-04-12"}
        assert "浙F" not in str(alert.params) + alert.cause

    def test_by_day_it_is_traffic(self) -> None:
        receipt, tablet = declared(), people.tablet()
        for number in range(6):
            scanned(receipt, tablet, NOW + hours(number))
        assert look("plate_all_night", NOW + hours(6)) == 0


class TestSilentCheckpoint:
    def test_half_an_hour_without_a_scan_is_told_once_until_it_speaks_again(self) -> None:
        receipt, tablet = declared(), people.tablet(people.checkpoint("ONE"))
        scanned(receipt, tablet, NOW)
        assert every_minute("silent_checkpoint", NOW, NOW + minutes(29)) == 0
        assert every_minute("silent_checkpoint", NOW + minutes(30), NOW + minutes(45)) == 1
        scanned(receipt, tablet, NOW + minutes(46))
        assert every_minute("silent_checkpoint", NOW + minutes(46), NOW + minutes(75)) == 0
        assert every_minute("silent_checkpoint", NOW + minutes(76), NOW + minutes(90)) == 1
        assert [alert.subject_type for alert in raised("silent_checkpoint")] == ["checkpoint", "checkpoint"]

    def test_traffic_keeps_it_quiet_and_closed_hours_do_not_count(self) -> None:
        receipt, tablet = declared(), people.tablet(people.checkpoint("ONE"))
        for number in range(5):
            scanned(receipt, tablet, NOW + minutes(20 * number))
        assert every_minute("silent_checkpoint", NOW, NOW + minutes(80)) == 0
        set_limits("silent_checkpoint", minutes=30, from_hour=8, to_hour=11)
        assert look("silent_checkpoint", NOW + minutes(111)) == 0  # it closed at eleven
        morning = NOW + hours(22)
        assert look("silent_checkpoint", morning + minutes(29)) == 0
        assert look("silent_checkpoint", morning + minutes(30)) == 1  # half an hour after it opened

    def test_a_closed_crossing_is_always_silent(self) -> None:
        receipt, post = declared(), people.checkpoint("ONE")
        scanned(receipt, people.tablet(post), NOW)
        with transaction():
            post.kind = "closed"
        assert look("silent_checkpoint", NOW + minutes(30)) == 0


class TestCountyDoubling:
    def test_twice_as_many_as_the_hour_before(self) -> None:
        set_limits("county_doubling", times=2, least=3)
        for number in range(1, 3):
            declared(number, NOW - minutes(30), origin={"code": FAR_AWAY})
        for number in range(3, 6):
            declared(number, NOW + minutes(number), origin={"code": FAR_AWAY})
        assert look("county_doubling", NOW + minutes(10)) == 0
        declared(6, NOW + minutes(11), origin={"code": FAR_AWAY})
        assert look("county_doubling", NOW + minutes(12)) == 1
        declared(7, NOW + minutes(13), origin={"code": FAR_AWAY})
        assert look("county_doubling", NOW + minutes(14)) == 0
        [alert] = raised("county_doubling")
        assert alert.params == {"county": FAR_AWAY, "number": 4, "before": 2}
        assert "江汉区" in explained(alert.kind, alert.params)[0]

    def test_other_counties_are_counted_apart(self) -> None:
        set_limits("county_doubling", times=2, least=3)
        for number in range(1, 5):
            code = FAR_AWAY if number % 2 else SAME_PROVINCE
            declared(number, NOW + minutes(number), origin={"code": code})
        assert look("county_doubling", NOW + minutes(10)) == 0


class TestUnopenedInbox:
    def test_the_town_hears_once_a_day(self) -> None:
        for _ in range(3):
            alerting.alert()
        assert look("unopened_inbox", NOW + hours(4) - minutes(1)) == 0
        assert look("unopened_inbox", NOW + hours(4)) == 1
        alerting.alert(at=NOW + minutes(30))
        assert look("unopened_inbox", NOW + hours(4.6)) == 0
        [alert] = raised("unopened_inbox")
        assert (alert.division_code, alert.params["number"]) == (TOWN, 3)

    def test_a_look_in_time_is_enough(self) -> None:
        worker, one = people.village_worker(), alerting.alert()
        receipts.seen_by(worker, [one], NOW + hours(3))
        other = people.village_worker(OTHER_VILLAGE, "other")
        late = alerting.alert(OTHER_VILLAGE)
        service.acknowledge(late, actor=other, at=NOW + hours(2))
        assert look("unopened_inbox", NOW + hours(4)) == 0


class TestRunning:
    def test_two_schedulers_at_once_raise_nothing_twice(self, app: Flask) -> None:
        for _ in range(3):
            alerting.alert()
        db.session.remove()
        start, failures = threading.Barrier(4), []

        def run(work: Callable[[], object]) -> None:
            with app.app_context():
                try:
                    start.wait(10)
                    work()
                except BaseException as error:
                    failures.append(error)
                finally:
                    db.session.remove()

        threads = [
            threading.Thread(target=run, args=(lambda: watch.look_all(NOW + hours(4), POLICY),)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failures == []
        assert len(raised("unopened_inbox")) == 1

    def test_it_looks_as_often_as_it_should_and_catches_up_after_a_pause(self) -> None:
        alerting.alert()
        assert watch.look_all(NOW, POLICY) == 0
        before = watch.standing("unopened_inbox").looked_at
        watch.look_all(NOW + timedelta(seconds=30), POLICY)
        assert watch.standing("unopened_inbox").looked_at == before == NOW
        assert watch.look_all(NOW + hours(9), POLICY) == 1

    def test_a_rule_that_is_off_does_not_look(self) -> None:
        alerting.alert()
        boss = people.commander()
        watch.change("unopened_inbox", enabled=False, tier="yellow", limits={}, actor=boss, at=NOW)
        assert watch.look_all(NOW + hours(4), POLICY) == 0

    def test_setting_a_rule_is_checked_and_written_down(self) -> None:
        boss = people.commander()
        found = watch.change("one_phone", enabled=True, tier="red", limits={"people": "5"}, actor=boss, at=NOW)
        assert (found.tier, found.limits, found.updated_by) == ("red", {"people": 5}, boss.key)
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "watch.change")).one()
        assert (entry.data or {})["people"] == 5
        for limits in ({"people": 1}, {"people": "many"}, {"people": -3}, {"people": ""}):
            with pytest.raises(InvalidInput) as caught:
                watch.change("one_phone", enabled=True, tier="red", limits=limits, actor=boss, at=NOW)
            assert [error.field for error in caught.value.errors] == ["people"]
        with pytest.raises(InvalidInput):
            watch.change("one_phone", enabled=True, tier="green", limits={}, actor=boss, at=NOW)
        with pytest.raises(NotFound):
            watch.change("nonsense", enabled=True, tier="red", limits={}, actor=boss, at=NOW)
        with pytest.raises(NotAllowed):
            watch.change("one_phone", enabled=True, tier="red", limits={}, actor=people.town_worker(), at=NOW)
        assert watch.standing("one_phone").limits == {"people": 5}

    def test_a_dry_run_counts_by_day_and_writes_nothing(self) -> None:
        boss = people.commander()
        for day in range(3):
            for _ in range(day + 1):
                alerting.alert(at=NOW + timedelta(days=day))
        found = watch.dry_run("unopened_inbox", {}, 5, actor=boss, at=NOW + timedelta(days=3))
        assert found.total == 3
        assert found.by_day == tuple((date(2022, 4, 14 - day), 1) for day in range(3))
        assert [one.params["number"] for one in found.examples] == [3, 2, 1]
        assert raised("unopened_inbox") == []
        assert list(db.session.scalars(select(WatchRule))) == []
        look("unopened_inbox", NOW + hours(4))
        assert watch.dry_run("unopened_inbox", {}, 5, actor=boss, at=NOW + timedelta(days=3)).known == 1
        for name in RULES:
            assert watch.dry_run(name, {}, 30, actor=boss, at=NOW + timedelta(days=3)).days == 30
        with pytest.raises(InvalidInput):
            watch.dry_run("one_phone", {}, 31, actor=boss, at=NOW)
        village = people.actor_of(people.user("v", Role.VILLAGE, VILLAGE))
        with pytest.raises(NotAllowed):
            watch.dry_run("one_phone", {}, 3, actor=village, at=NOW)


class TestPureParts:
    @pytest.mark.parametrize(
        ("hour", "start", "end", "inside"),
        [
            (7, 8, 20, False),
            (8, 8, 20, True),
            (20, 8, 20, False),
            (23, 22, 6, True),
            (5, 22, 6, True),
            (6, 22, 6, False),
            (3, 0, 24, True),
            (3, 5, 5, True),
        ],
    )
    def test_opening_hours(self, hour: int, start: int, end: int, inside: bool) -> None:
        assert within_hours(NOW.replace(hour=hour), start, end) is inside

    def test_a_county_doubles(self) -> None:
        counts = {("A", 1): 5, ("A", 2): 10, ("A", 3): 19, ("B", 2): 9, ("C", 2): 10}
        assert doublings(counts, 2, 10) == [("A", 2, 10, 5), ("C", 2, 10, 0)]

    def test_openings_after_which_a_wait_ends(self) -> None:
        span = Span(NOW, NOW + timedelta(days=2), SITE, "Asia/Shanghai")
        found = openings(span, 8, minutes(30))
        assert [one.isoformat() for one in found] == ["2022-04-13T08:00:00+08:00", "2022-04-14T08:00:00+08:00"]

    def test_names_fit_their_columns(self) -> None:
        for rule in RULES.values():
            assert len(rule.kind) <= 24
            assert len(rule.name) <= 18
            assert set(rule.defaults()) == {limit.name for limit in rule.limits}
            assert all(limit.low <= limit.default <= limit.high for limit in rule.limits)

    def test_a_cause_fits_its_column(self) -> None:
        from checkpoint.watch.rules import Finding

        longest = max(RULES.values(), key=lambda rule: len(rule.name))
        assert len(cause_of(longest, Finding(f"{uuid.uuid4()}:1649728800", NOW, SITE))) <= 80
