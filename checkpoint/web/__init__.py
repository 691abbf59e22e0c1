"""The faces, by audience. Routes parse, call one service function, render."""

from flask import Flask
from flask_babel import Babel

__all__ = ["init_app"]


def init_app(app: Flask, babel: Babel) -> None:
    """Register every blueprint, the error pages, the template filters and the response headers."""
    from checkpoint.web import (
        admin,
        api,
        auth,
        channels,
        command,
        command_work,
        duty,
        errors,
        filters,
        gate,
        gate_shell,
        headers,
        health,
        inbox,
        inbox_care,
        inbox_carried,
        inquiries,
        locale,
        pass_reports,
        patrols,
        places,
        stream,
        traveller,
        traveller_shell,
        watching,
    )

    locale.init_app(app, babel)
    headers.init_app(app)
    errors.init_app(app)
    filters.init_app(app)
    auth.init_app(app)
    for module in (
        traveller,
        traveller_shell,
        pass_reports,
        gate,
        gate_shell,
        inbox,
        inbox_carried,
        inbox_care,
        command,
        command_work,
        inquiries,
        watching,
        duty,
        channels,
        admin,
        patrols,
        auth,
        places,
        stream,
        health,
    ):
        app.register_blueprint(module.blueprint)
    api.init_app(app)
