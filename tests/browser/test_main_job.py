"""The main job from end to end: three real browsers, the real server in processes of its own, and a camera that sees a real screen.

A traveller declares on a phone; the worker of the village sees it arrive; the tablet at the barrier reads the code off the
phone's screen; the officer decides; the worker closes the case. With SCREENSHOTS=folder it leaves the pictures of the README.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.registrations.models import Registration, Traveller
from tests.browser.gate_support import sign_in
from tests.factories import camera, declarations, lists, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page, program
from tests.factories.divisions import SITE, VILLAGE
from tests.factories.gunicorns import real_server

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]

PHONE = {"width": 390, "height": 844, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
SLOWEST = 10.0  # seconds; what decides is that it comes at all, without a reload. The measured time is printed.

# The moment of the click, on the clock that all pages of the machine share; kept over the change of page.
_MARK_CLICK = """() => document.querySelector("[data-send]").addEventListener(
    "click", () => sessionStorage.setItem("clicked", String(performance.timeOrigin + performance.now())), {capture: true})"""
# The moment at which the frame that first shows an alert has been handed over for painting.
_WATCH_ALERT = """() => new MutationObserver((_changes, observer) => {
    if (!document.querySelector("[data-alert]")) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(
        () => (document.body.dataset.painted = String(performance.timeOrigin + performance.now()))));
}).observe(document.body, {childList: true, subtree: true})"""


@pytest.fixture
def address(app: Flask, environment: dict[str, str]) -> Iterator[str]:
    """A city with a list in force, a checkpoint, a village worker and a commander; the server runs outside this process."""
    with app.app_context():
        lists.in_force(lists.FENGJING, lists.ZHUJING, at=clock.now(), source="疫情风险等级名单")
        people.checkpoint()
        people.user("village", Role.VILLAGE, VILLAGE)
        people.user("command", Role.COMMAND, SITE)
        db.session.remove()
    with real_server(environment) as found:
        yield found


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """What the tablet's camera shows: an empty lane until somebody holds up a phone."""
    return camera.film(tmp_path / "camera.mjpeg", [(camera.lane(), 1.0)])


@pytest.fixture
def browsers(film: Path) -> Iterator[tuple[Browser, Browser, Browser]]:
    """The worker's, the traveller's and the tablet's browser, each with processes of its own."""
    with chromium(film) as tablet:
        launch = tablet.browser_type.launch
        worker, traveller = (launch(executable_path=program(), args=["--no-sandbox", "--disable-gpu"]) for _ in "12")
        yield worker, traveller, tablet
        worker.close()
        traveller.close()


def page_of(browser: Browser, errors: list[list[str]], **more: Any) -> Page:
    page = open_page(browser, **more)
    errors.append(mistakes(page))
    return page


def signed_in(page: Page, address: str, login: str, face: str) -> Page:
    page.goto(f"{address}/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", people.PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"**{face}")
    return page


def choose(page: Page, field: str, words: str, name: str) -> None:
    page.locator(field).press_sequentially(words, delay=20)
    page.locator(".picker-option", has_text=name).first.click()


def declare(phone: Page, address: str) -> None:
    """Fill the form at / up to the last touch: from a listed county, so that somebody must act."""
    phone.goto(f"{address}/")
    phone.fill("#name", declarations.name(1))
    phone.fill("#id_number", declarations.resident_id(1))
    phone.fill("#phone", declarations.phone(1))
    choose(phone, "#origin", "金山", "金山区")
    choose(phone, "#destination", "八字", "八字村")
    phone.fill("#destination-address", "3 组 12 号")
    phone.check("[name=transport][value=car]")
    phone.fill("#plate", "沪A12345")


def seconds_to_the_village(phone: Page, inbox: Page) -> float:
    """Send the form and wait for the alert on the worker's screen; the time from the touch to the painted card."""
    inbox.evaluate(_WATCH_ALERT)
    phone.evaluate(_MARK_CLICK)
    phone.locator("[data-send]").click(no_wait_after=True)
    inbox.locator("body[data-painted]").wait_for(timeout=SLOWEST * 1000)
    phone.wait_for_url("**/p/*")
    clicked = float(phone.evaluate("sessionStorage.getItem('clicked')"))
    return (float(inbox.evaluate("document.body.dataset.painted")) - clicked) / 1000


def hold_up(film: Path, code: Locator) -> None:
    """The phone's own screen before the camera: the picture that the traveller sees, a little tilted and not quite sharp."""
    screen = Image.open(io.BytesIO(code.screenshot())).convert("RGB").resize((430, 430))
    phone = Image.new("RGB", (500, 620), (24, 26, 30))
    phone.paste(screen, (35, 95))
    held = phone.rotate(5, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=(92, 98, 104))
    picture = camera.lane()
    picture.paste(held, ((picture.width - held.width) // 2, (picture.height - held.height) // 2))
    seen = picture.filter(ImageFilter.GaussianBlur(0.6))
    camera.film(film, [(camera.lane(), 0.5), (seen, 4.0)])


def card_of(inbox: Page, alert: Alert) -> Locator:
    return inbox.locator(f"#alert-{alert.id}")


def alerts_of(app: Flask) -> dict[str, Alert]:
    """The stored alerts by kind."""
    with app.app_context():
        db.session.remove()
        return {alert.kind: alert for alert in db.session.scalars(select(Alert))}


def test_from_the_phone_to_the_village_and_over_the_barrier(
    app: Flask,
    address: str,
    browsers: tuple[Browser, Browser, Browser],
    film: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    errors: list[list[str]] = []
    inbox = signed_in(page_of(browsers[0], errors, **PHONE), address, "village", "/inbox")
    expect(inbox.locator("[data-live-state]")).to_have_attribute("data-live-state", "live")
    inbox.evaluate("document.body.dataset.sameDocument = 'yes'")

    phone = page_of(browsers[1], errors, **PHONE)
    declare(phone, address)
    phone.evaluate("scrollTo(0, 0)")
    keep_picture(phone, "form")
    taken = seconds_to_the_village(phone, inbox)
    with capsys.disabled():
        print(f"\nfrom the touch on the phone to the alert painted in the village: {taken * 1000:.0f} ms")
    assert 0 < taken < SLOWEST
    declared = alerts_of(app)["registration"]
    assert (declared.tier, declared.state, declared.division_code) == ("yellow", "open", VILLAGE)
    expect(card_of(inbox, declared)).to_contain_text("金山区")
    code = phone.locator(".pass-code img")
    code.evaluate("(img) => img.decode()")
    keep_picture(phone, "pass")

    hold_up(film, code)
    with app.app_context():
        people.gate_officer()
        enrolment = posts.create_device("G60", actor=people.operator(), at=clock.now(), label="东侧车道").code
    tablet = page_of(browsers[2], errors)
    tablet.goto(f"{address}/gate#enrol={enrolment}")
    sign_in(tablet)
    verdict = tablet.locator("[data-gate=verdict]")
    verdict.wait_for()
    assert verdict.get_attribute("data-verdict") == "test"
    box = verdict.bounding_box()
    assert box is not None
    assert box["width"] == 820
    assert box["height"] > 1100  # it fills the screen; above it stands only the line of ages and of what is unsent
    expect(verdict).to_contain_text("金山区")
    keep_picture(tablet, "gate")
    tablet.locator("[data-decision=admitted]").click()
    tablet.locator(".log-row.is-sent").wait_for()

    arrival = alerts_of(app)["arrival"]
    assert (arrival.tier, arrival.state) == ("yellow", "open")
    card = card_of(inbox, arrival)
    card.wait_for()
    declared = alerts_of(app)["registration"]
    assert declared.state == "retracted"  # the arrival says it again
    card_of(inbox, declared).wait_for(state="detached")
    keep_picture(inbox, "inbox")
    card.locator("form[action$='/acknowledge'] button").click()
    expect(card).to_have_attribute("data-state", "acknowledged")
    card.locator("[data-panel=resolve] summary").click()
    card.locator("[data-panel=resolve] textarea").fill("已上门，两次检测已安排")
    card.locator("[data-panel=resolve] button[value=handled]").click()
    card.wait_for(state="detached")
    assert inbox.locator("body").get_attribute("data-same-document") == "yes"  # never reloaded

    command = signed_in(page_of(browsers[0], errors, width=1280, height=800), address, "command", "/command")
    expect(command.locator("main")).to_contain_text("疫情风险等级名单")
    keep_picture(command, "command")
    _says_the_same(app)
    assert errors == [[], [], [], []]


def _says_the_same(app: Flask) -> None:
    """What the screens showed is what is stored."""
    with app.app_context():
        db.session.remove()
        registration = db.session.scalars(select(Registration)).one()
        traveller = db.session.get_one(Traveller, registration.traveller_id)
        crossing = db.session.scalars(select(Crossing)).one()
        arrival = db.session.scalars(select(Alert).where(Alert.kind == "arrival")).one()
        assert (registration.state, registration.tier) == ("inside", "yellow")
        assert (traveller.name, traveller.id_number) == (declarations.name(1), declarations.resident_id(1))
        assert (crossing.registration_id, crossing.verdict, crossing.decision) == (registration.id, "test", "admitted")
        assert registration.entered_at == crossing.decided_at
        assert (arrival.state, arrival.result, arrival.note) == ("resolved", "handled", "已上门，两次检测已安排")
        assert arrival.acknowledged_at is not None
        assert arrival.resolved_at is not None
        assert arrival.acknowledged_at <= arrival.resolved_at
