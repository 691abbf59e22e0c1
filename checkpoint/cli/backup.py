"""`flask backup`, `flask restore` and `flask backup-key`: everything in one sealed file, and the way back."""

import os
from pathlib import Path
from typing import TextIO

import click
from flask import Flask
from flask.cli import with_appcontext

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.errors import CheckpointError
from checkpoint.upkeep import backup as service
from checkpoint.upkeep import restore as restoring
from checkpoint.upkeep.archive import new_identity
from checkpoint.upkeep.scheduled import make_due, name_at

_OPERATOR = system_actor("")
_FILE = click.Path(dir_okay=False, path_type=Path)
_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how every such key begins


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (backup, restore, backup_key):
        app.cli.add_command(command)


@click.command("backup")
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--with-keys", is_flag=True, help="Put the master key inside, too: whoever opens the backup reads everything."
)
@click.option(
    "--rotate", is_flag=True, help="Into BACKUP_DIR, as by the clock: of all there the newest BACKUP_KEEP stay."
)
@with_appcontext
def backup(file: Path | None, with_keys: bool, rotate: bool) -> None:
    """Write everything into FILE, sealed, while the instance serves, and read it back.

    Without FILE it gets a name with the time, in BACKUP_DIR or the current folder.
    """
    at, settings = clock.now(), service.settings()
    if rotate and (file or with_keys or settings.backup_folder is None):
        raise click.UsageError("--rotate needs BACKUP_DIR, and goes with neither FILE nor --with-keys.")
    path = file or (settings.backup_folder or Path.cwd()) / name_at(at)
    try:
        made = make_due(at, always=True) if rotate else service.make(path, actor=_OPERATOR, at=at, with_keys=with_keys)
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    if made is None:
        raise click.ClickException("Another process is making a backup in BACKUP_DIR.")
    click.echo(f"{made.path}: {made.rows} rows, {made.files} files, {made.size} bytes; written and read back.")
    if not settings.backup_recipients and not settings.backup_passphrase:
        click.echo(
            "It opens with the key of this instance: keep a copy of the folder `keys` in another place, or set BACKUP_RECIPIENTS.",
            err=True,
        )


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--identity", type=click.File(), help="A file with the age key that opens the backup.")
@with_appcontext
def restore(file: Path, identity: TextIO | None) -> None:
    """Bring an empty instance to the state of the backup FILE. Refused where anything is in use."""
    try:
        opener = restoring.opener_for(None if identity is None else _identity(identity.read()))
        restored = restoring.restore(file, opener, actor=_OPERATOR, at=clock.now())
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    made = restored.made_at.isoformat(timespec="seconds")
    click.echo(
        f"{restored.rows} rows and {restored.files} files are back, as they were at {made}. Start the services now."
    )


@click.command("backup-key")
@click.argument("file", type=_FILE)
def backup_key(file: Path) -> None:
    """Make a key for backups: the secret half goes into FILE, to be kept away from here; prints the public half for BACKUP_RECIPIENTS."""
    identity, recipient = new_identity()
    try:
        with open(file, "x", opener=_private) as out:
            out.write(f"# {recipient}\n{identity}\n")
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}.") from error
    click.echo(recipient)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _identity(content: str) -> str:
    """The key in a file as `backup-key` and age-keygen write it."""
    for line in content.splitlines():
        if line.strip().startswith(_SECRET):
            return line.strip()
    raise click.ClickException("There is no age key (AGE-SECRET-KEY-1…) in this file.")
