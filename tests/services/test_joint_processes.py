"""Two instances as they run in two cities: gunicorn and the scheduler of each, which are killed while they speak to each other."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint import clock, create_app
from checkpoint.alerts import service as alerts
from checkpoint.alerts.models import Alert
from checkpoint.database import db, transaction
from checkpoint.inquiries.models import Inquiry
from checkpoint.joint import asking
from checkpoint.joint.models import JointMessage, JointTaken, PeerRefusal
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from tests.factories import databases
from tests.factories.declarations import declaration, resident_id
from tests.factories.divisions import NEIGHBOUR
from tests.factories.joined import OPERATOR, Side, request
from tests.factories.siege import Siege

PATIENCE = 120.0  # seconds
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@contextmanager
def instance(template: Path, folder: Path, **more: str) -> Iterator[tuple[Siege, Side]]:
    """The processes of an instance, and a view into its database from here."""
    data = databases.copy_template(template, folder / "data", with_database=True)
    for name in ("peers.json", "sealing.json"):
        (data / "keys" / name).unlink(missing_ok=True)
    environment = databases.environment(data, ALLOW_PRIVATE_TARGETS="1", **more)
    siege = Siege(environment, folder, None)
    try:
        app = create_app({**environment, "PUBLIC_URL": f"http://127.0.0.1:{siege.port}"})
        yield siege, Side(app, clock.now())
        databases.close(app)
    finally:
        siege.end()


@pytest.fixture
def cities(template: Path, tmp_path: Path) -> Iterator[tuple[tuple[Siege, Side], tuple[Siege, Side]]]:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    with (
        instance(template, tmp_path / "here") as here,
        instance(template, tmp_path / "there", SITE_DIVISION=NEIGHBOUR) as there,
    ):
        yield here, there


def until(true: Callable[[], Any], *cities: tuple[Siege, Side]) -> None:
    """Wait for something; what the processes said last is told when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "\n".join(siege.said() for siege, _side in cities)
        time.sleep(0.1)


def at_once(app: Flask) -> None:
    """What waits for its next attempt, or for a lease that a killed sender holds, may go now."""
    with app.app_context(), transaction() as session:
        for message in session.scalars(select(JointMessage).where(JointMessage.state == "waiting")):
            message.next_at, message.lease, message.leased_until = clock.now(), None, None


def all_sent(app: Flask) -> bool:
    at_once(app)
    with app.app_context():
        return set(db.session.scalars(select(JointMessage.state))) == {"sent"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_cities_while_their_processes_are_killed(cities: tuple[tuple[Siege, Side], tuple[Siege, Side]]) -> None:
    (siege, here), (other, there) = cities
    rng = random.Random(7)  # noqa: S311 - which process dies is no secret
    here.know(there)
    there.know(here)
    with here.app.app_context():
        body = Declaration.model_validate(declaration(1, arriving_on=clock.now().date().isoformat(), stays=[]))
        trip = registrations.submit(body, actor=OPERATOR, at=clock.now()).registration.id
    siege.kill("web", rng)
    day = clock.now().date()
    with there.app.app_context():
        form = request(there.peer().id, f"{resident_id(1)}\n{resident_id(2)}", valid_until=day)
        record_id = asking.ask(form, actor=OPERATOR, at=clock.now()).id
    other.kill("scheduler", rng)

    def person(number: int, state: str) -> Callable[[], bool]:
        def look() -> bool:
            at_once(there.app)
            at_once(here.app)
            return there.people()[number].state == state

        return look

    until(person(0, "found"), *cities)
    until(person(1, "not_found"), *cities)
    with here.app.app_context():
        alarm = db.session.scalars(select(Alert).where(Alert.kind == "inquiry", Alert.subject_id == trip)).one()
        siege.kill("scheduler", rng)
        alerts.resolve(alarm.id, "handled", None, actor=OPERATOR, at=clock.now())
    until(person(0, "handled"), *cities)
    with there.app.app_context():
        asking.finish(record_id, actor=OPERATOR, at=clock.now())
    until(lambda: at_once(there.app) or here.record().closed_at is not None, *cities)
    assert (here.record().close_reason, there.record().close_reason) == ("finished", "finished")
    steps = there.steps()
    assert (steps[0], sorted(steps)) == (
        "asked",
        sorted(["asked", "received", "found", "not_found", "handled", "closed"]),
    )

    def withdrawn() -> bool:
        with here.app.app_context():
            return db.session.scalar(select(Inquiry.state)) == "withdrawn"

    until(withdrawn, *cities)
    until(lambda: all_sent(there.app), *cities)
    with here.app.app_context():
        kinds = {
            kind: count
            for kind, count in db.session.execute(
                select(Alert.kind, func.count()).where(Alert.subject_type == "joint").group_by(Alert.kind)
            )
        }
        assert kinds == {"joint_asked": 1, "joint_answered": 1}
        taken = set(db.session.scalars(select(JointTaken.message_id)))
    with there.app.app_context():
        sent = db.session.scalars(select(JointMessage)).all()
        assert {message.id for message in sent} == taken
        assert not db.session.scalars(select(PeerRefusal)).all()
