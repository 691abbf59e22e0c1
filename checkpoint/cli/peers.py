"""`flask peers …`: our own introduction, making another instance known, who is known, trusting one no more."""

import sys
import uuid

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.config import Settings
from checkpoint.errors import CheckpointError, InvalidInput
from checkpoint.joint import identity, queries, sending
from checkpoint.joint import peers as service

peers = AppGroup("peers", help="Other instances with which joint inquiries are exchanged.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(peers)


def _actor() -> Actor:
    settings: Settings = current_app.extensions["settings"]
    return system_actor(settings.site_division)


def _stop(error: CheckpointError) -> click.ClickException:
    if isinstance(error, InvalidInput) and error.errors:
        return click.ClickException("; ".join(one.message for one in error.errors))
    return click.ClickException(str(error))


@peers.command("introduce")
def introduce() -> None:
    """Print our introduction alone on standard output, and on standard error the fingerprint to read out over the phone."""
    ours = identity.introduce()
    click.echo(identity.written(ours))
    click.echo(f"{ours.name}, {ours.division_code}, {ours.url}", err=True)
    click.echo(f"Fingerprint: {identity.fingerprint(ours.keys)}", err=True)


@peers.command("add")
@click.argument("introduction")
@click.option(
    "--fingerprint", help="What the other side has read out. Without it the fingerprint is shown and asked about."
)
def add(introduction: str, fingerprint: str | None) -> None:
    """Make another instance known by its INTRODUCTION (- reads it from standard input), or take its new keys."""
    text = sys.stdin.read() if introduction == "-" else introduction
    try:
        offer = service.offer(text)
        said = offer.introduction
        click.echo(f"{said.name}, {said.division_code}, {said.url}", err=True)
        if offer.replaces is not None:
            click.echo(
                f"It takes the place of {offer.replaces.name} ({offer.replaces.id}), which has other keys.", err=True
            )
        if fingerprint is None:
            click.echo(f"Fingerprint: {offer.fingerprint}", err=True)
            click.confirm("Has the other side read out the same digits over the phone?", abort=True, err=True)
            fingerprint = offer.fingerprint
        peer = service.add(text, fingerprint, actor=_actor(), at=clock.now())
    except CheckpointError as error:
        raise _stop(error) from error
    click.echo(str(peer.id))


@peers.command("list")
def list_() -> None:
    """The instances that are known."""
    table = Table("id", "name", "division", "address", "fingerprint", "trusted", "last heard", "waiting")
    known = queries.peers()
    waiting = sending.waiting_for([peer.id for peer in known])
    for peer in known:
        number, error = waiting.get(peer.id, (0, None))
        table.add_row(
            str(peer.id), peer.name, peer.division_code, peer.url, identity.fingerprint(service.keys_of(peer)),
            "no" if peer.revoked_at else "yes", peer.heard_at.isoformat() if peer.heard_at else "never",
            f"{number} ({error})" if error else str(number),
        )  # fmt: skip
    Console(width=None if Console().is_terminal else 240).print(table)


@peers.command("revoke")
@click.argument("peer", type=click.UUID)
def revoke(peer: uuid.UUID) -> None:
    """Trust an instance no more: its messages are refused, and what stands open with it is closed."""
    try:
        found = service.revoke(peer, actor=_actor(), at=clock.now())
    except CheckpointError as error:
        raise _stop(error) from error
    click.echo(f"{found.name} is no longer trusted.")
