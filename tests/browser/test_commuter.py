"""A commuter's phone in a real Chromium: one application, one code, two days at the barrier, and the end in one act."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from checkpoint import clock
from checkpoint.approvals.models import Approval
from checkpoint.crossings import service as crossings
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.service import Scan
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from checkpoint.surveillance.commuting import assess_commuters
from tests.factories import declarations, lists, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.commuters import grant
from tests.factories.divisions import VILLAGE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("film") / "camera.mjpeg") as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with app.app_context():
        people.checkpoint()
        lists.in_force(lists.JIASHAN_LOW, at=clock.now())
        db.session.remove()
    with serving(app) as found:
        yield found


def choose(page: Page, field: str, words: str, name: str) -> None:
    page.locator(field).press_sequentially(words, delay=20)
    page.locator(".picker-option", has_text=name).first.click()


def scan(app: Flask, code: str, tablet: people.Tablet, at: datetime) -> str:
    """Scan by the letters under the code and let in; the verdict."""
    with app.app_context():
        scan_id = uuid.uuid4()
        crossing = crossings.record_scan(Scan(scan_id, code, at), actor=tablet.actor, at=at)
        crossings.decide(scan_id, "admitted", None, actor=tablet.actor, at=at)
        return crossing.verdict


def test_one_application_then_the_same_code_every_day(
    app: Flask, browser: Browser, address: str, tmp_path: Path
) -> None:
    page = open_page(browser, width=360, height=740, has_touch=True, is_mobile=True, locale="zh-CN")
    errors = mistakes(page)
    page.goto(f"{address}/apply?lang=zh")
    page.locator('a[href="/apply/commuter"]').click()
    page.fill("#name", declarations.name(1))
    page.fill("#id_number", declarations.resident_id(1))
    page.fill("#phone", declarations.phone(1))
    choose(page, "#origin", "廊下", "廊下镇")
    choose(page, "#destination", "八字", "八字村")
    page.fill("#work", "乍浦码头 装卸工")
    for weekday in ("6", "7"):
        page.locator(f'input[name="days"][value="{weekday}"]').check(force=True)
    keep_picture(page, "commuter-form")
    page.locator("[data-send]").click()
    expect(page.locator("#agreed-error")).to_be_visible()
    page.locator('input[name="agreed"]').check(force=True)
    page.locator("[data-send]").click()
    page.wait_for_url("**/approval/*")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    with app.app_context():
        tablet = people.tablet(db.session.merge(people.checkpoint("S7")))
        approval = db.session.query(Approval).one()
        assert approval.division_code == VILLAGE
        grant(approval, clock.now())
        db.session.remove()
    page.reload()
    page.locator('a[href^="/p/"]').click()
    page.wait_for_url("**/p/*")
    code = re.sub(r"\s", "", page.locator(".short-code").inner_text())
    keep_picture(page, "commuter-pass")

    page.locator("#tell-test summary").click()
    page.locator('#tell-test input[value="negative"]').check(force=True)
    page.locator("#tell-test button[type=submit]").click()
    expect(page.locator("#tell-test")).to_be_visible()
    assert re.sub(r"\s", "", page.locator(".short-code").inner_text()) == code

    now = clock.now()
    assert scan(app, code, tablet, now + timedelta(minutes=1)) == "admit"
    with app.app_context():
        assert assess_commuters(actor=people.operator(), at=now + DAY).assessed == 1
        db.session.remove()
    assert scan(app, code, tablet, now + DAY) == "admit"
    with app.app_context():
        assert db.session.query(Registration).count() == 1
        assert db.session.query(Crossing).count() == 2
        db.session.remove()

    page.reload()
    page.locator('a[href$="/commuting/end"]').click()
    page.locator("button.danger").click()
    page.wait_for_url("**/p/*")
    expect(page.locator(".pass-code")).to_have_count(0)
    expect(page.locator('a[href="/apply/commuter"]')).to_be_visible()
    keep_picture(page, "commuter-over")
    assert errors == []
