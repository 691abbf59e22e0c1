"""The inbox in a real Chromium: alerts appear by themselves, acts need no reload, one stream serves all tabs."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.alerts import service as alerts
from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.registrations import service
from checkpoint.registrations.declaration import Declaration
from checkpoint.web.stream import screens_of
from tests.factories import alerting, declarations, people
from tests.factories.chromium import chromium, keep_picture, mistakes
from tests.factories.divisions import OTHER_VILLAGE, SITE, TOWN, VILLAGE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
expect.set_options(timeout=15_000)  # a loaded machine; what must be quick is measured


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving(app) as found:
        yield f"http://{found}"


@dataclass
class Desk:
    """A signed-in browser; `errors` is what its scripts threw."""

    context: BrowserContext
    address: str
    errors: list[list[str]] = field(default_factory=list)

    def open(self, path: str = "/inbox") -> Page:
        """A tab that is connected."""
        page = self.context.new_page()
        self.errors.append(mistakes(page))
        page.goto(f"{self.address}{path}")
        expect(page.locator("[data-live-state]")).to_have_attribute("data-live-state", re.compile("live|polling"))
        return page


@pytest.fixture
def sign_in(app: Flask, address: str, browser: Browser) -> Iterator[Callable[..., Desk]]:
    """Sign somebody in, in English."""
    desks: list[Desk] = []

    def start(role: Role = Role.VILLAGE, division: str = VILLAGE, size: dict[str, int] = PHONE) -> Desk:
        login = f"{role.value}{len(desks)}"
        with app.app_context():
            people.user(login, role, division)
        context = browser.new_context(viewport=size, locale="zh-CN")  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.goto(f"{address}/login?lang=en")
        page.fill("#login", login)
        page.fill("#password", people.PASSWORD)
        page.locator("main form button").click()
        page.wait_for_url(re.compile(r"^(?!.*/login)"), wait_until="domcontentloaded")
        page.goto("about:blank")  # left, not closed: closing a tab in the middle of a navigation can hang the browser
        desks.append(Desk(context, address))
        return desks[-1]

    yield start
    thrown = [error for desk in desks for errors in desk.errors for error in errors]
    for desk in desks:
        desk.context.close()
    assert thrown == []


def raised(app: Flask, division: str = VILLAGE, tier: str = "yellow", *, needs_answer: bool = True) -> uuid.UUID:
    with app.app_context():
        return alerting.alert(division, tier, at=clock.now(), needs_answer=needs_answer)


def declared(app: Flask, number: int = 1) -> uuid.UUID:
    """Somebody on the way to VILLAGE now; the id of the alert about them."""
    with app.app_context():
        at = clock.now()
        today = clock.local_date(at, app.extensions["settings"].timezone).isoformat()
        body = declarations.declaration(number, arriving_on=today)
        receipt = service.submit(Declaration.model_validate(body), actor=people.operator(), at=at)
        assert receipt.registration.alert_id is not None
        return receipt.registration.alert_id


def state_of(app: Flask, alert_id: uuid.UUID) -> str:
    with app.app_context():
        return db.session.get_one(Alert, alert_id).state


def order(page: Page) -> list[str]:
    return [str(card.get_attribute("data-tier")) for card in page.locator("[data-cards] > [data-alert]").all()]


def test_an_alert_appears_in_its_place_within_a_second(app: Flask, sign_in: Callable[..., Desk]) -> None:
    raised(app, tier="yellow")
    page = sign_in().open()
    assert order(page) == ["yellow"]
    raised(app, OTHER_VILLAGE, "red")
    start = time.monotonic()
    alert = raised(app, tier="red")
    page.locator(f"#alert-{alert}").wait_for()
    took = time.monotonic() - start
    print(f"\ninbox: from the commit to the card {took * 1000:.0f} ms")
    assert took < 1.0
    assert order(page) == ["red", "yellow"]
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    expect(page.locator('[data-count="now"]')).to_have_text("2")
    expect(page.locator(f"#alert-{alert} time[data-countdown]")).to_have_text(re.compile(r"acknowledge within 14:\d\d"))
    keep_picture(page, "inbox-phone")


def test_acts_need_no_reload_and_reach_the_colleague(app: Flask, sign_in: Callable[..., Desk]) -> None:
    alert = declared(app, 11)
    page, colleague = sign_in().open(), sign_in(Role.TOWN, TOWN, DESK).open()
    page.evaluate("window.untouched = true")
    card, theirs = page.locator(f"#alert-{alert}"), colleague.locator(f"#alert-{alert}")
    card.get_by_role("button", name="Call").click()
    expect(card.locator("[data-call]")).to_have_attribute("href", f"tel:+86{declarations.phone(11)}")
    card.get_by_text("Add a note").click()
    card.get_by_label("Note", exact=True).fill("半小时后到")
    card.get_by_role("button", name="Save the note").click()
    expect(card.locator(".alert-note")).to_have_text("半小时后到")
    card.get_by_role("button", name="Acknowledge").click()
    expect(card).to_have_attribute("data-state", "acknowledged")
    expect(theirs).to_have_attribute("data-state", "acknowledged")
    assert state_of(app, alert) == "acknowledged"
    card.get_by_text("Close with a result").click()
    card.get_by_role("button", name="Taken care of").click()
    expect(card).to_have_count(0)
    expect(theirs).to_have_count(0)
    expect(page.get_by_text("Nothing to do now")).to_be_visible()
    assert page.evaluate("window.untouched"), "the page was loaded again"
    assert state_of(app, alert) == "resolved"


def test_words_being_typed_outlive_a_change_by_somebody_else(app: Flask, sign_in: Callable[..., Desk]) -> None:
    alert = declared(app)
    page = sign_in().open()
    card = page.locator(f"#alert-{alert}")
    card.get_by_text("Add a note").click()
    card.get_by_label("Note", exact=True).fill("还没写完")
    with app.app_context():
        alerts.acknowledge(alert, actor=people.operator(), at=clock.now())
    expect(card).to_have_attribute("data-state", "acknowledged")
    expect(card.get_by_label("Note", exact=True)).to_have_value("还没写完")
    expect(card.get_by_label("Note", exact=True)).to_be_focused()


def test_all_tabs_of_a_browser_share_one_stream(app: Flask, sign_in: Callable[..., Desk]) -> None:
    desk = sign_in(size=DESK)
    # What the browser asked for: the server learns only at its next word that a reader has gone.
    streams: list[str] = []
    desk.context.on("request", lambda request: streams.append(request.url) if "/api/v1/stream" in request.url else None)
    tabs = [desk.open() for _ in range(3)]
    assert len(streams) == 1
    alert = raised(app)
    for tab in tabs:
        tab.locator(f"#alert-{alert}").wait_for()
    tabs[0].goto("about:blank")  # the tab that held the stream is left
    later = raised(app, tier="red")
    for tab in tabs[1:]:
        tab.locator(f"#alert-{later}").wait_for()
        assert order(tab) == ["red", "yellow"]
    assert len(streams) == 2  # one of those that stayed took it over


def test_without_a_free_stream_the_page_asks_now_and_then(app: Flask, sign_in: Callable[..., Desk]) -> None:
    screens_of(app).limit = 0
    page = sign_in().open()
    expect(page.locator("[data-live-state]")).to_have_attribute("data-live-state", "polling")
    alert = raised(app)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the worker looks at the phone again
    page.locator(f"#alert-{alert}").wait_for()


def test_a_lost_connection_is_shown_and_what_was_missed_comes_after(app: Flask, sign_in: Callable[..., Desk]) -> None:
    desk = sign_in()
    page = desk.open()
    desk.context.set_offline(True)
    expect(page.locator("[data-live-state]")).to_have_attribute("data-live-state", "offline")
    missed = raised(app)
    desk.context.set_offline(False)
    page.locator(f"#alert-{missed}").wait_for()


def test_many_at_once_come_as_one_list_in_order(app: Flask, sign_in: Callable[..., Desk]) -> None:
    page = sign_in(size=DESK).open()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    with app.app_context():
        for number in range(40):
            alerting.alert(VILLAGE, "red" if number % 4 == 0 else "yellow", at=clock.now())
    expect(page.locator("[data-cards] > [data-alert]")).to_have_count(40)
    assert order(page) == ["red"] * 10 + ["yellow"] * 30
    assert len([url for url in requests if "/inbox/alerts/" in url]) <= 40
    keep_picture(page, "inbox-desk")


def test_without_scripts_everything_can_be_done(app: Flask, sign_in: Callable[..., Desk], browser: Browser) -> None:
    alert = declared(app)
    desk = sign_in()
    kept = desk.context.storage_state()
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, storage_state=kept)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{desk.address}/inbox")
    page.get_by_role("button", name="Acknowledge").click()
    assert state_of(app, alert) == "acknowledged"
    page.get_by_role("button", name="Call").click()
    expect(page.locator("[data-call]")).to_be_visible()
    page.go_back()
    page.get_by_text("Close with a result").click()
    page.get_by_role("button", name="Is not here").click()
    expect(page.get_by_text("Alert closed.")).to_be_visible()
    context.close()
    assert state_of(app, alert) == "resolved"


def test_the_numbers_of_command_follow(app: Flask, sign_in: Callable[..., Desk]) -> None:
    page = sign_in(Role.COMMAND, SITE, DESK).open("/command")
    live = page.locator('[data-stat="live"]')
    expect(live).to_have_text("0")
    raised(app, tier="red")
    expect(live).to_have_text("1")
    declared(app)
    expect(page.locator('[data-stat="declared"]')).to_have_text("1")
    expect(live).to_have_text("2")
    keep_picture(page, "command")
