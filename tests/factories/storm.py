"""A day at the barrier with no network, in a browser that dies again and again: scans and decisions through the page itself."""

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

PATIENCE = 300.0  # seconds for the slowest part

# Types each code as a hand scanner does and decides. What is on the disk counts, not what was shown.
_DRIVE = """({ tokens, target }) => {
  const part = (name) => document.querySelector(`[data-gate="${name}"]`);
  const until = (test) => new Promise((resolve) => {
    const look = () => (test() ? resolve() : setTimeout(look, 4));
    look();
  });
  const run = async () => {
    const store = await import("/static/js/gate/store.js");
    const verdict = part("verdict");
    for (;;) {
      if (verdict.hidden) {
        const done = await store.count("crossings");
        if (done >= target) break;
        part("code").value = tokens[done % tokens.length];
        part("code-form").requestSubmit();
        await until(() => !verdict.hidden);
      }
      // One in four of those who should be tested is: several hundred strips run at the same time, each with its own clock.
      const asked = document.querySelector(".decision.is-asked");
      const held = document.querySelector('[data-decision="held"]');
      (asked.dataset.decision === "tested" && (await store.count("crossings")) % 4 ? held : asked).click();
      await until(() => verdict.hidden);
    }
    document.documentElement.dataset.storm = "over";
  };
  run();
}"""
_STORED = "async () => (await import('/static/js/gate/store.js')).all('crossings')"
_UNSENT = "async () => (await import('/static/js/gate/store.js')).count('outbox')"


def open_gate(context: BrowserContext, address: str) -> Page:
    """The gate of an enrolled tablet with an officer on duty."""
    page = context.new_page()
    for wait in (200, 500, 1000, 2000, 0):
        try:
            page.goto(f"{address}/gate?lang=en", timeout=4000)
            break
        except PlaywrightError:  # the service worker died in the same process and is just starting again
            if not wait:
                raise
            page.wait_for_timeout(wait)
    page.locator('[data-gate="scan"]').wait_for()
    page.locator('[data-gate="officer"]').wait_for(state="hidden")
    page.wait_for_timeout(100)
    return page


def scan_all(page: Page, tokens: Sequence[str], target: int, kills: int, address: str) -> Page:
    """Make `target` scans with decisions off line, killing the page `kills` times; returns the page that is left."""
    dice = random.Random(5)  # noqa: S311 - moments, no secrets
    deadline = time.monotonic() + PATIENCE
    for _ in range(kills):
        page.evaluate(_DRIVE, {"tokens": list(tokens), "target": target})
        page.wait_for_timeout(dice.uniform(200, 1200))
        page = _killed(page, address)
    page.evaluate(_DRIVE, {"tokens": list(tokens), "target": target})
    page.locator("html[data-storm=over]").wait_for(
        state="attached", timeout=1000 * max(1.0, deadline - time.monotonic())
    )
    return page


def _killed(page: Page, address: str) -> Page:
    """The renderer dies as with an empty battery: no event, no last word. Another page takes up what is on the disk."""
    context = page.context
    with suppress(PlaywrightError):  # the navigation never ends
        page.goto("chrome://crash", timeout=2000)
    page.close()
    return open_gate(context, address)


def deliver(page: Page) -> float:
    """Wait until nothing is left to send; returns the seconds it took."""
    began = time.monotonic()
    while page.evaluate(_UNSENT):
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError("not everything was sent")
        page.wait_for_timeout(100)
    return time.monotonic() - began


def stored(page: Page) -> list[dict[str, Any]]:
    """What the tablet has on its disk about every scan."""
    found: list[dict[str, Any]] = page.evaluate(_STORED)
    return found
