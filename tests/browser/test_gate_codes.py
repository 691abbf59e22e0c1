"""What the tablet takes a text for, and when the same code is a second scan: the module itself, in the browser that runs it."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.factories.chromium import chromium, open_page
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]

TOKEN = "CP1:6BF+70790T9WJWG.FKY*4GO0.O1CV2 O5"
SCANNED = [
    (TOKEN, "pass"),
    (f"  {TOKEN}\r\n", "pass"),
    (TOKEN.lower(), "pass"),
    ("CP1:", "pass"),  # ours by its first letters; the server says what is wrong with it
    ("", "foreign"),
    ("39E6RD2J", "foreign"),  # a short code is typed, never shown as a QR code
    ("WIFI:T:WPA;S:net;P:secret;;", "foreign"),
    ("HTTPS://PAY.EXAMPLE.COM/Q", "foreign"),
    ("javascript:alert(1)", "foreign"),
    ("https://example.org/c/G60", "poster"),
    ("https://example.org/c/G60/", "poster"),
    ("https://example.org/c/", "foreign"),
    ("https://example.org/p/" + "x" * 35, "link"),
    ("https://example.org/p/short", "foreign"),
    ("https://example.org/gate#enrol=ABCDE-FGHJK", "enrol"),
    ("https://example.org/gate/enroll?code=ABCDE-FGHJK", "enrol"),
    ("https://example.org/gate", "foreign"),
]
TYPED = [
    ("39e6-rd2j", "short", "39E6RD2J"),
    ("39E6 RD2J", "short", "39E6RD2J"),
    ("39E6RD2", "foreign", None),
    ("39E6RD20", "foreign", None),  # no zero in the alphabet
    ("39E6RD2U", "foreign", None),
    (TOKEN, "pass", TOKEN),
]


@pytest.fixture
def page(app: Flask) -> Iterator[Page]:
    with chromium() as browser, serving(app) as address:
        opened = open_page(browser)
        opened.goto(f"http://{address}/gate?lang=en")
        yield opened


def call(page: Page, body: str, argument: Any) -> Any:
    return page.evaluate(
        f"async (given) => {{ const codes = await import('/static/js/gate/codes.js'); {body} }}", argument
    )


def test_texts_are_told_apart(page: Page) -> None:
    kinds = call(page, "return given.map((text) => codes.classifyScan(text).kind);", [text for text, _kind in SCANNED])
    assert list(zip((text for text, _kind in SCANNED), kinds, strict=True)) == SCANNED
    typed = call(
        page,
        "return given.map((text) => { const {kind, token} = codes.classifyTyped(text); return [text, kind, token ?? null]; });",
        [text for text, _kind, _token in TYPED],
    )
    assert [tuple(row) for row in typed] == TYPED


def test_the_pass_counts_among_several_codes(page: Page) -> None:
    found = call(page, "return codes.best(given);", ["https://example.org/c/G60", TOKEN])
    assert found["token"] == TOKEN
    assert call(page, "return codes.best(given);", []) is None


def test_a_code_out_of_sight_for_three_seconds_is_a_new_scan(page: Page) -> None:
    sightings = [("a", 0), ("a", 100), ("a", 2900), ("b", 3000), ("a", 5899), ("a", 8899), ("b", 9000)]
    seen = call(
        page,
        "const repeats = new codes.Repeats(); return given.map(([text, at]) => repeats.seen(text, at));",
        [list(sighting) for sighting in sightings],
    )
    assert seen == [False, True, True, False, True, False, False]
