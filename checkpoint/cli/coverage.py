"""`flask coverage verify`: whether the counts that were kept are still the ones that were sealed."""

import json
import sys

import click
from flask import Flask
from flask.cli import AppGroup

from checkpoint.coverage import service

commands = AppGroup("coverage", help="Who is missing: the counts that each night has kept.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(commands)


@commands.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(as_json: bool) -> None:
    """Hold every kept day against itself and the audit trail. Ends with status 1 when a number was changed since.

    Run `audit verify` as well: it tells whether the trail itself is whole.
    """
    days = service.days_kept(limit=None)
    wrong = [
        {"day": day.isoformat(), "question": name, "adds_up": one.adds_up, "in_trail": one.in_trail}
        for day in days
        for name, one in sorted(service.check(day).items())
        if not one.holds
    ]
    if as_json:
        click.echo(json.dumps({"days": len(days), "holds": not wrong, "wrong": wrong}))
    else:
        for found in wrong:
            why = "is not what the audit trail holds" if found["adds_up"] else "does not add up"
            click.echo(f"{found['day']} {found['question']}: {why}")
        click.echo(f"{len(days)} days: {'as they were counted' if not wrong else f'{len(wrong)} counts were changed'}")
    if wrong:
        sys.exit(1)
