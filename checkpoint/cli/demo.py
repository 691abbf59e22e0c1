"""The first start of an instance: migrate, load the divisions, publish the sample list, make posts and users to try it with."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
import flask_migrate
from flask import Flask
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, ProgrammingError

from checkpoint import clock
from checkpoint.accounts import pins, posts
from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import Checkpoint, CheckpointKind, Role, User
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.config import Settings
from checkpoint.database import db, transaction
from checkpoint.errors import ConfigurationError
from checkpoint.patrols import points as patrol_points
from checkpoint.patrols import routes as patrol_routes
from checkpoint.regions import queries as divisions
from checkpoint.regions import service as regions
from checkpoint.regions.models import Division
from checkpoint.risk.sample import import_sample

_STAGES = {"compare": "Reading the divisions", "write": "Writing the divisions", "index": "Building the index"}
_POSTS = (
    ("K01", CheckpointKind.EXPRESSWAY, "高速出口卡口"),
    ("K02", CheckpointKind.PROVINCIAL_ROAD, "省道卡口"),
    ("K03", CheckpointKind.COUNTY_ROAD, "县道卡口"),
)
# Crossings that are shut, and what hangs on each barrier; walked together three times a day by the town's tablets.
_CLOSED = (
    ("X01", "老渡口", ("道口护栏", "便桥护栏")),
    ("X02", "机耕路口", ("道口护栏",)),
    ("X03", "堤岸小路", ("道口护栏",)),
)
_WALKS = (("06:30", "120"), ("13:00", "120"), ("20:00", "120"))


@dataclass(frozen=True, slots=True)
class Login:
    """A demo account, with the password that is shown this once."""

    login: str
    password: str
    role: str
    division: str
    face: str
    pin: str = ""


def _settings(app: Flask) -> Settings:
    settings: Settings = app.extensions["settings"]
    return settings


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Two starts on one data folder prepare one after the other; the second finds everything done."""
    handle = os.open(data / "prepare.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def prepare(app: Flask) -> None:
    """Bring an instance to where it can be used; what is there already is kept. Ends the program with a sentence on failure."""
    settings = _settings(app)
    try:
        with app.app_context(), _alone(settings.data):
            _migrate()
            _load_divisions()
            if db.session.scalar(select(User.id).limit(1)) is None:
                _first_start(settings, clock.now())
            db.session.remove()
            db.engine.dispose()
    except (OperationalError, ProgrammingError) as error:
        raise SystemExit(f"checkpoint: the database cannot be used: {_cause(error)}") from error
    except (regions.SourceMissing, ConfigurationError) as error:
        raise SystemExit(f"checkpoint: {error}") from error


def _cause(error: OperationalError | ProgrammingError) -> str:
    """The driver's own first line, which names the server but no password."""
    return str(error.orig).strip().splitlines()[0]


def _migrate() -> None:
    flask_migrate.upgrade()


def _load_divisions() -> None:
    if regions.is_loaded():
        return
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(_STAGES[stage], total=total)
            bar.update(tasks[stage], completed=done, total=total)

        regions.load(progress=show)


def _first_start(settings: Settings, at: datetime) -> None:
    site = divisions.find(settings.site_division)
    towns = divisions.towns(settings.site_division)
    if site is None or not towns:
        raise ConfigurationError(
            f"SITE_DIVISION {settings.site_division} names no county-level division of the national tree."
        )
    actor = system_actor(settings.site_division)
    with transaction():  # all of it or nothing: a start that was broken off begins anew
        import_sample(actor=actor, at=at)
        post = _make_posts(site, towns, actor, at)
        logins = _make_users(site, towns[0], actor, at)
        _make_patrols(towns[0], actor, at)
        tablet = posts.create_device(post.code, actor=actor, at=at, label="平板 1")
    _print_logins(logins, f"{settings.public_url}/gate", post, tablet.code)


def _make_posts(site: Division, towns: Sequence[Division], actor: Actor, at: datetime) -> Checkpoint:
    """Three posts, each in a town of its own as far as there are towns; returns the first."""
    made = []
    for number, (code, kind, words) in enumerate(_POSTS):
        town = towns[number % len(towns)]
        made.append(posts.create_checkpoint(code, f"{town.name}{words}", kind, town.code, actor=actor, at=at))
    return made[0]


def _make_patrols(town: Division, actor: Actor, at: datetime) -> None:
    """Closed crossings of a town with their points, and a route through them with its timetable."""
    villages = divisions.villages(town.code) or [town]
    stops = []
    for number, (code, words, names) in enumerate(_CLOSED):
        place = villages[number % len(villages)]
        posts.create_checkpoint(code, f"{words}封闭卡口", CheckpointKind.CLOSED, place.code, actor=actor, at=at)
        for name in names:
            form = patrol_points.PointForm(f"{words}{name}", place.code, code)
            stops.append(patrol_points.create_point(form, actor=actor, at=at).id)
    route = patrol_routes.create_route(patrol_routes.RouteForm(f"{town.name}巡查线", town.code), actor=actor, at=at)
    patrol_routes.set_stops(route.id, stops, actor=actor, at=at)
    for starts, minutes in _WALKS:
        patrol_routes.add_slot(route.id, patrol_routes.SlotForm(starts, minutes, tuple("0123456")), actor=actor, at=at)


def _make_users(site: Division, town: Division, actor: Actor, at: datetime) -> list[Login]:
    """One account for each kind of work; the village lies in the town."""
    villages = divisions.villages(town.code)
    wanted = [
        ("command", Role.COMMAND, site, "/command"),
        ("town", Role.TOWN, town, "/inbox"),
        *([("village", Role.VILLAGE, villages[0], "/inbox")] if villages else []),
        ("auditor", Role.AUDITOR, site, "/command"),
        ("officer", Role.OFFICER, site, "/gate"),
    ]
    logins = []
    for login, role, division, face in wanted:
        name = f"{division.name} {login}"
        made = accounts.create_user(login, role, division.code, actor=actor, at=at, name=name)
        pin = pins.set_pin(made.user.id, actor=actor, at=at).pin if role is Role.OFFICER else ""
        logins.append(Login(login, made.password, role.value, division.full_name, face, pin))
    return logins


def _print_logins(logins: list[Login], gate: str, post: Checkpoint, enrolment: str) -> None:
    table = Table(title="Accounts to try it with; the passwords are shown this once", title_justify="left")
    for heading in ("Login", "Password", "Role", "Division", "Page", "PIN"):
        table.add_column(heading, no_wrap=True)
    for one in logins:
        table.add_row(one.login, one.password, one.role, one.division, one.face, one.pin)
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    console.print(f"A tablet for {post.name} ({post.code}): open {gate} within 24 hours and enter {enrolment}")
    console.print("There the officer signs in with the PIN.\n")


def addresses(app: Flask) -> list[tuple[str, str]]:
    """Which address is for whom."""
    url = _settings(app).public_url
    with app.app_context():
        code = db.session.scalar(select(Checkpoint.code).where(Checkpoint.active).order_by(Checkpoint.code).limit(1))
        db.session.remove()
        db.engine.dispose()
    lines = [("Traveller, phone", f"{url}/")]
    if code:
        lines.append(("Traveller at a checkpoint", f"{url}/c/{code}"))
    lines += [
        ("Checkpoint, tablet", f"{url}/gate"),
        ("Village and town worker", f"{url}/inbox"),
        ("City command", f"{url}/command"),
    ]
    return lines


@click.group("demo", help="An instance to try: migrated, with divisions, a sample list, posts and users.")
def commands() -> None:
    return


@commands.command("prepare")
@click.pass_context
def prepare_command(context: click.Context) -> None:
    """Migrate, load the divisions, and on the first start make a sample list, posts and users; prints their passwords once."""
    from flask.cli import ScriptInfo

    prepare(context.ensure_object(ScriptInfo).load_app())
