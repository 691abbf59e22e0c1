"""`flask crossmatch FILE`: take an inquiry list in and hold it against the registry; and `flask inquiries …` for those that are there."""

import csv
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_babel import force_locale
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.config import Settings
from checkpoint.crossmatch import service as crossmatch
from checkpoint.database import db
from checkpoint.errors import CheckpointError, InvalidInput
from checkpoint.inquiries import evaluate, labelled, queries, service
from checkpoint.inquiries.columns import UnknownColumn, chosen
from checkpoint.inquiries.models import Inquiry
from checkpoint.inquiries.reading import Unreadable
from checkpoint.inquiries.wording import bad_row_lines, unreadable_text
from checkpoint.risk.policy import Tier

VALID_DAYS = 14
_FIRST_SEED = 1001  # far from those that the weights were learned from

inquiries = AppGroup(
    "inquiries", help="Inquiry lists: what is there, go on reading, take back, wrong rows, how right the matcher is."
)


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(crossmatch_command)
    app.cli.add_command(inquiries)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _actor() -> Actor:
    return system_actor(_settings().site_division)


def _stop(error: Exception) -> click.ClickException:
    if isinstance(error, Unreadable):
        with force_locale("en"):
            return click.ClickException(unreadable_text(error.cause, error.data))
    if isinstance(error, InvalidInput) and error.errors:
        return click.ClickException("; ".join(f"{one.field}: {one.message}" for one in error.errors))
    return click.ClickException(str(error))


def _day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


@click.command("crossmatch")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", help="Who asks. Default: the file's name.")
@click.option("--case", default="", help="The case it is about.")
@click.option("--level", type=click.Choice([tier.value for tier in Tier]), default=Tier.RED.value, show_default=True)
@click.option("--legal-basis", default="-", help="On what legal basis people are looked for.")
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), callback=_day, help="First day (default: today).")
@click.option(
    "--valid-until", type=click.DateTime(["%Y-%m-%d"]), callback=_day, help=f"Last day (default: {VALID_DAYS} days on)."
)
@click.option(
    "--map", "mapping", help="Which column is what: name=姓名,document=证件号码,phone=#4. Default: by the header."
)
@click.option(
    "--bad-rows", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write wrong rows here."
)
def crossmatch_command(
    file: Path,
    source: str | None,
    case: str,
    level: str,
    legal_basis: str,
    valid_from: date | None,
    valid_until: date | None,
    mapping: str | None,
    bad_rows: Path | None,
) -> None:
    """Take FILE in (CSV, XLSX, ODS or JSON), match it with everybody registered, raise the alerts, and put it in force.

    The file stays where it is. After a kill go on with: inquiries resume.
    """
    today = clock.local_date(clock.now(), _settings().timezone)
    first = valid_from or today
    details = service.Details(
        source or file.name[:120], case, level, legal_basis, first, valid_until or first + timedelta(days=VALID_DAYS)
    )
    try:
        inquiry = service.take_in(file, details, actor=_actor(), at=clock.now(), keep=False)
        columns = _columns(inquiry, mapping)
        service.confirm(inquiry.id, columns, actor=_actor(), at=clock.now())
        _read(inquiry.id)
    except (CheckpointError, Unreadable) as error:
        raise _stop(error) from error
    if bad_rows is not None:
        _write_bad(inquiry.id, bad_rows)


def _columns(inquiry: Inquiry, mapping: str | None) -> dict[str, str]:
    layout: dict[str, Any] = inquiry.mapping or {}
    found: dict[str, int] = dict(layout["columns"])
    if mapping:
        try:
            found |= chosen(mapping, layout["header"])
        except UnknownColumn as error:
            raise click.BadParameter(f"there is no column or field {error.args[0]!r}", param_hint="--map") from error
    header = layout["header"]
    told = ", ".join(
        f"{field}={header[at] if header and at < len(header) else f'#{at + 1}'}" for field, at in found.items()
    )
    click.echo(f"Columns: {told or 'none'}", err=True)
    return {field: f"#{at + 1}" for field, at in found.items()}


@contextmanager
def _bar() -> Iterator[crossmatch.Tell]:
    """A bar of the bytes read, with rows, rows a second, and the time left."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("opening the registry", total=None, rows=0, rate=0.0)
        began: list[tuple[float, int]] = []

        def tell(progress: crossmatch.Progress) -> None:
            if progress.step == "matching" and not began:
                began.append((bar.get_time(), progress.rows))
            rate = 0.0
            if began and bar.get_time() > began[0][0]:
                rate = (progress.rows - began[0][1]) / (bar.get_time() - began[0][0])
            bar.update(
                task, description=_STEPS[progress.step], rows=progress.rows, rate=rate,
                completed=progress.bytes_done, total=progress.bytes or None,
            )  # fmt: skip

        yield tell


_STEPS = {"opening": "opening the registry", "matching": "matching", "merging": "putting in force"}


def _read(inquiry_id: uuid.UUID) -> None:
    with _bar() as tell:
        found = crossmatch.run(inquiry_id, actor=_actor(), clock=clock.now, tell=tell)
    tally = queries.tallies([found.id]).get(found.id, queries.Tally())
    click.echo(
        f"{found.id}: {found.rows:,} rows, {found.bad_rows:,} of them wrong; "
        f"{tally.alerts:,} people alerted, {tally.reviews:,} to be reviewed."
    )


@inquiries.command("list")
def list_() -> None:
    """The inquiries, the newest first."""
    table = Table("id", "state", "source", "from", "until", "rows", "wrong", "alerts", "reviews")
    rows = queries.newest()
    tallies = queries.tallies([row.id for row in rows])
    for row in rows:
        tally = tallies.get(row.id, queries.Tally())
        table.add_row(
            str(row.id), row.state, row.source, f"{row.valid_from}", f"{row.valid_until}", f"{row.rows:,}", f"{row.bad_rows:,}",
            f"{tally.alerts:,}", f"{tally.reviews:,}",
        )  # fmt: skip
    Console(width=None if Console().is_terminal else 160).print(table)


@inquiries.command("evaluate")
@click.option("--seeds", type=click.IntRange(1, 50), default=4, show_default=True, help="How many sets of pairs.")
@click.option(
    "--each", type=click.IntRange(2, 2000), default=200, show_default=True, help="Pairs of a kind in each set."
)
def evaluate_command(seeds: int, each: int) -> None:
    """How right the matcher is, by kind, on the half of the labelled pairs that its weights were not learned from.

    Ends with 1 when a kind is not as good as it must be.
    """
    found = evaluate.measure(range(_FIRST_SEED, _FIRST_SEED + seeds), each)
    table = Table("kind", "people", "alerted", "must be", "")
    for kind, share in found.by_kind.items():
        is_other = kind in labelled.OTHERS
        asked = (
            f"<= {evaluate.MOST_WRONG:g} %"
            if is_other
            else f">= {least:g} %"
            if (least := evaluate.LEAST.get(kind))
            else ""
        )
        reached = "" if evaluate.is_reached(kind, share) else "MISSED"
        table.add_row(kind, "two" if is_other else "one", f"{share:.2f} %", asked, reached)
    Console(width=None if Console().is_terminal else 100).print(table)
    click.echo(
        f"{found.pairs:,} pairs. Alerts: precision {found.alert_precision:.2f} %, recall {found.alert_recall:.2f} %. Alerts and reviews: "
        f"precision {found.both_precision:.2f} %, recall {found.both_recall:.2f} %. Calibration error {found.calibration_error:.4f}."
    )
    if found.missed():
        sys.exit(1)


@inquiries.command("resume")
def resume() -> None:
    """Go on with every list whose reading was interrupted or has not begun."""
    for inquiry_id in queries.waiting():
        try:
            _read(inquiry_id)
        except (CheckpointError, Unreadable) as error:
            click.echo(f"{inquiry_id}: {_stop(error).message}", err=True)
        db.session.remove()


@inquiries.command("withdraw")
@click.argument("inquiry", type=click.UUID)
def withdraw(inquiry: uuid.UUID) -> None:
    """Take an inquiry back: its rows are destroyed, its alerts retracted."""
    try:
        service.withdraw(inquiry, actor=_actor(), at=clock.now())
    except CheckpointError as error:
        raise _stop(error) from error
    click.echo(f"{inquiry} is withdrawn.")


@inquiries.command("bad-rows")
@click.argument("inquiry", type=click.UUID)
@click.argument("target", type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path))
def bad_rows_command(inquiry: uuid.UUID, target: Path) -> None:
    """Write the wrong rows of an inquiry as CSV to TARGET (- for standard output)."""
    try:
        _write_bad(inquiry, target)
    except CheckpointError as error:
        raise _stop(error) from error


def _write_bad(inquiry_id: uuid.UUID, target: Path) -> None:
    inquiry, rows = service.wrong_rows(inquiry_id, actor=_actor(), at=clock.now())
    with force_locale("en"):
        lines = bad_row_lines(rows, (inquiry.mapping or {}).get("before", 0))
        if str(target) == "-":
            csv.writer(sys.stdout).writerows(lines)
            return
        with target.open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows(lines)
