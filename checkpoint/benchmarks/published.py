"""`stream --publish`: hundreds of workers at their screens, a list that touches thousands inside, and when the last screen shows it.

The list is published through the API, the scheduler of the project assesses again, and a tenth of the screens is cut in the
middle and comes back with `Last-Event-ID`. A second connection looks every few milliseconds which batches are committed: a
latency counts from the look before the one that saw its batch, so it is never told too short.
"""

import http.client
import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import exists, func, select

from checkpoint import clock
from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.audit.models import Heartbeat
from checkpoint.benchmarks import registry
from checkpoint.benchmarks.following import Screens, Worker
from checkpoint.benchmarks.instance import Instance, Server, served
from checkpoint.benchmarks.load import WrongAnswer, quantile
from checkpoint.cli.simulate import world
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db, standalone_engine
from checkpoint.errors import ConfigurationError
from checkpoint.regions import default_index
from checkpoint.regions.models import at_level, code_range
from checkpoint.registrations.models import Registration, Stay
from checkpoint.risk.importing import import_list
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import TIMEZONE, Entry, ParsedList
from checkpoint.risk.publishing import publish, withdraw
from checkpoint.risk.queries import in_force
from checkpoint.risk.service import current_state
from checkpoint.surveillance.models import ReassessBatch, ReassessItem
from checkpoint.surveillance.service import work_all

LOOK_SECONDS = 0.005
AWAY_SECONDS = 0.5
CUT_EVERY = 10
_PATIENCE = 180.0
_SETTLED = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many screens, and how many people inside the list touches at least."""

    connections: int
    people: int


@dataclass(slots=True)
class Seen:
    """What the second connection saw: for each batch of the version the last moment at which it was not there yet."""

    answered: float = 0.0
    batches: dict[int, float] = field(default_factory=dict)
    people: int = 0
    finished: bool = False
    problem: BaseException | None = None


def _fill(plan: Plan) -> bytes:
    """People inside who were assessed under a list that names none of their places; returns the list that names many of them."""
    actor, at = system_actor(""), clock.now()
    given = in_force()
    if given is not None:
        withdraw(given.id, actor=actor, at=at)
    registry.fill(plan.people * 3, clock.local_date(at, str(TIMEZONE)), at - timedelta(hours=1))
    index = default_index()
    nobody = world().far[0]
    nobody_there = exists().where(Stay.county_code == nobody)
    if db.session.scalar(select(nobody_there)):
        nobody = next(
            code for code in world().far if not db.session.scalar(select(exists().where(Stay.county_code == code)))
        )
    names = [index.name(at_level(nobody, level)) for level in (1, 2, 3)]
    calm = ParsedList("calm", at, (Entry(Level.LOW, names[0], names[1], names[2], "人民路1号"),))
    publish(import_list(calm, actor=actor, at=at).id, actor=actor, at=at)
    work_all(actor=actor, clock=clock.now)
    registry.refresh_statistics()
    return _list_of(_counties(plan.people))


def _counties(people: int) -> list[str]:
    """Counties in which so many green people have been lately."""
    now = clock.now()
    since = clock.local_date(now, str(TIMEZONE)) - timedelta(days=current_state(now).policy.days_before_listing)
    rows = db.session.execute(
        select(Stay.county_code, Stay.registration_id)
        .join(Registration, Registration.id == Stay.registration_id)
        .where(Registration.tier == "green", Stay.until >= since, Stay.county_code.is_not(None))
        .order_by(Stay.county_code)
    )
    by_county: dict[str, set[object]] = defaultdict(set)
    for county, registration in rows:
        by_county[str(county)].add(registration)
    found, touched = [], set[object]()
    for county, there in sorted(by_county.items(), key=lambda one: (-len(one[1]), one[0])):
        if len(touched) >= people:
            break
        found.append(county)
        touched |= there
    if len(touched) < people:
        raise ConfigurationError(f"The registry has only {len(touched)} people whom a list could touch.")
    return found


def _list_of(counties: list[str]) -> bytes:
    """The counties as a list in the national form, of this hour."""
    index = default_index()
    entries = []
    for county in counties:
        province, city, name = (index.name(at_level(county, level)) for level in (1, 2, 3))
        entries.append({"province": province, "city": city, "county": name, "communitys": ["人民路1号"]})
    hour = clock.now().astimezone(TIMEZONE).strftime("%Y-%m-%d %H时")
    return json.dumps({"data": {"end_update_time": hour, "highlist": entries, "middlelist": []}}).encode()


def _workers(instance: Instance, number: int) -> list[Worker]:
    """Workers of villages and towns and of the command, each with a token of their own: of fifty, one commands, four are of towns."""
    site = instance.settings.site_division
    index = default_index()
    towns = [town for town, _name in index.children(site)]
    villages = itertools.cycle(world().destinations)
    actor, at, after = system_actor(site), clock.now(), feed.newest()
    found = []
    for turn in range(number):
        if turn % 50 == 0:
            role, division = Role.COMMAND, site
        elif turn % 50 <= 4:
            role, division = Role.TOWN, towns[turn % len(towns)]
        else:
            role, division = Role.VILLAGE, next(villages)
        token = accounts.issue_token(role, division, actor=actor, at=at, label="benchmark").token
        found.append(Worker(token, code_range(division), after))
    return found


@contextmanager
def _scheduler(instance: Instance) -> Iterator[None]:
    """The project's own scheduler, once it has given a sign of life."""
    began = clock.now()
    log = (instance.settings.data / "scheduler.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "scheduler"],
        cwd=PROJECT_ROOT,
        env=instance.environ,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        deadline = time.monotonic() + 60
        with instance.app.app_context():
            while (
                db.session.scalar(select(Heartbeat.at).where(Heartbeat.name == "scheduler", Heartbeat.at > began))
                is None
            ):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ConfigurationError("The scheduler did not start.")
                db.session.remove()
                time.sleep(0.1)
            db.session.remove()
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _call(port: int, path: str, token: str, body: bytes = b"") -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status not in (200, 201):
        raise WrongAnswer(f"{path}: {answer.status} {data[:300].decode(errors='replace')}")
    found: dict[str, object] = json.loads(data)
    return found


def _publish_and_watch(instance: Instance, server: Server, list_id: object, before: int, seen: Seen) -> None:
    """Publish, then note each batch of the version as it becomes visible; in a thread of its own."""
    engine = standalone_engine(instance.settings.database_url)
    done = select(ReassessBatch.number, ReassessBatch.size, ReassessBatch.done_at).where(ReassessBatch.version > before)
    try:
        _call(server.port, f"/api/v1/risk-lists/{list_id}/publish", instance.command_token)
        seen.answered = time.time()
        deadline, last = time.monotonic() + _PATIENCE, seen.answered
        with engine.connect() as connection:
            while time.monotonic() < deadline and not seen.finished:
                looked = time.time()
                rows = connection.execute(done).all()
                connection.rollback()
                for number, _size, done_at in rows:
                    if done_at is not None:
                        seen.batches.setdefault(number, last)
                seen.people = sum(row.size for row in rows)
                seen.finished = bool(rows) and all(row.done_at is not None for row in rows)
                last = looked
                time.sleep(LOOK_SECONDS)
    except BaseException as error:
        seen.problem = error
    finally:
        engine.dispose()


def _cut_and_return(screens: Screens, seen: Seen, batches: int) -> None:
    """When a third of the work is done a tenth of the screens is cut; half a second later they are back."""
    screens.read_until(
        lambda: len(seen.batches) * 3 >= batches or seen.finished or seen.problem is not None, _PATIENCE, 0.02
    )
    gone = screens.workers[3::CUT_EVERY]
    at = time.time()
    for worker in gone:
        screens.cut(worker)
    screens.read_until(lambda: time.time() >= at + AWAY_SECONDS, AWAY_SECONDS + 1, 0.02)
    for worker in gone:
        worker.away = (at, time.time())
        screens.open(worker)


def _last_numbers(instance: Instance, workers: list[Worker]) -> dict[tuple[str, str], int]:
    """The newest number that each reach must have seen."""
    with instance.app.app_context():
        feed.number()
        rows = db.session.execute(
            select(FeedEntry.division_code, func.max(FeedEntry.seq))
            .where(FeedEntry.seq.is_not(None))
            .group_by(FeedEntry.division_code)
        ).all()
        db.session.remove()
    return {
        (low, high): max((int(seq or 0) for code, seq in rows if low <= code <= high), default=0)
        for low, high in {worker.reach for worker in workers}
    }


def measure(instance: Instance, plan: Plan) -> dict[str, float]:
    """The figures of `stream --publish`."""
    with instance.app.app_context():
        body = _fill(plan)
        workers = _workers(instance, plan.connections)
        before = int(db.session.scalar(select(func.max(ReassessBatch.version))) or 0)
        db.session.remove()
        db.engine.dispose()
    random.Random(3).shuffle(workers)  # noqa: S311 - who sits where, not a secret
    seen = Seen()
    with served(instance) as server, _scheduler(instance), Screens(server.port) as screens:
        list_id = _call(server.port, "/api/v1/risk-lists", instance.command_token, body)["id"]
        for worker in workers:
            screens.open(worker)
        if not screens.read_until(lambda: all(worker.lines[0].connected for worker in workers), _PATIENCE):
            raise WrongAnswer("not every stream was opened")
        cpu = server.workers.cpu_seconds()
        thread = threading.Thread(target=_publish_and_watch, args=(instance, server, list_id, before, seen))
        began = time.time()
        thread.start()
        _cut_and_return(screens, seen, max(1, plan.people // 400))
        screens.read_until(lambda: seen.finished or seen.problem is not None, _PATIENCE)
        thread.join()
        if seen.problem is not None:
            raise seen.problem
        newest = _last_numbers(instance, workers)
        expected = {id(worker): newest[worker.reach] for worker in workers}
        screens.read_until(
            lambda: all(worker.has(expected[id(worker)]) or expected[id(worker)] <= worker.after for worker in workers),
            _SETTLED,
        )
        screens.read_until(lambda: False, 1.0)  # what would come twice has a moment to come
        cpu = server.workers.cpu_seconds() - cpu
    return _figures(instance, workers, seen, before, began, cpu)


def _alerts(instance: Instance, before: int, seen: Seen) -> dict[str, tuple[str, float]]:
    """What the list has raised: by alert its division and the moment before its commit."""
    with instance.app.app_context():
        rows = db.session.execute(
            select(Alert.id, Alert.division_code, ReassessItem.number)
            .join(ReassessItem, ReassessItem.registration_id == Alert.subject_id)
            .where(Alert.kind == "reassessment", ReassessItem.version > before, Alert.cause.like(f"%:{before + 1}"))
        ).all()
        db.session.remove()
        db.engine.dispose()
    return {str(row.id): (row.division_code, seen.batches[row.number]) for row in rows}


def _figures(
    instance: Instance, workers: list[Worker], seen: Seen, before: int, began: float, cpu: float
) -> dict[str, float]:
    alerts = _alerts(instance, before, seen)
    waits: list[float] = []
    returned: list[float] = []
    counted: Counter[str] = Counter()
    last = 0.0
    for worker in workers:
        arrivals = worker.arrivals()
        numbers = [one.seq for one in arrivals]
        times = Counter(one.alert for one in arrivals if one.event == "alert")
        low, high = worker.reach
        mine = {alert for alert, (division, _at) in alerts.items() if low <= division <= high}
        counted["expected"] += len(mine)
        counted["lost"] += sum(alert not in times for alert in mine)
        counted["doubled"] += sum(number - 1 for number in times.values()) + len(numbers) - len(set(numbers))
        counted["disordered"] += numbers != sorted(numbers)
        for one in arrivals:
            if one.alert not in alerts or one.event != "alert":
                continue
            last = max(last, one.came)
            committed = alerts[one.alert][1]
            missed = worker.away is not None and worker.away[0] <= one.came and committed <= worker.away[1]
            if missed and worker.away is not None:
                returned.append((one.came - max(committed, worker.away[1])) * 1000)
            else:
                waits.append((one.came - committed) * 1000)
    figures = {
        "connections": float(len(workers)),
        "reconnected": float(sum(len(worker.lines) > 1 for worker in workers)),
        "people": float(seen.people),
        "alerts": float(len(alerts)),
        "arrivals": float(counted["expected"]),
        "publish_ms": (seen.answered - began) * 1000,
        "committed_s": max(seen.batches.values()) - seen.answered,
        "screens_s": last - seen.answered,
        "commit_p50_ms": quantile(waits, 0.5),
        "commit_p99_ms": quantile(waits, 0.99),
        "commit_last_ms": max(waits, default=0.0),
        "returned_last_ms": max(returned, default=0.0),
        "lost": float(counted["lost"]),
        "doubled": float(counted["doubled"]),
        "disordered": float(counted["disordered"]),
        "workers_cpu_s": cpu,
    }
    return {key: round(value, 3) for key, value in figures.items()}
