"""The codes that carry a declaration: what the phone's module writes, any module of ours reads; in Chromium, without a camera."""

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.browser.phones import strangers
from tests.factories import declarations
from tests.factories.chromium import chromium, open_page
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
READ = """async ({codes, module}) => {
    const {Collector} = await import(module);
    const collector = new Collector();
    let found = {};
    for (const code of codes) found = await collector.take(code).catch((error) => ({error: error.constructor.name}));
    return found;
}"""
MODULE = "/static/js/carried-code.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(app: Flask, browser: Browser) -> Iterator[Page]:
    with serving(app) as address:
        page = open_page(browser)
        page.goto(f"http://{address}/")
        yield page
        page.context.close()


def written(page: Page, body: dict[str, Any]) -> list[str]:
    codes: list[str] = page.evaluate(
        "async ({body, module}) => (await import(module)).toCodes(body)", {"body": body, "module": MODULE}
    )
    return codes


def read(page: Page, codes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(READ, {"codes": codes, "module": MODULE})
    return found


def unpacked(code: str) -> bytes:
    """The bytes of a code, by the description in the documentation alone."""
    assert code.startswith("CPR1:")
    digits = [ALPHABET.index(one) for one in code[5:]]
    out = bytearray()
    for at in range(0, len(digits), 3):
        part = digits[at : at + 3]
        value = sum(digit * 45**power for power, digit in enumerate(part))
        out += value.to_bytes(2 if len(part) == 3 else 1, "big")
    return bytes(out)


def crowd(people: int, stays: int) -> dict[str, Any]:
    return declarations.declaration(
        companions=[declarations.companion(number) for number in range(2, people + 1)],
        stays=[declarations.stay(text=f"某省某市第{number * 37 % 91}街道 {number * 7919 % 613} 号") for number in range(stays)],
    )  # fmt: skip


@pytest.mark.parametrize(("people", "stays"), [(1, 0), (1, 2), (4, 3), (21, 20)])
def test_what_was_written_is_read(page: Page, people: int, stays: int) -> None:
    body = crowd(people, stays)
    codes = written(page, body)
    print(f"\n{people} people, {stays} stays: {[len(code) for code in codes]} characters")
    assert all(len(code) <= 1200 and not code.endswith(" ") for code in codes)
    for order in (codes, codes[::-1], [*codes, *codes]):
        assert read(page, order)["body"] == body
    whole = [unpacked(code) for code in codes]
    assert [one[1:3] for one in whole] == [bytes((number, len(codes))) for number in range(len(codes))]
    data = b"".join(one[7:] for one in whole)
    assert whole[0][3:7] == zlib.crc32(data).to_bytes(4, "big")
    assert body["client_id"].encode() in zlib.decompress(data, -15)


def test_damaged_mixed_and_foreign_codes_are_told(page: Page) -> None:
    body = declarations.declaration()
    [code] = written(page, body)
    other = "B" if code[60] != "B" else "C"
    assert read(page, [code[:60] + other + code[61:]]) == {"error": "Unreadable"}
    for wrong in ("CPR1:", "CPR1:!!!", "CPR1:ABC", code[:-30]):
        assert read(page, [wrong]) == {"error": "Unreadable"}
    assert read(page, [f" {code.lower()}\r\n"])["body"] == body  # a hand scanner with Caps Lock


def test_parts_of_two_declarations_do_not_mix(page: Page) -> None:
    first, second = (written(page, strangers(seed)) for seed in (1, 2))
    print(f"\n21 strangers, 20 stays: {[len(code) for code in first]} characters")
    assert len(first) > 1
    assert all(len(code) <= 1200 for code in first + second)
    assert read(page, first[::-1])["body"] == strangers(1)
    assert read(page, [first[0], second[1]])["have"] == 1
    assert "body" in read(page, [first[0], *second])
