"""Two instances that know each other, each with its own database and keys, and what goes between them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from checkpoint import create_app
from checkpoint.accounts.permissions import system_actor
from checkpoint.crossmatch.service import run_waiting
from checkpoint.database import db
from checkpoint.joint import answering, asking, identity, peers, sending
from checkpoint.joint.models import JointPerson, JointRecord, JointStep, Peer
from tests.factories import NOW, TODAY, databases
from tests.factories.divisions import NEIGHBOUR, SITE

OPERATOR = system_actor(SITE)


@dataclass(slots=True)
class Side:
    """One instance. `at` is its clock, which tests move."""

    app: Flask
    at: datetime = field(default=NOW)

    def introduction(self) -> str:
        with self.app.app_context():
            return identity.written(identity.introduce())

    def know(self, other: "Side") -> uuid.UUID:
        """Make the other side known here; returns the peer's id."""
        text = other.introduction()
        with self.app.app_context():
            shown = peers.offer(text).fingerprint
            return peers.add(text, shown, actor=OPERATOR, at=self.at).id

    def ask(self, peer: uuid.UUID, typed: str, **changes: object) -> uuid.UUID:
        """Ask a peer; returns the record's id."""
        with self.app.app_context():
            return asking.ask(request(peer, typed, **changes), actor=OPERATOR, at=self.at).id

    def work(self) -> None:
        """What the scheduler does: answers are prepared, new lists are read, answers of those prepared as well."""
        with self.app.app_context():
            answering.work(actor=OPERATOR, at=self.at)
            run_waiting(actor=OPERATOR, clock=lambda: self.at)
            answering.work(actor=OPERATOR, at=self.at)
            asking.expire(actor=OPERATOR, at=self.at)

    def send(self) -> int:
        """Send what is owed; returns how many messages were received."""
        with self.app.app_context():
            return sending.send_due(lambda: self.at)

    def record(self) -> JointRecord:
        """The only record of this side."""
        with self.app.app_context():
            return db.session.scalars(select(JointRecord)).one()

    def people(self) -> list[JointPerson]:
        with self.app.app_context():
            return list(db.session.scalars(select(JointPerson).order_by(JointPerson.record_id, JointPerson.number)))

    def steps(self) -> list[str]:
        with self.app.app_context():
            return list(db.session.scalars(select(JointStep.step).order_by(JointStep.at, JointStep.id)))

    def peer(self) -> Peer:
        with self.app.app_context():
            return db.session.scalars(select(Peer)).one()


def request(peer: uuid.UUID, typed: str, **changes: object) -> asking.Request:
    """What command asks of another place."""
    values: dict[str, object] = {
        "request_id": uuid.uuid4(),
        "peer_id": peer,
        "level": "red",
        "legal_basis": "传染病防治法第三十九条",
        "case": "某案密接",
        "question": "是否在你处, 请落实管控",
        "valid_until": TODAY + timedelta(days=7),
        "typed": typed,
        **changes,
    }
    return asking.Request(**values)  # type: ignore[arg-type]


@contextmanager
def neighbour(template: Path, folder: Path, public_url: str) -> Iterator[Flask]:
    """A second instance beside the one under test: another county, SQLite, keys of its own."""
    data = databases.copy_template(template, folder, with_database=True)
    for name in ("peers.json", "sealing.json", "passes.json"):
        (data / "keys" / name).unlink(missing_ok=True)
    made = create_app(
        databases.environment(data, SITE_DIVISION=NEIGHBOUR, PUBLIC_URL=public_url, ALLOW_PRIVATE_TARGETS="1")
    )
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield made
    databases.close(made)
