"""Rounds of closed crossings: made once, visited once, told of when missed, taken back when the visit turns up."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert, AlertEvent, AlertState
from checkpoint.alerts.service import resolve
from checkpoint.audit.models import AuditEntry
from checkpoint.database import Base, db
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.patrols import points, queries, routes
from checkpoint.patrols.models import PatrolPhoto, PatrolPoint, PatrolRound, PatrolTask, PatrolVisit
from checkpoint.patrols.planning import GRACE
from checkpoint.patrols.rounds import plan_rounds, tell_missed
from checkpoint.patrols.service import Visit, record_visit
from tests.factories import NOW, patrols, people
from tests.factories.divisions import OTHER_TOWN, TOWN, VILLAGE

# NOW is 10:00 at the site; the round of the factories is open from 10:30 to 11:30.
OPENS = NOW + timedelta(minutes=30)
CLOSES = NOW + timedelta(minutes=90)
INSIDE = NOW + timedelta(minutes=45)
TOLD = CLOSES + GRACE + timedelta(seconds=30)


def count(model: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def alerts(kind: str, *states: str) -> list[Alert]:
    query = select(Alert).where(Alert.kind == kind).order_by(Alert.created_at, Alert.id)
    found = db.session.scalars(query).all()
    return [one for one in found if not states or one.state in states]


def steps(alert: Alert) -> list[str]:
    return list(
        db.session.scalars(select(AlertEvent.event).where(AlertEvent.alert_id == alert.id).order_by(AlertEvent.id))
    )


def task_of(point: PatrolPoint) -> PatrolTask:
    """The point's task in today's round."""
    return db.session.scalars(
        select(PatrolTask)
        .join(PatrolRound, PatrolRound.id == PatrolTask.round_id)
        .where(PatrolTask.point_id == point.id)
        .order_by(PatrolRound.opens_at)
    ).first()  # type: ignore[return-value]


def test_rounds_are_made_once_however_often_the_timetable_is_looked_at() -> None:
    patrols.route(patrols.point(), patrols.point("二号"))
    assert (count(PatrolRound), count(PatrolTask)) == (2, 4)  # today's and tomorrow's
    assert plan_rounds(NOW) == 0
    assert plan_rounds(NOW + timedelta(days=1)) == 1
    assert count(PatrolRound) == 3


def test_a_visit_in_its_window_is_done_and_raises_nothing() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    done = patrols.visit(point, tablet, INSIDE, note="锁完好", photo=patrols.photo())
    assert (done.counts, done.round_id) == ("round", task_of(point).round_id)
    assert (task_of(point).state, task_of(point).done_at) == ("done", INSIDE)
    assert tell_missed(TOLD) == 0
    assert count(Alert) == 0
    stored = db.session.scalars(select(PatrolVisit)).one()
    assert stored.note == "锁完好"
    assert "锁完好".encode() not in (stored.note_sealed or b"")


def test_the_same_visit_again_changes_nothing() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    visit_id = uuid.uuid4()
    first = patrols.visit(point, tablet, INSIDE, "open", visit_id=visit_id, photo=patrols.photo())
    again = patrols.visit(point, tablet, INSIDE, "closed", visit_id=visit_id, received_at=TOLD)
    assert (again.visit.id, again.visit.found, again.counts) == (first.visit.id, "open", "round")
    assert (count(PatrolVisit), count(PatrolPhoto), len(alerts("barrier_open"))) == (1, 1, 1)
    with pytest.raises(NotFound):
        patrols.visit(point, people.tablet(people.checkpoint("K9")), INSIDE, visit_id=visit_id)


def test_a_missed_point_is_told_to_its_town_once() -> None:
    point, seen = patrols.point(), patrols.point("二号")
    patrols.route(point, seen)
    patrols.visit(seen, people.tablet(), INSIDE)
    assert tell_missed(CLOSES + GRACE) == 0
    assert tell_missed(TOLD) == 1
    assert tell_missed(TOLD + timedelta(minutes=1)) == 0
    (alert,) = alerts("patrol_missed")
    assert (alert.division_code, alert.tier, alert.state) == (TOWN, "yellow", "open")
    assert alert.params["name"] == point.name
    assert task_of(point).state == "missed"


def test_a_visit_that_was_told_of_late_takes_the_alert_back() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    tell_missed(TOLD)
    late = patrols.visit(point, tablet, INSIDE, received_at=TOLD + timedelta(hours=3))
    assert late.counts == "round"
    assert task_of(point).state == "done"
    assert [one.state for one in alerts("patrol_missed")] == [AlertState.RETRACTED.value]
    assert tell_missed(TOLD + timedelta(hours=4)) == 0


def test_a_visit_after_the_window_does_not_count() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    late = patrols.visit(point, tablet, CLOSES + timedelta(minutes=1))
    assert (late.counts, late.round_id) == ("outside", None)
    assert tell_missed(TOLD) == 1


def test_a_wrong_clock_neither_saves_nor_loses_a_visit() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    ahead = patrols.visit(
        point, tablet, INSIDE + timedelta(hours=3), skew_seconds=3 * 3600, received_at=INSIDE + timedelta(minutes=1)
    )
    assert (ahead.counts, ahead.visit.counted_at) == ("round", INSIDE)


def test_a_second_visit_in_a_round_is_one_more() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    assert patrols.visit(point, tablet, INSIDE).counts == "round"
    assert patrols.visit(point, tablet, INSIDE + timedelta(minutes=5)).counts == "again"


@pytest.mark.parametrize(("found", "tier"), [("damaged", "yellow"), ("open", "red"), ("crossing", "red")])
def test_a_barrier_that_does_not_stand_is_told_to_the_town(found: str, tier: str) -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    patrols.visit(point, tablet, INSIDE, found)
    (alert,) = alerts("barrier_open")
    assert (alert.division_code, alert.tier, alert.params["found"]) == (TOWN, tier, found)


def test_a_standing_alert_is_not_raised_again_in_the_same_round() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point, times=(("10:30", "60"), ("14:00", "60")))
    patrols.visit(point, tablet, INSIDE, "open")
    patrols.visit(point, tablet, INSIDE + timedelta(minutes=5), "crossing")
    patrols.visit(point, tablet, INSIDE + timedelta(minutes=9), "damaged")
    (alert,) = alerts("barrier_open")
    assert steps(alert) == ["found_again", "found_again"]
    patrols.visit(point, tablet, INSIDE + timedelta(hours=4), "open")  # the next round
    assert len(alerts("barrier_open", "open")) == 2


def test_a_worse_finding_takes_the_place_of_a_milder_one() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    patrols.visit(point, tablet, INSIDE, "damaged")
    patrols.visit(point, tablet, INSIDE + timedelta(minutes=5), "open")
    assert [(one.tier, one.state) for one in alerts("barrier_open")] == [("yellow", "retracted"), ("red", "open")]


def test_found_closed_later_is_told_in_the_alert_and_does_not_close_it() -> None:
    point, tablet = patrols.point(), people.tablet()
    patrols.route(point)
    patrols.visit(point, tablet, INSIDE, "open")
    patrols.visit(point, tablet, INSIDE + timedelta(minutes=10))
    (alert,) = alerts("barrier_open")
    assert (alert.state, steps(alert)) == ("open", ["found_closed"])
    resolve(alert.id, "handled", None, actor=people.town_worker(), at=INSIDE)
    patrols.visit(point, tablet, INSIDE + timedelta(minutes=15), "open")
    assert len(alerts("barrier_open", "open")) == 1, "what was dealt with and is open again is a new matter"


@pytest.mark.parametrize("change", ["", "CP1:ABC", "CPP1:" + "0" * 32 + "." + "0" * 20])
def test_a_code_that_was_not_issued_is_refused(change: str) -> None:
    with pytest.raises(InvalidInput) as error:
        record_visit(Visit(uuid.uuid4(), change, NOW, "closed"), actor=people.tablet().actor, at=NOW)
    assert [(one.field, one.code) for one in error.value.errors] == [("token", "forged")]
    assert count(PatrolVisit) == 0


def test_another_points_tag_does_not_fit() -> None:
    one, other, tablet = patrols.point(), patrols.point("二号"), people.tablet()
    mixed = patrols.code(one).partition(".")[0] + "." + patrols.code(other).partition(".")[2]
    with pytest.raises(InvalidInput):
        record_visit(Visit(uuid.uuid4(), mixed, NOW, "closed"), actor=tablet.actor, at=NOW)
    small = Visit(uuid.uuid4(), f" {patrols.code(one).lower()}\n", NOW, "closed")
    assert record_visit(small, actor=tablet.actor, at=NOW).point.id == one.id, "a hand scanner may send small letters"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "format"),
        (b"\x89PNG\r\n\x1a\n", "format"),
        (b"\xff\xd8\xff\xe0 this is no picture", "unreadable"),
        (patrols.photo()[:300], "unreadable"),
        (patrols.photo() + b"\0" * 205_000, "too_large"),
    ],
)
def test_a_photo_is_looked_at_before_it_is_kept(raw: bytes, code: str) -> None:
    point, tablet = patrols.point(), people.tablet()
    with pytest.raises(InvalidInput) as error:
        patrols.visit(point, tablet, NOW, photo=raw)
    assert [(one.field, one.code) for one in error.value.errors] == [("photo", code)]
    assert count(PatrolVisit) == 0


def test_a_photo_is_made_anew_and_sealed() -> None:
    point, tablet = patrols.point(), people.tablet()
    notes = Image.Exif()
    notes[0x013B] = "hidden in the notes"
    raw = patrols.photo(exif=notes) + b"hidden behind the end"
    assert raw.count(b"hidden") == 2
    done = patrols.visit(point, tablet, NOW, photo=raw)
    _visit, jpeg = queries.photo(people.town_worker(), done.visit.id)
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert b"hidden" not in jpeg
    assert b"Exif" not in jpeg
    kept = db.session.get_one(PatrolPhoto, done.visit.id)
    assert jpeg not in kept.image_sealed
    with pytest.raises(NotFound):
        queries.photo(people.stranger(), done.visit.id)


def test_only_a_tablet_makes_visits() -> None:
    point = patrols.point()
    with pytest.raises(NotAllowed):
        record_visit(Visit(uuid.uuid4(), patrols.code(point), NOW, "closed"), actor=people.village_worker(), at=NOW)


def test_a_tablet_walks_the_rounds_of_its_checkpoint_and_its_town() -> None:
    point = patrols.point()
    here, elsewhere = people.tablet(people.checkpoint("G60")), people.tablet(people.checkpoint("K9", OTHER_TOWN))
    patrols.route(point, name="镇里的")
    patrols.route(point, name="K9 的", checkpoint="K9")

    def walked(tablet: people.Tablet) -> list[str]:
        found = queries.tablet_rounds(tablet.actor, NOW, NOW + timedelta(hours=12))
        return [one.route.name for one in found]

    assert walked(here) == ["镇里的"]
    assert walked(elsewhere) == ["K9 的"]


def test_everybody_sees_the_points_of_their_own_jurisdiction() -> None:
    patrols.route(patrols.point(), patrols.point("别镇", OTHER_TOWN))
    until = NOW + timedelta(hours=12)
    seen = {
        "village": queries.rounds(people.village_worker(), NOW, until),
        "town": queries.rounds(people.town_worker(), NOW, until),
        "stranger": queries.rounds(people.stranger(), NOW, until),
        "command": queries.rounds(people.commander(), NOW, until),
    }
    assert {who: [one.total for one in found] for who, found in seen.items()} == {
        "village": [1], "town": [1], "stranger": [1], "command": [2],
    }  # fmt: skip
    with pytest.raises(NotAllowed):
        queries.rounds(people.tablet().actor, NOW, until)


def test_a_change_counts_from_the_next_round() -> None:
    first, second = patrols.point(), patrols.point("二号")
    made = patrols.route(first)
    routes.set_stops(made.id, [second.id, first.id], actor=people.commander(), at=INSIDE)
    found = queries.rounds(people.operator(), NOW, NOW + timedelta(days=2))
    assert [[one.point.name for one in view.tasks] for view in found] == [[first.name], ["二号", first.name]]


def test_a_point_that_is_taken_down_is_not_missed() -> None:
    point = patrols.point()
    patrols.route(point)
    points.set_point_active(point.id, False, actor=people.commander(), at=INSIDE)
    assert tell_missed(TOLD) == 0
    assert count(PatrolRound) == 1, "tomorrow's had no other point"
    points.set_point_active(point.id, True, actor=people.operator(), at=TOLD)
    assert count(PatrolRound) == 2


def test_a_closed_route_is_not_walked_and_an_opened_one_from_its_next_window() -> None:
    point = patrols.point()
    made = patrols.route(point)
    routes.set_route_active(made.id, False, actor=people.operator(), at=NOW)
    assert (count(PatrolRound), plan_rounds(INSIDE)) == (0, 0)
    routes.set_route_active(made.id, True, actor=people.operator(), at=INSIDE)
    days = db.session.scalars(select(PatrolRound.opens_at)).all()
    assert days == [OPENS + timedelta(days=1)], "the window that was open already is nobody's duty"


def test_a_removed_line_of_the_timetable_keeps_its_past() -> None:
    made = patrols.route(patrols.point())
    (slot,) = queries.slots(made.id)
    routes.remove_slot(slot.id, actor=people.operator(), at=INSIDE)
    assert queries.slots(made.id) == []
    assert count(PatrolRound) == 1
    assert plan_rounds(INSIDE + timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (routes.SlotForm("25:00", "60", "0"), {"starts"}),
        (routes.SlotForm("", "", ()), {"starts", "window", "weekdays"}),
        (routes.SlotForm("08:00", "14", "0"), {"window"}),
        (routes.SlotForm("08:00", "721", "0"), {"window"}),
        (routes.SlotForm("08:00", "-60", "7"), {"window", "weekdays"}),
        (routes.SlotForm("11:00", "60", "0"), {"starts"}),  # overlaps 10:30 to 11:30
    ],
)
def test_every_wrong_field_of_a_time_is_named(form: routes.SlotForm, fields: set[str]) -> None:
    made = patrols.route(patrols.point())
    with pytest.raises(InvalidInput) as error:
        routes.add_slot(made.id, form, actor=people.operator(), at=NOW)
    assert {one.field for one in error.value.errors} == fields


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (points.PointForm("", VILLAGE), {"name"}),
        (points.PointForm("名", "1"), {"division"}),
        (points.PointForm("名", VILLAGE, "NONE"), {"checkpoint"}),
        (points.PointForm("名", VILLAGE, "", "91", "121"), {"latitude"}),
        (points.PointForm("名", VILLAGE, "", "30.6", ""), {"longitude"}),
        (points.PointForm("名", VILLAGE, "", "nan", "x"), {"latitude", "longitude"}),
    ],
)
def test_every_wrong_field_of_a_point_is_named(form: points.PointForm, fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as error:
        points.create_point(form, actor=people.operator(), at=NOW)
    assert {one.field for one in error.value.errors} == fields
    assert count(PatrolPoint) == 0


def test_acts_are_audited_and_only_command_may() -> None:
    point = patrols.point()
    assert db.session.scalars(select(AuditEntry.act)).all() == ["patrol_point.create"]
    town = people.town_worker()
    for attempt in (
        lambda: points.create_point(points.PointForm("名", VILLAGE), actor=town, at=NOW),
        lambda: points.set_point_active(point.id, False, actor=town, at=NOW),
        lambda: routes.create_route(routes.RouteForm("名", TOWN), actor=town, at=NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_two_at_once_do_nothing_twice(app: Flask) -> None:
    """Two schedulers make rounds and tell of missed points, two copies of one visit arrive, at the same moment."""
    seen, missed, tablet = patrols.point(), patrols.point("二号"), people.tablet()
    patrols.route(seen, missed)
    visit_id, code = uuid.uuid4(), patrols.code(seen)
    start, problems = threading.Barrier(6), []

    def at_once(work: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                work()
            except Exception as error:
                problems.append(error)
            finally:
                db.session.remove()

    jobs: list[Callable[[], object]] = [
        lambda: plan_rounds(NOW + timedelta(days=1)),
        lambda: tell_missed(TOLD),
        lambda: record_visit(Visit(visit_id, code, INSIDE, "open"), actor=tablet.actor, at=TOLD),
    ]
    db.session.remove()
    threads = [threading.Thread(target=at_once, args=(job,)) for job in jobs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert problems == []
    tell_missed(TOLD)
    assert (count(PatrolRound), count(PatrolVisit), len(alerts("barrier_open"))) == (3, 1, 1)
    live = [one for one in alerts("patrol_missed", "open") if one.params["point"] == str(missed.id)]
    assert len(live) == 1
    assert [one.state for one in alerts("patrol_missed") if one.params["point"] == str(seen.id)] in ([], ["retracted"])
