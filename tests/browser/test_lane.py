"""The lane besides scanning, in a real Chromium: officers, tests on the spot, vehicles, people without a phone, the queue."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.crossings.lane_models import Shift, SpotTest
from checkpoint.database import db
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from tests.browser.gate_support import UNLISTED, Lane, decide, open_lane, sign_in, swab, type_code, verdict_of
from tests.factories import camera, declarations, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.divisions import SITE

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "spot.json").read_text("utf-8"))
LONG = 20_000


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


def shifts(lane: Lane) -> list[Shift]:
    with lane.app.app_context():
        db.session.remove()
        return list(db.session.scalars(select(Shift).order_by(Shift.started_at)))


def until(page: Page, done) -> None:
    """Wait for what the server has, while the page goes on."""
    for _attempt in range(150):
        if done():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come about")


def tab(page: Page, name: str) -> None:
    page.locator(f'[data-tab="{name}"]').click()


def enrolled(lane: Lane, language: str = "en", **more) -> Page:
    """A tablet that waits for its officer."""
    page = open_page(lane.browser, **more)
    lane.errors = mistakes(page)
    page.goto(f"{lane.address}/gate?lang={language}#enrol={lane.code()}")
    page.locator("[data-officer]").first.wait_for()
    return page


def wait_for_proof(page: Page) -> None:
    """The tablet keeps what it needs to know the officer again; that takes it a moment."""
    page.wait_for_function(
        """() => new Promise((resolve) => {
          const asked = indexedDB.open("checkpoint-gate");
          asked.onsuccess = () => {
            const found = asked.result.transaction("kept").objectStore("kept").get("officer-proofs");
            found.onsuccess = () => { asked.result.close(); resolve(Boolean(found.result)); };
          };
        })"""
    )


def test_no_lane_without_an_officer(lane: Lane) -> None:
    """The camera sees a pass all the while; nothing is scanned before somebody is on duty, and a wrong PIN is nobody."""
    lane.hold(lane.issue().token)
    page = enrolled(lane)
    keep_picture(page, "lane-officer")
    page.get_by_role("button", name=people.OFFICER).click()
    keep_picture(page, "lane-pin")
    for key in "000001":
        page.locator(f'[data-key="{key}"]').click()
    page.locator('[data-gate="pin-pad"] [type=submit]').click()
    expect(page.locator('[data-gate="officer-message"]')).to_have_text("This PIN is not right.")
    page.wait_for_timeout(600)
    assert lane.crossings() == []
    for key in people.PIN:
        page.locator(f'[data-key="{key}"]').click()
    page.locator('[data-gate="pin-pad"] [type=submit]').click()
    assert verdict_of(page) == "admit"
    expect(page.locator('[data-gate="on-duty-name"]')).to_have_text(people.OFFICER)
    decide(page, "admitted")
    crossing, shift = lane.crossing(), shifts(lane)[0]
    assert (crossing.shift_id, shift.proven, shift.offline) == (shift.id, True, False)
