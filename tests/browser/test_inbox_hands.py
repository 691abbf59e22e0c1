"""The inbox by one key and by one swipe, searched and in bunches, and what it costs a phone on a bad line."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import CDPSession, Page, expect

from checkpoint import clock
from checkpoint.accounts.models import Role
from tests.browser.test_inbox import DESK, Desk, address, browser, declared, raised, sign_in, state_of
from tests.factories import declarations, travelling
from tests.factories.chromium import keep_picture
from tests.factories.divisions import TOWN

__all__ = ["address", "browser", "sign_in"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
UPDATE_KB = 6  # one new alert: its card and the counts


def arrived(app: Flask, number: int) -> None:
    """Somebody who was let in just now."""
    with app.app_context():
        today = clock.local_date(clock.now(), app.extensions["settings"].timezone).isoformat()
        travelling.admitted(at=clock.now(), number=number, arriving_on=today)


def swipe(page: Page, card: Any, by: int) -> None:
    """A finger put on the card's heading and moved sideways by so many pixels."""
    boxes = (
        card.locator("h3").bounding_box() for _ in range(50)
    )  # None while the card is being replaced by a newer one
    box = next(one for one in boxes if one is not None)
    hand: CDPSession = page.context.new_cdp_session(page)
    x, y = box["x"] + (10 if by > 0 else box["width"] - 10), box["y"] + box["height"] / 2
    hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for part in range(1, 9):
        at = {"x": x + by * part / 8, "y": y}
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_one_key_each_from_the_first_card_to_the_last(app: Flask, sign_in: Callable[..., Desk]) -> None:
    first, second = raised(app, tier="red"), declared(app, 11)
    page = sign_in(size=DESK).open()
    page.keyboard.press("j")
    expect(page.locator(f"#alert-{first}")).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(f"#alert-{first}")).to_have_attribute("data-state", "acknowledged")
    page.keyboard.press("v")
    expect(page.locator(".toast", has_text="no such act")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(f"#alert-{first}")).to_have_count(0)
    assert state_of(app, first) == "resolved"
    page.keyboard.press("j")
    expect(page.locator(f"#alert-{second}")).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator(f"#alert-{second} [data-call]")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(f"#note-{second}")).to_be_focused()
    page.keyboard.type("a note, and no act")  # typing is typing
    assert state_of(app, second) == "open"
    page.locator(f"#alert-{second} h3").click()
    page.keyboard.press("Control+a")
    assert state_of(app, second) == "open"
    page.keyboard.press("?")
    expect(page.locator("dialog[data-keys] kbd")).to_have_count(10)
    keep_picture(page, "inbox-keys")
    page.keyboard.press("a")  # help is open
    page.keyboard.press("Escape")
    assert state_of(app, second) == "open"
    page.keyboard.press("/")
    page.keyboard.type(declarations.resident_id(11)[-4:])
    page.keyboard.press("Enter")
    page.wait_for_url("**last=*")
    expect(page.locator("[data-alert]")).to_have_count(1)


def test_swiped_step_by_step_to_the_end(app: Flask, sign_in: Callable[..., Desk]) -> None:
    arrived(app, 31)
    page = sign_in().open()
    card = page.locator(".alert-card")
    swipe(page, card, -200)
    expect(card.locator("[data-call]")).to_be_visible()
    swipe(page, card, 60)  # too short
    expect(card).to_have_attribute("data-state", "open")
    swipe(page, card, 200)
    expect(card).to_have_attribute("data-state", "acknowledged")
    expect(card.get_by_role("button", name="Has arrived")).to_be_visible()
    keep_picture(page, "inbox-arrived")
    swipe(page, card, 200)
    expect(card.get_by_role("button", name="Has arrived")).to_have_count(0)
    swipe(page, card, 200)
    expect(card).to_have_count(0)
    expect(page.get_by_text("Nothing to do now")).to_be_visible()


def test_bunches_stay_true_when_alerts_come_and_go(app: Flask, sign_in: Callable[..., Desk]) -> None:
    with app.app_context():
        today = clock.local_date(clock.now(), app.extensions["settings"].timezone).isoformat()
        travelling.declared(at=clock.now(), number=41, arriving_on=today, companions=[declarations.companion(42)])
    page = sign_in(Role.TOWN, TOWN, DESK).open()
    page.locator("[data-sift] summary").click()
    page.get_by_label("Group by").select_option("family")  # sent by itself
    expect(page.locator("[data-bunch]")).to_have_text([re.compile("Travelling with 孙\\*|Travelling with 钱\\*")])
    keep_picture(page, "inbox-bunches")
    alone = declared(app, 43)
    expect(page.locator("[data-bunch]")).to_have_count(2)
    card = page.locator(f"#alert-{alone}")
    card.get_by_role("button", name="Acknowledge").click()
    expect(card).to_have_attribute("data-state", "acknowledged")
    card.get_by_text("Close with a result").click()
    card.get_by_role("button", name="Taken care of").click()
    expect(card).to_have_count(0)
    expect(page.locator("[data-bunch]")).to_have_count(1)


def test_an_update_is_small_enough_for_a_bad_line(app: Flask, sign_in: Callable[..., Desk]) -> None:
    page = sign_in().open()
    hand = page.context.new_cdp_session(page)
    hand.send("Network.enable")
    carried: list[float] = []
    hand.on("Network.loadingFinished", lambda event: carried.append(event["encodedDataLength"]))
    alert = declared(app, 11)
    page.locator(f"#alert-{alert}").wait_for()
    expect(page.locator('[data-count="now"]')).to_have_text("1")
    print(f"\none new alert: {sum(carried) / 1024:.1f} KB in {len(carried)} answers")
    assert 0 < sum(carried) <= UPDATE_KB * 1024
