"""The command line, one module a room: `flask --app wsgi regions load`, `risk import`, `users add` …"""

from flask import Flask

__all__ = ["init_app"]


def init_app(app: Flask) -> None:
    """Register every command group."""
    from checkpoint.cli import (
        accounts,
        audit,
        backup,
        commuters,
        coverage,
        inquiries,
        keys,
        operations,
        peers,
        reassess,
        regions,
        report,
        retention,
        risk,
        simulate,
    )

    for module in (
        accounts,
        audit,
        backup,
        commuters,
        coverage,
        inquiries,
        keys,
        operations,
        peers,
        reassess,
        regions,
        report,
        retention,
        risk,
        simulate,
    ):
        module.init_app(app)
