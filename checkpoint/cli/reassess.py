"""`flask risk …` for what lists and policies do to people: reassess, backtest, policy."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import create_engine, func, insert, select

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.cli.risk import commands
from checkpoint.config import PROJECT_ROOT, Settings
from checkpoint.database import db, prepare_engine
from checkpoint.errors import CheckpointError
from checkpoint.regions import queries as divisions
from checkpoint.risk.lists import ParsedList, UnreadableList, parse
from checkpoint.risk.policies import policies, policy_in_force, publish_policy, read_policy, withdraw_policy
from checkpoint.risk.policy import PolicyData
from checkpoint.surveillance import backtesting
from checkpoint.surveillance.backtesting import Replayed
from checkpoint.surveillance.models import ReassessBatch
from checkpoint.surveillance.service import plan_all, work_all

_ROWS = 5000
_SHOWN = 20
_MARK = "backtest-copy"
_SUFFIXES = (".json", ".csv", ".xlsx")


def init_app(_app: Flask) -> None:
    """The commands hang on the group of `risk`, which registers itself."""


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _actor() -> Actor:
    return system_actor(_settings().site_division)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


@commands.command("reassess")
def reassess() -> None:
    """Assess again whom the changes of lists and policy have touched, beside the scheduler or without it."""
    plan_all(clock.now())
    waiting = db.session.scalar(select(func.sum(ReassessBatch.size)).where(ReassessBatch.done_at.is_(None))) or 0
    with _bar() as bar:
        task = bar.add_task("People", total=int(waiting))
        done = work_all(actor=_actor(), clock=clock.now, progress=lambda size: bar.advance(task, size))
    click.echo(f"{done:,} people were assessed again.")


@commands.group("policy")
def policy_group() -> None:
    """Versions of the control policy."""


@policy_group.command("show")
@click.option("--versions", is_flag=True, help="List the versions instead.")
def show_policy(versions: bool) -> None:
    """Print the policy in force as JSON."""
    current = policy_in_force()
    if versions:
        for one in policies():
            state = (
                "in force" if current and one.id == current.id else ("taken back" if one.withdrawn_at else "replaced")
            )
            click.echo(f"{one.id}\tversion {one.version}\t{state}\t{one.created_at.isoformat()}")
        return
    click.echo(json.dumps(current.data if current else {}, ensure_ascii=False, indent=2))


def _policy(path: Path) -> PolicyData:
    try:
        return read_policy(path.read_bytes())
    except CheckpointError as error:
        lines = [f"{one.field}: {one.message}" for one in getattr(error, "errors", ())]
        raise click.ClickException("\n  ".join([f"{path.name}:", *lines])) from error


@policy_group.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish_policy_(file: Path) -> None:
    """Put a policy from a JSON file in force."""
    made = publish_policy(_policy(file), actor=_actor(), at=clock.now())
    click.echo(
        f"Policy version {made.version} is in force. Everybody is assessed again by the scheduler, or: risk reassess"
    )


@policy_group.command("withdraw")
@click.argument("policy_id", type=int)
def withdraw_policy_(policy_id: int) -> None:
    """Take a policy back, by the number that `show --versions` prints first."""
    try:
        current = withdraw_policy(policy_id, actor=_actor(), at=clock.now())
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"In force: policy version {current.version}.")


_BACKTEST = (
    click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path)),
    click.option(
        "--policy", "policy_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Try this one."
    ),
    click.option("--limit", type=click.IntRange(2), help="Only the last so many versions."),
    click.option(
        "--shift-days", type=int, help="Move the lists by so many days; by default until they meet the registry."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables."),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for one in reversed(_BACKTEST):
        command = one(command)
    return command


@commands.command("backtest")
@_with_options
def backtest(folder: Path, policy_file: Path | None, limit: int | None, shift_days: int | None, as_json: bool) -> None:
    """Replay real list versions over a copy of the registry, and report what they would have raised.

    The live database is only read. The copy is SQLite in a temporary folder, and is gone afterwards.
    """
    if len(_lists(folder)) < 2:
        raise click.ClickException("There must be two versions at least: the first one is the ground.")
    more = [str(folder.resolve())]
    more += ["--policy", str(policy_file.resolve())] if policy_file else []
    more += ["--limit", str(limit)] if limit else []
    more += ["--shift-days", str(shift_days)] if shift_days is not None else []
    more += ["--json"] if as_json else []
    if policy_file:
        _policy(policy_file)
    with _copy() as environ:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "risk", "replay", *more]
        done = subprocess.run(command, cwd=PROJECT_ROOT, env=environ, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise click.ClickException("The replay did not come to its end.")


@commands.command("replay", hidden=True)
@_with_options
def replay(folder: Path, policy_file: Path | None, limit: int | None, shift_days: int | None, as_json: bool) -> None:
    """What `backtest` runs on its copy; refuses to run anywhere else."""
    if not (_settings().data / _MARK).is_file():
        raise click.ClickException("This is not a copy. Run: risk backtest")
    lists = _lists(folder)[-limit:] if limit else _lists(folder)
    policy = _policy(policy_file) if policy_file else None
    with _bar() as bar:
        parsed = [one for _name, one in lists]
        shift = backtesting.shift_for(parsed) if shift_days is None else timedelta(days=shift_days)
        task = bar.add_task("Versions", total=len(lists) - 1)
        found = []
        for one in backtesting.replay(lists, shift=shift, policy=policy, actor=_actor()):
            found.append(one)
            bar.advance(task)
    _report(found, shift.days, as_json)


def _lists(folder: Path) -> list[tuple[str, ParsedList]]:
    """The lists of a folder in the order of their times; what is no list, or does not tell its time, is left out and said."""
    found = []
    for path in sorted(one for one in folder.iterdir() if one.suffix in _SUFFIXES):
        try:
            parsed = parse(path.read_bytes(), path.name)
        except UnreadableList as error:
            click.echo(f"{path.name}: left out: {error}", err=True)
            continue
        if parsed.published_at is None:
            click.echo(f"{path.name}: left out: it does not tell when it was published", err=True)
            continue
        found.append((path.name, parsed))
    return sorted(found, key=lambda pair: (pair[1].published_at, pair[0]))


@contextmanager
def _copy() -> Iterator[dict[str, str]]:
    """The environment of a copy of this instance: its keys, its index, its rows."""
    settings = _settings()
    with tempfile.TemporaryDirectory(prefix="checkpoint-backtest-") as name:
        target = Path(name)
        shutil.copytree(settings.data / "keys", target / "keys")
        (target / "regions.idx").symlink_to(settings.data / "regions.idx")
        if settings.is_sqlite:
            _copy_file(settings.database_url.removeprefix("sqlite:///"), target / "checkpoint.sqlite")
        else:
            _copy_rows(target / "checkpoint.sqlite")
        (target / _MARK).touch()
        yield {
            **os.environ,
            "CHECKPOINT_DATA": str(target),
            "DATABASE_URL": "",
            "SITE_DIVISION": settings.site_division,
            "SITE_TIMEZONE": settings.timezone,
        }


def _copy_file(source: str, target: Path) -> None:
    with sqlite3.connect(source) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()


def _copy_rows(target: Path) -> None:
    """Every table, from one snapshot of the live database."""
    engine = create_engine(f"sqlite:///{target}")
    prepare_engine(engine)
    db.metadata.create_all(engine)
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as live, engine.begin() as copy:
        copy.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in db.metadata.sorted_tables:
            rows = live.execution_options(yield_per=_ROWS).execute(select(table))
            for part in rows.mappings().partitions(_ROWS):
                copy.execute(insert(table), [dict(row) for row in part])
    engine.dispose()


def _report(found: list[Replayed], shift_days: int, as_json: bool) -> None:
    days, villages = backtesting.by_day(found), backtesting.by_village(found)
    names = divisions.names(villages)
    if as_json:
        body: dict[str, Any] = {
            "versions": [
                {
                    "name": one.name,
                    "published_at": one.published_at.isoformat(),
                    "people": one.people,
                    "raised": one.raised,
                    "lowered": one.lowered,
                    "alerts": one.alerts,
                    "seconds": round(one.seconds, 3),
                }
                for one in found
            ],
            "shift_days": shift_days,
            "alerts": sum(days.values()),
            "alerts_by_day": days,
            "alerts_by_village": [
                {"code": code, "name": names.get(code, ""), "alerts": number} for code, number in villages.items()
            ],
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    console = Console(width=None if Console().is_terminal else 140)
    zone = ZoneInfo(_settings().timezone)
    versions = Table("version", "published", "people", "stricter", "milder", "alerts", "seconds")
    for one in found:
        versions.add_row(
            one.name,
            one.published_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            f"{one.people:,}",
            f"{one.raised:,}",
            f"{one.lowered:,}",
            f"{one.alerts:,}",
            f"{one.seconds:.2f}",
        )
    console.print(versions)
    by_day = Table("day", "alerts")
    for day, number in days.items():
        by_day.add_row(day, f"{number:,}")
    console.print(by_day)
    by_village = Table("village", "code", "alerts")
    for code, number in list(villages.items())[:_SHOWN]:
        by_village.add_row(names.get(code, ""), code, f"{number:,}")
    console.print(by_village)
    if len(villages) > _SHOWN:
        console.print(f"and {len(villages) - _SHOWN:,} more villages")
    if shift_days:
        console.print(f"The lists were moved by {shift_days:,} days to meet the registry.")
    console.print(f"{sum(days.values()):,} alerts of {len(found):,} versions.")
