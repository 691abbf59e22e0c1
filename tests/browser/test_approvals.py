"""A lorry from the driver's phone to the three offices and back, in real browsers; and the pages at the sizes people use."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.approvals import service
from checkpoint.approvals.models import ApprovalKind
from checkpoint.clock import local_date
from tests.factories import lists, people
from tests.factories.applications import DRIVER, applied, conditions, photo
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.divisions import SITE, TOWN, VILLAGE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
expect.set_options(timeout=20_000)
PHONE: dict[str, Any] = {"width": 360, "height": 740, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with app.app_context():
        lists.in_force(at=clock.now(), source="疫情风险等级名单")
        people.checkpoint()
        for login, role, division in (
            ("village", Role.VILLAGE, VILLAGE),
            ("town", Role.TOWN, TOWN),
            ("command", Role.COMMAND, SITE),
        ):
            people.user(login, role, division)
    with serving(app) as found:
        yield f"http://{found}"


def office(browser: Browser, address: str, login: str, language: str = "en", **size: Any) -> Page:
    page = open_page(browser, **({"width": 1440, "height": 900} | size))
    page.goto(f"{address}/login?lang={language}")
    page.fill("#login", login)
    page.fill("#password", people.PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/command*" if login == "command" else "**/inbox*")
    return page


def receipt() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), (230, 240, 250)).save(out, "JPEG")
    return {"name": "waybill.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def opened(page: Page, address: str) -> None:
    """The first application that waits for this office."""
    page.goto(f"{address}/approvals")
    page.locator(".task-card h3 a").first.click()
    page.wait_for_url("**/approvals/*-*")


def test_a_lorry_is_asked_back_and_granted_narrower_than_asked(app: Flask, address: str, browser: Browser) -> None:
    phone = open_page(browser, **PHONE)
    wrong = mistakes(phone)
    phone.goto(f"{address}/apply?lang=en")
    phone.get_by_role("link", name="A lorry, point to point").click()
    phone.fill("#people-0-name", DRIVER.name or "")
    phone.fill("#people-0-id_number", DRIVER.id_number or "")
    phone.fill("#people-0-phone", "13900000001")
    phone.fill("#plate", "沪A12345")
    phone.fill("#origin", "上海市金山区枫泾镇")
    phone.keyboard.press("Escape")
    phone.fill("#destination", "乍浦镇八字村")
    phone.keyboard.press("Escape")
    first = local_date(clock.now(), app.extensions["settings"].timezone)
    phone.fill("#until", (first + timedelta(days=5)).isoformat())
    phone.fill("#purpose", "给村里的厂送原料")
    phone.locator("[data-send]").click()
    phone.wait_for_url("**/approval/*")
    link = phone.url
    keep_picture(phone, "applied-phone")

    village = office(browser, address, "village")
    expect(village.get_by_role("button", name="Look into the application")).to_be_visible()  # the alert leads there
    opened(village, address)
    village.get_by_text("Ask back", exact=True).click()
    village.locator("form[action$='/ask'] textarea").fill("货送到哪个厂？请拍运单。")
    village.get_by_role("button", name="Send the question").click()
    expect(village.get_by_text("Waiting for the applicant's reply", exact=True)).to_be_visible()

    phone.reload()
    expect(phone.get_by_text("货送到哪个厂？请拍运单。").first).to_be_visible()
    phone.fill("#text", "八字村纸箱厂")
    phone.set_input_files("#pictures", receipt())
    keep_picture(phone, "asked-phone")
    phone.get_by_role("button", name="Send the reply").click()
    expect(phone.get_by_text("Your reply is with the office")).to_be_visible()

    village.reload()
    expect(village.get_by_text("1 page with it.")).to_be_visible()  # papers open for a purpose only
    village.get_by_text("Show names and numbers in full", exact=True).click()
    village.locator("form[action$='/reveal'] [name=purpose]").first.check()
    village.locator("form[action$='/reveal'] button").click()
    expect(village.locator(".application-pages img")).to_have_count(1)
    expect(village.get_by_text("八字村纸箱厂")).to_be_visible()
    village.get_by_text("Agree", exact=True).click()
    village.fill("#hours_from", "08:00")
    village.fill("#hours_to", "18:00")
    village.get_by_role("button", name="Agree and hand on").click()
    expect(village.get_by_text("they answer it")).to_be_visible()

    town = office(browser, address, "town")
    opened(town, address)
    town.get_by_text("Agree", exact=True).click()
    town.fill("#test_hours", "24")
    town.get_by_role("button", name="Agree and hand on").click()
    expect(town.get_by_text("they answer it")).to_be_visible()

    command = office(browser, address, "command")
    opened(command, address)
    command.get_by_text("Agree", exact=True).click()
    command.locator("label", has_text="Tue").first.click()
    command.get_by_role("button", name="Grant it").click()
    expect(command.locator(".tag", has_text="Granted").first).to_be_visible()

    phone.goto(link)
    expect(phone.get_by_text("Granted by the city command")).to_be_visible()
    shown = phone.locator("dl.facts").first
    for words in ("08:00 to 18:00", "not older than 24 hours", "Tue"):
        expect(shown).to_contain_text(words)
    keep_picture(phone, "granted-phone")
    assert wrong == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.slow
def test_the_pages_fit_every_screen(app: Flask, address: str, browser: Browser, language: str) -> None:
    now = clock.now()
    wanted = {
        "from": now.isoformat(),
        "until": (now + timedelta(days=3)).isoformat(),
        "days": [1, 2],
        "hours": ["08:00", "18:00"],
    }
    route = {"from": "310116102000", "to": [VILLAGE], "stops": ["330482102000"]}
    with app.app_context():
        asked = applied(
            ApprovalKind.LORRY, now, conditions=conditions(**wanted, route=route), pictures=(photo(), photo())
        )
        link = service.path_of(asked.id)
        service.ask(asked.id, "货送到哪个厂？请拍运单。", actor=people.commander("asks"), at=now)
        waiting = applied(at=now, conditions=conditions(**wanted)).id
        number = asked.number
    own: BrowserContext
    for width, height in ((360, 740), (820, 1180), (1440, 900)):
        page = office(browser, address, "village", language, width=width, height=height)
        own = page.context
        wrong = mistakes(page)
        for name, path in (
            ("choose", "/apply"),
            ("form", "/apply/lorry"),
            ("person", "/apply/person"),
            ("status", link),
            ("slip", f"{link}/slip"),
            ("list", "/approvals"),
            ("one", f"/approvals/{waiting}"),
            ("paper", "/approvals/paper"),
        ):
            page.goto(f"{address}{path}?lang={language}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (name, width)
            if name == "one":
                page.locator(".answer-panel > summary").nth(1).click()
            if name in ("status", "slip"):
                expect(page.get_by_text(number).first).to_be_visible()
            keep_picture(page, f"{name}-{width}-{language}")
            page.set_viewport_size({"width": width, "height": 3000})
            keep_picture(page, f"{name}-{width}-{language}-whole")
            page.set_viewport_size({"width": width, "height": height})
        assert wrong == []
        own.close()
