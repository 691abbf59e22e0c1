"""What the tests of the lane share: waiting for the server, panels of the board, printed sheets, and what people type."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.gate_support import UNLISTED, Lane
from tests.factories import declarations
from tests.factories.chromium import keep_picture, mistakes, open_page

LONG = 20_000
A6 = (298, 420)  # points


def until(page: Page, done: Callable[[], bool]) -> None:
    """Wait for what the server has, while the page goes on."""
    for _attempt in range(150):
        if done():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come about")


def tab(page: Page, name: str) -> None:
    """Show a panel of the board."""
    page.locator(f'[data-tab="{name}"]').click()


def enrolled(lane: Lane, language: str = "en", **more: Any) -> Page:
    """A tablet that waits for its officer."""
    page = open_page(lane.browser, **more)
    lane.errors = mistakes(page)
    page.goto(f"{lane.address}/gate?lang={language}#enrol={lane.code()}")
    page.locator("[data-officer]").first.wait_for()
    return page


def decide_now(page: Page, decision: str) -> None:
    """Press the officer's button, whether or not the server hears of it."""
    page.locator(f'[data-decision="{decision}"]').click()
    page.locator('[data-gate="verdict"]').wait_for(state="hidden")


def printed(page: Page, name: str) -> list[tuple[int, int]]:
    """The sizes in points of the pages that come out of the printer; what they look like is kept as a picture."""
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    folder = os.environ.get("SCREENSHOTS", "")
    if folder:
        size = page.viewport_size
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 397, "height": 559})  # A6 at 96 dots an inch
        keep_picture(page, name)
        page.emulate_media(media="screen")
        if size:
            page.set_viewport_size(size)
        (Path(folder) / f"{name}.pdf").write_bytes(pdf)
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return [(round(float(width)), round(float(height))) for width, height in boxes]


def fill_as_traveller(phone: Page) -> None:
    """What a passenger writes on a phone."""
    given = declarations.declaration(40)
    phone.locator("#name").fill(given["name"])
    phone.locator("#id_number").fill(given["id_number"])
    phone.locator("#phone").fill(given["phone"])
    for field, code in (("origin", UNLISTED), ("destination", given["destination"]["code"])):
        text = "浙江省嘉兴市秀洲区" if field == "origin" else "乍浦镇八字村"
        phone.locator(f'input[name="{field}_text"]').fill(text)
        phone.evaluate(
            "([name, code]) => { document.querySelector(`input[name=${name}_code]`).value = code; }", [field, code]
        )
    phone.locator('form[data-traveller-form] button[value="send"]').last.click()


def fill_form(page: Page, number: int = 50) -> None:
    """What the officer writes; the document comes from a card reader that types into the wrong field, and presses Enter."""
    page.locator('[data-gate="form-open"]').click()
    form = page.locator('[data-gate="form-body"]')
    form.locator('[name="name"]').press_sequentially(declarations.resident_id(number), delay=5)
    form.locator('[name="name"]').press("Enter")
    expect(form.locator('[name="id_number"]')).to_have_value(declarations.resident_id(number))
    form.locator('[name="name"]').fill(declarations.name(number))
    form.locator('[name="phone"]').fill(declarations.phone(number))
    form.locator('[name="origin_text"]').fill("浙江省嘉兴市秀洲区")
    page.evaluate(
        "(code) => { document.querySelector('[data-gate=form-body] [name=origin_code]').value = code; }", UNLISTED
    )
    form.locator('[name="town"]').select_option("330482101000")
    form.locator('[name="village"]').select_option("330482101203")


def card_reader(page: Page, text: str) -> None:
    """Text and Enter as a reader types them, within a few milliseconds: keys that are sent one by one are too slow on a busy machine."""
    page.evaluate(
        """(text) => {
          for (const key of [...text, "Enter"]) {
            (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
          }
        }""",
        text,
    )
