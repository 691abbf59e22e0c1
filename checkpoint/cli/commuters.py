"""`flask commuters assess`: the morning's round over the commuters, now, for who cannot wait for the scheduler."""

import dataclasses
import json
import time

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.surveillance.commuting import assess_commuters

group = AppGroup("commuters", help="Commuters across the province line.")


@group.command("assess")
def assess() -> None:
    """Assess every standing trip that was not looked at today, and close those that are over. Prints the counts as JSON."""
    began = time.monotonic()
    site: str = current_app.extensions["settings"].site_division
    done = assess_commuters(actor=system_actor(site), at=clock.now())
    click.echo(json.dumps(dataclasses.asdict(done) | {"seconds": round(time.monotonic() - began, 1)}))


def init_app(app: Flask) -> None:
    """Register the group."""
    app.cli.add_command(group)
