"""In a real Chromium: a look at a card is told to the server, and a browser subscribes, shows what was pushed, and forgets."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.channels.models import ChannelTarget
from checkpoint.database import db
from tests.factories import alerting, people, receivers
from tests.factories.chromium import chromium, keep_picture, mistakes
from tests.factories.divisions import SITE, VILLAGE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]

PHONE = {"width": 360, "height": 740}
expect.set_options(timeout=15_000)
# A headless browser has no push service: the subscription is ours, everything after it is the page's and the worker's own.
SUBSCRIBE = """
(() => {
  const made = { toJSON: () => (%s), unsubscribe: async () => { made.on = false; return true; }, on: false };
  PushManager.prototype.subscribe = async () => { made.on = true; return made; };
  PushManager.prototype.getSubscription = async () => (made.on ? made : null);
})();
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    app.extensions["settings"] = replace(app.extensions["settings"], allow_private_targets=True)
    with serving(app) as found:
        yield f"http://{found}"


@pytest.fixture
def sign_in(app: Flask, browser: Browser, address: str) -> Iterator[Callable[..., BrowserContext]]:
    opened = []

    def open_as(role: Role = Role.VILLAGE, division: str = VILLAGE, **more: Any) -> BrowserContext:
        login = f"worker{len(opened)}"
        with app.app_context():
            people.user(login, role, division)
        context = browser.new_context(viewport=PHONE, **more)
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        page.goto(f"{address}/login")
        page.fill("#login", login)
        page.fill("#password", people.PASSWORD)
        page.click("main form button")
        page.wait_for_url(f"{address}/**")
        page.close()
        return context

    yield open_as
    for context in opened:
        context.close()


def wait_until(what: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def seen(app: Flask) -> set[Any]:
    with app.app_context():
        return set(db.session.scalars(select(Alert.id).where(Alert.seen_at.is_not(None))))


def test_what_stood_on_the_screen_is_seen_and_what_lies_below_is_not(
    app: Flask, address: str, sign_in: Callable[..., BrowserContext]
) -> None:
    with app.app_context():
        first = alerting.alert(tier="red", at=clock.now())
        for _ in range(9):
            alerting.alert(at=clock.now())
    page = sign_in().new_page()
    wrong = mistakes(page)
    page.goto(f"{address}/inbox")
    wait_until(lambda: first in seen(app))
    last = page.locator("[data-alert]").last
    lowest = str(last.get_attribute("data-alert"))
    assert lowest not in {str(one) for one in seen(app)}
    last.scroll_into_view_if_needed()
    wait_until(lambda: lowest in {str(one) for one in seen(app)})
    assert wrong == []


def test_a_browser_subscribes_shows_what_was_pushed_and_forgets(
    app: Flask, address: str, sign_in: Callable[..., BrowserContext]
) -> None:
    context = sign_in(permissions=["notifications"])
    subscription = receivers.Browser("http://127.0.0.1:9/push").subscription
    page = context.new_page()
    page.add_init_script(SUBSCRIBE % json.dumps(subscription))
    wrong = mistakes(page)
    page.goto(f"{address}/channels?lang=en")
    expect(page.locator("[data-push-on]")).to_be_visible()
    keep_picture(page, "channels-phone-en")
    page.click("[data-push-on]")
    expect(page.locator("[data-push-off]")).to_be_visible()
    with app.app_context():
        target = db.session.scalars(select(ChannelTarget)).one()
        assert json.loads(target.address or "") == subscription
    shown = _push(page, {"title": "Checkpoint", "body": "2 red alerts waiting for an answer", "url": "/inbox"})
    assert shown == ["2 red alerts waiting for an answer"]
    page.click("[data-push-off]")
    expect(page.locator("[data-push-on]")).to_be_visible()
    with app.app_context():
        assert db.session.scalars(select(ChannelTarget)).all() == []
    assert wrong == []


def _push(page: Page, message: dict[str, str]) -> list[str]:
    """Hand a message to the service worker as a push service would; returns the bodies of what it shows."""
    session = page.context.new_cdp_session(page)
    found: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    wait_until(lambda: bool(page.wait_for_timeout(50) or found))
    origin = page.url.partition("/channels")[0]
    registration = next(one for one in found if one["scopeURL"].endswith("/channels/"))
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": registration["registrationId"], "data": json.dumps(message)},
    )
    bodies: list[str] = []

    def look() -> bool:
        page.wait_for_timeout(50)
        bodies[:] = page.evaluate(
            """async () => {
              const registered = await navigator.serviceWorker.getRegistration("/channels/worker.js");
              return (await registered.getNotifications()).map((one) => one.body);
            }"""
        )
        return bool(bodies)

    wait_until(look)
    return bodies


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_fit_a_phone(app: Flask, address: str, sign_in: Callable[..., BrowserContext], language: str) -> None:
    with app.app_context():
        alert = alerting.alert(tier="red", at=clock.now())
    context = sign_in(Role.COMMAND, SITE)
    page = context.new_page()
    wrong = mistakes(page)
    for name, path in (
        ("duty", "/duty"),
        ("hand", f"/duty/hand/{alert}"),
        ("hand-over", "/duty/hand-over"),
        ("channels-divisions", "/channels/divisions"),
        ("undelivered", "/channels/undelivered"),
        ("watch", "/command/watch"),
        ("watch-rule", "/command/watch/plate_all_night?days=7&times=4&from_hour=22&to_hour=6"),
        ("inbox-told", "/inbox"),
    ):
        page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, name
        keep_picture(page, f"{name}-phone-{language}")
    assert wrong == []
