"""The traveller's way in a real Chromium at the size of a cheap phone. Pictures go to $SCREENSHOTS, or to a temporary folder."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import func, select
from werkzeug.serving import make_server

from checkpoint import clock
from checkpoint.database import db
from checkpoint.registrations.models import Registration, Stay
from tests.factories import declarations

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose console must stay clean, but for the 422 of a form that is sent with errors."""
    context = browser.new_context(viewport=PHONE, has_touch=True, base_url=address, locale="zh-CN")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert [line for line in complaints if "422" not in line] == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def choose(page: Page, field: str, words: str, name: str) -> None:
    """Type into a picker as a person does and take the first line that names the place."""
    page.locator(field).press_sequentially(words, delay=20)
    page.locator(".picker-option", has_text=name).first.click()


def fill_person(page: Page, number: int = 1) -> None:
    page.fill("#name", declarations.name(number))
    page.fill("#id_number", declarations.resident_id(number))
    page.fill("#phone", declarations.phone(number))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_the_whole_form_then_the_pass_then_the_way_back(app: Flask, phone: Page, pictures: Path) -> None:
    phone.goto("/")
    assert fits(phone)
    phone.screenshot(path=pictures / "traveller-form.png")
    fill_person(phone)

    phone.fill("#id_number", declarations.resident_id(1)[:-1] + "5")
    phone.press("#id_number", "Tab")
    assert phone.locator("#id_number-error").is_visible()  # said at once, without a round trip
    phone.fill("#id_number", declarations.resident_id(1))
    phone.press("#id_number", "Tab")
    assert phone.locator("#id_number-error").count() == 0

    choose(phone, "#origin", "嘉善", "嘉善县")
    assert phone.input_value("[name=origin_code]") == "330421000000"
    phone.click("[data-add=stays]")
    choose(phone, "#stays-0", "枫泾", "枫泾镇")
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    phone.fill("#stays-0-from", (today - timedelta(days=4)).isoformat())
    phone.fill("#stays-0-to", (today - timedelta(days=3)).isoformat())
    phone.click("[data-add=stays]")
    phone.locator("#stays-1-row [data-remove]").click()
    assert phone.locator("#stays-1-row").count() == 0
    choose(phone, "#destination", "八字", "八字村")
    phone.fill("#destination-address", "3 组 12 号")
    phone.check("[name=transport][value=train]")
    assert phone.locator("#plate").is_hidden()
    phone.check("[name=transport][value=car]")
    phone.fill("#plate", "浙F12345")
    phone.click("[data-add=companions]")
    phone.fill("#companions-0-name", declarations.name(2))
    phone.fill("#companions-0-id_number", "1234")
    assert fits(phone)
    phone.screenshot(path=pictures / "traveller-form-full.png", full_page=True)

    phone.click("[data-send]")
    summary = phone.locator(".error-summary")
    summary.wait_for()
    assert phone.evaluate("document.activeElement.classList.contains('error-summary')")
    assert phone.input_value("#name") == declarations.name(1)
    assert phone.input_value("[name=origin_code]") == "330421000000"
    phone.screenshot(path=pictures / "traveller-errors.png")
    summary.locator("a").click()
    assert phone.evaluate("document.activeElement.id") == "companions-0-id_number"
    phone.fill("#companions-0-id_number", declarations.resident_id(2))

    phone.locator("[data-send]").dblclick(no_wait_after=True)
    phone.wait_for_url("**/p/*")
    code = phone.locator(".pass-code img")
    code.wait_for()
    assert phone.evaluate("img => img.decode().then(() => img.clientWidth)", code.element_handle()) >= 260
    assert fits(phone)
    phone.screenshot(path=pictures / "traveller-pass.png", full_page=True)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Registration)) == 2
        assert db.session.scalars(select(Stay.code).where(Stay.is_origin.is_(False)).distinct()).one() == "310116102000"

    own = phone.url.partition("?")[0]
    phone.goto("/")
    phone.locator("[data-phone-passes] a").click()
    assert phone.url == own
    assert declarations.name(1) not in phone.evaluate("JSON.stringify(localStorage)")
    phone.click("a[href$='/withdraw']")
    phone.click("button.danger")
    phone.wait_for_url("**/p/*")
    assert phone.locator(".short-code").count() == 0
    phone.goto("/")
    assert phone.locator("[data-phone-passes]").is_hidden()


def test_changing_the_language_keeps_what_was_typed(phone: Page) -> None:
    phone.goto("/")
    fill_person(phone)
    phone.click(".tool-language")
    phone.wait_for_url("**/?lang=en")
    assert phone.input_value("#name") == declarations.name(1)
    assert phone.get_attribute("html", "lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_code_is_black_on_white_in_both_themes(
    browser: Browser, address: str, app: Flask, scheme: str, pictures: Path
) -> None:
    context = browser.new_context(viewport=PHONE, base_url=address, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/")
    fill_person(page)
    page.fill("#origin", "浙江省嘉兴市嘉善县")
    page.fill("#destination", "平湖市乍浦镇八字村")
    page.press("#destination", "Escape")
    page.check("[name=transport][value=walk]")
    page.click("[data-send]")
    page.wait_for_url("**/p/*")
    page.locator(".pass-code img").wait_for()
    page.screenshot(path=pictures / f"traveller-pass-{scheme}.png")
    corner, finder = page.evaluate(
        """async () => {
            const img = document.querySelector(".pass-code img");
            await img.decode();
            const canvas = new OffscreenCanvas(530, 530);
            const paint = canvas.getContext("2d");
            paint.drawImage(img, 0, 0, 530, 530);
            return [paint.getImageData(2, 2, 1, 1).data[0], paint.getImageData(45, 45, 1, 1).data[0]];
        }"""
    )
    context.close()
    assert (corner, finder) == (255, 0)
