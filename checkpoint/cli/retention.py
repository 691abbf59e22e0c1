"""`flask purge` and `flask holds …`: let go what is over, see what holds the rest, hold a person's data and let go of it."""

import json
import uuid

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.errors import CheckpointError
from checkpoint.retention import requests
from checkpoint.retention.purge import purge, survey

group = AppGroup("holds", help="Data that must be kept longer than its time.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(purge_command)
    app.cli.add_command(group)


def _operator() -> Actor:
    return system_actor(current_app.extensions["settings"].site_division)


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Say what would go and what is held, and change nothing.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many trips.")
@with_appcontext
def purge_command(dry_run: bool, limit: int | None) -> None:
    """Let go the data of people whose time is over and whom nothing holds. Prints the counts as JSON.

    The scheduler does it every night. What is held is counted by its reason; a trip may be held by several.
    """
    at = clock.now()
    if dry_run:
        going, held = survey(at)
        click.echo(json.dumps({"would_go": min(going, limit or going), "held": held}))
        return
    done = purge(actor=_operator(), at=at, limit=limit)
    click.echo(
        json.dumps({"gone": {name: number for name, number in done.counts.items() if number}, "held": done.held})
    )


@group.command("add")
@click.argument("trip", type=click.UUID)
@click.option("--why", required=True, help="The reason; it is kept sealed.")
@with_appcontext
def add(trip: uuid.UUID, why: str) -> None:
    """Keep the data of TRIP (the registration's id, as in the address of the person's page)."""
    try:
        held = requests.hold(trip, why, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{held.id}: held")


@group.command("end")
@click.argument("trip", type=click.UUID)
@with_appcontext
def end(trip: uuid.UUID) -> None:
    """Let go of the data of TRIP: it goes when its time is over."""
    try:
        requests.end_hold(trip, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    click.echo("let go")
