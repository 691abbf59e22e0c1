"""The figures of command are counted as people would count them, within the reader's jurisdiction, on both databases."""

import uuid
from datetime import timedelta

import pytest

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import feed
from checkpoint.crossings import service as crossings
from checkpoint.crossings.service import Scan
from checkpoint.database import transaction
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.followups.tallies import Closing
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.retention.models import DayCount
from checkpoint.standing.figures import Alerts, ByTier, Mismatches, Place, Standing
from checkpoint.standing.service import Board, narrowed, standing
from tests.factories import NOW, TODAY, alerting, inside, people
from tests.factories.declarations import declaration
from tests.factories.divisions import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE

ZONE = "Asia/Shanghai"
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND


def look(actor: Actor, *, after: timedelta = HOUR, day: int = 0) -> Standing:
    return standing(actor, TODAY + timedelta(days=day), NOW + after, timezone=ZONE)


def place(found: Standing, code: str) -> Place:
    return next(one for one in found.places if one.code == code)


def scan(tablet: people.Tablet, number: int, decided: float | None, **changes: object) -> None:
    """Somebody at the barrier, and how many seconds later the officer let them in."""
    receipt = registrations.submit(
        Declaration.model_validate(declaration(number, **changes)), actor=people.operator(), at=NOW
    )
    scan_id = uuid.uuid4()
    crossings.record_scan(Scan(scan_id, receipt.issued.token, NOW), actor=tablet.actor, at=NOW)
    if decided is not None:
        crossings.decide(scan_id, "admitted", "为了测试", actor=tablet.actor, at=NOW + decided * SECOND)


def test_people_alerts_and_doors_by_town() -> None:
    tablet = people.tablet()
    inside.let_in(tablet, 1)
    inside.register(2)
    inside.register(3, destination={"code": OTHER_VILLAGE, "address": "1 号"})
    alerting.alert(VILLAGE, "red", at=NOW)
    found = look(people.commander(), after=50 * MINUTE)
    assert (found.inside, found.declared, found.coming) == (ByTier(yellow=1), ByTier(yellow=2), ByTier(yellow=2))
    home, other = place(found, TOWN), place(found, OTHER_TOWN)
    assert (home.inside.total, home.coming.total, other.inside.total, other.coming.total) == (1, 1, 0, 1)
    assert home.alerts == Alerts(live=3, red=1, open=3, overdue=1)
    assert (home.state, other.state, home.door, found.door) == ("red", "yellow", Closing(0, 0, 1), Closing(0, 0, 1))
    assert found.alerts.live == 4
    assert found.places[0] is home  # the worst first
    assert len(found.places) > 5  # quiet towns are there as well
    assert [count.total for _day, count in found.expected] == [2, 0, 0]


def test_a_town_is_told_by_villages_and_sees_no_other() -> None:
    tablet = people.tablet()
    inside.let_in(tablet, 1)
    inside.register(2, destination={"code": OTHER_VILLAGE, "address": "1 号"})
    found = look(people.town_worker())
    assert not found.is_city
    assert {one.code for one in found.places} >= {VILLAGE}
    assert all(one.code.startswith(TOWN[:9]) for one in found.places)
    assert (found.inside.total, found.declared.total, place(found, VILLAGE).inside.total) == (1, 0, 1)
    assert [post.scans for post in found.posts] == [1]  # its own checkpoint
    stranger = look(people.stranger())
    assert (stranger.inside.total, stranger.declared.total, list(stranger.posts)) == (0, 1, [])
    with pytest.raises(NotFound):
        narrowed(people.stranger("stranger2"), TOWN)
    assert look(narrowed(people.commander(), TOWN)).places == found.places
    with pytest.raises(NotAllowed):
        look(people.village_worker())


def test_crossings_by_hour_and_the_time_to_the_first_decision() -> None:
    """NOW is ten at the site. A test on the spot is a decision: the wait for its result is not the officer's."""
    tablet = people.tablet()
    for number, decided in ((1, 4.2), (2, 8.0), (3, 30.0), (4, None)):
        scan(tablet, number, decided)
    receipt = registrations.submit(Declaration.model_validate(declaration(5)), actor=people.operator(), at=NOW)
    tested, later = uuid.uuid4(), NOW + 2 * HOUR
    crossings.record_scan(Scan(tested, receipt.issued.token, later), actor=tablet.actor, at=later)
    crossings.decide(tested, "tested", None, actor=tablet.actor, at=later + 6 * SECOND)
    crossings.decide(tested, "admitted", "为了测试", actor=tablet.actor, at=later + 20 * MINUTE)
    found = look(people.commander(), after=3 * HOUR)
    [post] = found.posts
    first = 10
    assert {hour: number for hour, number in enumerate(post.hours) if number} == {first: 4, first + 2: 1}
    assert (post.scans, post.admitted, found.scans, found.admitted) == (5, 4, 5, 4)
    assert (found.decision.number, found.decision.median, found.decision.p90) == (4, 6.0, 30.0)
    assert found.hours[first].scans == 4
    assert found.hours[first].label == "10:00"
    assert found.hours[first + 2].decision.median == 6.0
    assert look(people.commander("another"), after=3 * HOUR, day=-1).scans == 0


def test_crossings_that_are_no_longer_kept_still_count() -> None:
    tablet = people.tablet()
    scan(tablet, 1, 5.0)
    key = {"checkpoint_id": tablet.checkpoint.id, "verdict": "admit", "tier": "green", "transport": "car"}
    with transaction() as session:
        for decision, number in (("admitted", 7), ("held", 2)):
            session.add(DayCount(day=TODAY, decision=decision, count=number, **key))
    found = look(people.commander())
    assert (found.scans, found.admitted, found.posts[0].earlier, sum(found.posts[0].hours)) == (10, 8, 9, 1)


def test_what_does_not_fit_together_needs_a_person() -> None:
    inside.let_in(people.tablet(), 1)
    assert look(people.commander()).mismatches == Mismatches()
    later = look(people.commander("later"), after=9 * HOUR)
    assert place(later, TOWN).mismatches.not_arrived == 1
    assert place(later, TOWN).state == "red"
    days = look(people.commander("days"), after=timedelta(days=5))
    assert days.mismatches.tests > 0
    alerting.alert(OTHER_VILLAGE, "red", at=NOW, kind="inquiry")
    assert place(look(people.commander("listed")), OTHER_TOWN).mismatches.not_found == 1


def test_screens_that_ask_at_once_are_counted_once_and_hear_of_what_happened() -> None:
    actor, board = people.commander(), Board(least_seconds=0.0)
    first = board.look(actor, TODAY, NOW, timezone=ZONE)
    assert board.look(actor, TODAY, NOW, timezone=ZONE) is first
    inside.register(1)
    feed.number()
    second = board.look(actor, TODAY, NOW, timezone=ZONE)
    assert (first.declared.total, second.declared.total, second.seq > first.seq) == (0, 1, True)
    with pytest.raises(NotAllowed):
        board.look(people.village_worker(), TODAY, NOW, timezone=ZONE)
