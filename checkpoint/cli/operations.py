"""`flask demo …` and `flask scheduler`: what an operator runs to bring an instance up and keep it going."""

import click
from flask import Flask

from checkpoint.cli import demo


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(demo.commands)

    @app.cli.command("scheduler")
    def scheduler_command() -> None:
        """Run what happens by the clock: deadlines, the scheduler's beat, the numbering of events."""
        from checkpoint import scheduler

        click.echo("scheduler: running")
        scheduler.run(app)
