"""A family on one phone: entered once, kept on the phone alone, its codes on one sheet, with no network too."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.phones import fill, phone_at, send
from tests.factories import declarations
from tests.factories.chromium import chromium, keep_picture
from tests.factories.divisions import VILLAGE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
COUNT_LOCKS = """
    globalThis.locks = 0;
    WakeLock.prototype.request = async () => { globalThis.locks += 1; return { release: async () => (globalThis.locks -= 1) }; };
"""
# True as soon as the service worker keeps no pass any more; the limit only keeps a failure from hanging.
EMPTIED = """async () => {
    for (let tries = 0; tries < 100; tries += 1) {
        if (!(await (await caches.open("checkpoint-wallet")).keys()).length) return true;
        await new Promise((done) => setTimeout(done, 100));
    }
    return false;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def phone(app: Flask, browser: Browser) -> Iterator[Page]:
    with serving(app) as address, phone_at(browser, f"http://{address}", "/") as page:
        page.add_init_script(COUNT_LOCKS)
        page.reload()
        yield page


def family(phone: Page, *, keep: bool = True) -> None:
    """Two people declare together."""
    fill(phone)
    phone.click("[data-add=companions]")
    phone.fill("#companions-0-name", declarations.name(2))
    phone.fill("#companions-0-id_number", declarations.resident_id(2))
    if keep:
        phone.locator("[data-known-keep]").click()
    send(phone)
    phone.locator(".pass-code img").wait_for()


def kept(phone: Page) -> str:
    """Everything that this phone keeps, as text."""
    held: str = phone.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    return held


def test_what_was_entered_fills_the_next_form_at_a_touch_each(phone: Page) -> None:
    family(phone)
    assert declarations.resident_id(2) in kept(phone)
    phone.goto("/")
    people = phone.locator("[data-known-people] button")
    expect(people).to_have_text([declarations.name(1), declarations.name(2)])
    keep_picture(phone, "known")
    people.nth(0).click()
    expect(phone.locator("#id_number")).to_have_value(declarations.resident_id(1))
    expect(phone.locator("[name=destination_code]")).to_have_value(VILLAGE)
    expect(phone.locator("[name=transport][value=car]")).to_be_checked()
    expect(phone.locator("#plate")).to_have_value("浙F12345")
    people.nth(1).click()
    expect(phone.locator("#companions-0-id_number")).to_have_value(declarations.resident_id(2))
    expect(people.nth(1)).to_be_disabled()
    phone.locator("[data-remove]").click()
    expect(people.nth(1)).to_be_enabled()
    phone.locator("[data-known-forget]").click()
    expect(phone.locator("[data-known]")).to_be_hidden()
    assert declarations.resident_id(1) not in kept(phone)


def test_without_the_box_no_name_stays_on_the_phone(phone: Page) -> None:
    family(phone, keep=False)
    assert declarations.name(1) not in kept(phone)
    assert declarations.resident_id(1) not in kept(phone)
    phone.goto("/")
    expect(phone.locator("[data-known]")).to_be_hidden()


def test_the_codes_of_a_family_stand_on_one_sheet_with_no_network_too(phone: Page) -> None:
    family(phone, keep=False)
    phone.locator("html[data-wallet-kept]").wait_for(state="attached")
    expect(phone.locator(".renewal")).to_be_visible()
    own = phone.url.partition("?")[0]
    phone.context.set_offline(True)
    phone.goto(own)
    expect(phone.locator("[data-as-of]")).to_be_visible()
    phone.locator("[data-wallet-open]").click()
    sheet = phone.locator("[data-wallet]")
    expect(sheet.locator(".pass")).to_have_count(2)
    codes = sheet.locator(".pass-code img")
    widths = codes.evaluate_all("(all) => Promise.all(all.map((img) => img.decode().then(() => img.naturalWidth)))")
    assert min(widths) > 0
    assert len(set(sheet.locator(".short-code").all_inner_texts())) == 2
    assert phone.evaluate("globalThis.locks") == 1
    keep_picture(phone, "wallet")
    sheet.locator("[data-wallet-turn='1']").click()
    expect(sheet.locator("[data-wallet-count]")).to_contain_text("2")
    sheet.locator("[data-wallet-close]").click()
    expect(sheet).to_be_hidden()
    assert phone.evaluate("globalThis.locks") == 0
    assert "csrf" not in kept(phone)

    phone.context.set_offline(False)
    phone.goto("/")
    phone.locator("[data-phone-passes] button").click()
    expect(phone.locator("[data-phone-passes]")).to_be_hidden()
    assert json.loads(phone.evaluate("localStorage.getItem('checkpoint.passes')")) == []
    assert phone.evaluate(EMPTIED) is True
