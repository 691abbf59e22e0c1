"""The main task of each face as somebody does it who has never seen it: from its first page, no help read, every touch and key counted."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.factories import camera, declarations, people

# Seconds that a person needs on a phone: to find the next field, and for each letter; a Chinese character is written with several.
LOOK_S, KEY_S, CHARACTER_S = 1.0, 0.22, 0.8
# Longer than half of any list that is in force in a test or a benchmark: a shorter one would be asked about.
_ROWS = "".join(f"middle,上海市,上海市,金山区,朱泾镇人民路{number}号\n" for number in range(1, 1201))
LIST = f"level,province,city,county,text\nhigh,上海市,上海市,金山区,枫泾镇\n{_ROWS}"


@dataclass
class Hand:
    """Somebody at a page. `slow` makes them as slow as a person; else they take no time."""

    page: Page
    slow: bool = False
    clicks: int = 0
    keys: int = 0

    def press(self, target: Locator) -> None:
        """Look for something and touch it."""
        if self.slow:
            time.sleep(LOOK_S)
        target.click()
        self.clicks += 1

    def write(self, target: Locator, text: str) -> None:
        """Touch a field and type."""
        self.press(target)
        for letter in text:
            if self.slow:
                time.sleep(CHARACTER_S if ord(letter) > 0x2E80 else KEY_S)
            self.page.keyboard.type(letter)
        self.keys += len(text)

    def enter(self) -> None:
        """The key that sends."""
        self.page.keyboard.press("Enter")
        self.keys += 1

    def pick(self, target: Locator, text: str, name: str) -> None:
        """Type the beginning of a place and touch the line that names it."""
        self.write(target, text)
        self.press(self.page.locator(".picker-option", has_text=name).first)


def declare(hand: Hand, address: str, number: int = 1) -> None:
    """Traveller: from the first page to the pass."""
    page = hand.page
    page.goto(f"{address}/", wait_until="commit")
    page.locator("[data-traveller-form][data-ready]").wait_for()
    hand.write(page.locator("#name"), declarations.name(number))
    hand.write(page.locator("#id_number"), declarations.resident_id(number))
    hand.write(page.locator("#phone"), declarations.phone(number))
    hand.pick(page.locator("#origin"), "金山", "金山区")
    hand.pick(page.locator("#destination"), "八字", "八字村")
    hand.write(page.locator("#destination-address"), "3组12号")
    hand.press(page.locator("label.choice", has=page.locator("[name=transport][value=train]")))
    hand.press(page.locator("[data-send]"))
    page.locator(".short-code").wait_for()


def sign_in(hand: Hand, address: str, login: str) -> None:
    """A person who has an account."""
    hand.page.goto(f"{address}/login")
    hand.write(hand.page.locator("#login"), login)
    hand.write(hand.page.locator("#password"), people.PASSWORD)
    hand.enter()
    hand.page.wait_for_url("**/inbox" if login != "command" else "**/command")


def answer(hand: Hand, address: str) -> None:
    """Village: sign in, take on the first alert, close it."""
    sign_in(hand, address, "village")
    card = hand.page.locator(f"#{hand.page.locator('[data-alert]').first.get_attribute('id')}")
    hand.press(card.locator("form[action$='/acknowledge'] button"))
    expect(card).to_have_attribute("data-state", "acknowledged")
    hand.press(card.locator("[data-panel=resolve] summary"))
    hand.press(card.locator("button[value=handled]"))
    card.wait_for(state="detached")


def admit(hand: Hand) -> None:
    """Barrier: the officer comes on duty at an enrolled tablet, whose camera sees a code, and decides."""
    page = hand.page
    hand.press(page.locator("[data-officer]", has_text=people.OFFICER))
    pad = page.locator("[data-gate=officer]")
    for digit in people.PIN:
        hand.press(pad.get_by_role("button", name=digit, exact=True))
    hand.press(pad.locator("button[type=submit]"))
    page.locator("[data-gate=verdict]").wait_for()
    hand.press(page.locator(".decision.is-asked"))
    page.locator("[data-gate=verdict]").wait_for(state="hidden")


def publish(hand: Hand, address: str) -> None:
    """Command: sign in, upload a list, see what it changes, publish it."""
    page = hand.page
    sign_in(hand, address, "command")
    hand.press(page.locator("a[href='/command/lists']").first)
    page.wait_for_url("**/command/lists")
    with page.expect_file_chooser() as chooser:
        hand.press(page.locator("#file"))
    chooser.value.set_files({"name": "list.csv", "mimeType": "text/csv", "buffer": LIST.encode()})
    hand.press(page.locator("form[enctype] button"))
    page.wait_for_url("**/command/lists/*")
    hand.press(page.locator(".list-acts form button").first)
    page.locator(".notice-success").wait_for()


@contextmanager
def phone(browser: Browser, **more: object) -> Iterator[Page]:
    """A cheap phone with nothing kept on it."""
    size = {"width": 360, "height": 740}
    context = browser.new_context(viewport=size, has_touch=True, locale="zh-CN", **more)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def show(film: Path, code: bytes) -> None:
    """Hold the picture of a phone before the camera."""
    camera.film(film, [(camera.lane(), 0.3), (camera.held(Image.open(io.BytesIO(code)), height=430), 5.0)])
