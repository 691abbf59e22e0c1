"""Several processes at the same work, and processes that are killed in the middle of it: everybody once, every alert once."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from checkpoint.risk.models import Assessment
from checkpoint.surveillance import planning, service
from checkpoint.surveillance.models import ReassessBatch, ReassessItem
from checkpoint.surveillance.service import plan_all, work_all
from tests.factories import people
from tests.factories.declarations import stay
from tests.factories.divisions import NEIGHBOUR_TOWN
from tests.factories.inside import follow_up, put, register
from tests.factories.lists import FENGJING
from tests.services.test_reassessment import LATER, WUHAN

MANY = 40


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "BATCH", 2)


def _prepare() -> None:
    put(WUHAN)
    for number in range(1, MANY + 1):
        register(number, stays=[stay(NEIGHBOUR_TOWN)])
    follow_up()
    put(WUHAN, FENGJING, at=LATER)


def _everybody_once() -> None:
    db.session.remove()
    counts = db.session.execute(
        select(func.count(), func.count(Assessment.registration_id.distinct())).where(Assessment.cause == "list")
    ).one()
    assert tuple(counts) == (MANY, MANY)
    alerts = db.session.execute(
        select(func.count(), func.count(Alert.subject_id.distinct())).where(Alert.kind == "reassessment")
    ).one()
    assert tuple(alerts) == (MANY, MANY)
    assert db.session.scalars(select(Registration.tier).distinct()).all() == ["red"]
    waiting = select(func.count()).select_from(ReassessBatch).where(ReassessBatch.done_at.is_(None))
    assert db.session.scalar(waiting) == 0
    unseen = select(func.count()).select_from(ReassessItem).where(ReassessItem.tier_after.is_(None))
    assert db.session.scalar(unseen) == 0


def test_two_schedulers_at_once_do_nobody_twice(app: Flask) -> None:
    _prepare()
    db.session.remove()
    failed: list[BaseException] = []
    ready = threading.Barrier(3)

    def one() -> None:
        with app.app_context():
            try:
                ready.wait(10)
                work_all(actor=people.operator(), clock=lambda: LATER)
            except BaseException as error:
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    _everybody_once()


def test_a_scan_in_the_middle_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and storing somebody amends their declaration: the result of the old one must not be stored."""
    from checkpoint.registrations import service as registrations
    from checkpoint.registrations.declaration import Declaration
    from tests.factories.declarations import declaration

    put(WUHAN)
    guest = register(1, stays=[stay(NEIGHBOUR_TOWN)])
    follow_up()
    put(WUHAN, FENGJING, at=LATER)
    plan_all(LATER)
    real, done = service._do, []

    def amended_meanwhile(*given: object) -> int:
        if not done:
            done.append(True)
            body = Declaration.model_validate(declaration(1, stays=[]))
            registrations.amend(guest.id, body, actor=people.operator(), at=LATER)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "_do", amended_meanwhile)
    follow_up(LATER)
    db.session.expire_all()
    assert db.session.get_one(Registration, guest.id).tier == "green"
    assert db.session.scalar(select(func.count()).where(Alert.kind == "reassessment")) == 0


WORKER = textwrap.dedent(
    """
    import os, sys
    from datetime import datetime
    from checkpoint import create_app
    from checkpoint.accounts.permissions import system_actor
    from checkpoint.surveillance import planning
    from checkpoint.surveillance.service import plan_all, work_batch
    planning.BATCH = 2
    at = datetime.fromisoformat(sys.argv[1])
    app = create_app()
    with app.app_context():
        print("ready", flush=True)
        plan_all(at)
        while work_batch(actor=system_actor(app.extensions["settings"].site_division), at=at) is not None:
            print("batch", flush=True)
        print("done", flush=True)
    """
)


def _start(environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, LATER.isoformat()],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment, "PYTHONPATH": str(PROJECT_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_a_process_killed_again_and_again_loses_nobody(environment: dict[str, str], tmp_path: Path) -> None:
    """SIGKILL at a random moment of the work, six times; then one process is left in peace."""
    _prepare()
    db.session.remove()
    rng = random.Random(9)  # noqa: S311 - moments, not secrets
    for _ in range(6):
        process = _start(environment)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() in ("ready", "batch") and rng.random() < 0.5:
                time.sleep(rng.random() * 0.02)
                break
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        assert process.wait(20) in (-signal.SIGKILL, 0)
    plan_all(LATER)
    work_all(actor=people.operator(), clock=lambda: LATER)
    _everybody_once()
