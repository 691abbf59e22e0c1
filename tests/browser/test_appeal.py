"""An appeal in three real browser pages: red on the phone, granted by the village, green without a reload, let in at the barrier."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.database import db
from checkpoint.followups.doors import door_handle
from checkpoint.followups.queries import of_registration
from checkpoint.privacy import keyring
from checkpoint.registrations.queries import pass_path
from tests.browser.gate_support import Lane, decide, open_lane, type_code, verdict_of
from tests.factories import lists, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.divisions import NEIGHBOUR_TOWN, SITE, VILLAGE

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
PHONE: dict[str, Any] = {"width": 360, "height": 740, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
ASKED_WITHIN = 30_000  # the page asks every 20 seconds


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
        with app.app_context():
            lists.in_force(at=clock.now(), source="疫情风险等级名单")
            people.user("village", Role.VILLAGE, VILLAGE)
            people.user("command", Role.COMMAND, SITE)
            db.session.remove()
        yield opened


def whole(page: Page, name: str) -> None:
    """Two pictures of a page: as it first shows, and all of it."""
    keep_picture(page, name)
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 2400}) if page.viewport_size else None
    keep_picture(page, f"{name}-whole")
    page.set_viewport_size({"width": 360, "height": 740})


def worker_page(lane: Lane, login: str = "village") -> Page:
    page = open_page(lane.browser, width=1280, height=900)
    page.goto(f"{lane.address}/login?lang=en")
    page.locator("#login").fill(login)
    page.locator("#password").fill(people.PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url("**/inbox*" if login != "command" else "**/command*")
    return page


def ticket() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (2400, 1800), (230, 240, 250)).save(out, "JPEG")
    return {"name": "ticket.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_red_by_the_list_appeals_and_is_let_in(lane: Lane) -> None:
    issued = lane.issue(origin={"code": NEIGHBOUR_TOWN})
    with lane.app.app_context():
        path = pass_path(issued.registration_id)
    tablet = lane.tablet()
    type_code(tablet, issued.short_code)
    assert verdict_of(tablet) == "hold"
    decide(tablet, "held")

    phone = open_page(lane.browser, **PHONE)
    errors = mistakes(phone)
    phone.goto(f"{lane.address}{path}?lang=zh")
    phone.locator("#tell-appeal summary").click()
    whole(phone, "appeal-phone-zh")
    phone.goto(f"{lane.address}{path}?lang=en")
    expect(phone.locator(".pass-band h1")).to_have_text("Red code")
    phone.locator("#tell-appeal summary").click()
    phone.locator("#text").fill("我四月以来一直在嘉善，车票可以证明，没有去过枫泾。")
    phone.locator("#picture").set_input_files(ticket())
    phone.locator("#tell-appeal button[type=submit]").click()
    expect(phone.locator("#appeals")).to_contain_text("You will have an answer by")
    expect(phone.locator("#tell-appeal")).to_be_hidden()
    phone.evaluate("window.sameDocument = true")

    worker = worker_page(lane)
    worker.get_by_role("button", name="Look into the appeal").first.click()
    expect(worker.locator(".appeal-text")).to_contain_text("嘉善")
    assert (
        worker.locator(".appeal-picture").evaluate("(picture) => picture.decode().then(() => picture.naturalWidth)")
        == 1600
    )
    keep_picture(worker, "appeal-worker")
    worker.locator("#why").fill("核实车票与行程，确未到过")
    worker.get_by_role("button", name="Grant", exact=True).click()
    expect(worker.locator(".timeline")).to_contain_text("Appeal granted")
    keep_picture(worker, "appeal-person")

    expect(phone.locator(".pass-band h1")).to_have_text("Green code", timeout=ASKED_WITHIN)
    assert phone.evaluate("window.sameDocument") is True
    expect(phone.locator("#appeals")).to_contain_text("核实车票与行程")
    whole(phone, "appeal-phone-green")
    shown = phone.locator(".short-code").inner_text().replace(" ", "")
    assert shown != issued.short_code
    type_code(tablet, issued.short_code)
    assert verdict_of(tablet) == "refuse"  # the old code, in somebody's picture
    decide(tablet, "turned_back")
    type_code(tablet, shown)
    assert verdict_of(tablet) == "admit"
    decide(tablet, "admitted")
    assert errors == []


@pytest.mark.slow
def test_from_the_barrier_to_the_door_by_the_phone(lane: Lane) -> None:
    """Let in; the plan appears by itself; the poster confirms the arrival; a health report; command sees the share."""
    issued = lane.issue(origin={"code": "420103000000"}, stays=[])
    with lane.app.app_context():
        path = pass_path(issued.registration_id)
        door = door_handle(keyring(), VILLAGE)
    phone = open_page(lane.browser, **PHONE)
    errors = mistakes(phone)
    phone.goto(f"{lane.address}{path}?lang=en")
    expect(phone.locator("#tell-health")).to_be_hidden()
    tablet = lane.tablet()
    type_code(tablet, issued.short_code)
    verdict_of(tablet)
    decide(tablet, "admitted")
    expect(phone.locator("#plan")).to_contain_text("Arrival at the door", timeout=ASKED_WITHIN)
    expect(phone.locator("#tell-arrival")).to_be_visible()
    whole(phone, "plan-phone-en")
    phone.goto(f"{lane.address}{path}?lang=zh")
    whole(phone, "plan-phone-zh")
    phone.goto(f"{lane.address}/a/{door}?lang=zh")
    keep_picture(phone, "arrive-phone-zh")
    phone.locator("[data-arrive] button").click()
    expect(phone.locator(".notice-success").first).to_contain_text("已确认您到达")
    with lane.app.app_context():
        visits = [one for one in of_registration(issued.registration_id) if one.kind == "arrival_visit"]
        assert [(one.state, one.result) for one in visits] == [("done", "arrived")]
    phone.goto(f"{lane.address}{path}?lang=en")
    phone.locator("#temperature").fill("36.6")
    phone.locator("#tell-health button[type=submit]").click()
    expect(phone.locator("#plan")).to_contain_text("told, thank you")
    keep_picture(phone, "plan-phone-told")
    worker = worker_page(lane)
    worker.goto(f"{lane.address}/inbox/people/{issued.registration_id}?lang=zh")
    expect(worker.locator(".timeline")).to_contain_text("从卡口到家门")
    keep_picture(worker, "timeline-zh")
    worker.goto(f"{lane.address}/inbox/door/{VILLAGE}?lang=zh")
    keep_picture(worker, "door-poster")
    command = worker_page(lane, "command")
    expect(command.locator('[data-stat="closed-today"]')).to_have_text("100 %")
    command.locator("#closing").scroll_into_view_if_needed()
    keep_picture(command, "closing-en")
    assert errors == []
