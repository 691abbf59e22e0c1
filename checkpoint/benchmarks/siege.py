"""`scripts/bench siege`: load, kills, a rush of ten times the usual, disks that take nothing, and every answer held against what is stored.

1. The most that the instance answers is measured, with a few travellers at a time and then more.
2. Mixed load at 80 % of that, while a worker, the scheduler, Redis, PostgreSQL and the whole web server get SIGKILL in turn.
3. Ten times the city's documented peak, then ten times the load of step 2, all of it declarations.
4. What was answered is compared with what is stored, row by row; a screen that followed the alerts must have seen each once.
5. Two disks: one that is full, one that is read-only.
"""

import asyncio
import random
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sqlalchemy import select

from checkpoint.alerts import feed
from checkpoint.benchmarks import disks, report, rush
from checkpoint.benchmarks.crowd import Crowd
from checkpoint.benchmarks.fleet import Fleet, many_files, own_folder, own_postgres, own_redis
from checkpoint.benchmarks.follower import Follower
from checkpoint.benchmarks.instance import Instance, prepared
from checkpoint.benchmarks.reckoning import Reckoning, reckon
from checkpoint.benchmarks.workloads import SEED, declarations
from checkpoint.database import db
from checkpoint.registrations.models import Registration

SHARE = 0.8
USUAL_TIMES = 10
CITY_PER_SECOND = 2000 / 3600  # registrations at the city's documented peak: 2,000 an hour
DRAIN = 60.0  # seconds after the last kill in which everybody may still be answered
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each step takes, in seconds; `travellers` are there at a time in the steps of the measurement."""

    mixed: float
    ramp: float = 6.0
    travellers: tuple[int, ...] = (8, 24, 48)
    between: tuple[float, float] = (2.0, 6.0)
    peak: float = 30.0
    city: float = 10.0
    most_at_once: int = 3000
    with_disks: bool = True


QUICK = Plan(20.0, ramp=2.0, travellers=(8, 24), between=(1.5, 3.0), peak=8.0, city=4.0)


def for_minutes(minutes: float) -> Plan:
    """The whole siege with so many minutes of mixed load; below one minute the other steps are short too."""
    return Plan(minutes * 60) if minutes >= 1 else replace(QUICK, mixed=minutes * 60)


@dataclass(slots=True)
class Course:
    """What was measured on the way."""

    most: float = 0.0
    offered: float = 0.0
    held_back: int = 0


def measure(database_url: str | None, plan: Plan, *, on_sqlite: bool = False) -> tuple[str, dict[str, float]]:
    """Where it ran, and the figures. Without `database_url` it starts a PostgreSQL of its own, where its programs are installed."""
    with ExitStack() as stack:
        stack.enter_context(many_files())
        folder = stack.enter_context(own_folder())
        server = None if database_url or on_sqlite else stack.enter_context(own_postgres())
        redis = stack.enter_context(own_redis(folder))
        overrides = {
            "REDIS_URL": redis[1] if redis is not None else "",
            "PHONE_LIMIT": "100000000 per second",
            "DEVICE_LIMIT": "100000000 per second",
        }
        instance = stack.enter_context(prepared(server.url if server is not None else database_url, overrides))
        where = report.machine(instance)
        fleet = Fleet(instance, server, redis[0] if redis is not None else None, folder)
        try:
            fleet.wait_ready()
            figures = asyncio.run(_besiege(instance, fleet, plan))
        finally:
            fleet.end()
    if plan.with_disks:
        figures |= disks.measure()
    return where, figures


async def _besiege(instance: Instance, fleet: Fleet, plan: Plan) -> dict[str, float]:
    with instance.app.app_context():
        before = {str(one) for one in db.session.scalars(select(Registration.client_id)) if one is not None}
        db.session.remove()
    crowd = Crowd(fleet.port, instance.device_token, instance.command_token, declarations(instance), SEED)
    follower = Follower(fleet.port, instance.command_token)
    await follower.start()
    course = Course()
    try:
        course.most = await _ramp(crowd, plan)
        _say(f"at most {course.most:.0f} acts answered in a second")
        await _mixed(crowd, fleet, plan, course)
        _say(f"{crowd.ledger.answered} acts answered, {sum(fleet.kills.values())} kills, {dict(crowd.ledger.counts)}")
        await asyncio.to_thread(fleet.wait_ready)
        city = await rush.run(crowd, CITY_PER_SECOND * USUAL_TIMES, plan.city)
        _say(f"ten times the city's peak: {city}")
        peak = await rush.run(crowd, course.most * SHARE * USUAL_TIMES, plan.peak)
        _say(f"ten times the usual: {peak}")
        await asyncio.to_thread(fleet.wait_ready)
        newest = await asyncio.to_thread(_newest, instance)
        caught_up = await follower.wait_for(newest, DRAIN)
    finally:
        await follower.stop()
        crowd.line.close()
    fleet.end()
    with instance.app.app_context():
        found = reckon(crowd.ledger, before)
        db.session.remove()
    _screen(follower, newest, caught_up, found)
    return _figures(crowd, fleet, course, found) | {
        "peak_p95_s": peak.p95,
        "peak_offered_rps": peak.offered_rps,
        "peak_accepted_rps": peak.accepted_rps,
        "peak_told_to_retry": peak.told,
        "peak_untold": peak.untold,
        "city_p95_s": city.p95,
        "city_untold": city.told + city.untold,
    }


def _newest(instance: Instance) -> int:
    """The number of the last event, once all have one."""
    with instance.app.app_context():
        feed.number()
        newest = feed.newest()
        db.session.remove()
    return newest


async def _ramp(crowd: Crowd, plan: Plan) -> float:
    """The most acts that are answered in a second, with more and more travellers at a time."""
    best = 0.0
    for travellers in plan.travellers:
        ends = time.monotonic() + plan.ramp
        began, answered = time.monotonic(), crowd.ledger.answered
        await asyncio.gather(*(_one_after_another(crowd, ends) for _ in range(travellers)))
        best = max(best, (crowd.ledger.answered - answered) / (time.monotonic() - began))
    return best


async def _one_after_another(crowd: Crowd, ends: float) -> None:
    while time.monotonic() < ends:
        await crowd.journey()


async def _mixed(crowd: Crowd, fleet: Fleet, plan: Plan, course: Course) -> None:
    """Travellers come at an even rate whatever happens to the server; when too many are under way at once the next ones are held back."""
    rate = course.most * SHARE / 3  # a journey is three acts
    ends = time.monotonic() + plan.mixed
    crowd.deadline = ends + DRAIN
    killer = asyncio.create_task(_kill_in_turn(fleet, plan, ends))
    under_way: set[asyncio.Task[None]] = set()
    due, came = time.monotonic(), 0
    while (now := time.monotonic()) < ends:
        while due <= now:
            due += 1 / rate
            if len(under_way) >= plan.most_at_once:
                course.held_back += 1
                continue
            came += 1
            task = asyncio.create_task(crowd.journey())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    course.offered = came * 3 / plan.mixed
    await killer
    await asyncio.gather(*under_way)
    crowd.deadline = float("inf")


async def _kill_in_turn(fleet: Fleet, plan: Plan, ends: float) -> None:
    rng = random.Random(SEED)  # noqa: S311 - moments, no secrets
    while True:
        for victim in fleet.victims:
            pause = rng.uniform(*plan.between)
            if time.monotonic() + pause >= ends:
                return
            await asyncio.sleep(pause)
            await asyncio.to_thread(fleet.kill, victim, rng)


def _screen(follower: Follower, newest: int, caught_up: bool, found: Reckoning) -> None:
    """The screen has been told every number once, in order, whatever was killed meanwhile."""
    if not caught_up:
        found.lost.append(f"the screen has not come to number {newest}")
    numbers = follower.numbers
    told = set(numbers)
    found.lost += [f"number {one} on the screen" for one in range(1, newest + 1) if one not in told]
    found.doubled += [f"{len(numbers) - len(told)} numbers on the screen"] if len(numbers) > len(told) else []
    if numbers != sorted(numbers) or follower.resets:
        found.wrong.append("the screen was told out of order, or to begin anew")


def _figures(crowd: Crowd, fleet: Fleet, course: Course, found: Reckoning) -> dict[str, float]:
    wrong = crowd.ledger.wrong + found.wrong
    for name, words in (("wrong", wrong), ("lost", found.lost), ("doubled", found.doubled)):
        for sentence in words[:SHOWN]:
            _say(f"{name}: {sentence}")
    if wrong:
        _say(fleet.said())
    return {
        "answered": crowd.ledger.answered,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "wrong": len(wrong),
        "kills": sum(fleet.kills.values()),
        **{f"kills_{victim}": number for victim, number in sorted(fleet.kills.items())},
        "max_acts_per_s": course.most,
        "mixed_acts_per_s": course.offered,
        "held_back": course.held_back,
        "told_to_retry": crowd.ledger.counts["told_to_retry"],
        "cut": crowd.ledger.counts["cut"],
    }


def _say(words: str) -> None:
    print(f"siege: {words}", file=sys.stderr, flush=True)
