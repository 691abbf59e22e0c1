"""`scripts/bench NAME`: measure one hot path in an instance of its own, print the figures, and leave nothing behind."""

import os
import signal
import sys
from dataclasses import replace
from types import FrameType
from typing import NoReturn

import click

from checkpoint.benchmarks import (
    crossmatch,
    dumped,
    gate,
    hotpath,
    kept,
    lookups,
    pages,
    places,
    published,
    reassess,
    report,
    screens,
    siege,
)
from checkpoint.benchmarks.instance import Instance, prepared
from checkpoint.errors import CheckpointError

NAMES = ("register", "scan", "stream", "resolve", "reassess", "gate", "crossmatch", "dump", "backup", "siege", "pages")
SCREENS = 200
PEOPLE, QUICK_PEOPLE = 5000, 1000


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(130)


def _server(asked: str | None) -> str | None:
    """The PostgreSQL server to measure on; None means SQLite."""
    for url in (asked, os.environ.get("DATABASE_URL"), os.environ.get("TEST_DATABASE_URL")):
        if url and url.strip():
            return url.strip() if url.strip().startswith("postgres") else None
    return None


def _alone(
    name: str, server: str | None, *, quick: bool, rows: int | None, lookup: bool
) -> tuple[str, dict[str, float]]:
    """The benchmarks that make their instances themselves."""
    if name == "dump":
        return dumped.measure(server, dumped.QUICK if quick else dumped.FULL)
    if name == "backup":
        return kept.measure(server, kept.QUICK if quick else kept.FULL)
    if name == "reassess":
        return reassess.measure(server, reassess.QUICK if quick else reassess.FULL)
    if lookup:
        plan = lookups.QUICK if quick else lookups.FULL
        return lookups.measure(server, replace(plan, rows=rows or plan.rows))
    size = crossmatch.QUICK if quick else crossmatch.FULL
    return crossmatch.measure(server, replace(size, rows=rows or size.rows))


def _seen(name: str, instance: Instance, *, quick: bool) -> dict[str, float]:
    """The benchmarks in a browser."""
    if name == "gate":
        return gate.measure(instance, gate.QUICK if quick else gate.FULL)
    return pages.measure(instance, pages.QUICK if quick else pages.FULL)


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
@click.option("--quick", is_flag=True, help="Fewer and shorter rounds.")
@click.option(
    "--database-url",
    help="A PostgreSQL server on which a database may be made and dropped, or sqlite; default: DATABASE_URL, "
    "TEST_DATABASE_URL, else SQLite.",
)
@click.option(
    "--connections", type=click.IntRange(1, 2000), default=SCREENS, show_default=True, help="stream: screens."
)
@click.option(
    "--rate", type=click.FloatRange(0.1, 500), default=20.0, show_default=True, help="stream: alerts a second."
)
@click.option("--publish", is_flag=True, help="stream: publish a list that touches 5,000 people inside.")
@click.option("--rows", type=click.IntRange(1000, 30_000_000), help="crossmatch: rows of the list, or of all lists.")
@click.option(
    "--minutes", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="siege: how long it is killed."
)
@click.option("--lookup", is_flag=True, help="crossmatch: one new person against 20,000,000 rows in force.")
def main(
    name: str,
    as_json: bool,
    quick: bool,
    database_url: str | None,
    connections: int,
    rate: float,
    publish: bool,
    rows: int | None,
    minutes: float,
    lookup: bool,
) -> None:
    """Measure NAME beside the bare stack, in an instance of its own."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    if name == "resolve":
        report.show(name, report.processor(), places.measure(), as_json=as_json)
        return
    if name in ("reassess", "crossmatch", "dump", "backup"):
        try:
            where, figures = _alone(name, _server(database_url), quick=quick, rows=rows, lookup=lookup)
        except (CheckpointError, OSError) as error:
            sys.exit(f"checkpoint: {error}")
        report.show(name, where, figures, as_json=as_json)
        return
    if name == "siege":
        # Never the server of DATABASE_URL: what is killed must be its own.
        plan = siege.QUICK if quick else siege.for_minutes(minutes)
        try:
            where, figures = siege.measure(
                _server(database_url) if database_url else None, plan, on_sqlite=database_url == "sqlite"
            )
        except (CheckpointError, OSError) as error:
            sys.exit(f"checkpoint: {error}")
        report.show(name, where, figures, as_json=as_json)
        return
    # For pages the second step is another task.
    overrides = {"stream": {"STREAM_LIMIT": str(connections)}, "pages": {"TOTP_ROLES": "none"}}.get(name, {})
    try:
        with prepared(_server(database_url), overrides) as instance:
            where = report.machine(instance)
            if name in ("gate", "pages"):
                figures = _seen(name, instance, quick=quick)
            elif name == "stream" and publish:
                figures = published.measure(instance, published.Plan(connections, QUICK_PEOPLE if quick else PEOPLE))
            elif name == "stream":
                figures = screens.measure(instance, screens.Plan(connections, rate, 3.0 if quick else 6.0))
            else:
                figures = hotpath.measure(instance, name, hotpath.QUICK if quick else hotpath.FULL)
    except (CheckpointError, OSError) as error:
        sys.exit(f"checkpoint: {error}")
    report.show(name, where, figures, as_json=as_json)


if __name__ == "__main__":
    main()
