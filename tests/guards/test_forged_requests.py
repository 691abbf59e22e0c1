"""A page of somebody else cannot act in a signed-in person's name: every write that rides on a cookie needs our own page's token."""

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from checkpoint.accounts.models import Role
from tests.factories import people
from tests.factories.divisions import SITE

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
NOTHING = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("body", [{"data": {"a": "b"}}, {"json": {"a": "b"}}], ids=["form", "json"])
def test_every_write_without_a_token_is_refused(app: Flask, body: dict[str, dict[str, str]]) -> None:
    with app.app_context():
        people.user("chief", Role.COMMAND, SITE)
    client = app.test_client()
    assert client.post("/login", data={"login": "chief", "password": people.PASSWORD}).status_code == 302
    app.config["WTF_CSRF_ENABLED"] = True
    adapter, taken, tried = app.url_map.bind("localhost"), [], 0
    for rule in app.url_map.iter_rules():
        values = dict.fromkeys(rule.arguments, NOTHING)
        values |= {name: "1" for name in rule.arguments if isinstance(rule._converters[name], IntegerConverter)}
        values |= {name: "person" for name in rule.arguments if "any" in type(rule._converters[name]).__name__.lower()}
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            address = adapter.build(rule.endpoint, values, method=method)
            answer = client.open(address, method=method, **body)
            tried += 1
            # A pass page is shown once more with a fresh form, before anybody has asked whether there is such a pass.
            again = answer.status_code == 303 and answer.location == f"/p/{NOTHING}"
            if answer.status_code != 400 and not again:
                taken.append(f"{method} {address}: {answer.status_code}")
    assert taken == []
    assert tried > 100
