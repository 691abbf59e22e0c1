"""A traveller's phone that has opened the poster once: how it is filled in, and what it shows with no network."""

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.factories import declarations

SIZE = {"width": 360, "height": 740}


@contextmanager
def phone_at(browser: Browser, address: str, path: str = "/c/G60") -> Iterator[Page]:
    """A phone whose form is kept; its scripts may throw nothing."""
    context = browser.new_context(
        viewport=SIZE, has_touch=True, base_url=address, locale="zh-CN", device_scale_factor=2
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(path)
    page.locator("html[data-kept]").wait_for(state="attached")
    yield page
    context.close()
    assert thrown == []


def choose(page: Page, field: str, words: str, name: str) -> None:
    """Type into a picker as a person does and take the first line that names the place."""
    page.locator(field).press_sequentially(words, delay=10)
    page.locator(".picker-option", has_text=name).first.click()


def fill(page: Page, number: int = 1) -> None:
    """A whole form."""
    page.locator("[data-traveller-form][data-ready]").wait_for()
    page.fill("#name", declarations.name(number))
    page.fill("#id_number", declarations.resident_id(number))
    page.fill("#phone", declarations.phone(number))
    choose(page, "#origin", "jsx", "嘉善县")
    choose(page, "#destination", "八字", "八字村")
    page.fill("#destination-address", "3 组 12 号")
    page.check("[name=transport][value=car]")
    page.fill("#plate", "浙F12345")


def send(page: Page) -> None:
    """Press the button at the end of the form."""
    page.click("[data-send]")


def carried(page: Page) -> str:
    """The text of the code on the screen."""
    code = page.locator("[data-carry-part=code]")
    code.locator("svg").wait_for()
    return code.get_attribute("data-text") or ""


def online_again(page: Page) -> None:
    """The network is back."""
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")


def strangers(seed: int, **changes: Any) -> dict[str, Any]:
    """A declaration of twenty-one people with nothing in common: about as long as one can become."""
    chance = random.Random(seed)  # noqa: S311 - the same people each time
    people: list[dict[str, Any]] = [{} for _ in range(21)]
    for one in people:
        one["name"] = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(3))
        one["id_type"] = "passport"
        one["id_number"] = "".join(chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=17))
        one["phone"] = "138" + "".join(chance.choices("0123456789", k=8))
    client_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return declarations.declaration(**people[0], client_id=client_id, companions=people[1:], **changes)
