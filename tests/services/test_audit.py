"""The audit trail: append-only, sealed in batches, and every later change found and named."""

import json
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from checkpoint.audit import queries
from checkpoint.audit.models import AuditEntry, AuditLink, AuditSeal
from checkpoint.audit.sealing import seal_all, seal_entries
from checkpoint.audit.service import record
from checkpoint.audit.verifying import Fault, Report, verify
from checkpoint.database import db, transaction

HOUR = timedelta(hours=1)


def _act(at: datetime, number: int = 1, act: str = "device.create") -> None:
    for position in range(number):
        with transaction():
            record(
                at=at,
                actor_kind="user",
                actor_id=f"user-{position % 3}",
                act=act,
                object_type="device",
                object_id=position,
                purpose="为了回访",
                data={"n": position, "rate": 0.5, "list": [1, None, "二"]},
            )


def _by_force(*statements: object) -> None:
    """Write to the tables as somebody does who owns the database."""
    with transaction() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL checkpoint.rewrite_audit = 'on'"))
        else:
            for table in ("audit_entry", "audit_seal", "audit_link"):
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]
    db.session.expunge_all()


def _faults(report: Report) -> set[tuple[Fault, int]]:
    return {(one.fault, one.number) for one in report.findings}


def _ids() -> list[int]:
    return list(db.session.scalars(db.select(AuditEntry.id).order_by(AuditEntry.id)))


@pytest.fixture
def trail(context: Flask, at: datetime) -> list[int]:
    """Nine entries in three seals; their ids."""
    _act(at, 9)
    while seal_entries(at, batch=3):
        pass
    return _ids()


def test_an_empty_trail_is_whole(context: Flask, at: datetime) -> None:
    report = verify(at)
    assert report.holds
    assert (report.entries, report.seals, report.waiting) == (0, 0, 0)


def test_what_is_sealed_and_what_waits_is_whole(trail: list[int], at: datetime) -> None:
    _act(at + HOUR, 2)
    report = verify(at + 5 * HOUR)
    assert report.findings == []
    assert (report.entries, report.seals, report.waiting) == (11, 3, 2)
    assert seal_all(at + 5 * HOUR) == 2
    assert verify(at + 5 * HOUR).waiting == 0


@pytest.mark.parametrize("statement", [update(AuditEntry).values(purpose="x"), delete(AuditEntry), delete(AuditSeal)])
def test_the_database_refuses_to_rewrite(trail: list[int], statement: object) -> None:
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(statement)  # type: ignore[call-overload]
    assert len(_ids()) == 9


@pytest.mark.parametrize(
    "values", [{"purpose": "another"}, {"actor_id": None}, {"data": {"n": 1}}, {"act": "device.revoke"}]
)
def test_an_altered_entry_is_named(trail: list[int], at: datetime, values: dict[str, object]) -> None:
    _by_force(update(AuditEntry).where(AuditEntry.id == trail[4]).values(values))
    assert _faults(verify(at)) == {(Fault.ALTERED, trail[4])}


def test_an_entry_altered_before_it_was_sealed_is_found(context: Flask, at: datetime) -> None:
    _act(at, 3)
    _by_force(update(AuditEntry).where(AuditEntry.id == _ids()[1]).values(purpose="another"))
    assert _faults(verify(at)) == {(Fault.INSERTED, _ids()[1])}
    seal_all(at)
    assert _faults(verify(at)) == {(Fault.INSERTED, _ids()[1])}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["data", "at", "stamp"])
def test_nonsense_in_an_entry_is_named_too(trail: list[int], at: datetime, column: str) -> None:
    """SQLite stores anything in any column."""
    _act(at)
    waiting = _ids()[-1]
    for number in (trail[4], waiting):
        _by_force(text(f"UPDATE audit_entry SET {column} = 'no[t {number}' WHERE id = {number}"))  # noqa: S608
    assert _faults(verify(at)) == {(Fault.ALTERED, trail[4]), (Fault.INSERTED, waiting)}


def test_a_removed_entry_is_named(trail: list[int], at: datetime) -> None:
    _by_force(delete(AuditEntry).where(AuditEntry.id == trail[5]))
    assert _faults(verify(at)) == {(Fault.REMOVED, trail[5])}


def test_removing_an_entry_with_its_link_breaks_the_seal(trail: list[int], at: datetime) -> None:
    _by_force(
        delete(AuditLink).where(AuditLink.entry_id == trail[5]), delete(AuditEntry).where(AuditEntry.id == trail[5])
    )
    assert _faults(verify(at)) == {(Fault.SEAL_ALTERED, 2)}


def test_an_inserted_entry_is_named_sealed_or_not(trail: list[int], at: datetime) -> None:
    written = {"at": at, "actor_kind": "user", "act": "user.open", "stamp": b"x" * 24}
    _by_force(db.insert(AuditEntry).values(written))
    forged = _ids()[-1]
    assert _faults(verify(at)) == {(Fault.INSERTED, forged)}
    seal_all(at)
    assert _faults(verify(at)) == {(Fault.INSERTED, forged)}


def test_an_entry_without_a_stamp_is_never_sealed_behind_the_chain(trail: list[int], at: datetime) -> None:
    _by_force(db.insert(AuditEntry).values({"at": at, "actor_kind": "user", "act": "user.open"}))
    assert seal_all(at) == 0
    assert _faults(verify(at)) == {(Fault.INSERTED, _ids()[-1])}


def test_a_copied_entry_is_named(trail: list[int], at: datetime) -> None:
    columns = [column for column in AuditEntry.__table__.columns if column.name != "id"]
    names = [column.name for column in columns]
    copy = db.insert(AuditEntry).from_select(names, db.select(*columns).where(AuditEntry.id == trail[2]))
    _by_force(copy)
    seal_all(at)
    assert _faults(verify(at)) == {(Fault.REPEATED, _ids()[-1])}


def test_an_entry_put_back_where_the_chain_has_passed_is_named(trail: list[int], at: datetime) -> None:
    _act(at + 3 * HOUR)
    seal_all(at + 3 * HOUR)
    _by_force(delete(AuditLink).where(AuditLink.entry_id == trail[0]))
    assert {(Fault.INSERTED, trail[0]), (Fault.SEAL_ALTERED, 1)} == _faults(verify(at + 3 * HOUR))


def test_a_changed_seal_breaks_the_chain_there(trail: list[int], at: datetime) -> None:
    _by_force(update(AuditSeal).where(AuditSeal.number == 2).values(hash=b"x" * 32))
    assert _faults(verify(at)) == {(Fault.SEAL_ALTERED, 2), (Fault.SEAL_ALTERED, 3)}


def test_a_removed_seal_is_named(trail: list[int], at: datetime) -> None:
    _by_force(delete(AuditLink).where(AuditLink.seal_number == 2), delete(AuditSeal).where(AuditSeal.number == 2))
    found = _faults(verify(at))
    assert (Fault.SEAL_REMOVED, 2) in found
    assert (Fault.SEAL_ALTERED, 3) in found


def test_a_chain_that_is_cut_off_at_its_end_is_noticed(trail: list[int], at: datetime) -> None:
    _by_force(
        delete(AuditLink).where(AuditLink.seal_number == 3),
        delete(AuditSeal).where(AuditSeal.number == 3),
        delete(AuditEntry).where(AuditEntry.id.in_(trail[6:])),
    )
    assert _faults(verify(at)) == {(Fault.CUT_OFF, 3)}


def test_rows_from_before_the_chain_are_taken_up_first(context: Flask, at: datetime) -> None:
    old = [{"at": at - HOUR, "actor_kind": "user", "act": "user.open"} for _ in range(5)]
    _by_force(db.insert(AuditEntry).values(old))
    _act(at, 2)
    assert [seal_entries(at, batch=3) for _ in range(4)] == [3, 2, 2, 0]
    report = verify(at)
    assert report.findings == []
    assert report.seals == 3
    assert [seal.is_old for seal in db.session.scalars(db.select(AuditSeal).order_by(AuditSeal.number))] == [
        True,
        True,
        False,
    ]
    _by_force(update(AuditEntry).where(AuditEntry.id == _ids()[0]).values(act="user.close"))
    assert _faults(verify(at)) == {(Fault.ALTERED, _ids()[0])}


def test_an_entry_that_was_committed_late_is_sealed_all_the_same(trail: list[int], at: datetime) -> None:
    """Its id lies below what is sealed, as when two transactions end in another order than they began."""
    entry = queries.page(queries.Search())[0][0]
    values = {name: getattr(entry, name) for name in ("at", "actor_kind", "actor_id", "act", "stamp")}
    values |= {name: getattr(entry, name) for name in ("object_type", "object_id", "purpose", "data")}
    _act(at)
    late = _ids()[-1]
    _by_force(update(AuditEntry).where(AuditEntry.id == late).values(id=late + 100))
    seal_all(at)
    _by_force(db.insert(AuditEntry).values({**values, "id": late + 50}))
    assert seal_all(at + timedelta(minutes=5)) == 1


def test_searching_and_exporting(trail: list[int], at: datetime) -> None:
    _act(at + HOUR, 1, act="user.open")
    rows, more = queries.page(queries.Search(actor_id="user-1"))
    assert [row.object_id for row in rows] == ["7", "4", "1"]
    assert more is None
    assert [row.act for row in queries.page(queries.Search(act="user."))[0]] == ["user.open"]
    assert len(queries.page(queries.Search(purpose="回访"))[0]) == 10
    assert len(queries.page(queries.Search(until=at))[0]) == 0
    assert len(queries.page(queries.Search(since=at, until=at + HOUR))[0]) == 9
    first, before = queries.page(queries.Search(), limit=4)
    second, _ = queries.page(queries.Search(), before=before, limit=4)
    assert [row.id for row in (*first, *second)] == _ids()[:1:-1]
    assert queries.acts() == ["device.create", "user.open"]
    lines = [json.loads(line) for line in queries.lines(queries.Search())]
    assert [line["id"] for line in lines] == _ids()
    assert [line["seal"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3, None]
    assert lines[4]["data"] == {"n": 4, "rate": 0.5, "list": [1, None, "二"]}


def test_the_command_line_says_whether_it_holds(trail: list[int], app: Flask, at: datetime) -> None:
    run = app.test_cli_runner()
    good = run.invoke(args=["audit", "verify", "--json"])
    assert good.exit_code == 0
    assert json.loads(good.output)["entries"] == 9
    _by_force(update(AuditEntry).where(AuditEntry.id == trail[4]).values(purpose="another"))
    bad = run.invoke(args=["audit", "verify"])
    assert bad.exit_code == 1
    assert f"altered: {trail[4]}" in bad.output
    exported = run.invoke(args=["audit", "export", "--act", "device."])
    assert len(exported.output.splitlines()) == 9
