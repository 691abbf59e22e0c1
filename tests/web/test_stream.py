"""The stream over a real socket: every reader gets what is theirs once and in order, whatever happens to connections and commits."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, update

from checkpoint.accounts.models import ApiToken, Role, User
from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.alerts.service import NewAlert, alert_row, feed_row
from checkpoint.database import db, transaction
from checkpoint.live import Hub
from checkpoint.risk.policy import default_policy
from checkpoint.web import stream
from tests.factories import NOW, alerting, people
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, SITE, TOWN, VILLAGE
from tests.factories.serving import Event, Listener, serving


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving(app) as found:
        yield found


@pytest.fixture
def listen(app: Flask, address: str) -> Iterator[Callable[..., Listener]]:
    """Open a stream as a role in a division; all are closed at the end."""
    opened: list[Listener] = []
    tokens: dict[tuple[Role, str], str] = {}

    def start(role: Role = Role.VILLAGE, division: str = VILLAGE, **where: int) -> Listener:
        if (role, division) not in tokens:
            with app.app_context():
                tokens[role, division] = people.token(role, division)
        listener = Listener(address, people.bearer(tokens[role, division]), **where)
        opened.append(listener)
        return listener.wait_connected() if listener.status == 200 else listener

    yield start
    for listener in opened:
        listener.close()


def raised(app: Flask, *divisions: str) -> list[str]:
    with app.app_context():
        return [str(alerting.alert(division)) for division in divisions]


def alerts_of(events: list[Event]) -> list[str]:
    return [event.data["alert"] for event in events]


def increasing(events: list[Event]) -> bool:
    numbers = [event.seq for event in events]
    return all(one < other for one, other in itertools.pairwise(numbers))


def test_an_event_says_which_alert_and_nothing_of_a_person(app: Flask, listen: Callable[..., Listener]) -> None:
    reader = listen()
    assert reader.response.headers["Content-Type"].startswith("text/event-stream")
    assert reader.response.headers["X-Accel-Buffering"] == "no"
    assert reader.response.headers["Cache-Control"] == "no-store"
    [alert] = raised(app, VILLAGE)
    [event] = reader.take(1)
    assert (event.seq, event.event) == (1, "alert")
    assert event.data == {"alert": alert, "division": VILLAGE, "event": "alert", "at": NOW.isoformat()}


def test_a_village_hears_its_own_and_the_levels_above_hear_all(app: Flask, listen: Callable[..., Listener]) -> None:
    village, second = listen(), listen(division=SECOND_VILLAGE)
    town, command = listen(Role.TOWN, TOWN), listen(Role.COMMAND, SITE)
    mine, theirs, far, last = raised(app, VILLAGE, SECOND_VILLAGE, OTHER_VILLAGE, VILLAGE)
    assert alerts_of(command.take(4)) == [mine, theirs, far, last]
    assert alerts_of(town.take(3)) == [mine, theirs, last]
    assert alerts_of(village.take(2)) == [mine, last]
    assert alerts_of(second.take(1)) == [theirs]
    assert all(reader.nothing_more(0.2) for reader in (village, second, town, command))


def test_writers_at_once_reach_every_reader_once_and_in_order(app: Flask, listen: Callable[..., Listener]) -> None:
    readers = [listen(Role.COMMAND, SITE), listen(Role.TOWN, TOWN), listen()]
    made: list[str] = []

    def write() -> None:
        made.extend(raised(app, *([VILLAGE] * 15)))

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(set(made)) == 60
    streams = [reader.take(60, timeout=20) for reader in readers]
    assert all(reader.nothing_more(0.2) for reader in readers)
    for events in streams:
        assert increasing(events)
        assert sorted(alerts_of(events)) == sorted(made)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_an_earlier_transaction_that_commits_later_is_lost_by_nobody(
    app: Flask, listen: Callable[..., Listener]
) -> None:
    readers = [listen(), listen(Role.TOWN, TOWN), listen(Role.COMMAND, SITE)]
    early, late = (NewAlert("registration", cause, VILLAGE, "red", True) for cause in ("early", "late"))
    with app.app_context(), db.engine.connect() as slow, db.engine.connect() as quick:
        for connection, new in ((slow, early), (quick, late)):
            connection.execute(insert(Alert), [alert_row(new, default_policy(), NOW)])
            connection.execute(insert(FeedEntry), [feed_row("alert", new.id, VILLAGE, NOW)])
        quick.commit()
        first = [reader.take(1)[0] for reader in readers]
        assert alerts_of(first) == [str(late.id)] * 3
        assert all(reader.nothing_more(0.3) for reader in readers)
        slow.commit()
    second = [reader.take(1)[0] for reader in readers]
    assert alerts_of(second) == [str(early.id)] * 3
    assert all(later.seq > earlier.seq for earlier, later in zip(first, second, strict=True))
    assert all(reader.nothing_more(0.3) for reader in readers)
    back = listen(last=first[0].seq)
    assert alerts_of(back.take(1)) == [str(early.id)]


@pytest.mark.parametrize("ring", [1000, 2], ids=["from the ring", "from the database"])
def test_coming_back_loses_and_repeats_nothing(app: Flask, listen: Callable[..., Listener], ring: int) -> None:
    screens = stream.screens_of(app)
    screens.hub = Hub(lambda after: stream.read_feed(app, after), ring)
    reader = listen()
    before = raised(app, *([VILLAGE] * 3))
    seen = reader.take(3)
    reader.close()
    away = raised(app, VILLAGE, OTHER_VILLAGE, VILLAGE, VILLAGE, OTHER_VILLAGE, VILLAGE)
    watcher = listen(Role.COMMAND, SITE, last=seen[-1].seq)
    assert alerts_of(watcher.take(6)) == away
    back = listen(last=seen[-1].seq)
    after = raised(app, VILLAGE)
    events = back.take(5)
    assert alerts_of(events) == [away[0], away[2], away[3], away[5], *after]
    assert increasing([*seen, *events])
    assert back.nothing_more()
    assert alerts_of(seen) == before


def test_a_page_goes_on_from_the_number_it_was_made_at(app: Flask, listen: Callable[..., Listener]) -> None:
    raised(app, VILLAGE)
    with app.app_context():
        feed.number()
    [meanwhile] = raised(app, VILLAGE)
    assert alerts_of(listen(after=1).take(1)) == [meanwhile]
    assert listen().nothing_more(), "without a number it starts now"


def test_a_number_from_before_a_restored_database_starts_anew(app: Flask, listen: Callable[..., Listener]) -> None:
    raised(app, VILLAGE)
    reader = listen(last=4711)
    [reset] = reader.take(1)
    assert (reset.event, reset.data) == ("reset", {"seq": 1})
    [alert] = raised(app, VILLAGE)
    assert alerts_of(reader.take(1)) == [alert]


def test_one_screen_too_many_is_told_to_come_back(app: Flask, listen: Callable[..., Listener], address: str) -> None:
    stream.screens_of(app).limit = 2
    readers = [listen(), listen()]
    refused = listen()
    assert refused.status == 503
    assert int(refused.response.headers["Retry-After"]) >= stream.RETRY_SECONDS
    assert json.loads(refused.response.read())["status"] == 503
    readers[0].close()
    raised(app, VILLAGE)  # the next write to the closed socket shows that nobody is there
    raised(app, VILLAGE)
    deadline = time.monotonic() + 10
    while stream.screens_of(app).open == 2 and time.monotonic() < deadline:
        raised(app, VILLAGE)
        time.sleep(0.05)
    assert listen().status == 200


def test_a_waiting_screen_pings_and_holds_no_connection(
    app: Flask, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PING_SECONDS", 0.1)
    readers = [listen(Role.COMMAND, SITE) for _ in range(8)]
    deadline = time.monotonic() + 5
    while any(": ping" not in reader.comments for reader in readers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with app.app_context():
        engine = db.engine
    busy = [engine.pool.checkedout() for _ in range(50) if not time.sleep(0.01)]  # type: ignore[attr-defined]
    assert min(busy) == 0
    assert max(busy) <= 1, "only the hub reads"


def test_a_revoked_token_ends_its_stream(
    app: Flask, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "RECHECK_SECONDS", 0.1)
    reader, other = listen(), listen(Role.TOWN, TOWN)
    with app.app_context(), transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.role == Role.VILLAGE).values(revoked_at=NOW))
    assert reader.ended.wait(10)
    assert not other.ended.is_set()


def test_a_closed_account_ends_its_stream(
    app: Flask, address: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "RECHECK_SECONDS", 0.1)
    with app.app_context():
        user = people.user()
    client.post("/login", data={"login": "village", "password": people.PASSWORD})
    cookie = client.get_cookie("session")
    assert cookie is not None
    reader = Listener(address, {"Cookie": f"session={cookie.value}"}).wait_connected()
    [alert] = raised(app, VILLAGE)
    assert alerts_of(reader.take(1)) == [alert]
    with app.app_context(), transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(session_epoch="another"))
    assert reader.ended.wait(10)
    reader.close()


def test_the_streams_end_with_the_worker(app: Flask, listen: Callable[..., Listener]) -> None:
    readers = [listen(), listen()]
    stream.close_streams(app)
    assert all(reader.ended.wait(2) for reader in readers)


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.OFFICER, 403), (Role.AUDITOR, 403)])
def test_only_those_who_may_read_alerts(app: Flask, address: str, role: Role | None, status: int) -> None:
    headers = {}
    if role is not None:
        with app.app_context():
            headers = people.bearer(people.token(role, SITE))
    reader = Listener(address, headers)
    assert reader.status == status
    assert reader.response.headers["Content-Type"] == "application/problem+json"
    reader.close()
    assert stream.screens_of(app).open == 0


def test_a_feed_that_was_emptied_keeps_the_readers(app: Flask, listen: Callable[..., Listener]) -> None:
    """Old entries may be purged while somebody listens."""
    reader = listen()
    raised(app, VILLAGE, VILLAGE)
    seen = reader.take(2)
    with app.app_context(), transaction() as session:
        session.execute(delete(FeedEntry).where(FeedEntry.seq == seen[0].seq))
    [alert] = raised(app, VILLAGE)
    assert alerts_of(reader.take(1)) == [alert]
