"""No hot request reads a large table from end to end: every statement it sends is explained by PostgreSQL.

With few rows the planner would read any table whole. It is told to avoid that where an index can serve, so that what is still read
from end to end has no index to serve it, and would get slower with every person who is registered.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, text

from checkpoint import scheduler
from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts import feed
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.database import db
from checkpoint.risk.service import current_state
from tests.factories import NOW, declarations, lists
from tests.factories.divisions import SITE
from tests.web.api_support import Api, integration, scan_of, tablet
from tests.web.test_inbox import FRAGMENT, signed_in

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)

# What grows with every person, crossing or message.
LARGE = {
    "alert",
    "alert_event",
    "alert_receipt",
    "approval_holder",
    "assessment",
    "audit_entry",
    "company_member",
    "crossing",
    "crossing_decision",
    "delivery",
    "feed_entry",
    "follow_up",
    "inquiry_hit",
    "officer_shift",
    "pass",
    "registration",
    "registration_act",
    "spot_test",
    "stay",
    "test_result",
    "traveller",
    "traveller_report",
    "vehicle_crossing",
    "vehicle_passenger",
}

Seen = list[tuple[str, Any]]


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@contextmanager
def seen_by(app: Flask) -> Iterator[Seen]:
    """The reading statements that are sent meanwhile, with their values."""
    seen: Seen = []

    def note(_connection: Connection, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.split(None, 1)[0].upper() in ("SELECT", "UPDATE", "DELETE", "WITH"):
            seen.append((statement, values))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def whole_reads(app: Flask, seen: Seen) -> list[str]:
    """Which of the statements read a large table from end to end, and how the planner would."""
    found = []
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, values in {sql: (sql, given) for sql, given in seen}.values():
            with connection.begin_nested() as savepoint:
                found += [
                    f"{node}: {' '.join(statement.split())}" for node in _read_whole(connection, statement, values)
                ]
                savepoint.rollback()
        connection.rollback()
    return found


def _read_whole(connection: Connection, statement: str, values: Any) -> list[str]:
    """Of few rows the planner may read a short index whole though a better one is there: it is asked again without the short one."""
    raw = connection.connection.cursor()
    while True:
        raw.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
        answer: Any = raw.fetchone()
        found = list(_whole(answer[0][0]["Plan"]))
        in_the_way = [index for _node, index in found if index.startswith("ix_")]
        if not in_the_way:
            return [node for node, _index in found]
        raw.execute(f"DROP INDEX {in_the_way[0]}")


def _whole(node: dict[str, Any], is_bounded: bool = False, above: str | None = None) -> Iterator[tuple[str, str]]:
    """The nodes that read a large table whole, and by which index. Reading an index in its order is fine where a limit ends it."""
    kind, table, index = node["Node Type"], node.get("Relation Name", above), node.get("Index Name", "")
    is_bounded = is_bounded or kind == "Limit"
    by_order = (
        kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan") and "Index Cond" not in node and not is_bounded
    )
    if table in LARGE and (kind == "Seq Scan" or by_order):
        yield f"{kind} of {table}", index
    for below in node.get("Plans", ()):
        # A sort or a sum needs all of what is below it, whatever ends above.
        yield from _whole(below, is_bounded and kind not in ("Sort", "Aggregate", "Hash", "WindowAgg"), table)


def _escalate(at: datetime) -> None:
    escalate_overdue(actor=system_actor(SITE), at=at, policy=current_state(at).policy)


@pytest.fixture
def village(app: Flask, client: FlaskClient) -> FlaskClient:
    """A village worker with somebody on the way, somebody inside, and an alert that is overdue."""
    with app.app_context():
        lists.in_force()
    gate = tablet(app, app.test_client())
    for number in (1, 2):
        issued = Api(app.test_client()).declare(number)["pass"]
        if number == 1:
            scan = scan_of(issued["token"])
            gate.post("/scans", scan)
            gate.post(
                f"/scans/{scan['scan_id']}/decision",
                {"decision": "admitted", "note": "为了测试"},
            )
    with app.app_context():
        _escalate(NOW + timedelta(days=1))
        feed.number()
        db.session.remove()
    return signed_in(app, client)


def test_a_table_without_an_index_for_it_is_found(app: Flask) -> None:
    with seen_by(app) as seen, app.app_context():
        db.session.execute(text("SELECT id FROM registration WHERE plate_sealed IS NULL"))
        db.session.execute(text("SELECT count(*) FROM traveller"))
        db.session.execute(text("SELECT id FROM registration ORDER BY id LIMIT 5"))
        db.session.execute(text("SELECT id FROM registration WHERE id = :id"), {"id": uuid.uuid4()})
        db.session.remove()
    tables = [line.partition(":")[0].rpartition(" of ")[2] for line in whole_reads(app, seen)]
    assert tables == ["registration", "traveller"]


def test_registering_scanning_deciding(app: Flask, village: FlaskClient) -> None:
    gate, public = tablet(app, app.test_client(), "G15"), Api(app.test_client())
    with seen_by(app) as seen:
        issued = public.declare(3, companions=[declarations.companion()])["pass"]
        scan = scan_of(issued["token"])
        assert gate.post("/scans", scan).status_code == 200
        decision = {"decision": "admitted", "note": "为了测试"}
        assert gate.post(f"/scans/{scan['scan_id']}/decision", decision).status_code == 200
        assert app.test_client().get(issued["url"]).status_code == 200
    assert len(seen) > 15
    assert whole_reads(app, seen) == []


def test_the_inbox_and_its_stream(app: Flask, village: FlaskClient) -> None:
    machine = integration(app, app.test_client())
    with seen_by(app) as seen:
        for path in ("/inbox", "/inbox?state=open", "/inbox?state=done", "/inbox?kind=arrival", "/account"):
            assert village.get(path).status_code in (200, 303)
        assert village.get("/inbox", headers=FRAGMENT).status_code == 200
        page = village.get("/inbox").text
        person = re.search(r'href="(/inbox/[^"]+)"', page)
        assert person is not None
        assert village.get(person[1]).status_code == 200
        assert machine.get("/alerts").status_code == 200
        assert machine.get("/alerts?after=0").status_code == 200
    assert len(seen) > 15
    assert whole_reads(app, seen) == []


def test_what_the_scheduler_asks_every_few_seconds(app: Flask, village: FlaskClient) -> None:
    with seen_by(app) as seen, app.app_context():
        feed.number()
        scheduler.watch_deadlines(SITE)
        scheduler.carry_messages()
        scheduler.follow_up()
        scheduler.walk_rounds()
        db.session.remove()
    assert len(seen) > 5
    assert whole_reads(app, seen) == []
