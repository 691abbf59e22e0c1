"""What is over goes, with everything that belongs to it; what is held stays, and says why; counts stay without persons."""

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from checkpoint import scheduler
from checkpoint.accounts.permissions import traveller_actor
from checkpoint.alerts import feed
from checkpoint.alerts import service as alerting
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.appeals import service as appeals
from checkpoint.audit.models import AuditEntry
from checkpoint.crossings.models import Crossing
from checkpoint.database import db, transaction
from checkpoint.followups.models import FollowUp
from checkpoint.inquiries.models import PairVerdict
from checkpoint.registrations.models import Pass, Registration, RegistrationState, Stay, Traveller
from checkpoint.retention import purge as purging
from checkpoint.retention.holds import Reason, keeping
from checkpoint.retention.models import DayCount, PurgeRun
from checkpoint.retention.purge import Purged, purge, purge_due, survey
from checkpoint.retention.requests import hold
from checkpoint.retention.rules import RULES, TRIP_TABLES, Fate
from checkpoint.risk.policies import publish_policy
from checkpoint.risk.service import current_state
from tests.factories import NOW, TODAY, declarations, lists, people
from tests.factories.divisions import NEIGHBOUR_TOWN, SITE
from tests.factories.travelling import Inside, admitted, declared, scanned

DAY = timedelta(days=1)
LATER = NOW + 31 * DAY


def released(person: Inside, at: datetime = NOW + DAY) -> Inside:
    """Somebody whose time here ended, with nothing open."""
    with transaction() as session:
        session.execute(
            update(Registration)
            .where(Registration.id == person.id)
            .values(state=RegistrationState.LEFT.value, released_at=at, updated_at=at)
        )
    alerting.retract_for(person.id, actor=people.operator(), at=at)
    return person


def run(at: datetime = LATER, limit: int | None = None) -> Purged:
    done = purge(actor=people.operator(), at=at, limit=limit)
    db.session.expire_all()
    return done


def count(model: type) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def rows_of(registration_id: uuid.UUID) -> dict[str, int]:
    """How many rows each table still has that name a trip."""
    found = {}
    for name, rule in RULES.items():
        if rule.fate is Fate.TRIP and rule.by in ("registration_id", "subject_id"):
            column = db.metadata.tables[name].c[rule.by]
            found[name] = int(db.session.scalar(select(func.count()).where(column == registration_id)) or 0)
    return {name: number for name, number in found.items() if number}


def test_a_trip_goes_thirty_days_after_the_release_with_all_that_belongs_to_it() -> None:
    lists.in_force()
    person = released(admitted())
    assert {"assessment", "crossing", "pass", "alert"} <= set(rows_of(person.id))
    assert run(NOW + 31 * DAY - timedelta(seconds=1)).counts["registration"] == 0
    done = run()
    assert done.counts["registration"] == done.counts["traveller"] == 1
    assert rows_of(person.id) == {}
    assert count(Registration) == count(Traveller) == count(Crossing) == 0
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "data.purge").order_by(AuditEntry.id.desc()))
    assert (entry.first().data or {})["gone"]["registration"] == 1  # type: ignore[union-attr]
    assert run().counts["registration"] == 0


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("state", "days"),
    [
        (RegistrationState.WITHDRAWN, 30),
        (RegistrationState.LEFT, 30),
        (RegistrationState.DECLARED, 37),
        (RegistrationState.TURNED_BACK, 37),
        (RegistrationState.APPLIED, 30),
        (RegistrationState.INSIDE, None),
    ],
)
def test_when_each_kind_of_trip_is_over(state: RegistrationState, days: int | None) -> None:
    """Who never came could have until the pass ended, seven days after the day of arrival. Whoever is inside stays."""
    receipt = declared()
    with transaction() as session:
        session.execute(update(Registration).values(state=state.value, updated_at=NOW, released_at=None))
    alerting.retract_for(receipt.registration.id, actor=people.operator(), at=NOW)
    if days is None:
        assert run(NOW + 4000 * DAY).counts["registration"] == 0
        return
    assert run(NOW + (days - 1) * DAY).counts["registration"] == 0
    found = keeping(receipt.registration.id, current_state(NOW).policy, NOW)
    assert found is not None
    assert found.goes_on == TODAY + days * DAY
    assert run(NOW + days * DAY).counts["registration"] == 1


def test_the_days_are_the_policys() -> None:
    old = current_state(NOW).policy
    shorter = old.model_copy(update={"retention": old.retention.model_copy(update={"trips": 10})})
    publish_policy(shorter, actor=people.operator(), at=NOW)
    released(admitted())
    assert run(NOW + 10 * DAY).counts["registration"] == 0
    assert run(NOW + 12 * DAY).counts["registration"] == 1


def test_crossings_stay_as_counts_without_persons() -> None:
    tablet = people.tablet()
    for number in (1, 2):
        released(admitted(tablet, number=number, transport="car"))
    scanned("CP1:NOTHING", tablet)
    assert run().counts["counted"] == 2
    day = db.session.scalars(select(DayCount).where(DayCount.decision == "admitted")).one()
    assert (day.day, day.checkpoint_id, day.transport, day.count) == (TODAY, tablet.checkpoint.id, "car", 2)
    assert db.session.scalar(select(func.sum(DayCount.count))) == 3  # with the scan that led to nobody
    assert count(Crossing) == 0
    released(admitted(tablet, at=NOW + timedelta(hours=1), transport="car"), NOW + DAY)
    run()
    db.session.expire_all()
    assert db.session.scalar(select(func.sum(DayCount.count))) == 4


def test_somebody_who_came_twice_loses_only_the_trip_that_is_over() -> None:
    first = released(admitted())
    again = declared(LATER - DAY, arriving_on=(TODAY + 30 * DAY).isoformat())
    row = db.session.get_one(Registration, again.registration.id)
    assert row.traveller_id == first.row.traveller_id
    assert run().counts["registration"] == 1
    assert count(Traveller) == count(Registration) == 1
    assert rows_of(again.registration.id)["pass"] == 1


def test_a_companion_who_stays_longer_stands_alone() -> None:
    companion = {"name": declarations.name(2), "id_type": "resident_id", "id_number": declarations.resident_id(2)}
    receipt = declared(companions=[companion])
    other = receipt.companions[0].registration.id
    with transaction() as session:
        session.execute(update(Registration).where(Registration.id == other).values(state="inside"))
    lead = Inside(receipt, traveller_actor(receipt.registration.id, SITE))
    released(lead)
    assert run().counts["registration"] == 1
    assert db.session.get_one(Registration, other).lead_id is None


def hold_by(reason: Reason, person: Inside) -> None:
    """Make one thing hold a trip."""
    if reason is Reason.INSIDE:
        with transaction() as session:
            session.execute(update(Registration).values(state="inside"))
    elif reason is Reason.LEGAL:
        hold(person.id, "法院来函", actor=people.commander(), at=NOW)
    elif reason is Reason.ALERT:
        with transaction():
            new = alerting.NewAlert(
                "arrival", f"t:{person.id}", person.row.destination_code, "red", True, "registration", person.id
            )
            alerting.raise_alerts([new], current_state(NOW).policy, NOW)
    elif reason is Reason.PASS:
        with transaction() as session:
            session.execute(update(Pass).values(expires_at=LATER + DAY))
    else:
        raise AssertionError(reason)


@pytest.mark.parametrize("reason", [Reason.INSIDE, Reason.LEGAL, Reason.ALERT, Reason.PASS])
def test_what_holds_a_trip_is_said(reason: Reason) -> None:
    person = released(admitted())
    hold_by(reason, person)
    done = run()
    assert done.counts["registration"] == 0
    found = keeping(person.id, current_state(LATER).policy, LATER)
    assert found is not None
    assert reason in found.holds
    if reason is not Reason.INSIDE:  # whoever is inside is not over at all
        assert done.held == {reason.value: 1}
        assert survey(LATER) == (0, {reason.value: 1})


def test_an_open_appeal_holds_a_trip() -> None:
    lists.in_force()
    receipt = declared(origin={"code": NEIGHBOUR_TOWN})
    person = Inside(receipt, traveller_actor(receipt.registration.id, SITE))
    appeals.submit(person.id, uuid.uuid4(), "我没有去过枫泾。", None, actor=person.holder, at=NOW)
    alerting.retract_for(person.id, actor=people.operator(), at=NOW)
    assert run(NOW + 60 * DAY).held == {"appeal": 1}


def test_looking_changes_nothing() -> None:
    released(admitted())
    assert survey(LATER) == (1, {})
    assert count(Registration) == 1
    assert count(PurgeRun) == 0


def test_a_limit_leaves_the_rest_for_the_next_run() -> None:
    for number in range(3):
        released(admitted(people.tablet(people.checkpoint(f"G{number}")), number=number))
    assert run(limit=2).counts["registration"] == 2
    assert run(limit=2).counts["registration"] == 1


def test_the_scheduler_purges_once_a_night_and_again_when_it_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    released(admitted())
    night = datetime(2022, 6, 1, 1, 0, tzinfo=NOW.tzinfo)
    night = night.replace(hour=17)  # one o'clock at the site
    assert purge_due(night) is None

    def killed(_policy: object, _at: datetime) -> dict[str, int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(purging, "held_by_reason", killed)
        with pytest.raises(KeyboardInterrupt):
            purge_due(night + timedelta(hours=1))
    db.session.expire_all()
    assert count(Registration) == 0
    again = purge_due(night + timedelta(hours=1, minutes=1))
    assert again is not None
    assert purge_due(night + timedelta(hours=2)) is None
    assert purge_due(night + timedelta(hours=25)) is not None


def test_two_purges_at_once_do_nothing_twice(context: Flask) -> None:
    tablet = people.tablet()
    for number in range(12):
        released(admitted(tablet, number=number))
    done: list[Purged] = []

    def work() -> None:
        with context.app_context():
            done.append(purge(actor=people.operator(), at=LATER))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(one.counts["registration"] for one in done) == 12
    assert db.session.scalar(select(func.sum(DayCount.count))) == 12
    assert count(Registration) == count(Traveller) == 0


def test_numbers_of_the_feed_are_never_given_twice() -> None:
    """The newest entry's alert is emptied and stays until a newer one has come: numbers go on from it."""
    person = released(admitted())
    feed.number()
    newest = feed.newest()
    assert newest > 0
    run()
    assert feed.newest() == newest
    left = db.session.scalars(select(Alert)).one()
    assert (left.subject_type, left.subject_id, left.params) == ("purged", None, {})
    assert str(person.id) not in left.cause
    declared(LATER, arriving_on=(TODAY + 31 * DAY).isoformat())
    feed.number()
    assert feed.newest() > newest
    run(LATER + DAY)
    assert db.session.scalar(select(func.count()).where(Alert.subject_type == "purged")) == 0
    assert db.session.scalar(select(func.min(FeedEntry.seq))) > newest


def test_a_purged_pass_scans_as_unknown() -> None:
    tablet = people.tablet()
    person = released(admitted(tablet))
    token = person.receipt.issued.token
    with transaction() as session:  # the barrier's clock stands where the pass is still in its time
        session.execute(update(Pass).values(expires_at=NOW))
    run()
    crossing = scanned(token, tablet, NOW + timedelta(hours=2))
    assert (crossing.verdict, crossing.problem, crossing.registration_id) == ("refuse", "unknown", None)


def test_what_reviewers_said_of_a_document_goes_with_its_last_trip() -> None:
    person = released(admitted())
    hash_ = db.session.scalars(select(Traveller.id_number_hash)).one()
    with transaction() as session:
        session.add(PairVerdict(listed_hash=b"l" * 16, person_hash=hash_, is_same=True, decided_at=NOW))
        session.add(PairVerdict(listed_hash=b"l" * 16, person_hash=b"o" * 16, is_same=True, decided_at=NOW))
    run()
    assert [one.person_hash for one in db.session.scalars(select(PairVerdict))] == [b"o" * 16]
    assert count(FollowUp) == count(Stay) == 0
    assert rows_of(person.id) == {}


def remains(path: str, marks: list[bytes]) -> list[bytes]:
    """Which of some bytes stand in the database's file or its write-ahead log."""
    held = b""
    for name in (path, f"{path}-wal"):
        try:
            with open(name, "rb") as file:
                held += file.read()
        except FileNotFoundError:
            continue
    return [mark for mark in marks if mark in held]


def marks_of_everybody() -> Iterator[bytes]:
    """What a thief could look for: hashes, sealed values, serials and tokens of everybody in the registry."""
    for one in db.session.scalars(select(Traveller)):
        yield from (one.id_number_hash, one.name_sealed, one.id_number_sealed)
    for trip in db.session.scalars(select(Registration)):
        yield from (value for value in (trip.address_sealed, trip.plate_sealed) if value)
    for issued in db.session.scalars(select(Pass)):
        yield from (issued.serial, issued.token.encode(), issued.short_code.encode())


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_nothing_of_the_purged_stands_in_the_file(context: Flask) -> None:
    """All of it was there, and none of it is: neither in the file nor in its log."""
    tablet = people.tablet()
    for number in range(40):
        released(admitted(tablet, number=number))
    db.session.expire_all()
    marks = list(marks_of_everybody())
    path = str(db.engine.url.database)
    assert len(marks) > 200
    assert len(remains(path, marks)) == len(marks)
    assert run().counts["traveller"] == 40
    assert remains(path, marks) == []
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_nothing_of_the_purged_stands_in_a_dump() -> None:
    """All tables as COPY would write them, the purged people's bytes in hexadecimal as it writes them."""
    tablet = people.tablet()
    for number in range(20):
        released(admitted(tablet, number=number))
    db.session.expire_all()
    marks = [one.hex() for one in marks_of_everybody()] + [issued.token for issued in db.session.scalars(select(Pass))]
    assert sum(one in dumped() for one in marks) >= len(marks) // 2
    assert run().counts["traveller"] == 20
    whole = dumped()
    assert [one for one in marks if one in whole] == []


def dumped() -> str:
    """Every row of every table as text."""
    names = [table.name for table in db.metadata.sorted_tables]
    rows = (db.session.scalars(text(f'SELECT t::text FROM "{name}" AS t')).all() for name in names)  # noqa: S608
    return "\n".join(row for some in rows for row in some)


def test_every_table_of_a_trip_is_looked_at() -> None:
    assert set(rows_of(uuid.uuid4())) == set()
    assert len(TRIP_TABLES) >= 15


def test_a_day_is_the_sites_own() -> None:
    tablet = people.tablet()
    late = datetime(NOW.year, NOW.month, NOW.day, 16, 30, tzinfo=NOW.tzinfo)  # half past midnight of the next day there
    released(admitted(tablet, at=late, arriving_on=(TODAY + DAY).isoformat()), late + DAY)
    run(late + 32 * DAY)
    assert db.session.scalars(select(DayCount.day)).one() == date(TODAY.year, TODAY.month, TODAY.day) + DAY


def test_the_command_line_says_what_would_go_and_lets_it_go(app: Flask, freeze: Callable[[datetime], None]) -> None:
    tablet = people.tablet()
    kept, gone = (released(admitted(tablet, number=number)) for number in (1, 2))
    freeze(LATER)
    runner = app.test_cli_runner()
    assert "held" in runner.invoke(args=["holds", "add", str(kept.id), "--why", "法院来函"]).output
    said = json.loads(runner.invoke(args=["purge", "--dry-run"]).output)
    assert said == {"would_go": 1, "held": {"legal": 1}}
    done = json.loads(runner.invoke(args=["purge"]).output)
    assert (done["gone"]["registration"], done["held"]) == (1, {"legal": 1})
    assert rows_of(gone.id) == {}
    assert runner.invoke(args=["holds", "end", str(kept.id)]).output == "let go\n"
    assert json.loads(runner.invoke(args=["purge", "--limit", "5"]).output)["gone"]["registration"] == 1
    assert runner.invoke(args=["holds", "add", str(gone.id), "--why", "x"]).exit_code == 1


def test_the_scheduler_has_the_purge(app: Flask) -> None:
    assert "purge" in {job.id for job in scheduler.build(app).get_jobs()}
