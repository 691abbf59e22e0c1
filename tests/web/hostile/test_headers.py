"""Line breaks where they could begin a header, other sites where one could be led to, and a Host that is not ours."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from checkpoint.channels import senders
from checkpoint.errors import InvalidInput
from tests.factories import people
from tests.fuzz.pages import Page
from tests.web.access.row import Row, expected
from tests.web.access.rows import rows
from tests.web.access.test_matrix import address
from tests.web.access.world import Asker, World

BROKEN = "x\r\nX-Injected: 1\r\nSet-Cookie: session=stolen\r\n\r\n<p>"
_NAMES = "next lang theme q text day since until act page view group checkpoint role again last"
QUERY = dict.fromkeys(_NAMES.split(), BROKEN)
EVIL = "evil.example"


def asked(world: World, method: str) -> Iterator[tuple[Row, Asker]]:
    for row in rows():
        asker = next((one for one in world.askers.values() if expected(row, one) == "in"), None)
        if row.method == method and asker is not None and row.endpoint not in ("stream.stream", "static"):
            yield row, asker


def faults(answer: Any) -> list[str]:
    found = [f"{answer.status_code}"] if answer.status_code >= 500 else []
    names = {name.lower() for name, _value in answer.headers}
    found += [name for name in ("x-injected",) if name in names]
    found += [f"{name} breaks" for name, value in answer.headers if "\r" in value or "\n" in value]
    return found + ["a cookie"] * any("stolen" in value for value in answer.headers.getlist("Set-Cookie"))


def test_no_line_break_begins_a_header(world: World) -> None:
    wrong, sent = [], 0
    for row, asker in asked(world, "GET"):
        answer = world.ask(asker, "GET", address(world, row).partition("?")[0], query_string=QUERY)
        sent += 1
        wrong += [f"{row.id}: {fault}" for fault in faults(answer)]
    for row, asker in asked(world, "POST"):
        given = dict(row.body(world)).get("data")
        if not isinstance(given, dict):
            continue
        names = {
            key: (io.BytesIO(b"x"), f'a"{BROKEN}.csv') if isinstance(one, tuple) else BROKEN
            for key, one in given.items()
        }
        answer = world.ask(asker, "POST", address(world, row), data=names)
        sent += 1
        wrong += [f"{row.id}: {fault}" for fault in faults(answer)]
        if answer.status_code < 400:
            world.restore()
    assert wrong == []
    assert sent > 200


def test_nobody_is_led_to_another_site(world: World) -> None:
    """Whatever Host a request claims: ways and links are paths of this site, or its own address as the settings say it."""
    led, looked = [], 0
    for row, asker in asked(world, "GET"):
        answer = world.ask(asker, "GET", address(world, row), headers={"Host": EVIL, "X-Forwarded-Host": EVIL})
        looked += 1
        if EVIL in str(answer.headers) or (answer.mimetype.startswith("text/") and EVIL in answer.text):
            led.append(row.id)
        if answer.mimetype == "text/html":
            page = Page(answer.text, "/")
            led += [f"{row.id}: {form.action}" for form in page.forms if not form.action.startswith(("/", "#", "?"))]
    assert led == []
    assert looked > 100


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%0d%0aX-Injected:1",
        "\t//evil.example",
        "javascript:alert(1)",
    ],
)
def test_signing_in_leads_back_to_this_site(world: World, target: str) -> None:
    given = {"login": "village", "password": people.PASSWORD, "next": target}
    answer = world.app.test_client().post("/login", data=given)
    assert answer.status_code in (302, 401, 422)
    assert faults(answer) == []
    assert EVIL not in (answer.location or "")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("email", "mailto://a:b@192.0.2.1?to=c@example.org&name=x%0d%0aBcc:%20d@example.org"),
        ("email", "mailto://a:b@192.0.2.1?to=c@example.org%0aSubject:%20x"),
        ("webhook", "https://192.0.2.1/x%0d%0aX-Injected:%201"),
        ("webhook", "https://192.0.2.1/x\r\nX-Injected: 1"),
        ("webhook", "https://192.0.2.1/x%00"),
    ],
)
def test_an_address_that_breaks_the_line_is_no_address(context: Flask, kind: str, raw: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        senders.checked(kind, raw)
    assert [one.field for one in raised.value.errors] == ["address"]
    assert str(raised.value.errors[0].message) == senders._("This address cannot be used.")
