"""A new sealing key: values are sealed anew while the instance serves, kills and late writers lose nothing, the old key can go."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from checkpoint.accounts.permissions import system_actor
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db, transaction
from checkpoint.errors import NotFound
from checkpoint.privacy import Keyring, SealBroken, keyring, load_keyring, seal_bytes, unseal_bytes
from checkpoint.registrations.models import Traveller
from checkpoint.upkeep import keys, resealing
from checkpoint.upkeep.keys import RETIRE_AFTER, KeyStillNeeded
from checkpoint.upkeep.models import SealingSweep
from checkpoint.upkeep.resealing import reseal
from checkpoint.upkeep.sealed import SUFFIX, sealed_tables
from tests.factories import NOW, anything, declarations, inside

OPERATOR = system_actor("")
LATER = NOW + RETIRE_AFTER


@pytest.fixture
def secrets(context: Flask) -> dict[tuple[str, uuid.UUID, str], bytes]:
    """Two rows in every table that has sealed columns, each with its own secret, by table, row and name."""
    found: dict[tuple[str, uuid.UUID, str], bytes] = {}
    with transaction() as session:
        made = anything.fill(session.connection(), db.metadata.sorted_tables)
        for sealed in sealed_tables():
            for row in made[sealed.table.name]:
                values = {}
                for name in sealed.values:
                    secret = f"{sealed.table.name} {name} {row['id']}".encode()
                    values[name + SUFFIX] = seal_bytes(keyring(), secret, sealed.table.name, name, row["id"])
                    found[sealed.table.name, row["id"], name] = secret
                session.execute(update(sealed.table).where(sealed.table.c.id == row["id"]).values(values))
        session.query(SealingSweep).delete()
    return found


def opened(ring: Keyring | None = None) -> dict[tuple[str, uuid.UUID, str], bytes]:
    """Everything that is sealed, opened."""
    db.session.rollback()
    return {
        (sealed.table.name, row.id, name): unseal_bytes(
            ring or keyring(), getattr(row, name + SUFFIX), sealed.table.name, name, row.id
        )
        for sealed in sealed_tables()
        for row in db.session.execute(select(sealed.table))
        for name in sealed.values
        if getattr(row, name + SUFFIX) is not None
    }


def numbers() -> set[int]:
    """The keys under which anything is sealed."""
    db.session.rollback()
    return {
        getattr(row, name + SUFFIX)[0]
        for sealed in sealed_tables()
        for row in db.session.execute(select(sealed.table))
        for name in sealed.values
        if getattr(row, name + SUFFIX) is not None
    }


def finish() -> int:
    """Seal anew until nothing is left to do."""
    done = 0
    for _ in range(20):
        done += reseal(lambda: NOW, seconds=60)
        if keys.state().is_done:
            return done
    raise AssertionError("it never ends")


def test_everything_comes_under_the_new_key(secrets: dict[tuple[str, uuid.UUID, str], bytes]) -> None:
    assert keys.rotate(actor=OPERATOR, at=NOW) == 2
    assert opened() == secrets  # read as before while nothing has been done
    assert not keys.state().is_done
    rows = len({(table, row) for table, row, _name in secrets})
    assert finish() == rows
    assert (numbers(), opened()) == ({2}, secrets)
    assert reseal(lambda: NOW, seconds=60) == 0
    assert {(key.number, key.values) for key in keys.state(count=True).keys} == {(1, 0), (2, len(secrets))}
    assert {
        row.act for row in db.session.scalars(select(AuditEntry).where(AuditEntry.object_type == "sealing_key"))
    } == {
        "keys.added",
        "keys.used",
    }


def test_with_one_key_there_is_nothing_to_do(secrets: dict[tuple[str, uuid.UUID, str], bytes]) -> None:
    assert reseal(lambda: NOW, seconds=60) == 0
    assert keys.state().is_done
    assert db.session.query(SealingSweep).count() == 0


def test_a_retired_key_is_gone_and_everything_still_opens(
    app: Flask, secrets: dict[tuple[str, uuid.UUID, str], bytes]
) -> None:
    old = keyring()
    keys.rotate(actor=OPERATOR, at=NOW)
    finish()
    assert keys.retire(1, actor=OPERATOR, at=LATER) == 0
    assert opened() == secrets
    assert set(keyring().sealing) == set(load_keyring(app.extensions["settings"].data).sealing) == {2}
    with pytest.raises(SealBroken):
        unseal_bytes(keyring(), seal_bytes(old, b"x", "t", "c", uuid.UUID(int=1)), "t", "c", uuid.UUID(int=1))


def test_a_key_is_kept_while_any_value_needs_it(secrets: dict[tuple[str, uuid.UUID, str], bytes]) -> None:
    old = keyring()
    keys.rotate(actor=OPERATOR, at=NOW)
    with pytest.raises(KeyStillNeeded, match="traveller 6"):
        keys.retire(1, actor=OPERATOR, at=LATER)
    finish()
    # A transaction that had the old key in hand commits behind the walk.
    person = next(row for table, row, name in secrets if (table, name) == ("traveller", "name"))
    with transaction() as session:
        late = seal_bytes(old, secrets["traveller", person, "name"], "traveller", "name", person)
        session.execute(update(Traveller).where(Traveller.id == person).values(name_sealed=late))
    with pytest.raises(KeyStillNeeded, match="traveller 1"):
        keys.retire(1, actor=OPERATOR, at=LATER)
    assert not keys.state().is_done
    assert finish() == 1
    keys.retire(1, actor=OPERATOR, at=LATER)
    assert opened() == secrets


def test_nothing_is_retired_that_may_be_in_somebody_s_hand(secrets: dict[tuple[str, uuid.UUID, str], bytes]) -> None:
    with pytest.raises(KeyStillNeeded, match="seals now"):
        keys.retire(1, actor=OPERATOR, at=LATER)
    keys.rotate(actor=OPERATOR, at=NOW)
    finish()
    with pytest.raises(KeyStillNeeded, match="hour"):
        keys.retire(1, actor=OPERATOR, at=LATER - timedelta(seconds=1))
    with pytest.raises(NotFound):
        keys.retire(9, actor=OPERATOR, at=LATER)
    with pytest.raises(NotFound):
        keys.use(9, actor=OPERATOR, at=LATER)


def test_a_damaged_value_is_left_and_told_and_holds_nothing_up(
    secrets: dict[tuple[str, uuid.UUID, str], bytes],
) -> None:
    person = next(row for table, row, name in secrets if (table, name) == ("traveller", "name"))
    with transaction() as session:
        session.execute(update(Traveller).where(Traveller.id == person).values(name_sealed=b"\x01" + b"x" * 40))
    keys.rotate(actor=OPERATOR, at=NOW)
    finish()
    told = {row.table: row.broken for row in keys.state().tables if row.broken}
    assert told == {"traveller": 1}
    assert keys.retire(1, actor=OPERATOR, at=LATER) == 1  # nobody loses by it what could be read
    assert numbers() == {1, 2}


def test_a_second_rotation_before_the_first_is_done(secrets: dict[tuple[str, uuid.UUID, str], bytes]) -> None:
    keys.rotate(actor=OPERATOR, at=NOW)
    reseal(lambda: NOW, seconds=0.02)
    assert keys.rotate(actor=OPERATOR, at=NOW) == 3
    finish()
    assert (numbers(), opened()) == ({3}, secrets)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that a few rows take several."""
    monkeypatch.setattr(resealing, "LOOK", 5)
    monkeypatch.setattr(resealing, "CHUNK", 2)


@pytest.mark.usefixtures("small")
def test_a_kill_at_any_moment_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(13):
        inside.register(number)
    before = opened()
    keys.rotate(actor=OPERATOR, at=NOW)
    real, left = resealing.write, 0

    def die(*args: object) -> int:
        nonlocal left
        left -= 1
        done = real(*args)  # type: ignore[arg-type]
        if left < 0:
            raise Killed
        return done

    monkeypatch.setattr(resealing, "write", die)
    for left_ in range(40):
        left = left_ % 4
        try:
            reseal(lambda: NOW, seconds=60)
        except Killed:
            db.session.remove()
            continue
        break
    assert keys.state().is_done
    assert (numbers(), opened()) == ({2}, before)


@pytest.mark.usefixtures("small")
def test_while_people_register_and_change(app: Flask) -> None:
    for number in range(10):
        inside.register(number)
    stop, failed = threading.Event(), []
    written: list[str] = []

    def serve() -> None:
        number = 100
        while not stop.is_set() or number < 120:
            with app.app_context():
                try:
                    inside.register(number)
                    written.append(declarations.name(number))
                except Exception as error:
                    failed.append(error)
                    return
                finally:
                    db.session.remove()
            number += 1

    server = threading.Thread(target=serve)
    server.start()
    try:
        keys.rotate(actor=OPERATOR, at=NOW)
        finish()
    finally:
        stop.set()
        server.join()
    assert failed == []
    finish()
    found = opened()
    assert {
        value.decode() for (table, _row, name), value in found.items() if (table, name) == ("traveller", "name")
    } >= set(written)
    keys.retire(1, actor=OPERATOR, at=LATER)
    assert opened() == found


def test_a_value_copied_to_another_row_does_not_open() -> None:
    one, two = inside.register(1), inside.register(2)
    people = list(db.session.scalars(select(Traveller)))
    assert one.id != two.id
    assert len(people) == 2
    with transaction() as session:
        session.execute(update(Traveller).where(Traveller.id == people[0].id).values(name_sealed=people[1].name_sealed))
    db.session.expire_all()
    with pytest.raises(SealBroken):
        _ = people[0].name
    assert people[1].name


def test_the_commands(app: Flask, freeze: Callable[[datetime], None]) -> None:
    inside.register(1)
    freeze(NOW)
    run = app.test_cli_runner().invoke
    assert "There is one key." in run(args=["keys", "list"]).output
    assert "Key 2 seals" in run(args=["keys", "rotate"]).output
    assert "seals now" in run(args=["keys", "retire", "2"]).output
    assert "traveller" in run(args=["keys", "list", "--count"]).output
    assert run(args=["keys", "reseal"]).exit_code == 0
    assert "under the current key" in run(args=["keys", "list"]).output
    freeze(LATER)
    assert "Key 1 is gone" in run(args=["keys", "retire", "1"]).output
    refused = run(args=["keys", "retire", "1"])
    assert (refused.exit_code, "no key of this number" in refused.output) == (1, True)
    assert "does not seal yet" in run(args=["keys", "add"]).output
    assert "Key 3 seals" in run(args=["keys", "use", "3"]).output
