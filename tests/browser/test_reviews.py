"""Inquiry lists in a real browser: from the file to being taken back; and the review queue by keyboard and by thumb."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.crossmatch.service import run_waiting
from checkpoint.database import db
from checkpoint.inquiries import service
from checkpoint.inquiries.models import Inquiry
from tests.factories import inquiries, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import SITE
from tests.factories.inside import register
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
SIZES = [(360, 740), (820, 1180), (1440, 900)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def wrong(number: int) -> str:
    """A document with one wrong digit."""
    return f"{resident_id(number)[:8]}9{resident_id(number)[9:]}"


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A city with four people and a user of its command."""
    with app.app_context():
        at = clock.now()
        today = clock.local_date(at, app.extensions["settings"].timezone).isoformat()
        for number in (1, 2, 3, 4):
            register(number, at=at, arriving_on=today)
        people.user("command", Role.COMMAND, SITE)
        db.session.remove()
    with serving(app) as where:
        yield f"http://{where}"


@pytest.fixture
def queue(app: Flask, address: str, tmp_path: Path) -> str:
    """Four pairs for a reviewer; the address of the city."""
    rows = [f",{wrong(1)},,,", f"{name(2)[0]}**,,,,浙F00002", f",{wrong(3)},,,", f",{wrong(4)},,,"]
    with app.app_context():
        inquiries.read(inquiries.write(tmp_path, rows))
        db.session.remove()
    return address


def signed_in(browser: Browser, address: str, language: str = "zh", width: int = 1440, height: int = 900) -> Page:
    page = open_page(browser, width=width, height=height)
    page.goto(f"{address}/login?lang={language}")
    page.locator("#login").fill("command")
    page.locator("#password").fill(people.PASSWORD)
    page.locator("#password").press("Enter")
    page.wait_for_url("**/command")
    return page


def states(app: Flask) -> list[str]:
    """The alerts of lists."""
    with app.app_context():
        return list(db.session.scalars(select(Alert.state).where(Alert.kind == "inquiry").order_by(Alert.id)))


def test_a_list_from_the_file_to_being_taken_back(app: Flask, browser: Browser, address: str, tmp_path: Path) -> None:
    rows = f"乘客名单,,\n序号,持有人,本人号\n1,{name(1)},{resident_id(1)}\n2,@SUM(1),无\n3,,{wrong(2)}\n"
    file = tmp_path / "名单.csv"
    file.write_bytes(rows.encode("gb18030"))
    page = signed_in(browser, address, "en")
    errors = mistakes(page)
    page.goto(f"{address}/command/inquiries")
    page.locator("#file").set_input_files(file)
    page.locator("#source").fill("Jiaxing CDC")
    page.locator("#legal_basis").fill("Law on infectious diseases, art. 39")
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("heading", name="Which column is what?")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(resident_id(1))
    page.locator("#name").select_option("#2")
    page.locator("#document").select_option("#3")
    page.get_by_role("button", name="These are the columns").click()
    expect(page.locator("#works")).to_contain_text("About to be read")
    with app.app_context():
        assert run_waiting(actor=people.operator(), clock=clock.now) == 1
        db.session.remove()
    expect(page.locator("#works")).to_contain_text("In force")  # without a reload
    page.reload()
    expect(page.locator("main")).to_contain_text("The same document")
    with page.expect_download() as download:
        page.get_by_role("button", name="Fetch the wrong rows as a file").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as wrong_rows:
        number, _causes, used, *cells = list(csv.reader(wrong_rows))[1]
    assert (number, used, cells) == ("4", "no", ["'@SUM(1)", "无", "", "", ""])
    page.locator("#works a.stat").click()
    expect(page.locator(".review")).to_contain_text("one slip apart")
    page.get_by_role("link", name="Jiaxing CDC").click()
    page.get_by_role("link", name="Take this inquiry back").click()
    page.get_by_role("button", name="Take this inquiry back").click()
    expect(page.locator("tr.is-closed")).to_contain_text("Taken back")
    assert states(app) == ["retracted"]
    page.goto(f"{address}/command/reviews")
    expect(page.locator("main")).to_contain_text("Nobody waits")
    assert errors == []


def test_reviews_by_keyboard(app: Flask, browser: Browser, queue: str) -> None:
    page = signed_in(browser, queue, "en")
    errors = mistakes(page)
    page.goto(f"{queue}/command/reviews")

    def pair() -> str:
        return page.locator(".review").get_attribute("data-review") or ""

    def press(key: str) -> None:
        before = page.url
        page.keyboard.press(key)
        page.wait_for_url(lambda url: url != before)
        page.locator(".review, .empty").first.wait_for()

    first = pair()
    page.keyboard.press("Shift+?")
    expect(page.locator("#review-help")).to_be_visible()
    page.keyboard.press("s")  # a key pressed in the help answers nothing
    page.locator("#review-help p").first.click()  # nor when the focus has left it
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    expect(page.locator("#review-help")).to_be_hidden()
    assert states(app) == []
    press("j")
    second = pair()
    assert second != first
    press("k")
    assert pair() == first
    press("s")
    assert pair() == second
    expect(page.locator(".review-undo")).to_contain_text("the same person")
    assert states(app) == ["open"]
    press("u")
    assert pair() == first
    assert states(app) == ["retracted"]
    press("n")
    assert pair() == second
    denied = [first]
    while page.locator(".review").count():
        denied.append(pair())
        press("n")
    assert len(denied) == len(set(denied)) == 4  # every pair came up once, and the answered ones never again
    assert page.url == f"{queue}/command/reviews"
    expect(page.locator(".empty")).to_contain_text("Nobody waits")
    assert states(app) == ["retracted"]
    assert errors == []


def test_both_sides_are_shown_in_full_for_a_purpose(browser: Browser, queue: str) -> None:
    page = signed_in(browser, queue, "en")
    page.goto(f"{queue}/command/reviews")
    expect(page.locator(".review")).not_to_contain_text(phone(1))
    page.get_by_text("Show both in full").click()
    page.locator(".review-more").get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".review")).to_contain_text(phone(1))
    expect(page.locator(".review")).to_contain_text("It is written down that you looked.")
    keep_picture(page, "review-opened-en-1440")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_page_is_wider_than_the_screen_and_answers_are_large(
    app: Flask, browser: Browser, queue: str, tmp_path: Path, language: str, width: int, height: int
) -> None:
    with app.app_context():
        in_force = db.session.scalars(select(Inquiry.id)).one()
        other = inquiries.write(tmp_path, [f"{name(1)},{resident_id(1)},,,"], name="other.csv")
        draft = service.take_in(other, inquiries.details("上海市疾控中心"), actor=people.operator(), at=clock.now()).id
        db.session.remove()
    page = signed_in(browser, queue, language, width, height)
    paths = {"inquiries": "", "inquiry": f"/{in_force}", "columns": f"/{draft}", "taking-back": f"/{in_force}/withdraw"}
    for shown, path in {**{key: f"inquiries{end}" for key, end in paths.items()}, "reviews": "reviews"}.items():
        page.goto(f"{queue}/command/{path}")
        keep_picture(page, f"{shown}-{language}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tab = page.locator(".command-tabs [aria-current]").bounding_box()
        assert tab is not None
        assert 0 <= tab["x"] <= tab["x"] + tab["width"] <= width  # the present tab is scrolled into sight
    assert page.locator(".review-answer button").count() == 2
    for button in page.locator(".review-answer button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 56
        assert box["y"] + box["height"] <= height  # within reach without scrolling
        assert box["x"] + box["width"] <= width
