"""Registration with no network at all, in a real Chromium: the phone's form, its code, the tablet's camera, one registration.

Pictures go to the folder that SCREENSHOTS names.
"""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from checkpoint import clock
from checkpoint.alerts.models import Alert
from checkpoint.database import Base, db
from checkpoint.registrations.models import Registration, Stay
from tests.browser.gate_support import Lane, open_lane, verdict_of
from tests.browser.phones import carried, choose, fill, online_again, phone_at, send, strangers
from tests.factories import camera, declarations
from tests.factories.chromium import chromium, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film") / "camera.mjpeg"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    with chromium(film) as opened:
        yield opened


@pytest.fixture
def lane(app: Flask, browser: Browser, film: Path) -> Iterator[Lane]:
    with open_lane(app, browser, film) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, lane: Lane) -> Iterator[Page]:
    """A phone that has opened the poster's form once and has kept it."""
    with phone_at(browser, lane.address) as page:
        yield page


def stored(app: Flask, model: type[Base] = Registration) -> int:
    with app.app_context():
        db.session.remove()
        return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_the_form_opens_and_becomes_a_code_with_no_network(app: Flask, phone: Page) -> None:
    phone.context.set_offline(True)
    phone.goto("/c/G60")
    phone.locator("[data-offline-note]").wait_for()
    assert phone.input_value("#arriving_on")
    keep_picture(phone, "offline-form")
    first_id = phone.input_value("[name=client_id]")

    send(phone)
    phone.locator(".error-summary li").nth(5).wait_for()  # six things are missing at least
    keep_picture(phone, "offline-problems")

    fill(phone)
    assert phone.input_value("[name=origin_code]") == "330421000000"
    send(phone)
    text = carried(phone)
    print(f"\none person, no stays: {len(text)} characters")
    assert text.startswith("CPR1:")
    assert len(text) <= 600
    keep_picture(phone, "offline-code")
    assert phone.locator("[data-traveller-form]").is_hidden()
    assert stored(app) == 0

    phone.goto("/c/G60")  # the tab was closed: the code is still to be had
    phone.locator("[data-unsent] button").click()
    assert phone.input_value("[name=client_id]") != first_id
    assert carried(phone) == text

    online_again(phone)
    phone.locator("[data-carry-part=sent]").wait_for()
    keep_picture(phone, "offline-sent")
    assert declarations.resident_id(1) not in phone.evaluate("JSON.stringify(localStorage)")
    phone.click("[data-carry-part=pass]")
    phone.locator(".pass-code img").wait_for()
    assert stored(app) == 1


def test_in_english_and_with_a_family_and_stays(app: Flask, phone: Page) -> None:
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    phone.context.set_offline(True)
    phone.goto("/c/G60")
    fill(phone)
    phone.click(".tool-language")
    phone.locator("html[lang=en]").wait_for()
    phone.locator("[data-traveller-form][data-ready]").wait_for()
    assert phone.input_value("#name") == declarations.name(1)  # what was typed went along
    assert phone.input_value("[name=destination_code]")
    phone.click("[data-add=stays]")
    choose(phone, "#stays-0", "嘉善", "嘉善县")
    phone.fill("#stays-0-from", (today - timedelta(days=4)).isoformat())
    phone.fill("#stays-0-to", (today - timedelta(days=5)).isoformat())
    phone.click("[data-add=stays]")  # stays empty: it does not count
    phone.click("[data-add=companions]")
    phone.fill("#companions-0-name", declarations.name(2))
    phone.fill("#companions-0-id_number", declarations.resident_id(1))
    phone.click("[data-add=tests]")
    phone.fill("#tests-0-taken_at", f"{today - timedelta(days=1)}T08:30")
    send(phone)
    summary = phone.locator(".error-summary")
    expect(summary.locator("li")).to_have_count(2)
    expect(summary).to_contain_text("The last day is before the first.")
    keep_picture(phone, "offline-problems-en")
    summary.locator("a").first.click()
    assert phone.evaluate("document.activeElement.id") == "stays-0-to"
    phone.fill("#stays-0-to", (today - timedelta(days=3)).isoformat())
    phone.fill("#companions-0-id_number", declarations.resident_id(2))
    send(phone)
    print(f"\ntwo people, one stay, one test: {len(carried(phone))} characters")
    keep_picture(phone, "offline-code-en")
    online_again(phone)
    phone.locator("[data-carry-part=sent]").wait_for()
    keep_picture(phone, "offline-sent-en")
    assert (stored(app), stored(app, Stay)) == (2, 4)


def test_a_form_that_could_not_be_sent_comes_back_as_a_code(app: Flask, phone: Page) -> None:
    """The page was opened on line, and the network went while the form was being sent."""
    phone.goto("/c/G60")
    fill(phone)
    phone.route("**/*", lambda route: route.abort())
    phone.context.set_offline(True)
    phone.evaluate("Object.defineProperty(navigator, 'onLine', {value: true, configurable: true})")
    send(phone)
    assert carried(phone).startswith("CPR1:")
    phone.unroute_all()
    online_again(phone)
    phone.locator("[data-carry-part=sent]").wait_for()
    assert stored(app) == 1


def test_of_people_the_service_worker_keeps_only_the_masked_pass(phone: Page) -> None:
    fill(phone)
    send(phone)
    phone.locator("html[data-wallet-kept]").wait_for(state="attached")
    own = phone.url.partition("?")[0]
    phone.goto("/c/G60")
    held = phone.evaluate(
        """async () => {
            const found = {};
            for (const name of await caches.keys()) {
              const cache = await caches.open(name);
              for (const one of await cache.keys()) found[one.url] = await (await cache.match(one)).text();
            }
            return found;
        }"""
    )
    assert len(held) > 15
    assert {url for url in held if "/p/" in url or "/api/" in url} == {own, f"{own}/qr.svg"}
    for secret in (declarations.name(1), declarations.resident_id(1), declarations.phone(1), "3 组 12 号"):
        assert secret not in "".join(held.values())
    for page in (text for url, text in held.items() if "shell=1" in url):
        assert "csrf_token" not in page
        assert re.search(r'name="client_id" value="[0-9a-f-]{36}"', page)  # replaced by the phone (test above)
        assert declarations.resident_id(1) not in page
    assert phone.evaluate("sessionStorage.length") == 0


def test_a_phone_and_a_tablet_with_no_network_make_one_registration(app: Flask, lane: Lane, phone: Page) -> None:
    tablet = lane.tablet()
    tablet.locator("html[data-shell=kept]").wait_for(state="attached")
    tablet.context.set_offline(True)
    phone.context.set_offline(True)
    phone.goto("/c/G60")
    fill(phone)
    send(phone)
    text = carried(phone)
    screen = Image.open(io.BytesIO(phone.screenshot()))
    camera.film(lane.film, [(camera.lane(), 0.3), (camera.held(screen), 4.0)])

    tablet.reload()
    assert verdict_of(tablet) == "test"  # no test, no listed place
    expect(tablet.locator("[data-gate=name]")).to_have_text("钱*")
    keep_picture(tablet, "gate-carried")
    kept = tablet.evaluate(
        """() => new Promise((resolve) => {
            const opening = indexedDB.open("checkpoint-gate");
            opening.onsuccess = () => {
                const stores = [...opening.result.objectStoreNames], all = {};
                const reading = opening.result.transaction(stores);
                for (const name of stores) reading.objectStore(name).getAll().onsuccess = (event) => (all[name] = event.target.result);
                reading.oncomplete = () => resolve(JSON.stringify(all));
            };
        })"""
    )
    for secret in (declarations.resident_id(1), declarations.name(1), declarations.phone(1), "3 组 12 号", text):
        assert secret not in kept
    lane.nobody()
    tablet.locator('[data-decision="tested"]').click()
    tablet.locator('[data-gate="verdict"]').wait_for(state="hidden")
    assert stored(app) == 0

    tablet.context.set_offline(False)
    tablet.evaluate("window.dispatchEvent(new Event('online'))")
    tablet.locator(".log-row.is-sent").first.wait_for()
    online_again(phone)
    phone.locator("[data-carry-part=sent]").wait_for()
    expect(phone.locator("[data-carry-part=early]")).to_be_visible()  # the tablet was first

    assert stored(app) == 1
    crossing = lane.crossing()
    assert (crossing.verdict, crossing.decision, crossing.offline) == ("test", "tested", True)
    with app.app_context():
        registration = db.session.scalars(select(Registration)).one()
        assert crossing.registration_id == registration.id
        alerts = [one for one in db.session.scalars(select(Alert)) if one.state != "retracted"]
        assert [one.kind for one in alerts] == ["registration"]
    phone.click("[data-carry-part=pass]")
    phone.locator(".pass-code img").wait_for()


def test_several_codes_in_turn_are_collected_by_the_camera(app: Flask, lane: Lane) -> None:
    maker = lane.tablet()
    today = clock.local_date(clock.now(), "Asia/Shanghai").isoformat()
    codes = maker.evaluate(
        "async (body) => (await import('/static/js/carried-code.js')).toCodes(body)", strangers(3, arriving_on=today)
    )
    assert len(codes) > 1
    print(f"\n21 people: {[len(code) for code in codes]} characters")
    maker.context.close()
    camera.film(lane.film, [(camera.shown(code, tilt=3.0), 1.8) for code in codes])
    tablet = lane.tablet()
    assert verdict_of(tablet) in ("test", "hold")
    expect(tablet.locator(".fact-companions")).to_contain_text("20")
    lane.nobody()
    tablet.locator('[data-decision="held"]').click()
    tablet.locator(".log-row.is-sent").first.wait_for()
    assert stored(app) == 21
