"""The drill: a backup while people register, a restore into an empty instance, and every backup that must be refused."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from checkpoint import create_app
from checkpoint.accounts.permissions import system_actor
from checkpoint.audit.models import AuditEntry, Heartbeat
from checkpoint.audit.sealing import seal_all
from checkpoint.audit.verifying import verify as verify_audit
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db, transaction
from checkpoint.privacy.keyfiles import KeysUnreadable
from checkpoint.registrations.models import Pass, Registration, Traveller
from checkpoint.registrations.service import pass_keys
from checkpoint.upkeep import archive, keys, scheduled
from checkpoint.upkeep.archive import BackupFailed, BackupUnreadable, Opener, WrongBackupKey
from checkpoint.upkeep.backup import BackupRefused, make, own_key
from checkpoint.upkeep.restore import RestoreRefused, opener_for, restore
from tests.factories import NOW, anything, databases, declarations, inside, instances

OPERATOR = system_actor("")
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
Rows = dict[str, list[Any]]


def everything(*, without: tuple[str, ...] = ()) -> Rows:
    """All rows of all tables, in an order of their own."""
    db.session.remove()
    with db.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in db.metadata.sorted_tables
            if table.name not in without
        }


def lists(app: Flask) -> Path:
    """Some files of an inquiry, one of them of two parts."""
    folder: Path = app.extensions["settings"].data / "inquiries" / ("ab" * 16)
    folder.mkdir(parents=True)
    (folder / "0001.rows").write_bytes(os.urandom(9 * 1024 * 1024))
    (folder / "index").write_bytes(b"")
    (folder / "index.new").write_bytes(b"half")
    return folder


@pytest.mark.parametrize("same", [True, False], ids=["same", "other"])
def test_everything_comes_back(
    app: Flask, backend: str, same: bool, tmp_path: Path, postgres: databases.Server
) -> None:
    with transaction() as session:
        anything.fill(session.connection(), db.metadata.sorted_tables)
    folder = lists(app)
    opener = Opener((own_key()[0],))
    before = everything()
    made = make(tmp_path / "b", actor=OPERATOR, at=NOW, with_keys=True)
    assert made.rows == sum(map(len, before.values()))
    target = backend if same else OTHER[backend]
    with instances.empty(target, tmp_path / "target", postgres) as restored:
        done = restore(tmp_path / "b", opener, actor=OPERATOR, at=NOW)
        assert (done.rows, done.made_at) == (made.rows, NOW)
        assert everything(without=("audit_entry",)) == {n: rows for n, rows in before.items() if n != "audit_entry"}
        acts = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [row.act for row in acts][-1] == "backup.restored"
        assert len(acts) == len(before["audit_entry"]) + 1  # its number went on behind the restored ones
        data: Path = restored.extensions["settings"].data
        copied = data / "inquiries" / folder.name
        assert (copied / "0001.rows").read_bytes() == (folder / "0001.rows").read_bytes()
        assert (copied / "index").read_bytes() == b""
        assert not (copied / "index.new").exists()
        assert (data / "regions.idx").exists()


def test_a_backup_while_people_register(app: Flask, backend: str, tmp_path: Path, postgres: databases.Server) -> None:
    numbers = iter(range(1000))
    answered: list[str] = []
    failed: list[BaseException] = []
    stop, begun = threading.Event(), threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with app.app_context():
                try:
                    answered.append(str(inside.register(next(numbers)).id))
                except BaseException as error:
                    failed.append(error)
                    return
                finally:
                    db.session.remove()
            if len(answered) >= 10:
                begun.set()

    server = threading.Thread(target=serve)
    server.start()
    try:
        assert begun.wait(60)
        before = list(answered)
        keys.add(actor=OPERATOR, at=NOW)
        seal_all(NOW)
        make(tmp_path / "b", actor=OPERATOR, at=NOW, with_keys=True)
        go_on = len(answered)
    finally:
        stop.set()
        server.join()
    assert failed == []
    opener = Opener((own_key()[0],))
    with instances.empty(backend, tmp_path / "target", postgres):
        restore(tmp_path / "b", opener, actor=OPERATOR, at=NOW)
        there = [str(one) for one in db.session.scalars(select(Registration.id))]
        assert len(there) == len(set(there))
        assert set(before) <= set(there) <= set(answered[: go_on + 1])
        # Whatever is there is there with all that belongs to it, and opens, and its pass is believed.
        assert db.session.scalar(select(func.count()).select_from(Traveller)) == len(there)
        assert {person.name for person in db.session.scalars(select(Traveller))} <= {
            declarations.name(number) for number in range(100)
        }
        tokens = db.session.scalars(select(Pass.token)).all()
        assert len(tokens) == len(there)
        assert {pass_keys().read(token, NOW).problem for token in tokens} == {None}
        report = verify_audit(NOW)
        assert report.findings == []
        assert report.entries > 0
        inside.register(999)  # and it lives


def test_an_old_backup_opens_after_its_key_was_retired(
    backend: str, tmp_path: Path, postgres: databases.Server
) -> None:
    inside.register(1)
    opener = Opener((own_key()[0],))
    make(tmp_path / "b", actor=OPERATOR, at=NOW, with_keys=True)
    keys.rotate(actor=OPERATOR, at=NOW)
    with instances.empty(backend, tmp_path / "target", postgres):
        restore(tmp_path / "b", opener, actor=OPERATOR, at=NOW)
        assert db.session.scalars(select(Traveller)).one().name == declarations.name(1)


class TestRefused:
    """One database is enough: none of this reaches one."""

    pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

    @pytest.fixture
    def made(self, tmp_path: Path) -> Path:
        inside.register(1)
        return make(tmp_path / "b", actor=OPERATOR, at=NOW).path

    @pytest.fixture
    def opener(self, made: Path) -> Opener:
        return Opener((own_key()[0],))

    @pytest.fixture
    def target(self, made: Path, opener: Opener, tmp_path: Path, postgres: databases.Server) -> Any:
        with instances.empty("sqlite", tmp_path / "target", postgres) as found:
            yield found
            assert db.session.scalar(select(func.count()).select_from(Registration)) == 0
            assert not (found.extensions["settings"].data / "regions.idx").exists()

    def test_an_instance_that_is_in_use(self, made: Path, opener: Opener) -> None:
        with pytest.raises(RestoreRefused, match="in use"):
            restore(made, opener, actor=OPERATOR, at=NOW)
        assert db.session.scalars(select(Traveller)).one().name == declarations.name(1)

    def test_an_instance_whose_scheduler_runs(self, made: Path, opener: Opener, target: Flask) -> None:
        with transaction() as session:
            session.execute(insert(Heartbeat), {"name": "scheduler", "at": NOW - timedelta(minutes=1)})
        with pytest.raises(RestoreRefused, match="scheduler"):
            restore(made, opener, actor=OPERATOR, at=NOW)

    def test_without_the_master_key(self, made: Path, opener: Opener, target: Flask) -> None:
        before = {path: path.read_bytes() for path in (target.extensions["settings"].data / "keys").glob("*.json")}
        with pytest.raises(KeysUnreadable, match="another master key"):
            restore(made, opener, actor=OPERATOR, at=NOW)
        assert {path: path.read_bytes() for path in before} == before

    def test_with_another_key(self, made: Path, target: Flask) -> None:
        with pytest.raises(WrongBackupKey):
            restore(made, opener_for(None), actor=OPERATOR, at=NOW)
        with pytest.raises(WrongBackupKey):
            restore(made, opener_for(archive.new_identity()[0]), actor=OPERATOR, at=NOW)

    def test_cut_short(self, made: Path, opener: Opener, target: Flask) -> None:
        whole = made.read_bytes()
        for left in (0, 10, 100, 250, len(whole) // 3, len(whole) // 2, len(whole) - 65536, len(whole) - 1):
            made.write_bytes(whole[:left])
            with pytest.raises((BackupUnreadable, WrongBackupKey)):
                restore(made, opener, actor=OPERATOR, at=NOW)

    def test_altered(self, made: Path, opener: Opener, target: Flask) -> None:
        whole = made.read_bytes()
        for place in (5, 40, 90, 300, len(whole) // 3, len(whole) // 2, len(whole) - 20, len(whole) - 1):
            altered = bytearray(whole)
            altered[place] ^= 1
            made.write_bytes(bytes(altered))
            with pytest.raises((BackupUnreadable, WrongBackupKey)):
                restore(made, opener, actor=OPERATOR, at=NOW)

    @pytest.mark.parametrize("content", [b"", b"hello", archive.FIRST_LINE + b"x\n", os.urandom(5000)])
    def test_no_backup_at_all(self, made: Path, opener: Opener, target: Flask, content: bytes) -> None:
        made.write_bytes(content)
        with pytest.raises((BackupUnreadable, WrongBackupKey)):
            restore(made, Opener(opener.identities, "x"), actor=OPERATOR, at=NOW)

    def test_a_well_made_file_that_is_no_backup(self, opener: Opener, target: Flask, tmp_path: Path) -> None:
        for members in ([], [("contents.json", b"{}")], [("manifest.json", b"[]"), ("contents.json", b"1")]):
            path = tmp_path / f"n{len(members)}"
            path.unlink(missing_ok=True)
            own = archive.write(path, members, recipients=(), passphrase=None)
            with pytest.raises(BackupUnreadable):
                restore(path, own, actor=OPERATOR, at=NOW)

    def test_nothing_is_written_over(self, made: Path) -> None:
        before = made.read_bytes()
        with pytest.raises(BackupRefused, match="already"):
            make(made, actor=OPERATOR, at=NOW)
        assert made.read_bytes() == before


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_with_a_passphrase_and_commands(
    environment: dict[str, str], tmp_path: Path, postgres: databases.Server
) -> None:
    secret = {"BACKUP_PASSPHRASE": "三个火枪手"}
    app = create_app({**environment, **secret})
    with app.app_context():
        inside.register(1)
        done = app.test_cli_runner().invoke(args=["backup", str(tmp_path / "b"), "--with-keys"])
    assert done.exit_code == 0, done.output
    databases.close(app)
    assert (tmp_path / "b").read_bytes().startswith(archive.FIRST_LINE)
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    with instances.empty("sqlite", tmp_path / "target", postgres, migrated=False, BACKUP_PASSPHRASE="x") as other:
        refused = other.test_cli_runner().invoke(args=["restore", str(tmp_path / "b")])
        assert (refused.exit_code, "does not open" in refused.output) == (1, True)
    with instances.empty("sqlite", tmp_path / "target", postgres, migrated=False, **secret) as other:
        done = other.test_cli_runner().invoke(args=["restore", str(tmp_path / "b")])
        assert done.exit_code == 0, done.output
        assert db.session.scalars(select(Traveller)).one().name == declarations.name(1)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_for_a_recipient_who_is_elsewhere(
    environment: dict[str, str], tmp_path: Path, postgres: databases.Server
) -> None:
    key = tmp_path / "backup.key"
    app = create_app(environment)
    recipient = app.test_cli_runner().invoke(args=["backup-key", str(key)]).output.strip()
    databases.close(app)
    assert archive.is_recipient(recipient)
    assert key.stat().st_mode & 0o077 == 0
    app = create_app({**environment, "BACKUP_RECIPIENTS": recipient})
    with app.app_context():
        inside.register(1)
        made = make(tmp_path / "b", actor=OPERATOR, at=NOW, with_keys=True)
        with pytest.raises(WrongBackupKey):
            restore_elsewhere(tmp_path / "no", postgres, made.path, None)
        restore_elsewhere(tmp_path / "yes", postgres, made.path, key.read_text().splitlines()[1])
    databases.close(app)


def restore_elsewhere(data: Path, postgres: databases.Server, path: Path, identity: str | None) -> None:
    with instances.empty("sqlite", data, postgres):
        restore(path, opener_for(identity), actor=OPERATOR, at=NOW)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_full_disk_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    """A process whose files may not grow beyond 100 kB, as on a disk that is full."""
    app = create_app(environment)
    with app.app_context():
        inside.register(1)
        own_key()
    databases.close(app)
    folder = tmp_path / "backups"
    folder.mkdir()
    program = (
        "import resource, signal\n"
        "from pathlib import Path\n"
        "from checkpoint import clock, create_app\n"
        "from checkpoint.accounts.permissions import system_actor\n"
        "from checkpoint.upkeep.backup import make\n"
        "from checkpoint.upkeep.archive import BackupFailed\n"
        "app = create_app()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "with app.app_context():\n"
        "    try:\n"
        f"        make(Path({str(folder / 'b')!r}), actor=system_actor(''), at=clock.now())\n"
        "    except BackupFailed as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert "could not be written: File too large. Nothing was left behind." in done.stdout, done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_cannot_be_read_back_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Flask) -> None:
    """A disk that gives back something else than was written."""
    real: Callable[..., Opener] = archive.write

    def rot(path: Path, *args: Any, **more: Any) -> Opener:
        opener = real(path, *args, **more)
        with path.open("r+b") as file:
            file.seek(-3000, os.SEEK_END)
            file.write(b"\0" * 8)
        return opener

    monkeypatch.setattr(archive, "write", rot)
    with pytest.raises((BackupUnreadable, BackupFailed)):
        make(tmp_path / "b", actor=OPERATOR, at=NOW)
    assert list(tmp_path.glob("b*")) == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_by_the_clock(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    assert create_app(environment).extensions["settings"].backup_folder is None
    app = create_app({**environment, "BACKUP_DIR": str(folder), "BACKUP_HOURS": "6", "BACKUP_KEEP": "2"})
    with app.app_context():
        folder.mkdir()
        (folder / "checkpoint-20220101T000000Z.cpbackup.part").write_bytes(b"half")
        (folder / "notes.txt").write_text("not ours")
        for hours, is_made in ((0, True), (5, False), (6, True), (12, True), (13, False), (20, True)):
            assert (scheduled.make_due(NOW + timedelta(hours=hours)) is not None) == is_made
        assert [one.made_at for one in scheduled.kept(folder)] == [NOW + timedelta(hours=hours) for hours in (12, 20)]
        assert {path.name for path in folder.iterdir()} == {
            ".lock", "notes.txt", *(scheduled.name_at(NOW + timedelta(hours=hours)) for hours in (12, 20)),
        }  # fmt: skip
    databases.close(app)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_a_folder_nothing_is_made_by_the_clock() -> None:
    assert scheduled.make_due(datetime(2022, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_by_a_timer_of_the_machine(environment: dict[str, str], tmp_path: Path, context: Flask) -> None:
    """A timer comes a little early on some days: it always makes one, and the newest stay."""
    app = create_app({**environment, "BACKUP_DIR": str(tmp_path / "backups"), "BACKUP_KEEP": "1"})
    wrong = [["--rotate", str(tmp_path / "file")], ["--rotate", "--with-keys"]]
    with app.app_context():
        assert scheduled.make_due(NOW) is not None
        done = app.test_cli_runner().invoke(args=["backup", "--rotate"])
        assert (done.exit_code, "written and read back" in done.output) == (0, True)
        assert [str(one.path) in done.output for one in scheduled.kept(tmp_path / "backups")] == [True]
        assert [app.test_cli_runner().invoke(args=["backup", *more]).exit_code for more in wrong] == [2, 2]
    databases.close(app)
    assert context.test_cli_runner().invoke(args=["backup", "--rotate"]).exit_code == 2
