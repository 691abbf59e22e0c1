"""`flask simulate`: synthetic travellers through the same preparation as real ones, stored in bulk."""

import gc
import itertools
import multiprocessing
import random
import secrets
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import click
from flask import Flask, current_app
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts.models import Checkpoint, CheckpointKind, Device
from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.cli import history, synthetic
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db, insert_rows, transaction
from checkpoint.followups.models import FollowUp
from checkpoint.regions import default_index
from checkpoint.registrations import intake
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.service import context_at, store

CHUNK = 1000
_worker_app: Flask | None = None


def init_app(app: Flask) -> None:
    """Register the command."""

    @app.cli.command("simulate")
    @click.option("--registrations", "-n", type=click.IntRange(1), default=1000, show_default=True, help="How many.")
    @click.option(
        "--days", type=click.IntRange(1, 365), default=7, show_default=True, help="Spread over how many past days."
    )
    @click.option(
        "--seed", type=int, help="The same seed makes the same people; a new one is chosen and told otherwise."
    )
    @click.option(
        "--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="How many prepare side by side."
    )
    def simulate_command(registrations: int, days: int, seed: int | None, processes: int) -> None:
        """Make synthetic travellers: registered, assessed, with passes; those whose day has come have crossed."""
        now = clock.now()
        seed = secrets.randbelow(2**31) if seed is None else seed
        posts = _posts(now)
        started = time.perf_counter()
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        ) as progress:
            task = progress.add_task("Registrations", total=registrations)
            for stored in _in_batches(registrations, days, seed, now, posts, processes):
                progress.advance(task, stored)
        seconds = time.perf_counter() - started
        click.echo(
            f"{registrations:,} registrations in {seconds:.1f} s: {registrations / seconds:,.0f} a second (seed {seed})."
        )


def _posts(at: datetime) -> list[history.Post]:
    """A simulated tablet at every checkpoint that is open; a checkpoint of its own where there is none."""
    site = current_app.extensions["settings"].site_division
    with transaction() as session:
        is_open = Checkpoint.active & (Checkpoint.kind != CheckpointKind.CLOSED.value)
        checkpoints = list(session.scalars(select(Checkpoint).where(is_open).order_by(Checkpoint.code)))
        if not checkpoints:
            checkpoints = [
                Checkpoint(
                    id=uuid.uuid4(),
                    code="SIM",
                    name="模拟卡口",
                    kind="county_road",
                    division_code=site,
                    active=True,
                    created_at=at,
                )
            ]
            session.add(checkpoints[0])
            session.flush()
        posts = []
        for checkpoint in checkpoints:
            device = session.scalar(
                select(Device).where(Device.checkpoint_id == checkpoint.id, Device.label == "simulation")
            )
            if device is None:
                device = Device(
                    id=uuid.uuid4(), checkpoint_id=checkpoint.id, label="simulation", created_at=at, revoked_at=at
                )
                session.add(device)
                session.flush()
            posts.append(history.Post(checkpoint.id, device.id))
    return posts


@lru_cache(maxsize=1)
def world() -> synthetic.World:
    """Counties near and far by the division tree; destinations are the villages of the site."""
    site: str = current_app.extensions["settings"].site_division
    index = default_index()
    near_provinces = {site[:2], "31", "32"}
    counties = [
        county
        for province, _name in _provinces()
        for city, _city in index.children(province)
        for county, _county in index.children(city)
        if county[:6] != site[:6] and index.level(county) == intake.COUNTY
    ]
    villages = [village for town, _name in index.children(site) for village, _village in index.children(town)]
    return synthetic.World(
        near=[code for code in counties if code[:2] in near_provinces],
        far=[code for code in counties if code[:2] not in near_provinces],
        destinations=villages,
    )


def _provinces() -> list[tuple[str, str]]:
    index = default_index()
    codes = (f"{number:02d}0000000000" for number in range(11, 66))
    return [(code, index.name(code)) for code in codes if index.exists(code)]


def _in_batches(
    count: int, days: int, seed: int, now: datetime, posts: list[history.Post], processes: int
) -> Iterator[int]:
    """Other processes prepare and store; while one holds the database the others prepare. Yields how many each stored."""
    global _worker_app  # handed to forked workers, which cannot receive an application by pickle
    _worker_app = current_app._get_current_object()  # type: ignore[attr-defined]
    context_at(now)  # what is in force, made if this is the first use
    db.session.remove()
    db.engine.dispose()
    sizes = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
    jobs = [(size, days, f"{seed}:{number}", now, posts) for number, size in enumerate(sizes)]
    gc.freeze()  # what is alive now stays shared by the forked workers
    with ProcessPoolExecutor(processes, initializer=gc.disable, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting: list[Future[int]] = []
        todo = iter(jobs)
        for job in itertools.islice(todo, processes * 2):
            waiting.append(pool.submit(_batch, *job))
        while waiting:
            yield waiting.pop(0).result()
            waiting.extend(pool.submit(_batch, *job) for job in itertools.islice(todo, 1))


def _batch(size: int, days: int, seed: str, now: datetime, posts: list[history.Post]) -> int:
    """Prepare and store one batch in a worker process; returns its size."""
    if _worker_app is None:
        raise RuntimeError("a batch is prepared in a forked worker only")
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    rows = history.Rows()
    with _worker_app.app_context():
        places = world()
        base = context_at(now)
        for _ in range(size):
            made_at = now - timedelta(seconds=rng.randrange(days * 86_400))
            arrives_at = made_at + timedelta(hours=rng.randrange(0, 60))
            arriving = clock.local_date(arrives_at, base.timezone)
            context = replace(base, at=made_at)
            declaration = Declaration.model_validate(synthetic.declaration(rng, places, made_at, arriving))
            one = intake.prepare(context, declaration, None)[0]
            history.tell(rows, one, context, now, rng)
            one.registration |= {"entered_at": None}
            if arrives_at < now and rng.random() < 0.95:
                history.cross(rows, one, context, rng.choice(posts), arrives_at, now, rng)
            rows.prepared.append(one)
        _store(rows)
        db.session.remove()
    return size


def _store(rows: history.Rows) -> None:
    with transaction():
        store(rows.prepared)
        insert_rows(Alert, rows.alerts)
        insert_rows(FeedEntry, rows.feed)
        insert_rows(Crossing, rows.crossings)
        insert_rows(CrossingDecision, rows.decisions)
        insert_rows(FollowUp, rows.followups)
