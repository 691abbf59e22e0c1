"""The numbered feed: every committed entry gets one number, in the order of commits, whoever numbers and however late."""

import threading

import pytest
from flask import Flask
from sqlalchemy import insert

from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.alerts.service import NewAlert, acknowledge, alert_row, feed_row
from checkpoint.database import db
from checkpoint.regions.models import code_range
from checkpoint.risk.policy import default_policy
from tests.factories import NOW, alerting, people
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, SITE, TOWN, VILLAGE


def test_entries_are_numbered_once_and_without_a_gap() -> None:
    ids = [alerting.alert() for _ in range(3)]
    assert feed.pending()
    assert feed.number() == 3
    assert not feed.pending()
    assert feed.number() == 0
    items = feed.items_after(0)
    assert [item.seq for item in items] == [1, 2, 3]
    assert [item.alert_id for item in items] == [str(one) for one in ids]
    assert {item.event for item in items} == {"alert"}
    assert feed.newest() == 3


def test_a_change_follows_its_alert() -> None:
    raised = alerting.alert()
    worker = people.village_worker()
    acknowledge(raised, actor=worker, at=NOW)
    feed.number()
    assert [(item.seq, item.event) for item in feed.items_after(0)] == [(1, "alert"), (2, "change")]
    assert [item.seq for item in feed.items_after(1)] == [2]


@pytest.mark.parametrize(
    ("division", "seen"),
    [(VILLAGE, [1]), (SECOND_VILLAGE, [2]), (OTHER_VILLAGE, [3]), (TOWN, [1, 2]), (SITE, [1, 2, 3])],
)
def test_the_reach_decides_what_is_seen(division: str, seen: list[int]) -> None:
    for village in (VILLAGE, SECOND_VILLAGE, OTHER_VILLAGE):
        alerting.alert(village)
    feed.number()
    assert [item.seq for item in feed.items_after(0, reach=code_range(division))] == seen


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_late_commit_is_numbered_late() -> None:
    """The entry with the smaller id commits after the other was numbered: a cursor on ids would have lost it for good."""
    first, second = (
        NewAlert(kind="registration", cause=cause, division_code=VILLAGE, tier="yellow", needs_answer=True)
        for cause in ("first", "second")
    )
    with db.engine.connect() as slow, db.engine.connect() as quick:
        for connection, new in ((slow, first), (quick, second)):
            connection.execute(insert(Alert), [alert_row(new, default_policy(), NOW)])
            connection.execute(insert(FeedEntry), [feed_row("alert", new.id, VILLAGE, NOW)])
        quick.commit()
        assert feed.number() == 1
        assert [item.alert_id for item in feed.items_after(0)] == [str(second.id)]
        slow.commit()
    assert feed.number() == 1
    assert [(item.seq, item.alert_id) for item in feed.items_after(0)] == [(1, str(second.id)), (2, str(first.id))]


def test_many_numberers_at_once_give_each_entry_one_number(app: Flask) -> None:
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with app.app_context():
                start.wait()
                for _ in range(10):
                    alerting.alert()
                    feed.number()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    feed.number()
    items = feed.items_after(0)
    assert [item.seq for item in items] == list(range(1, 41))
    assert len({item.alert_id for item in items}) == 40
