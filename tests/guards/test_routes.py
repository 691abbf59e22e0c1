"""Every route says who may use it: `@public`, or `@requires(Permission.X)`."""

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from checkpoint.accounts.permissions import Permission

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def test_every_route_names_its_permission_or_is_public(app: Flask) -> None:
    silent = []
    for rule in app.url_map.iter_rules():
        access = getattr(app.view_functions[rule.endpoint], "checkpoint_access", None)
        if rule.endpoint != "static" and access != "public" and not isinstance(access, Permission):
            silent.append(f"{rule.rule} ({rule.endpoint}): {access!r}")
    assert silent == []


def test_there_are_routes_of_both_kinds(app: Flask) -> None:
    """The guard above would pass on an application without routes."""
    found = {getattr(view, "checkpoint_access", None) for view in app.view_functions.values()}
    assert "public" in found
    assert any(isinstance(access, Permission) for access in found)


def test_every_write_is_refused_to_somebody_unknown(app: Flask) -> None:
    """No route that names a permission answers a stranger with success."""
    client = app.test_client()
    open_doors = []
    for rule in app.url_map.iter_rules():
        if not isinstance(getattr(app.view_functions[rule.endpoint], "checkpoint_access", None), Permission):
            continue
        values = dict.fromkeys(rule.arguments, "00000000-0000-7000-8000-000000000000")
        values.update({name: "1" for name in rule.arguments if isinstance(rule._converters[name], IntegerConverter)})
        address = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            status = client.open(address, method=method).status_code
            if status not in (301, 302, 303, 401, 403, 404):
                open_doors.append(f"{method} {address}: {status}")
    assert open_doors == []
