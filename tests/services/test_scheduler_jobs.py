"""What the scheduler does by the clock, run once each as it would run them: a message goes out, an overdue alert moves up."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from checkpoint import scheduler
from checkpoint.alerts.models import Alert
from checkpoint.channels.models import Delivery
from checkpoint.database import db
from tests.factories import NOW, alerting, people
from tests.factories.divisions import SITE
from tests.factories.outboxes import Outbox, hook, states


def test_every_job_runs_on_an_empty_database(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    jobs = scheduler.build(app).get_jobs()
    assert {"beat", "deadlines", "messages", "numbering", "watch"} <= {job.id for job in jobs}
    for job in jobs:
        job.func()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_messages_go_out_by_the_clock(freeze: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> None:
    box = Outbox()
    monkeypatch.setattr(scheduler, "send_due", lambda now: _send(now, box))
    hook(people.village_worker())
    alerting.alert(tier="red")
    freeze(NOW)
    assert scheduler.carry_messages() == 0
    assert states() == ["waiting"]
    freeze(NOW + timedelta(seconds=4))
    assert scheduler.carry_messages() == 1
    assert box.counts == [(1, 0, 0, 0)]
    assert scheduler.carry_messages() == 0
    assert db.session.query(Delivery).count() == 1


def _send(now: Callable[[], datetime], box: Outbox) -> int:
    from checkpoint.channels.sending import send_due

    return send_due(now, sender=box)


def test_all_that_is_overdue_moves_up_however_much_there_is(
    freeze: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "DEADLINE_CHUNK", 4)
    for _ in range(10):
        alerting.alert(tier="red")
    freeze(NOW + timedelta(minutes=15))
    assert scheduler.watch_deadlines(SITE) == 10
    assert {row.responsible_level for row in db.session.query(Alert)} == {4}


def test_the_watch_looks_by_the_clock(freeze: Callable[[datetime], None]) -> None:
    alerting.alert()
    freeze(NOW + timedelta(hours=4))
    assert scheduler.watch() == 1
    assert scheduler.watch() == 0
