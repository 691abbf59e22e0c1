"""WCAG 2.2 AA on the tablet at the barrier, whose page is made by its scripts: each screen and each verdict, by day and by night."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from checkpoint import clock
from checkpoint.database import db
from tests.browser.axe import DESK, PHONE, TABLET, cut_off, violations, wear, with_axe
from tests.browser.gate_support import Lane, decide, open_lane, swab, type_code, unknown_token, verdict_of
from tests.browser.lane_support import enrolled, tab
from tests.factories import patrols, people
from tests.factories.chromium import chromium, keep_picture, open_page

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
LOOKS = ((TABLET, "light"), (PHONE, "dark"))


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


class Eyes:
    """Looks at one tablet again and again, and collects what is wrong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        if not page.evaluate("typeof axe === 'object'"):
            with_axe(page.context)
            page.reload()

    def look(self, name: str) -> None:
        for size, scheme in LOOKS:
            wear(self.page, size, scheme)
            keep_picture(self.page, f"look-{name.replace(' ', '-')}-{size[0]}-{scheme}")
            found = violations(self.page) + cut_off(self.page)
            self.wrong += [f"{name} ({size[0]} {scheme}): {line}" for line in found]
        wear(self.page, TABLET, "light")


@pytest.mark.slow
def test_the_screens_around_a_scan(lane: Lane) -> None:
    """Enrolment, the officer and the PIN, the lane with each of its panels, the form, the round, the night by its own button."""
    with lane.app.app_context():
        at = clock.now()
        begun = (at - timedelta(minutes=10)).astimezone(ZoneInfo(lane.app.extensions["settings"].timezone))
        patrols.route(patrols.point(), times=((f"{begun:%H:%M}", "120"),), at=at - timedelta(hours=1))
        db.session.remove()
    fresh = open_page(lane.browser)
    fresh.goto(f"{lane.address}/gate?lang=en")
    fresh.locator('[data-gate="enrol"]').wait_for()
    strange = Eyes(fresh)
    fresh.locator('[data-gate="enrol"]').wait_for()
    fresh.locator("#enrol-code").fill("WRONG")
    fresh.locator("#enrol-code").press("Enter")
    fresh.locator('[data-gate="enrol-message"]').wait_for()
    strange.look("enrolment")

    page = enrolled(lane)
    eyes = Eyes(page)
    page.locator("[data-officer]").first.wait_for()
    eyes.look("officer")
    page.locator("[data-officer]", has_text=people.OFFICER).click()
    page.locator("#gate-pin").fill("000001")
    page.locator("#gate-pin").press("Enter")
    page.locator('[data-gate="officer-message"]').wait_for()
    eyes.look("wrong PIN")
    page.locator("#gate-pin").fill(people.PIN)
    page.locator("#gate-pin").press("Enter")
    page.locator('[data-gate="officer"]').wait_for(state="hidden")
    type_code(page, lane.issue(tests=[]).short_code)
    assert verdict_of(page) == "test"
    decide(page, "tested")
    for name in ("queue", "tests", "vehicle", "log", "tablets"):
        tab(page, name)
        eyes.look(f"panel {name}")
    page.locator('[data-gate="patrol-line"] button').first.click()
    page.locator(".patrol-card").first.wait_for()
    eyes.look("round")
    page.locator('[data-gate="patrol-close"]').click()
    page.locator('[data-gate="form-open"]').click()
    page.locator('[data-gate="form-body"]').wait_for()
    eyes.look("form")
    page.locator('[data-gate="night"]').click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    eyes.look("night by its button")
    assert strange.wrong + eyes.wrong == []


def test_each_verdict(lane: Lane) -> None:
    """All four, what lets in against the verdict, the form's own mistake, and a place with no network."""
    at = clock.now()
    page = lane.tablet()
    eyes = Eyes(page)
    page.locator("[data-gate=scan]").wait_for()
    passes = {
        "admit": lane.issue().short_code,
        "test": lane.issue(tests=[]).short_code,
        "hold": lane.issue(tests=[swab(at, result="positive")]).short_code,
        "refuse": unknown_token(),
    }
    for verdict, code in passes.items():
        type_code(page, code)
        assert verdict_of(page) == verdict
        eyes.look(verdict)
        if verdict == "hold":
            page.locator('[data-decision="admitted"]').click()
            page.locator('[data-gate="override"] .danger').click()
            page.locator('[data-gate="note-error"]').wait_for()
            eyes.look("against the verdict")
            page.locator('[data-gate="override-cancel"]').click()
        page.locator(".decision.is-asked").click()
        page.locator("[data-gate=verdict]").wait_for(state="hidden")
    expect(page.locator(".log-row.is-sent")).to_have_count(len(passes))
    page.context.set_offline(True)
    page.locator("[data-gate=link][data-state=offline]").wait_for()
    eyes.look("no network")
    page.context.set_offline(False)
    wear(page, DESK, "dark")
    assert eyes.wrong + violations(page) == []
