"""`flask report DAY`: the report of a day as a file, the same that the scheduler sends each morning."""

from datetime import datetime, timedelta
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.config import Settings
from checkpoint.errors import CheckpointError
from checkpoint.regions.queries import get
from checkpoint.standing import reports


def init_app(app: Flask) -> None:
    """Register the command."""
    app.cli.add_command(report_command)


@click.command("report")
@click.argument("day", required=False, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--format", "kind", type=click.Choice(reports.KINDS), default="pdf", show_default=True)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--division", help="A town of the site, 12 digits; without it the whole site.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write; else the working folder.")
@with_appcontext
def report_command(day: datetime | None, kind: str, language: str, division: str | None, out: Path | None) -> None:
    """Write the report of DAY (a date of the site, else yesterday) and print the name of the file."""
    settings: Settings = current_app.extensions["settings"]
    at = clock.now()
    today = clock.local_date(at, settings.timezone)
    on = today - timedelta(days=1) if day is None else day.date()
    if on > today:
        raise click.ClickException("That day has not come yet.")
    actor = system_actor(division or settings.site_division)
    try:
        get(actor.division)
        made = reports.make(actor, on, kind, at, timezone=settings.timezone, language=language)
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    path = out or Path(made.name)
    path.write_bytes(made.data)
    click.echo(str(path))
