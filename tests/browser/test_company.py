"""A company in a real browser: registers, is accepted, signs in, uploads its staff, applies; granted, a pass at the barrier says so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.companies.models import Company
from checkpoint.companies.watching import look
from checkpoint.database import db
from tests.factories import companies, lists, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.declarations import name, resident_id
from tests.factories.divisions import NEIGHBOUR_TOWN, TOWN
from tests.factories.serving import serving
from tests.factories.travelling import declared, scanned

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
PHONE: dict[str, Any] = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}
STAFF = f"姓名,证件号码,车牌\n{name(1)},{resident_id(1)},\n{name(2)},{resident_id(2)},浙F12345\n无名氏,12,\n"
REPAINTED = 40_000  # the page asks every 20 seconds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with app.app_context():
        lists.in_force(at=clock.now())
        people.user("town", Role.TOWN, TOWN)
        db.session.remove()
    with serving(app) as found:
        yield f"http://{found}"


def sign_in(page: Page, address: str, login: str, password: str) -> None:
    page.goto(f"{address}/login?lang=en")
    page.locator("#login").fill(login)
    page.locator("#password").fill(password)
    page.locator("main form button").first.click()


def registered(page: Page, address: str) -> str:
    """Fill the public form on a phone; returns the company's own link."""
    page.goto(f"{address}/companies/register?lang=en")
    page.locator("#name").fill("平湖机械有限公司")
    page.locator("#credit_code").fill(companies.credit_code())
    page.locator("#division").fill("八字村")
    page.locator("#division-listbox [role=option], [role=option]").first.click()
    page.locator("#address").fill("外环西路 88 号")
    page.locator("#contact_name").fill("陈明")
    page.locator("#contact_phone").fill("13905730001")
    page.get_by_role("button", name="Register", exact=True).click()
    page.wait_for_url("**/companies/application/*")
    expect(page.locator("main")).to_contain_text("Waits for the town")
    keep_picture(page, "company-registered")
    return page.url


@pytest.mark.slow
def test_from_registering_to_the_barrier(app: Flask, browser: Browser, address: str) -> None:
    phone = open_page(browser, **PHONE)
    errors = mistakes(phone)
    link = registered(phone, address)

    town = open_page(browser, width=1280, height=900)
    sign_in(town, address, "town", people.PASSWORD)
    town.wait_for_url("**/inbox*")
    town.get_by_role("button", name="Look at the company").first.click()
    keep_picture(town, "company-review")
    town.get_by_role("button", name="Accept the company").click()
    expect(town.locator("main")).to_contain_text("Accepted.")

    phone.goto(link)
    phone.locator("#password").fill(companies.PASSWORD)
    phone.locator("#again").fill(companies.PASSWORD)
    phone.get_by_role("button", name="Set the password").click()
    phone.wait_for_url("**/login*")

    desk = open_page(browser, width=1280, height=900)
    errors += mistakes(desk)
    sign_in(desk, address, companies.credit_code().lower(), companies.PASSWORD)
    desk.wait_for_url("**/company")
    desk.get_by_role("link", name="Staff and lorries").first.click()
    desk.locator("#file").set_input_files({"name": "staff.csv", "mimeType": "text/csv", "buffer": STAFF.encode()})
    desk.get_by_role("button", name="Upload and look").click()
    expect(desk.locator("main")).to_contain_text("Row 4")
    keep_picture(desk, "company-preview")
    desk.get_by_role("button", name="Take the list over").click()
    expect(desk.locator("main")).to_contain_text("3 new, 0 changed")

    desk.goto(f"{address}/company/applications/new")
    for box in desk.locator("#members input").all():
        box.check()
    desk.locator("#plan").fill("车间两班倒，住厂区宿舍，每日抗原检测")
    with app.app_context():
        last = clock.local_date(clock.now() + timedelta(days=5), app.extensions["settings"].timezone)
    desk.locator("#last_day").fill(last.isoformat())
    keep_picture(desk, "company-apply")
    desk.get_by_role("button", name="Apply", exact=True).click()
    expect(desk.locator("h1")).to_contain_text("F")
    number = desk.locator("h1").inner_text()

    town.goto(f"{address}/approvals")
    town.locator("main a[href*='/approvals/0']").first.click()
    town.locator("#answer summary").first.click()
    town.get_by_role("button", name="Grant it").click()
    expect(town.locator("main")).to_contain_text("Granted")
    desk.reload()
    expect(desk.locator("main")).to_contain_text("Granted")

    with app.app_context():
        at = clock.now()
        today = clock.local_date(at, app.extensions["settings"].timezone).isoformat()
        receipt = declared(at, number=1, arriving_on=today)
        crossing = scanned(receipt.issued.token, people.tablet(), at)
        assert number in [reason["detail"][0] for reason in crossing.reasons if reason["rule"] == "approval_granted"]

    desk.goto(f"{address}/company")
    expect(desk.locator("main")).to_contain_text("Nothing to tell")
    desk.evaluate("window.sameDocument = true")
    with app.app_context():
        declared(at, number=2, arriving_on=today, origin={"code": NEIGHBOUR_TOWN}, plate="浙F12345")
        assert look(clock.now()) >= 2
    expect(desk.locator("[data-unread]")).to_contain_text("2 new", timeout=REPAINTED)
    expect(desk.locator(".told")).to_contain_text("may not come for now")
    assert desk.evaluate("window.sameDocument") is True
    keep_picture(desk, "company-notices")
    desk.get_by_role("button", name="I have read them").click()
    expect(desk.locator("[data-unread]")).to_have_count(0)
    with app.app_context():
        assert db.session.scalars(select(Company.state)).all() == ["active"]
    assert errors == []
