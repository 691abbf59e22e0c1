"""`flask keys …`: the keys under which personal fields are sealed."""

from collections.abc import Callable
from typing import TypeVar

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from rich.console import Console
from rich.table import Table

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.errors import CheckpointError, NotFound
from checkpoint.privacy.keyring import NoRoomForKeys
from checkpoint.upkeep import keys as service
from checkpoint.upkeep.resealing import reseal

_T = TypeVar("_T")

keys = AppGroup("keys", help="The keys under which personal fields are sealed.")
_OPERATOR = system_actor("")
_ROUND_SECONDS = 2.0


def init_app(app: Flask) -> None:
    """Register the group."""
    app.cli.add_command(keys)


@keys.command("list")
@click.option("--count", is_flag=True, help="Count the values under each key: every row is looked at.")
@with_appcontext
def list_keys(count: bool) -> None:
    """Which sealing keys there are, and how far the change to the current one is."""
    found = service.state(count=count)
    table = Table("key", "", "made", *(["values"] if count else []))
    for key in found.keys:
        made = key.made_at.isoformat(timespec="minutes") if key.made_at else "at the first start"
        shown = [str(key.number), "current" if key.is_current else "", made]
        table.add_row(*shown, *([str(key.values)] if count else []))
    console = Console()
    console.print(table)
    if found.is_done:
        console.print("Everything is sealed under the current key." if len(found.keys) > 1 else "There is one key.")
        return
    progress = Table("table", "looked at", "sealed anew", "do not open", "")
    for row in found.tables:
        done = "done" if row.is_done else ""
        progress.add_row(row.table, str(row.looked), str(row.resealed), str(row.broken), done)
    console.print(progress)


@keys.command("rotate")
@with_appcontext
def rotate() -> None:
    """Make a new key and seal with it from now on. The scheduler seals what there is anew; `keys list` shows how far it is."""
    number = _told(lambda: service.rotate(actor=_OPERATOR, at=clock.now()))
    click.echo(f"Key {number} seals from now on. What is sealed under others is sealed anew in the background.")


@keys.command("add")
@with_appcontext
def add() -> None:
    """Make a new key that does not seal yet: carry the folder `keys` to the other hosts, then `keys use` it on each."""
    number = _told(lambda: service.add(actor=_OPERATOR, at=clock.now()))
    click.echo(f"Key {number} made. It does not seal yet.")


@keys.command("use")
@click.argument("number", type=int)
@with_appcontext
def use(number: int) -> None:
    """Seal with key NUMBER from now on."""
    _told(lambda: service.use(number, actor=_OPERATOR, at=clock.now()))
    click.echo(f"Key {number} seals from now on.")


@keys.command("reseal")
@with_appcontext
def reseal_now() -> None:
    """Seal everything anew under the current key now, beside the scheduler or without it. May be stopped and begun again."""
    done = 0
    while not service.state().is_done:
        done += reseal(clock.now, seconds=_ROUND_SECONDS)
        click.echo(f"{done} rows sealed anew", err=True)
    click.echo("Everything is sealed under the current key.")


@keys.command("retire")
@click.argument("number", type=int)
@with_appcontext
def retire(number: int) -> None:
    """Forget key NUMBER for good. Refused while any value still needs it."""
    damaged = _told(lambda: service.retire(number, actor=_OPERATOR, at=clock.now()))
    click.echo(f"Key {number} is gone.")
    if damaged:
        click.echo(f"{damaged} values under it did not open before either; they are damaged.", err=True)


def _told(act: Callable[[], _T]) -> _T:
    """Do it; what stands against it is told in a sentence."""
    try:
        return act()
    except NotFound as error:
        raise click.ClickException("There is no key of this number. `keys list` shows them.") from error
    except (CheckpointError, NoRoomForKeys) as error:
        raise click.ClickException(str(error)) from error
