"""Who of A is not in B: nobody drops out of both numbers, a night's count stays, and what was changed afterwards is seen."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import acknowledge
from checkpoint.audit.models import AuditEntry
from checkpoint.companies import watching
from checkpoint.coverage import service
from checkpoint.coverage.models import CoverageCount, CoverageVillage
from checkpoint.coverage.questions import QUESTIONS
from checkpoint.coverage.reckoning import Share, seal, total
from checkpoint.database import db, transaction
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.followups.models import FollowUp
from checkpoint.followups.service import complete
from checkpoint.registrations.models import Registration
from tests.factories import NOW, TODAY, companies, inquiries, inside, lists, people
from tests.factories.declarations import name, resident_id, stay
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_TOWN, OTHER_VILLAGE, SITE, VILLAGE
from tests.services.test_reassessment import WUHAN

EVENING = NOW + timedelta(hours=8)  # 18:00 at the site; the ways to the door have ended
NIGHT = NOW + timedelta(hours=14, minutes=40)  # 00:40 of the next day
TOMORROW = TODAY + timedelta(days=1)


def _let_in() -> list[Registration]:
    """Three let in: two of one village, one of another town."""
    lists.in_force()
    tablet = people.tablet()
    there = {"code": OTHER_VILLAGE, "address": "新埭 1 号"}
    return [
        inside.let_in(tablet, 1, stays=[stay(NEIGHBOUR_TOWN)]),
        inside.let_in(tablet, 2, stays=[stay(NEIGHBOUR_TOWN)]),
        inside.let_in(tablet, 3, stays=[stay(NEIGHBOUR_TOWN)], destination=there),
    ]


def _do(trip: Registration, kind: str, result: str, at: object = None) -> None:
    task = db.session.scalars(
        select(FollowUp.id).where(FollowUp.registration_id == trip.id, FollowUp.kind == kind).order_by(FollowUp.due_at)
    ).first()
    assert task is not None
    complete(task, result, None, actor=people.operator(), at=at or NOW + timedelta(hours=2))  # type: ignore[arg-type]


def _shown(actor: Actor, question: str, day: object = TODAY, at: object = EVENING) -> Share:
    return service.ask(actor, question, day, at).total  # type: ignore[arg-type]


def test_everybody_who_passed_is_met_at_the_door_or_missing() -> None:
    one, two, three = _let_in()
    command = people.commander()
    assert _shown(command, "arrival", at=NOW + timedelta(hours=4)) == Share()  # their hours have not ended
    assert _shown(command, "arrival") == Share(3, 0)
    _do(one, "arrival_visit", "arrived")
    _do(two, "arrival_visit", "arrived")
    counts = service.ask(command, "arrival", TODAY, EVENING).shown
    assert counts == {VILLAGE: Share(2, 2), OTHER_VILLAGE: Share(1, 0)}
    assert [who.subject for who in service.who(command, "arrival", TODAY, SITE, EVENING)] == [three.id]


def test_somebody_whom_the_work_has_lost_is_missing_and_not_forgotten() -> None:
    trips = _let_in()
    for trip in trips:
        _do(trip, "arrival_visit", "arrived")
    command = people.commander()
    assert _shown(command, "arrival").percent == 100
    with transaction() as session:  # as if a plan had never been made, or had been deleted
        session.execute(delete(FollowUp).where(FollowUp.registration_id == trips[1].id))
    assert _shown(command, "arrival") == Share(3, 2)
    assert [who.subject for who in service.who(command, "arrival", TODAY, SITE, EVENING)] == [trips[1].id]


def test_tests_and_health_reports_of_the_day_count_when_there_is_a_result() -> None:
    tablet, command = people.tablet(), people.commander()
    inside.put(WUHAN)
    one, two = (inside.let_in(tablet, number, stays=[stay(NEIGHBOUR_TOWN)]) for number in (1, 2))
    assert _shown(command, "test") == Share(2, 0)
    _do(one, "landing_test", "negative")
    _do(two, "landing_test", "refused")
    assert service.ask(command, "test", TODAY, EVENING).shown == {VILLAGE: Share(2, 1)}
    assert _shown(command, "test", TOMORROW, EVENING + timedelta(days=1)) == Share(2, 0)
    lists.in_force()
    red, ill, silent = (inside.let_in(tablet, number, stays=[stay(NEIGHBOUR_TOWN)]) for number in (3, 4, 5))
    later = EVENING + timedelta(days=1)
    for trip, result in ((red, "well"), (ill, "unwell"), (silent, "no_answer")):
        _do(trip, "health_check", result, at=later)
    assert _shown(command, "health", TOMORROW, later) == Share(3, 2)
    assert [who.subject for who in service.who(command, "health", TOMORROW, VILLAGE, later)] == [silent.id]


def test_alerts_of_the_day_until_somebody_takes_them() -> None:
    _let_in()
    command = people.commander()
    alerts = db.session.scalars(select(Alert.id).where(Alert.state == "open").order_by(Alert.id)).all()
    assert len(alerts) == 3
    acknowledge(alerts[0], actor=people.operator(), at=EVENING)
    assert _shown(command, "alert") == Share(3, 1)
    assert {who.subject for who in service.who(command, "alert", TODAY, SITE, EVENING)} == set(alerts[1:])


def test_a_companys_list_and_an_inquirys_rows(tmp_path: Path) -> None:
    _let_in()
    company, liaison = companies.active(town=people.town_worker())
    companies.listed(liaison, 1)
    absent = companies.listed(liaison, 9)
    companies.listed_lorry(liaison)
    watching.look(EVENING)
    command = people.commander()
    assert service.ask(command, "company", TODAY, EVENING).shown == {company.division_code: Share(3, 1)}
    assert absent.id in [who.subject for who in service.who(command, "company", TODAY, SITE, EVENING)]
    rows = [f"{name(number)},{resident_id(number)},,," for number in (2, 7, 8)]
    inquiry = inquiries.read(inquiries.write(tmp_path, rows))
    assert service.ask(command, "inquiry", TODAY, EVENING).shown == {SITE: Share(3, 1)}
    missing = service.who(command, "inquiry", TODAY, SITE, EVENING)
    assert [(who.subject, who.row) for who in missing] == [(inquiry.id, 1), (inquiry.id, 2)]
    with pytest.raises(NotFound):  # what stood on a list then is not known any more
        service.who(command, "company", TODAY, SITE, EVENING + timedelta(days=1))


def test_a_night_counts_once_and_keeps_what_it_counted() -> None:
    one, _two, _three = _let_in()
    _do(one, "arrival_visit", "arrived")
    assert service.count_due(NIGHT - timedelta(minutes=20)) == 0
    assert service.count_due(NIGHT) == len(QUESTIONS)
    assert service.count_due(NIGHT + timedelta(minutes=5)) == 0
    _do(_two, "arrival_visit", "arrived", at=NIGHT)
    answer = service.ask(people.commander(), "arrival", TODAY, NIGHT)
    assert (answer.total, total(answer.now or {})) == (Share(3, 1), Share(3, 2))
    assert answer.counted_at == NIGHT
    assert service.days_kept() == [TODAY]
    checked = service.check(TODAY)
    assert set(checked) == set(QUESTIONS)
    assert all(one.holds for one in checked.values())


def test_days_that_were_missed_are_counted_later_as_far_as_they_can_be() -> None:
    service.count_due(NIGHT)
    days = timedelta(days=3)
    past = sum(one.of_day for one in QUESTIONS.values())
    assert service.count_due(NIGHT + days) == 2 * past + len(QUESTIONS)
    assert len(service.days_kept()) == 4
    assert all(one.holds for day in service.days_kept() for one in service.check(day).values())


@pytest.mark.parametrize("where", ["village", "village and sum", "everything", "nonsense"])
def test_a_number_that_was_changed_afterwards_is_seen(where: str) -> None:
    _let_in()
    service.count_due(NIGHT)
    with transaction() as session:
        values = {"asked": 2, "met": 9 if where == "nonsense" else 2}
        session.execute(
            update(CoverageVillage).where(CoverageVillage.question == "arrival", CoverageVillage.division_code == VILLAGE)
            .values(values)
        )  # fmt: skip
        if where in ("village and sum", "everything"):
            session.execute(update(CoverageCount).where(CoverageCount.question == "arrival").values(asked=3, met=2))
        if where == "everything":
            mark = seal(TODAY.isoformat(), "arrival", {VILLAGE: Share(2, 2), OTHER_VILLAGE: Share(1, 0)})
            session.execute(update(CoverageCount).where(CoverageCount.question == "arrival").values(seal=mark))
    checked = service.check(TODAY)
    assert not checked["arrival"].holds
    assert checked["arrival"].adds_up == (where == "everything")
    assert checked["alert"].holds
    assert service.ask(people.commander(), "arrival", TODAY, NIGHT).question.name == "arrival"  # the page still opens


def test_the_command_line_tells_which_count_was_changed(app: Flask) -> None:
    _let_in()
    service.count_due(NIGHT)
    whole = app.test_cli_runner().invoke(args=["coverage", "verify"])
    assert (whole.exit_code, whole.output) == (0, "1 days: as they were counted\n")
    with transaction() as session:
        session.execute(update(CoverageVillage).where(CoverageVillage.question == "arrival").values(met=1))
    found = app.test_cli_runner().invoke(args=["coverage", "verify", "--json"])
    assert found.exit_code == 1
    wrong = [{"day": "2022-04-12", "question": "arrival", "adds_up": False, "in_trail": False}]
    assert json.loads(found.output) == {"days": 1, "holds": False, "wrong": wrong}


def test_everybody_sees_their_own_villages_and_names_only_where_they_may() -> None:
    one, _two, three = _let_in()
    service.count_due(NIGHT)
    village, town = people.village_worker(), people.town_worker(OTHER_TOWN)
    for at, day in ((EVENING, TODAY), (NIGHT, TODAY)):
        assert set(service.ask(village, "arrival", day, at).shown) == {VILLAGE}
        assert set(service.ask(town, "arrival", day, at).shown) == {OTHER_VILLAGE}
    assert {who.subject for who in service.who(village, "arrival", TODAY, VILLAGE, EVENING)} >= {one.id}
    assert [who.subject for who in service.who(town, "arrival", TODAY, OTHER_TOWN, EVENING)] == [three.id]
    for division in (SITE, OTHER_VILLAGE):
        with pytest.raises(NotFound):
            service.who(village, "arrival", TODAY, division, EVENING)
    auditor = people.actor_of(people.user("auditor", Role.AUDITOR, SITE))
    assert _shown(auditor, "arrival") == Share(3, 0)
    for actor, question in ((auditor, "arrival"), (village, "company"), (town, "inquiry")):
        with pytest.raises(NotAllowed):
            service.who(actor, question, TODAY, actor.division, EVENING)
    with pytest.raises(NotAllowed):
        service.ask(people.actor_of(people.gate_officer()), "arrival", TODAY, EVENING)
    for question, day in (("nothing", TODAY), ("arrival", TOMORROW)):
        with pytest.raises(NotFound):
            service.ask(auditor, question, day, EVENING)


def test_who_read_the_names_is_written_down() -> None:
    command = people.commander()
    service.note_read(command, "arrival", TODAY, VILLAGE, 3, how="csv", at=NOW)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "coverage.names")).one()
    assert (entry.object_id, entry.data) == (
        VILLAGE,
        {"question": "arrival", "day": "2022-04-12", "people": 3, "how": "csv"},
    )
