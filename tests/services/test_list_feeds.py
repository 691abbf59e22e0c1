"""Lists that come by the clock: a draft for a person, a source that falls silent, addresses that must not be called."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotAllowed
from checkpoint.risk.models import ListState, RiskList
from checkpoint.surveillance.feeds import NewFeed, add_feed, feeds, fetch_due, set_feed_active, tell_silence
from checkpoint.surveillance.models import RiskFeed
from tests.factories import NOW, people
from tests.factories.inside import put
from tests.factories.lists import FENGJING

HOUR = timedelta(hours=1)
GOOD_ROW = {"province": "上海市", "city": "上海市", "county": "金山区", "communitys": ["枫泾镇白牛路151弄"]}


def national(*texts: str) -> bytes:
    """A list as the authority publishes it."""
    entry = {"province": "上海市", "city": "上海市", "county": "金山区", "communitys": list(texts)}
    data = {
        "end_update_time": "2022-04-12 09时",
        "hcount": len(texts),
        "mcount": 0,
        "highlist": [entry] if texts else [],
        "middlelist": [],
    }
    return json.dumps({"data": data}, ensure_ascii=False).encode()


class Source:
    """A loopback server that answers what a test puts into it."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, national("枫泾镇白牛路151弄"), 0
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.asked += 1
                self.send_response(source.status)
                self.send_header("Content-Length", str(len(source.body)))
                self.end_headers()
                self.wfile.write(source.body)

            def log_message(self, *_given: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/list.json?key=secret"


@contextmanager
def _served() -> Iterator[Source]:
    source = Source()
    thread = threading.Thread(target=source.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield source
    finally:
        source.server.shutdown()
        source.server.server_close()
        thread.join(5)


@pytest.fixture
def source() -> Iterator[Source]:
    with _served() as found:
        yield found


@pytest.fixture
def private(app: Flask) -> None:
    """As with ALLOW_PRIVATE_TARGETS=1."""
    from dataclasses import replace

    app.extensions["settings"] = replace(app.extensions["settings"], allow_private_targets=True)


def _add(source: Source, **more: Any) -> RiskFeed:
    return add_feed(NewFeed("国家名单", source.url, **more), actor=people.operator(), at=NOW)


def _alerts(kind: str) -> list[Alert]:
    db.session.expire_all()
    return list(db.session.scalars(select(Alert).where(Alert.kind == kind).order_by(Alert.created_at)))


@pytest.mark.usefixtures("private")
def test_a_list_comes_as_a_draft_and_command_is_told_once(source: Source) -> None:
    put(FENGJING)
    _add(source)
    assert fetch_due(NOW) == 1
    draft = db.session.scalars(select(RiskList).order_by(RiskList.id.desc())).first()
    assert draft is not None
    assert draft.state == ListState.DRAFT
    told = _alerts("list_draft")
    assert [(one.division_code, one.params["list_id"]) for one in told] == [(people.SITE, draft.id)]
    assert fetch_due(NOW + timedelta(minutes=30)) == 0  # not yet its time
    assert fetch_due(NOW + HOUR) == 1
    assert source.asked == 2
    assert len(_alerts("list_draft")) == 1


@pytest.mark.usefixtures("private")
def test_a_trusted_source_publishes_at_once_but_not_a_collapsed_list(source: Source) -> None:
    _add(source, publishes=True)
    source.body = national(*(f"枫泾镇白牛路{number}弄" for number in range(1, 121)))
    fetch_due(NOW)
    states = select(RiskList.state).order_by(RiskList.id)
    assert db.session.scalars(states).all() == [ListState.PUBLISHED]
    source.body = national("枫泾镇白牛路1弄")
    fetch_due(NOW + HOUR)
    assert db.session.scalars(states).all() == [ListState.PUBLISHED, ListState.DRAFT]
    assert len(_alerts("list_draft")) == 1


@pytest.mark.usefixtures("private")
def test_silence_is_told_once_and_taken_back_when_it_ends(source: Source) -> None:
    feed = _add(source, silent_hours=3)
    fetch_due(NOW)
    source.status = 503
    for hours in (1, 2, 3, 4, 5, 6):
        fetch_due(NOW + hours * HOUR)
    told = _alerts("feed_silent")
    assert [(one.division_code, one.state) for one in told] == [(people.SITE, "open")]
    assert told[0].params["problem"] == "status"
    source.status = 200
    fetch_due(NOW + 7 * HOUR)
    assert [one.state for one in _alerts("feed_silent")] == ["retracted"]
    tell_silence(NOW + 11 * HOUR)
    assert [one.state for one in _alerts("feed_silent")] == ["retracted", "open"]
    set_feed_active(feed.id, False, actor=people.operator(), at=NOW + 12 * HOUR)
    assert [one.state for one in _alerts("feed_silent")] == ["retracted", "retracted"]
    assert fetch_due(NOW + 20 * HOUR) == 0


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (404, b"", "status"),
        (302, b"", "status"),
        (200, b"<html>", "unreadable_list"),
        (200, b"", "unreadable_list"),
        (200, json.dumps({"data": {"highlist": [GOOD_ROW, GOOD_ROW | {"province": ""}]}}).encode(), "wrong_rows"),
    ],
)
def test_what_is_no_list_is_said(source: Source, status: int, body: bytes, problem: str) -> None:
    _add(source)
    source.status, source.body = status, body
    assert fetch_due(NOW) == 0
    db.session.expire_all()
    assert feeds()[0].problem == problem
    assert db.session.scalars(select(RiskList)).all() == []


def test_private_addresses_are_not_called(source: Source) -> None:
    with pytest.raises(InvalidInput) as refused:
        _add(source)
    assert [one.field for one in refused.value.errors] == ["url"]
    inside = add_feed(
        NewFeed("里面", f"https://localhost:{source.server.server_port}/"), actor=people.operator(), at=NOW
    )
    assert fetch_due(NOW) == 0
    db.session.expire_all()
    assert db.session.get_one(RiskFeed, inside.id).problem == "forbidden_address"
    assert source.asked == 0


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        add_feed(NewFeed("", "ftp://a.b", 1, 0), actor=people.operator(), at=NOW)
    assert {one.field for one in refused.value.errors} == {"name", "url", "interval_minutes", "silent_hours"}
    with pytest.raises(NotAllowed):
        add_feed(NewFeed("名单", "https://example.com/list"), actor=people.village_worker(), at=NOW)


@pytest.mark.usefixtures("private")
def test_two_schedulers_fetch_a_source_once(app: Flask, source: Source) -> None:
    _add(source)
    db.session.remove()
    ready = threading.Barrier(2)

    def one() -> None:
        with app.app_context():
            ready.wait(10)
            fetch_due(NOW)
            db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert source.asked == 1
