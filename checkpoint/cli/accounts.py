"""`users`, `devices`, `tokens` and `checkpoints` on the command line. Secrets are printed once, on standard output."""

import json
import uuid
from datetime import timedelta

import click
import qrcode
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from rich.console import Console
from rich.table import Table

from checkpoint import clock
from checkpoint.accounts import pins, posts, queries, service
from checkpoint.accounts.models import CheckpointKind, Role
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.config import Settings
from checkpoint.database import transaction
from checkpoint.errors import CheckpointError, InvalidInput
from checkpoint.regions.models import contains

users = AppGroup("users", help="People who sign in.")
devices = AppGroup("devices", help="Tablets at the checkpoints.")
tokens = AppGroup("tokens", help="Bearer tokens of integrations.")
checkpoints = AppGroup("checkpoints", help="Posts on the border.")

# The operator of the machine acts for the whole country: a token may be issued for any division.
_COUNTRY = ""


def init_app(app: Flask) -> None:
    """Register the groups."""
    for group in (users, devices, tokens, checkpoints):
        app.cli.add_command(group)


def _operator() -> Actor:
    return system_actor(_COUNTRY)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _fail(error: CheckpointError) -> click.ClickException:
    if isinstance(error, InvalidInput):
        return click.ClickException("; ".join(f"{item.field}: {item.message}" for item in error.errors))
    return click.ClickException(str(error))


@users.command("add")
@click.argument("login")
@click.option("--role", required=True, type=click.Choice([str(role) for role in service.PEOPLE_ROLES]))
@click.option("--division", required=True, help="The 12-digit code of the jurisdiction.")
@click.option("--name", default="", help="How the person is called on screen.")
@click.option("--pin", is_flag=True, help="Give an officer a PIN for the tablet, too, and print it below the password.")
@with_appcontext
def add_user(login: str, role: str, division: str, name: str, pin: bool) -> None:
    """Make an account and print its random password, once."""
    try:
        with transaction():
            made = service.create_user(login, role, division, actor=_operator(), at=clock.now(), name=name)
            given = pins.set_pin(made.user.id, actor=_operator(), at=clock.now()).pin if pin else None
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(f"Account {made.user.login} made. Its password, shown only now:", err=True)
    click.echo(made.password)
    if given is not None:
        click.echo("The PIN for the tablet, shown only now:", err=True)
        click.echo(given)


@users.command("pin")
@click.argument("login")
@with_appcontext
def give_pin(login: str) -> None:
    """Give an officer a new PIN for the tablet and print it, once; the old one ends."""
    found = queries.user_by_login(login)
    if found is None:
        raise click.ClickException(f"login: there is no account {login}")
    try:
        made = pins.set_pin(found.id, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(f"The PIN of {found.login} for the tablet, shown only now:", err=True)
    click.echo(made.pin)


@users.command("list")
@with_appcontext
def list_users() -> None:
    """All accounts."""
    table = Table("login", "name", "role", "division", "state", "last sign-in")
    for user in queries.users(_operator()):
        seen = "" if user.last_login_at is None else f"{user.last_login_at:%Y-%m-%d %H:%M}"
        state = "open" if user.active else "closed"
        table.add_row(user.login, user.display_name, user.role, user.division_code, state, seen)
    Console().print(table)


@devices.command("enroll")
@click.argument("checkpoint")
@click.option("--label", default="", help="What is written on the tablet.")
@click.option("--token", "token_only", is_flag=True, help="Enrol at once and print the device's token alone.")
@click.option("--minutes", default=24 * 60, type=click.IntRange(15, 24 * 60), help="How long the code works.")
@with_appcontext
def enroll_device(checkpoint: str, label: str, token_only: bool, minutes: int) -> None:
    """Enrol a tablet for the checkpoint with the code CHECKPOINT: prints a one-time address and its QR code."""
    at = clock.now()
    try:
        made = posts.create_device(
            checkpoint, actor=_operator(), at=at, label=label, valid_for=timedelta(minutes=minutes)
        )
        if token_only:
            click.echo(posts.enrol_device(made.code, "command line", at=at).token)
            return
    except CheckpointError as error:
        raise _fail(error) from error
    address = posts.enrolment_url(_settings().public_url, made.code)
    click.echo(f"Open this on the tablet within {minutes} minutes; it works once:", err=True)
    click.echo(address)
    code = qrcode.QRCode(border=2)
    code.add_data(address)
    code.print_ascii(invert=True)


@tokens.command("issue")
@click.option("--role", required=True, type=click.Choice([str(role) for role in Role]))
@click.option("--division", required=True, help="The 12-digit code of the jurisdiction.")
@click.option("--label", default="", help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it works; without it, until it is revoked.")
@with_appcontext
def issue_token(role: str, division: str, label: str, days: int | None) -> None:
    """Print a bearer token alone on standard output."""
    at = clock.now()
    try:
        made = service.issue_token(
            role, division, actor=_operator(), at=at, label=label, expires=service.token_lifetime(days, at)
        )
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(made.token)


@tokens.command("list")
@with_appcontext
def list_tokens() -> None:
    """All tokens, without their text."""
    table = Table("id", "label", "role", "division", "expires", "state")
    at = clock.now()
    for row in queries.tokens(_operator()):
        ended = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at)
        expires = "" if row.expires_at is None else f"{row.expires_at:%Y-%m-%d %H:%M}"
        table.add_row(str(row.id), row.label, row.role, row.division_code, expires, "ended" if ended else "works")
    Console().print(table)


@tokens.command("revoke")
@click.argument("token_id", type=click.UUID)
@with_appcontext
def revoke_token(token_id: uuid.UUID) -> None:
    """End a token by the id that `tokens list` shows."""
    try:
        service.revoke_token(token_id, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo("Revoked.", err=True)


@checkpoints.command("add")
@click.argument("code")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice([str(kind) for kind in CheckpointKind]))
@click.option("--division", required=True, help="The 12-digit code of the division where it stands.")
@with_appcontext
def add_checkpoint(code: str, name: str, kind: str, division: str) -> None:
    """Open a checkpoint; CODE stands in the address of its poster."""
    if not contains(_settings().site_division, division):
        raise click.ClickException(f"division: {division} lies outside the guarded {_settings().site_division}.")
    try:
        made = posts.create_checkpoint(code, name, kind, division, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(f"{_settings().public_url}/c/{made.code}")


@checkpoints.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
@with_appcontext
def list_checkpoints(as_json: bool) -> None:
    """All checkpoints."""
    found = queries.checkpoints(_operator())
    if as_json:
        rows = [
            {"code": p.code, "name": p.name, "kind": p.kind, "division": p.division_code, "active": p.active}
            for p in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("code", "name", "kind", "division", "state")
    for post in found:
        table.add_row(post.code, post.name, post.kind, post.division_code, "open" if post.active else "closed")
    Console().print(table)
