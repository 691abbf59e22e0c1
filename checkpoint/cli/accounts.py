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
from checkpoint.accounts import invitations, pins, posts, queries, second_step, service
from checkpoint.accounts.models import CheckpointKind, Role, User
from checkpoint.accounts.permissions import Actor, Permission, system_actor
from checkpoint.config import Settings
from checkpoint.database import transaction
from checkpoint.errors import CheckpointError, InvalidInput
from checkpoint.regions.models import contains

users = AppGroup("users", help="People who sign in.")
devices = AppGroup("devices", help="Tablets at the checkpoints.")
tokens = AppGroup("tokens", help="Bearer tokens of integrations.")
checkpoints = AppGroup("checkpoints", help="Posts on the border.")

_INVITED = "The link to choose a password works once, for 72 hours; it is shown only now:"
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


def _account(login: str) -> User:
    found = queries.user_by_login(login)
    if found is None:
        raise click.ClickException(f"login: there is no account {login}")
    return found


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
@click.option("--invite", is_flag=True, help="Print a link to choose a password instead of a password.")
@with_appcontext
def add_user(login: str, role: str, division: str, name: str, pin: bool, invite: bool) -> None:
    """Make an account and print its random password, once; with --invite the link by which the person chooses one."""
    actor, at = _operator(), clock.now()
    try:
        with transaction():
            if invite:
                invited = invitations.invite_newcomer(login, role, division, actor=actor, at=at, name=name)
                user, secret = invited.user, invitations.link(_settings().public_url, invited.token)
            else:
                user, secret = service.create_user(login, role, division, actor=actor, at=at, name=name)
            given = pins.set_pin(user.id, actor=actor, at=at).pin if pin else None
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(f"Account {user.login} made. {_INVITED if invite else 'Its password, shown only now:'}", err=True)
    click.echo(secret)
    if given is not None:
        click.echo("The PIN for the tablet, shown only now:", err=True)
        click.echo(given)


@users.command("invite")
@click.argument("login")
@with_appcontext
def invite_user(login: str) -> None:
    """Print a link by which somebody chooses a new password; the old one, the link before and all sessions end."""
    try:
        made = invitations.invite(_account(login).id, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(_INVITED, err=True)
    click.echo(invitations.link(_settings().public_url, made.token))


@users.command("reset-second-step")
@click.argument("login")
@with_appcontext
def reset_second_step(login: str) -> None:
    """Take the second step away from somebody who lost phone and recovery codes; all their sessions end."""
    found = second_step.reset(_account(login).id, actor=_operator(), at=clock.now())
    click.echo(f"{found.login} signs in without a code until they set up a new one.", err=True)


@users.command("pin")
@click.argument("login")
@with_appcontext
def give_pin(login: str) -> None:
    """Give an officer a new PIN for the tablet and print it, once; the old one ends."""
    try:
        made = pins.set_pin(_account(login).id, actor=_operator(), at=clock.now())
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(f"The PIN of {made.user.login} for the tablet, shown only now:", err=True)
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
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    type=click.Choice([str(one) for one in Permission]),
    help="One thing that it may do, such as alerts.read; several times for several. Without it, all that its role may.",
)
@with_appcontext
def issue_token(role: str, division: str, label: str, days: int | None, scopes: tuple[str, ...]) -> None:
    """Print a bearer token alone on standard output."""
    at = clock.now()
    try:
        made = service.issue_token(
            role,
            division,
            actor=_operator(),
            at=at,
            label=label,
            expires=service.token_lifetime(days, at),
            scopes=scopes or None,
        )
    except CheckpointError as error:
        raise _fail(error) from error
    click.echo(made.token)


@tokens.command("list")
@with_appcontext
def list_tokens() -> None:
    """All tokens, without their text."""
    table = Table("id", "label", "role", "may", "division", "expires", "last used", "state")
    at = clock.now()
    for row in queries.tokens(_operator()):
        ended = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at)
        expires = "" if row.expires_at is None else f"{row.expires_at:%Y-%m-%d %H:%M}"
        used = "" if row.last_used_at is None else f"{row.last_used_at:%Y-%m-%d %H:%M}"
        may = "all of it" if row.scopes is None else ", ".join(row.scopes)
        state = "ended" if ended else "works"
        table.add_row(str(row.id), row.label, row.role, may, row.division_code, expires, used, state)
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
