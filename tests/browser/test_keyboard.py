"""The three main tasks with the keyboard alone: a traveller declares, a village answers an alert, an officer decides on a scan.

Each walks with Tab as a person does, so a control that cannot be reached, or whose focus cannot be seen, ends the walk.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from tests.browser.gate_support import Lane, open_lane, swab
from tests.browser.lane_support import enrolled
from tests.factories import alerting, declarations, people
from tests.factories.chromium import chromium, open_page
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
MOST_STEPS = 60
# The way in which the place that has the focus is marked: an outline, or a shadow like a ring. Of a hidden radio its label has it.
MARKED = """() => {
  const own = document.activeElement;
  if (!own.matches(":focus")) return true; // the button in a field of a date, which only the style sheet can mark
  const ring = (one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || /0px 0px 0px [2-9]/.test(style.boxShadow);
  };
  return [own, own.closest("label"), own.parentElement].filter(Boolean).some(ring);
}"""
IN_SIGHT = """() => {
  const box = document.activeElement.getBoundingClientRect();
  const at = document.elementFromPoint(box.left + box.width / 2, Math.min(box.top + box.height / 2, innerHeight - 1));
  const own = document.activeElement;
  return Boolean(at) && (own.contains(at) || at.contains(own) || (own.labels ?? []).length > 0);
}"""

COVER = """() => {
  const box = document.activeElement.getBoundingClientRect();
  return JSON.stringify(box) + document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)?.outerHTML.slice(0, 200);
}"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film") / "camera.mjpeg"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    with chromium(film) as opened:
        yield opened


def tab_to(page: Page, selector: str, *, back: bool = False) -> None:
    """Press Tab until something has the focus; on the way each stop can be seen and is marked."""
    for _step in range(MOST_STEPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        stop = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        if page.evaluate("document.activeElement === document.body"):
            continue
        assert page.evaluate(MARKED), f"the focus cannot be seen on {stop}"
        assert page.evaluate(IN_SIGHT), f"covered while it has the focus: {stop} by {page.evaluate(COVER)}"
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached with Tab")


def write(page: Page, selector: str, words: str) -> None:
    tab_to(page, selector)
    page.keyboard.type(words)


def choose(page: Page, selector: str, words: str, name: str) -> None:
    """A place: type, wait for the list, take its line with the arrows."""
    write(page, selector, words)
    page.locator(".picker-option:visible", has_text=name).first.wait_for()
    for _line in range(8):
        page.keyboard.press("ArrowDown")
        if name in page.locator('.picker-option[aria-selected="true"]:visible').inner_text():
            break
    page.keyboard.press("Enter")
    expect(page.locator(".picker-option:visible")).to_have_count(0)


def test_a_traveller_declares(app: Flask, browser: Browser) -> None:
    with serving(app) as address:
        page = open_page(browser, width=360, height=740, reduced_motion="reduce")
        page.goto(f"http://{address}/")
        page.locator("[data-traveller-form][data-ready]").wait_for()
        page.keyboard.press("Tab")
        expect(page.locator(".skip-link")).to_be_focused()
        page.keyboard.press("Enter")
        write(page, "#name", declarations.name(1))
        write(page, "#id_number", declarations.resident_id(1))
        write(page, "#phone", declarations.phone(1))
        choose(page, "#origin", "嘉善", "嘉善县")
        choose(page, "#destination", "八字", "八字村")
        write(page, "#destination-address", "3 组 12 号")
        tab_to(page, "[name=transport]")
        while not page.locator("[name=transport][value=walk]").is_checked():
            page.keyboard.press("ArrowRight")
        tab_to(page, "[data-send]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/p/*")
        expect(page.locator("h1")).to_be_visible()
        page.context.close()
    with app.app_context():
        assert len(list(db.session.scalars(select(Registration.id)))) == 1


def test_a_village_answers_an_alert(app: Flask, browser: Browser) -> None:
    with app.app_context():
        people.village_worker()
        alert = alerting.alert()
        db.session.remove()
    with serving(app) as address:
        page = open_page(browser, width=1440, height=900, reduced_motion="reduce")
        page.goto(f"http://{address}/login?lang=en&next=/inbox")
        write(page, "#login", "village")
        write(page, "#password", people.PASSWORD)
        page.keyboard.press("Enter")
        page.locator(f"#alert-{alert}").wait_for()
        tab_to(page, f"#alert-{alert} form[action$='/acknowledge'] button")
        page.keyboard.press("Enter")
        page.locator(f"#alert-{alert}[data-state=acknowledged]").wait_for()
        page.context.close()
    with app.app_context():
        assert db.session.get_one(Alert, alert).state == "acknowledged"


def test_an_officer_decides_on_a_scan(app: Flask, browser: Browser, film: Path) -> None:
    with open_lane(app, browser, film) as lane:
        drive(lane)
        assert [(one.verdict, one.decision) for one in lane.crossings()] == [("hold", "held")]


def drive(lane: Lane) -> None:
    """From the officer's name to the recorded decision."""
    held = lane.issue(tests=[swab(clock.now(), result="positive")])
    page = enrolled(lane, reduced_motion="reduce")
    tab_to(page, "[data-officer]")
    page.keyboard.press("Enter")
    expect(page.locator("#gate-pin")).to_be_focused()
    page.keyboard.type(people.PIN, delay=90)  # faster is a hand scanner
    page.keyboard.press("Enter")
    page.locator('[data-gate="officer"]').wait_for(state="hidden")
    write(page, "#gate-code", held.short_code)
    page.keyboard.press("Enter")
    page.locator('[data-gate="verdict"]').wait_for()
    expect(page.locator("#verdict-heading")).to_be_focused()
    tab_to(page, ".decision.is-asked")
    page.keyboard.press("Enter")
    page.locator('[data-gate="verdict"]').wait_for(state="hidden")
    page.locator(".log-row.is-sent").first.wait_for()
