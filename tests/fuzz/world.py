"""An instance with one of nearly everything in it, and everybody who may ask: each role by session and by token, a tablet, a stranger."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint import clock, create_app, outbound
from checkpoint.accounts.models import Role, User
from checkpoint.database import db
from checkpoint.extensions import limiter
from tests.factories import (
    NOW,
    applications,
    commuters,
    companies,
    databases,
    declarations,
    inside,
    lists,
    patrols,
    people,
)
from tests.factories.divisions import SITE, TOWN, VILLAGE

_DIVISION = {Role.VILLAGE: VILLAGE, Role.TOWN: TOWN, Role.OFFICER: SITE, Role.COMMAND: SITE, Role.AUDITOR: SITE}
_LIMIT = "100000000 per minute"


@dataclass(slots=True)
class Caller:
    """Somebody who asks: a browser, and the headers that go with every request."""

    name: str
    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)


class Failures(logging.Handler):
    """Where the code was when a request failed, as the log tells it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


@contextmanager
def world(database_url: str = "") -> Iterator[tuple[Flask, Failures]]:
    """The application, errors answered as in production, time standing still, no way out of this machine; and what failed in it."""
    failures, now, resolve = Failures(), clock.now, outbound.resolved
    with tempfile.TemporaryDirectory(prefix="checkpoint-fuzz-") as folder:
        data = databases.make_template(Path(folder) / "data")
        limits = {name: _LIMIT for name in ("REGISTRATION_LIMIT", "PHONE_LIMIT", "DEVICE_LIMIT")}
        app = create_app(databases.environment(data, database_url, **limits))
        app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
        log = logging.getLogger("checkpoint")
        log.addHandler(failures)
        passed_on, log.propagate = log.propagate, False
        limiter.enabled = False
        clock.now = lambda: NOW
        outbound.resolved = _nowhere  # type: ignore[assignment]
        try:
            with app.app_context():
                furnish()
            yield app, failures
        finally:
            clock.now, outbound.resolved, limiter.enabled, log.propagate = now, resolve, True, passed_on
            log.removeHandler(failures)
            databases.close(app)


def _nowhere(host: str, port: int, *, allow_private: bool) -> list[str]:
    raise outbound.Unreachable("The host has no address.")


def furnish() -> None:
    """People on the way and inside, lists, applications, a company, commuters, a patrol, alerts."""
    lists.in_force(lists.FENGJING, lists.ZHUJING)
    inside.draft(lists.JIASHAN_LOW)
    gate = people.tablet()
    for number in range(1, 4):
        inside.register(number)
    inside.let_in(gate, 5)
    inside.let_in(gate, 6, stays=[declarations.stay("310116102000", text="枫泾镇白牛路151弄12号楼")])
    inside.follow_up()
    applications.applied()
    commuters.applied(20)
    town = people.town_worker()
    _company, liaison = companies.active(town=town)
    companies.listed(liaison)
    patrols.visit(patrols.point(), gate, NOW)


def callers(app: Flask, turn: int) -> list[Caller]:
    """Everybody anew: what the requests before have closed, revoked or changed is not missed."""
    found = [Caller("nobody", app.test_client())]
    with app.app_context():
        for role in Role:
            if role in _DIVISION:
                login = f"{role.value}{turn}"
                people.user(login, role, _DIVISION[role])
                client = app.test_client()
                client.post("/login", data={"login": login, "password": people.PASSWORD})
                found.append(Caller(f"{role.value} by session", client))
            if role is not Role.COMPANY:
                secret = people.token(role, _DIVISION.get(role, SITE))
                found.append(Caller(f"{role.value} by token", app.test_client(), people.bearer(secret)))
        liaison, client = db.session.scalars(select(User).where(User.role == Role.COMPANY)).first(), app.test_client()
        if liaison is not None:
            client.post("/login", data={"login": liaison.login, "password": companies.PASSWORD})
            found.append(Caller("company by session", client))
        tablet = people.tablet(people.checkpoint(f"F{turn}"))
        found.append(Caller("tablet", app.test_client(), people.bearer(tablet.token)))
    return found
