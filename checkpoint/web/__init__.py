"""The faces, by audience. Routes parse, call one service function, render."""

from typing import Any

from flask import Flask
from flask_babel import Babel
from werkzeug.routing import IntegerConverter, Map

__all__ = ["init_app"]


class RowNumber(IntegerConverter):
    """`<int:…>` in an address: the number of a row has 64 bits; nothing stands under a larger one, and no database takes it."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": (1 << 63) - 1, **options})


def init_app(app: Flask, babel: Babel) -> None:
    """Register every blueprint, the error pages, the template filters and the response headers."""
    app.url_map.converters["int"] = RowNumber
    from checkpoint.web import (
        account,
        admin,
        admin_start,
        admin_tokens,
        admin_users,
        admission,
        api,
        applying,
        approvals,
        audit,
        auth,
        channels,
        command,
        command_board,
        command_work,
        commuters,
        companies,
        company_desk,
        counting,
        coverage,
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
        joint,
        keys,
        locale,
        metering,
        own_data,
        pass_reports,
        patrols,
        peers,
        places,
        policies,
        retention,
        reviews,
        signing_in,
        stream,
        styleguide,
        traveller,
        traveller_shell,
        watching,
    )

    locale.init_app(app, babel)
    headers.init_app(app)
    errors.init_app(app)
    filters.init_app(app)
    auth.init_app(app)
    metering.init_app(app)
    for module in (
        traveller,
        traveller_shell,
        pass_reports,
        own_data,
        applying,
        approvals,
        gate,
        gate_shell,
        inbox,
        inbox_carried,
        inbox_care,
        command,
        command_board,
        command_work,
        inquiries,
        reviews,
        commuters,
        companies,
        company_desk,
        coverage,
        policies,
        joint,
        peers,
        watching,
        retention,
        audit,
        duty,
        channels,
        admin,
        admin_start,
        admin_users,
        admin_tokens,
        keys,
        patrols,
        signing_in,
        account,
        places,
        stream,
        styleguide,
        health,
    ):
        app.register_blueprint(module.blueprint)
    api.init_app(app)
    admission.init_app(app)
    counting.init_app(app)
