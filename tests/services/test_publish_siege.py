"""Lists are published while scheduler, web workers and PostgreSQL are killed at random moments: everybody once for each version.

The short form runs with the ordinary tests; `scripts/test full` publishes thirty times. What is on disk is held against a fresh
scoring of everybody after each version. The PostgreSQL that is killed is the test's own.
"""

import random
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from checkpoint import clock, create_app
from checkpoint.accounts.models import Role
from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from checkpoint.risk.models import Assessment, ChangeCause, RiskChange
from checkpoint.risk.policy import Tier
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import current_state
from checkpoint.surveillance.models import ReassessBatch, ReassessItem, ReassessJob
from checkpoint.surveillance.people import assess_all, books_of, load
from checkpoint.surveillance.writing import CAUSES
from tests.factories import databases, people
from tests.factories.inside import follow_up, let_in, put, register
from tests.factories.siege import Database, Siege
from tests.services.test_reassessment import WUHAN

sys.path.insert(0, str(PROJECT_ROOT / "scripts" / "lib"))
PLACES = {
    "310116102000": "上海市,上海市,金山区,枫泾镇白牛路151弄",
    "310116101000": "上海市,上海市,金山区,朱泾镇罗星路100号",
    "310116107000": "上海市,上海市,金山区,廊下镇",
    "330421001000": "浙江省,嘉兴市,嘉善县,魏塘街道",
    "320509000000": "江苏省,苏州市,吴江区,学院路1号",
    "330402000000": "浙江省,嘉兴市,南湖区,中山路2号",
    "330411000000": "浙江省,嘉兴市,秀洲区,新塍路3号",
    "330481000000": "浙江省,嘉兴市,海宁市,西山路4号",
    "110105001000": "北京市,北京市,朝阳区,建外街道",
}
EACH = 4  # people from each place


@pytest.fixture
def server(backend: str) -> Iterator[Database | None]:
    """A PostgreSQL of the test's own; None on SQLite."""
    with ExitStack() as stack:
        if backend == "sqlite":
            yield None
        else:
            import postgres

            yield stack.enter_context(postgres.own_server())


@pytest.fixture
def environment(server: Database | None, template: Path, tmp_path: Path) -> dict[str, str]:
    data = databases.copy_template(template, tmp_path / "data", with_database=server is None)
    if server is None:
        return databases.environment(data)
    url: str = server.url.replace("postgresql://", "postgresql+psycopg://")  # type: ignore[attr-defined]
    found = databases.environment(data, url)
    databases.prepare(create_app(found))
    return found


@pytest.fixture
def siege(app: Flask, environment: dict[str, str], server: Database | None, tmp_path: Path) -> Iterator[Siege]:
    _fill()
    databases.close(app)
    started = Siege(environment, tmp_path, server)
    yield started
    started.end()


def _fill() -> None:
    """Some are inside, some on the way, from places that the lists to come will name."""
    at = clock.now() - timedelta(hours=1)
    today = date.today()  # noqa: DTZ011 - the processes under siege live today
    put(WUHAN, at=at - timedelta(hours=1))
    tablet = people.tablet()
    for number in range(EACH * len(PLACES)):
        code = list(PLACES)[number % len(PLACES)]
        since, until = today - timedelta(days=3), today - timedelta(days=1)
        where = {"code": code, "from": since.isoformat(), "to": until.isoformat()}
        body = {"stays": [where], "arriving_on": today.isoformat()}
        if number % 4:
            register(number + 1, at=at, **body)
        else:
            let_in(tablet, number + 1, at=at, **body)
    follow_up(at)


@dataclass
class Chronicle:
    """What each version should have done, by a fresh scoring of everybody; and how many kills fell into the middle of one."""

    tiers: dict[uuid.UUID, str] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    moved: int = 0
    partly: int = 0

    def write(self, version: int) -> None:
        """Hold a finished version against what the rules say, and note whom it must have raised."""
        stored = db.session.execute(
            select(Registration.id, Registration.tier, Assessment.tier, Assessment.score).join(
                Assessment, Assessment.id == Registration.assessment_id
            )
        ).all()
        fresh = _fresh([row[0] for row in stored])
        assert {row[0]: (row[1], row[2], row[3]) for row in stored} == {
            one: (result.tier.value, result.tier.value, result.score) for one, result in fresh.items()
        }
        for one, before in self.tiers.items():
            change = fresh[one].tier.rank - Tier(before).rank
            self.moved += change != 0
            if change > 0:
                self.alerts.add(f"reassessment:{one}:{version}")
        self.tiers = {one: result.tier.value for one, result in fresh.items()}
        cause = CAUSES[ChangeCause(db.session.get_one(RiskChange, version).cause)]
        assessed = select(Assessment.registration_id).where(
            Assessment.state_version == version, Assessment.cause == cause
        )
        found = select(ReassessItem.registration_id).where(ReassessItem.version == version)
        assert sorted(db.session.scalars(assessed)) == sorted(db.session.scalars(found))


def _fresh(ids: list[uuid.UUID]) -> dict[uuid.UUID, Result]:
    now = clock.now()
    state = current_state(now)
    books = books_of(state)
    return assess_all(load(ids, books, now).values(), state, books)


def _newest() -> int:
    return int(db.session.scalar(select(func.max(RiskChange.version))) or 0)


def _progress(version: int) -> tuple[int, bool]:
    """Batches that are done, and whether all are. A server that is away has done nothing that we know of."""
    try:
        planned = db.session.scalar(select(func.count()).where(ReassessJob.version == version))
        rows = db.session.scalars(select(ReassessBatch.done_at).where(ReassessBatch.version == version)).all()
        db.session.commit()
    except OperationalError:
        db.session.remove()
        db.engine.dispose()
        return 0, False
    return sum(one is not None for one in rows), bool(planned) and None not in rows


def _a_list(rng: random.Random, number: int) -> bytes:
    named = rng.sample(sorted(PLACES), rng.randint(1, 4))
    rows = [f"{rng.choice(('高', '中'))},{PLACES[code]}" for code in named]
    return "\n".join(["等级,省,市,县,社区", *rows, f"低,湖北省,武汉市,江汉区,民族街道{number}号"]).encode()


def _act(siege: Siege, path: str, token: str, version: int, rng: random.Random, chronicle: Chronicle) -> None:
    """One act of the command, and killing until it and what follows from it are done."""
    failed: list[BaseException] = []

    def send() -> None:
        try:
            siege.post(path, token)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    for _ in range(rng.randint(1, 2)):
        batches, until = rng.randint(0, 24), time.monotonic() + 1 + rng.random() * 2
        while time.monotonic() < until and _progress(version)[0] < batches:
            time.sleep(0.002)
        done, finished = _progress(version)
        chronicle.partly += done > 0 and not finished
        time.sleep(rng.random() * 0.02)
        siege.kill(rng.choice(siege.victims), rng)
    thread.join()
    assert failed == []
    _until_done(siege, version)


def _until_done(siege: Siege, version: int) -> None:
    deadline = time.monotonic() + 60
    while not _progress(version)[1]:
        assert time.monotonic() < deadline, siege.said()
        time.sleep(0.05)
    db.session.remove()
    assert _newest() == version


def _hold(siege: Siege, publishes: int, seed: int) -> Chronicle:
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    token = people.token(Role.COMMAND)
    chronicle = Chronicle()
    version = _newest()
    chronicle.write(version)
    for number in range(publishes):
        draft = siege.post("/api/v1/risk-lists", token, _a_list(rng, number))["id"]
        version += 1
        _act(siege, f"/api/v1/risk-lists/{draft}/publish", token, version, rng, chronicle)
        chronicle.write(version)
        if number % 3 == 1:
            version += 1
            siege.post(f"/api/v1/risk-lists/{draft}/withdraw", token)
            _until_done(siege, version)
            chronicle.write(version)
    return chronicle


def _every_alert_once(chronicle: Chronicle) -> None:
    assert chronicle.moved > 0
    causes = db.session.scalars(select(Alert.cause).where(Alert.kind == "reassessment")).all()
    assert sorted(causes) == sorted(chronicle.alerts)
    feed.number()
    told = db.session.execute(
        select(FeedEntry.alert_id, func.count(), func.count(FeedEntry.seq))
        .join(Alert, Alert.id == FeedEntry.alert_id)
        .where(Alert.kind == "reassessment", FeedEntry.event == "alert")
        .group_by(FeedEntry.alert_id)
    ).all()
    assert [(told_times, numbered) for _alert, told_times, numbered in told] == [(1, 1)] * len(causes)


@pytest.mark.slow
def test_killed_in_the_middle_of_a_few_publishes(siege: Siege) -> None:
    _every_alert_once(_hold(siege, 4, seed=11))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_random_moments_of_thirty_publishes(siege: Siege) -> None:
    chronicle = _hold(siege, 30, seed=12)
    _every_alert_once(chronicle)
    assert chronicle.partly >= 8, siege.kills
    assert all(siege.kills.get(victim, 0) >= 3 for victim in siege.victims), siege.kills
