"""A whole list against the registry: whom it finds, once, also after a kill, on a cluster, and while somebody registers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert
from checkpoint.crossmatch import service as crossmatch
from checkpoint.database import db, transaction
from checkpoint.errors import NotFound
from checkpoint.inquiries import queries, reading, service
from checkpoint.inquiries.blocking import Blocker, registered_blocks
from checkpoint.inquiries.listfile import ListFile, folder_of
from checkpoint.inquiries.models import Inquiry, InquiryChunk, InquiryHit, PairVerdict
from checkpoint.registrations.models import Registration, Traveller
from tests.factories import NOW, TODAY, inquiries, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import OTHER_VILLAGE, VILLAGE
from tests.factories.inside import register

STRANGERS = [f"路人{number},{resident_id(500 + number, county='110101')},13900{number:06d},," for number in range(300)]


def found(inquiry: Inquiry) -> dict[uuid.UUID, tuple[str, str | None]]:
    """registration → (outcome, rule) of everybody whom the inquiry found."""
    rows = db.session.scalars(select(InquiryHit).where(InquiryHit.inquiry_id == inquiry.id))
    return {row.registration_id: (row.outcome, row.rule) for row in rows}


def alerts() -> list[Alert]:
    db.session.expire_all()
    return list(db.session.scalars(select(Alert).where(Alert.kind == "inquiry").order_by(Alert.cause)))


def picture(inquiry: Inquiry) -> list[tuple[object, ...]]:
    """All that a run leaves, without ids and times."""
    hits = db.session.scalars(
        select(InquiryHit).where(InquiryHit.inquiry_id == inquiry.id).order_by(InquiryHit.registration_id)
    )
    return [
        (
            hit.registration_id,
            hit.row_number,
            hit.outcome,
            round(hit.score, 6),
            hit.rule,
            hit.listed,
            hit.alert_id is not None,
        )
        for hit in hits
    ]


def test_everyone_named_is_found_and_nobody_else(tmp_path: Path) -> None:
    whole, held, slip, masked, short, plate = (register(number) for number in range(1, 7))
    other = register(7, destination={"code": OTHER_VILLAGE, "address": "2 组"})
    register(8)
    wrong = resident_id(3)[:8] + "9" + resident_id(3)[9:]
    rows = [
        *STRANGERS[:150],
        f",{resident_id(1)},,,",
        f",,{phone(2)},,",
        f"{name(3)},{wrong},,,",
        f"{name(4)},{resident_id(4)[:6]}********{resident_id(4)[14:]},,,",
        f"{name(5)},{resident_id(5)[:6]}{resident_id(5)[8:17]},,,",
        f"{name(6)},,,,浙F 00006",
        f'"{name(7)}",{resident_id(7).lower()},"(86) {phone(7)}",,',
        f"{name(8)},,,{inquiries.birth(resident_id(8)).isoformat()},",
        *STRANGERS[150:],
    ]
    inquiry = inquiries.read(inquiries.write(tmp_path, rows))
    outcome = {one: what for one, (what, _rule) in found(inquiry).items()}
    assert (
        outcome[whole.id] == outcome[held.id] == outcome[masked.id] == outcome[short.id] == outcome[other.id] == "alert"
    )
    assert outcome[slip.id] == "alert"
    assert outcome[plate.id] in ("alert", "review")
    assert len(outcome) == 7  # name with birth date alone is nobody
    told = {alert.subject_id: alert for alert in alerts()}
    assert told[whole.id].division_code == VILLAGE
    assert told[other.id].division_code == OTHER_VILLAGE
    assert told[whole.id].tier == "red"
    assert told[whole.id].group_key == f"inquiry:{inquiry.id.hex}"
    assert name(1) not in json.dumps(told[whole.id].params, ensure_ascii=False)
    assert (inquiry.rows, inquiry.bad_rows, inquiry.state) == (len(rows), 0, "in_force")


def test_an_inquiry_finds_a_person_once_however_often_it_names_them(tmp_path: Path) -> None:
    register(1)
    register(1)  # the same person, another trip
    inquiry = inquiries.read(inquiries.write(tmp_path, [f"{name(1)},{resident_id(1)},{phone(1)},,"] * 3 + STRANGERS))
    assert len(found(inquiry)) == 1
    assert len(alerts()) == 1
    again = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,"], name="again.csv"))
    assert len(found(again)) == 1
    assert len(alerts()) == 2  # another inquiry is another matter


def test_who_has_withdrawn_is_not_found_and_who_has_left_alarms_nobody(tmp_path: Path) -> None:
    left, gone = register(1), register(2)
    with transaction():
        db.session.get_one(Registration, left.id).state = "left"
        db.session.get_one(Registration, gone.id).state = "withdrawn"
    inquiry = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,", f",{resident_id(2)},,,"]))
    assert found(inquiry) == {left.id: ("alert", "whole_document")}
    assert alerts() == []


def test_what_a_reviewer_has_said_of_a_pair_stands_above_the_score(tmp_path: Path) -> None:
    register(1)
    first = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,"]))
    hit = db.session.scalars(select(InquiryHit).where(InquiryHit.inquiry_id == first.id)).one()
    with transaction() as session:
        session.add(
            PairVerdict(listed_hash=hit.listed_hash, person_hash=hit.person_hash, is_same=False, decided_at=NOW)
        )
    second = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,"], name="second.csv"))
    assert found(second) == {}


def test_wrong_rows_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    person = register(1)
    rows = [
        "张三,无,,,",
        f"{name(1)},{resident_id(1)},电话,,",
        f"{name(1)},{resident_id(1)},,昨天,",
        f"{name(1)},{resident_id(1)},,1985年3月17日,",
        f"=cmd|'/C calc'!A0,{resident_id(2)},,,",
        "王" * 400 + f",{resident_id(9)},,,",
    ]
    inquiry = inquiries.read(inquiries.write(tmp_path, rows))
    _inquiry, rows_back = service.wrong_rows(inquiry.id, actor=people.operator(), at=NOW)
    bad = {row["row"]: (row["cause"], row["used"]) for row in rows_back}
    assert bad == {
        0: ("document_unreadable nothing_to_match", False),
        1: ("phone_unreadable", True),
        2: ("date_unreadable", True),
        5: ("too_long", True),
    }
    assert set(found(inquiry)) == {person.id}
    assert inquiry.bad_rows == 4


def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of some hundred rows in a dozen parts."""
    real = reading.spans
    monkeypatch.setattr(crossmatch, "spans", lambda path, start, quoted: real(path, start, quoted=quoted, size=1500))


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_a_killed_run_goes_on_behind_the_last_part_and_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _small_parts(monkeypatch)
    for number in range(1, 9):
        register(number)
    rows = [
        line
        for number in range(1, 9)
        for line in (f",{resident_id(number)},,,", *STRANGERS[number * 30 : number * 30 + 30])
    ]
    whole = inquiries.read(inquiries.write(tmp_path, rows))
    expected = picture(whole)
    broken = inquiries.confirmed(inquiries.write(tmp_path, rows, name="again.csv"))
    stores = 0
    real = crossmatch._store

    def dies(*arguments: object) -> None:
        nonlocal stores
        stores += 1
        if stores == 4:
            raise Killed
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(crossmatch, "_store", dies)
    with pytest.raises(Killed):
        crossmatch.run(broken.id, actor=people.operator(), clock=lambda: NOW, workers=1)
    db.session.rollback()
    done = db.session.scalar(select(func.count(InquiryChunk.done_at)).where(InquiryChunk.inquiry_id == broken.id))
    assert done == 3
    monkeypatch.setattr(crossmatch, "_store", real)
    assert queries.waiting() == [broken.id]
    assert crossmatch.run_waiting(actor=people.operator(), clock=lambda: NOW) == 1
    db.session.expire_all()
    assert picture(broken) == expected
    assert len(expected) == 8
    assert queries.get(broken.id).rows == whole.rows == len(rows)
    assert len(alerts()) == 16


def test_a_worker_that_dies_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _small_parts(monkeypatch)
    register(1)
    path = inquiries.write(tmp_path, [*STRANGERS, f",{resident_id(1)},,,"])
    inquiry = inquiries.confirmed(path)
    real, killed = crossmatch._store, []

    def kills(run_: crossmatch._Run, chunk: InquiryChunk, result: object) -> None:
        real(run_, chunk, result)  # type: ignore[arg-type]
        if not killed:
            children = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split()
            for child in children:
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)
                    killed.append(child)

    monkeypatch.setattr(crossmatch, "_store", kills)
    done = crossmatch.run(inquiry.id, actor=people.operator(), clock=lambda: NOW, workers=1)
    assert killed
    assert done.rows == len(STRANGERS) + 1
    assert len(found(inquiry)) == 1


def test_who_registers_while_a_list_is_read_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = crossmatch.open_registry
    late: list[Registration] = []

    def opened(*arguments: object) -> object:
        keys = real(*arguments)  # type: ignore[arg-type]
        late.append(register(1))
        return keys

    monkeypatch.setattr(crossmatch, "open_registry", opened)
    inquiry = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,"]))
    assert found(inquiry) == {late[0].id: ("alert", "whole_document")}
    hit = db.session.scalars(select(InquiryHit)).one()
    assert crossmatch.sweep(queries.get(inquiry.id), at=NOW) == 1
    assert len(alerts()) == 1
    assert hit.found_by in ("registration", "list")


def test_rows_lie_sealed_and_are_destroyed_with_the_inquiry(tmp_path: Path) -> None:
    register(1)
    inquiry = inquiries.read(inquiries.write(tmp_path, [f"{name(1)},{resident_id(1)},,,", *STRANGERS]))
    folder = folder_of(service.data_folder(), inquiry.id.hex)
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    assert resident_id(1).encode() not in everything
    assert name(1).encode() not in everything
    rows = ListFile(service.data_folder(), inquiry.id.hex, service.seal_key(queries.get(inquiry.id)))
    keys = Blocker(service.block_key()).of(registered_blocks(name(1), resident_id(1), "", ()))
    assert [rows.row(number).document for number in rows.find(keys)] == [resident_id(1)]
    assert len(rows) == 301
    service.withdraw(inquiry.id, actor=people.operator(), at=NOW + timedelta(hours=1))
    assert not folder.exists()
    assert [alert.state for alert in alerts()] == ["retracted"]
    with pytest.raises(NotFound):
        service.seal_key(queries.get(inquiry.id))
    assert db.session.scalar(select(InquiryHit.listed_sealed)) is None


def test_an_inquiry_expires_with_its_last_day(tmp_path: Path) -> None:
    register(1)
    inquiry = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,"]), days=3)
    folder = folder_of(service.data_folder(), inquiry.id.hex)
    assert [one.id for one in queries.in_force(TODAY)] == [inquiry.id]
    assert service.expire(TODAY + timedelta(days=3), actor=people.operator(), at=NOW) == 0
    assert service.expire(TODAY + timedelta(days=4), actor=people.operator(), at=NOW) == 1
    assert not folder.exists()
    assert queries.in_force(TODAY) == []
    assert [alert.state for alert in alerts()] == ["open"]  # the person is here all the same


@pytest.fixture
def cluster() -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A Dask scheduler and two workers on loopback."""
    run = [sys.executable, "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    port = 20_000 + os.getpid() % 20_000
    address = f"tcp://127.0.0.1:{port}"
    scheduler = [*run, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    processes = [subprocess.Popen(scheduler, **quiet)]  # type: ignore[call-overload]
    worker = [*run, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    processes += [subprocess.Popen([*worker, "--host", "127.0.0.1"], **quiet) for _ in range(2)]  # type: ignore[call-overload]
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.filterwarnings("ignore")  # the cluster's own
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_cluster_finds_the_same_also_when_a_worker_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: tuple[str, list["subprocess.Popen[bytes]"]]
) -> None:
    _small_parts(monkeypatch)
    for number in range(1, 9):
        register(number)
    rows = [
        line
        for number in range(1, 9)
        for line in (f",{resident_id(number)},,,", *STRANGERS[number * 30 : number * 30 + 30])
    ]
    expected = picture(inquiries.read(inquiries.write(tmp_path, rows)))
    address, workers = cluster
    monkeypatch.setenv("DASK_SCHEDULER", address)
    assert picture(inquiries.read(inquiries.write(tmp_path, rows, name="cluster.csv"))) == expected
    real, killed = crossmatch._store, []

    def kills(run_: crossmatch._Run, chunk: InquiryChunk, result: object) -> None:
        real(run_, chunk, result)  # type: ignore[arg-type]
        if not killed:
            workers[0].kill()
            killed.append(time.monotonic())

    monkeypatch.setattr(crossmatch, "_store", kills)
    assert picture(inquiries.read(inquiries.write(tmp_path, rows, name="half.csv"))) == expected
    assert killed
    assert len(expected) == 8


def test_a_damaged_person_hides_nobody_else(tmp_path: Path) -> None:
    damaged, person = register(1), register(2)
    with transaction():
        db.session.get_one(Traveller, damaged.traveller_id).name_sealed = b"\x01" + bytes(40)
    inquiry = inquiries.read(inquiries.write(tmp_path, [f",{resident_id(1)},,,", f",{resident_id(2)},,,"]))
    assert set(found(inquiry)) == {damaged.id, person.id}
