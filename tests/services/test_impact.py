"""What the preview says of people is what publishing then does."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from checkpoint.risk.models import Assessment, RiskListing
from checkpoint.risk.publishing import publish
from checkpoint.surveillance import impact
from checkpoint.surveillance.impact import count_waiting, impact_of
from checkpoint.surveillance.queries import by_village, works
from tests.factories import NOW, people
from tests.factories.declarations import stay
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, VILLAGE
from tests.factories.inside import draft, follow_up, let_in, put, register
from tests.factories.lists import FENGJING, ZHUJING
from tests.services.test_reassessment import WUHAN

LATER = NOW + timedelta(hours=3)


def _people() -> None:
    tablet = people.tablet()
    let_in(tablet, 1, stays=[stay(NEIGHBOUR_TOWN, text="白牛路151弄12号楼302室")])
    register(2, stays=[stay(NEIGHBOUR_TOWN)], destination={"code": OTHER_VILLAGE, "address": "新埭 1 号"})
    register(3)


def test_what_is_shown_is_what_happens() -> None:
    put(WUHAN)
    _people()
    follow_up()
    new = draft(WUHAN, FENGJING, ZHUJING, at=LATER)
    shown = impact_of(new.id, at=LATER)
    assert (shown.people, shown.raised, shown.lowered) == (2, 2, 0)
    assert shown.villages == {VILLAGE: (1, 0), OTHER_VILLAGE: (1, 0)}
    assert shown.changes == {("green", "red"): 2}
    assert db.session.scalar(select(func.count()).where(Alert.kind == "reassessment")) == 0
    assert db.session.scalar(select(func.count()).select_from(Assessment)) == 3
    publish(new.id, actor=people.operator(), at=LATER)
    assert follow_up(LATER) == 2
    assert db.session.scalar(select(func.count()).where(Registration.tier == "red")) == 2
    command = people.commander()
    done = works(command)[0]
    assert (done.total, done.done, done.raised, done.lowered, done.alerts, done.running) == (2, 2, 2, 0, 2, False)
    assert by_village(command, done.version) == [(VILLAGE, "green", "red", 1), (OTHER_VILLAGE, "green", "red", 1)]


def test_a_listing_that_would_end_is_shown_as_milder() -> None:
    publish(draft(FENGJING, at=NOW - timedelta(days=10)).id, actor=people.operator(), at=NOW)
    register(1, stays=[stay(NEIGHBOUR_TOWN, days_ago=1)])
    register(2, stays=[stay(NEIGHBOUR_TOWN, days_ago=6)])
    follow_up()
    new = draft(WUHAN, at=NOW - timedelta(days=2))
    shown = impact_of(new.id, at=LATER)
    assert (shown.people, shown.changes) == (1, {("red", "green"): 1})
    publish(new.id, actor=people.operator(), at=LATER)
    assert follow_up(LATER) == 1
    assert sorted(db.session.scalars(select(Registration.tier)).all()) == ["green", "red"]


def test_many_are_counted_by_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "AT_ONCE", 1)
    put(WUHAN)
    _people()
    new = draft(WUHAN, FENGJING, at=LATER)
    shown = impact_of(new.id, at=LATER)
    assert (shown.people, shown.counted_at) == (2, None)
    listings = db.session.scalar(select(func.count()).select_from(RiskListing))
    assert count_waiting(LATER) == 1
    assert count_waiting(LATER) == 0
    shown = impact_of(new.id, at=LATER)
    assert (shown.raised, shown.counted_at) == (2, LATER)
    assert db.session.scalar(select(func.count()).select_from(RiskListing)) == listings


def test_the_counts_are_made_anew_when_something_else_is_in_force() -> None:
    put(WUHAN)
    _people()
    new = draft(WUHAN, FENGJING, at=LATER)
    assert impact_of(new.id, at=LATER).raised == 2
    put(FENGJING, at=LATER)
    follow_up(LATER)
    assert impact_of(new.id, at=LATER).raised == 0
