"""`flask risk …`: import, publish and take back risk lists; say why an address is flagged."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_babel import force_locale
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.cli.regions import print_json_lines, texts_or_stdin
from checkpoint.clock import now
from checkpoint.config import Settings
from checkpoint.errors import CheckpointError
from checkpoint.regions.index import IndexUnusable
from checkpoint.risk import queries
from checkpoint.risk.explaining import Explainer
from checkpoint.risk.importing import WrongRows, import_list, without_wrong_rows
from checkpoint.risk.list_wording import unreadable_text, wrong_row_text
from checkpoint.risk.lists import ParsedList, UnreadableList, WrongRow, parse
from checkpoint.risk.models import ListState, RiskArea, RiskList
from checkpoint.risk.publishing import publish, withdraw
from checkpoint.risk.reconsidering import reconsider
from checkpoint.risk.sample import import_sample

commands = AppGroup("risk", help="Risk lists: import, publish, take back, explain.")
_SHOWN = 20
_EPOCH = datetime.fromtimestamp(0, UTC)


def init_app(app: Flask) -> None:
    app.cli.add_command(commands)


def _actor() -> Actor:
    settings: Settings = current_app.extensions["settings"]
    return system_actor(settings.site_division)


def _stop(error: CheckpointError | IndexUnusable) -> click.ClickException:
    if isinstance(error, IndexUnusable):
        return click.ClickException(f"{error}. Run: flask --app wsgi regions load")
    return click.ClickException(str(error))


def _instant(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    from checkpoint.risk.lists import published

    instant = published(value)
    if instant is None:
        raise click.BadParameter("write it like 2022-08-12 15:00 (China's time)")
    return instant


def _read(path: Path, skip_bad_rows: bool) -> ParsedList:
    with force_locale("en"):
        try:
            parsed = parse(path.read_bytes(), path.name)
        except UnreadableList as error:
            raise click.ClickException(f"{path.name}: {unreadable_text(error)}") from error
        if not skip_bad_rows:
            return parsed
        right = without_wrong_rows(parsed)
        _say_wrong(path.name, parsed.wrong_rows, len(parsed.entries) - len(right.entries))
        return right


def _say_wrong(name: str, rows: Sequence[WrongRow], unknown_codes: int) -> None:
    for row in rows[:_SHOWN]:
        click.echo(f"{name}: left out: {wrong_row_text(row)}", err=True)
    rest = max(0, len(rows) - _SHOWN) + unknown_codes
    if rest:
        click.echo(f"{name}: left out: {rest} more rows", err=True)


def _refuse(name: str, error: WrongRows) -> click.ClickException:
    with force_locale("en"):
        lines = [wrong_row_text(row) for row in error.rows[:_SHOWN]]
    more = len(error.rows) - _SHOWN
    if more > 0:
        lines.append(f"and {more} more")
    lines.append("Nothing was imported. Correct the rows, or leave them out with --skip-bad-rows.")
    return click.ClickException(f"{name}:\n  " + "\n  ".join(lines))


@commands.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--publish", "publishing", is_flag=True, help="Put each list in force, in the order of their published times."
)
@click.option("--skip-bad-rows", is_flag=True, help="Leave wrong rows out instead of refusing the file.")
@click.option("--published-at", callback=_instant, help="Published time of files that do not tell it (China's time).")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write what could not be placed here.",
)
def import_(
    files: tuple[Path, ...], publishing: bool, skip_bad_rows: bool, published_at: datetime | None, report: Path | None
) -> None:
    """Import risk lists: the national JSON format, CSV or XLSX. Several files go in the order of their published times.

    Columns of a table: level, province, city, county, text and, if wanted, code (等级, 省, 市, 县, 社区, 代码).
    """
    from dataclasses import replace

    parsed = [(path, _read(path, skip_bad_rows)) for path in files]
    parsed = [(path, replace(one, published_at=one.published_at or published_at)) for path, one in parsed]
    parsed.sort(key=lambda pair: (pair[1].published_at or _EPOCH, pair[0].name))
    console = Console(stderr=True)
    imported: list[RiskList] = []
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    ) as bar:
        for path, one in parsed:
            imported.append(_import_one(path, one, publishing, bar))
    placed = reconsider(actor=_actor(), at=now())
    if placed:
        click.echo(f"{placed} areas that had no place before were found by aliases added since.")
    _summary(imported)
    _unplaced(imported, report)


def _import_one(path: Path, parsed: ParsedList, publishing: bool, bar: Progress) -> RiskList:
    task = bar.add_task(path.name, total=None)
    try:
        version = import_list(
            parsed, actor=_actor(), at=now(), progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
        if publishing and version.state != ListState.SUPERSEDED:
            preview = queries.preview(version.id)
            if preview.collapsed:
                click.echo(
                    f"{path.name}: {preview.total:,} areas instead of {preview.current_total:,}: was it published by mistake? "
                    f"Take it back with: risk withdraw {version.id}",
                    err=True,
                )
            version = publish(version.id, actor=_actor(), at=now())
    except WrongRows as error:
        raise _refuse(path.name, error) from error
    except (CheckpointError, IndexUnusable) as error:
        raise _stop(error) from error
    return version


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


def _summary(versions: Sequence[RiskList]) -> None:
    table = Table("version", "state", "published", "high", "middle", "low", "county", "town", "unplaced", "source")
    for version in versions:
        table.add_row(
            str(version.id),
            str(version.state),
            version.published_at.astimezone(_zone()).strftime("%Y-%m-%d %H:%M"),
            f"{version.high_count:,}",
            f"{version.middle_count:,}",
            f"{version.low_count:,}",
            _share(version.county_count, version.total),
            _share(version.town_count, version.total),
            f"{version.unresolved_count:,}",
            version.source,
        )
    Console(width=None if Console().is_terminal else 160).print(table)


def _zone() -> Any:
    from zoneinfo import ZoneInfo

    settings: Settings = current_app.extensions["settings"]
    return ZoneInfo(settings.timezone)


def _line(area: RiskArea) -> str:
    return "\t".join((area.province, area.city, area.county, area.text, area.code or ""))


def _unplaced(versions: Sequence[RiskList], report: Path | None) -> None:
    """The areas that lie in no known county: the first ones here, all of them in the report."""
    last = versions[-1]
    areas = queries.unplaced_areas(last.id)
    for area in areas[:_SHOWN]:
        click.echo("no county: " + _line(area).replace("\t", " ").rstrip())
    if len(areas) > _SHOWN:
        click.echo(
            f"and {len(areas) - _SHOWN:,} more" + ("" if report else "; write them to a file with --report FILE")
        )
    if report is not None:
        lines = [f"{version.id}\t{_line(area)}" for version in versions for area in queries.unplaced_areas(version.id)]
        report.write_text(
            "version\tprovince\tcity\tcounty\ttext\tplaced_at\n" + "".join(f"{line}\n" for line in lines), "utf-8"
        )


@commands.command("sample")
def sample() -> None:
    """Publish the list that the project ships, if no list is in force."""
    version = import_sample(actor=_actor(), at=now())
    click.echo(f"In force: version {version.id} ({version.source}), {version.total:,} areas.")


@commands.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_(limit: int) -> None:
    """The versions, the newest import first."""
    _summary(queries.lists(limit))


@commands.command("publish")
@click.argument("version", type=int)
def publish_(version: int) -> None:
    """Put a version in force."""
    try:
        preview = queries.preview(version)
        publish(version, actor=_actor(), at=now())
    except CheckpointError as error:
        raise _stop(error) from error
    click.echo(
        f"Version {version} is in force: {preview.added:,} added, {preview.removed:,} removed, "
        f"{preview.raised:,} raised, {preview.lowered:,} lowered."
    )


@commands.command("withdraw")
@click.argument("version", type=int)
def withdraw_(version: int) -> None:
    """Take a published version back, as if it had never been."""
    try:
        current = withdraw(version, actor=_actor(), at=now())
    except CheckpointError as error:
        raise _stop(error) from error
    click.echo(f"Version {version} is withdrawn. In force: " + (f"version {current.id}." if current else "no list."))


@commands.command("place")
def place() -> None:
    """Place again what lay in no known county, with the aliases added since."""
    try:
        click.echo(f"{reconsider(actor=_actor(), at=now())} areas were placed.")
    except IndexUnusable as error:
        raise _stop(error) from error


@commands.command("explain")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--list", "version", type=int, help="Match against this version alone, whatever its dates.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day of the stay (default: today).")
def explain(texts: tuple[str, ...], version: int | None, on: datetime | None) -> None:
    """Say why an address is flagged, as JSON lines; reads standard input, one a line, when no TEXT is given."""
    day: date | None = on.date() if on else None
    try:
        explainer = Explainer(at=now(), on=day, list_id=version)

        def answers() -> Iterator[dict[str, Any]]:
            for batch in texts_or_stdin(texts):
                for one in explainer.explain(batch):
                    yield one.as_dict()

        print_json_lines(answers())
    except (CheckpointError, IndexUnusable) as error:
        raise _stop(error) from error
