"""`flask audit verify` and `flask audit export`: whether the trail is whole, and the trail itself."""

import json
import sys
from datetime import datetime

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from checkpoint import clock
from checkpoint.audit import queries
from checkpoint.audit.sealing import seal_all
from checkpoint.audit.verifying import verify

commands = AppGroup("audit", help="The audit trail: verify and export it.")
MOMENT = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"))


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(commands)


@commands.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_command(as_json: bool) -> None:
    """Find every entry that was altered, removed or written in. Ends with status 1 when there is one."""
    report = verify(clock.now())
    if as_json:
        values = {"entries": report.entries, "seals": report.seals, "waiting": report.waiting, "head": report.head}
        found = [{"fault": one.fault.value, "number": one.number} for one in report.findings]
        click.echo(json.dumps({**values, "holds": report.holds, "findings": found}))
    else:
        for one in report.findings:
            click.echo(f"{one.fault.value}: {one.number}")
        state = "the trail is whole" if report.holds else f"{len(report.findings)} faults"
        click.echo(f"{report.entries} entries in {report.seals} seals, {report.waiting} not sealed yet: {state}")
        click.echo(f"head {report.head or '-'}")
    if not report.holds:
        sys.exit(1)


@commands.command("seal")
def seal_command() -> None:
    """Seal what waits now; the scheduler does so every few seconds by itself."""
    click.echo(f"{seal_all(clock.now())} entries sealed")


@commands.command("export")
@click.option("--since", type=MOMENT, help="From this day or instant on.")
@click.option("--until", type=MOMENT, help="Before this day or instant.")
@click.option("--act", default="", help="Only this act, or acts that start like this.")
def export_command(since: datetime | None, until: datetime | None, act: str) -> None:
    """Print the trail as JSON lines, the oldest first, each with its seal and digest."""
    search = queries.Search(act=act, since=_aware(since), until=_aware(until))
    for line in queries.lines(search):
        click.echo(line, nl=False)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return clock.start_of_day(moment.date(), current_app.extensions["settings"].timezone)
