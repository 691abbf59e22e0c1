"""Markup that people wrote, in a real Chromium: no face runs it, and where a page would let it in the content policy stops it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from checkpoint.accounts.models import Role
from checkpoint.approvals import service as applying
from tests.browser.gate_support import Lane, decide, open_lane, type_code, verdict_of
from tests.factories import NOW, applications, people
from tests.factories.chromium import chromium, open_page
from tests.factories.divisions import SITE
from tests.web.hostile.spoiled import spoil_rows

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
_FAILED_IMAGE = """
() => new Promise((resolve) => {
  document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
  document.body.insertAdjacentHTML("beforeend", '<img src="/nothing-here" onerror="window.hit = 1">');
  setTimeout(() => resolve("nothing was stopped"), 5000);
})"""
_SCRIPT = """
() => new Promise((resolve) => {
  document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
  document.body.append(Object.assign(document.createElement("script"), { textContent: "window.hit = 1" }));
  setTimeout(() => resolve("nothing was stopped"), 5000);
})"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film") / "lane.mjpeg"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    with chromium(film) as opened:
        yield opened


@pytest.fixture
def lane(app: Flask, browser: Browser, film: Path) -> Iterator[Lane]:
    with open_lane(app, browser, film) as opened:
        yield opened


def harmless(page: Page, shows: Callable[[], object] | None = None) -> None:
    """The page shows marks and has made nothing of them."""
    expect(page.locator("body")).to_contain_text("<xsscp") if shows is None else shows()
    assert page.evaluate(
        "() => [window.hit, document.querySelectorAll('xsscp, [onxsscp], [src=\"/xsscp\"]').length]"
    ) == [None, 0]


def test_no_face_runs_what_people_wrote(lane: Lane) -> None:
    issued, second = lane.issue(), lane.issue()
    tablet = lane.tablet()
    type_code(tablet, issued.short_code)
    verdict_of(tablet)
    decide(tablet, "admitted")
    with lane.app.app_context():
        people.user("chief", Role.COMMAND, SITE)
        new = applications.new()
        applying.apply(new, actor=applications.applicant(new.id), at=NOW)
        spoil_rows()
    type_code(tablet, second.short_code)
    verdict_of(tablet)
    harmless(tablet, lambda: expect(tablet.locator('[data-gate="verdict"]')).to_be_visible())
    desk = open_page(lane.browser)
    desk.goto(f"{lane.address}/login")
    desk.locator('[name="login"]').fill("chief")
    desk.locator('[name="password"]').fill(people.PASSWORD)
    desk.locator('[name="password"]').press("Enter")
    desk.wait_for_url("**/command")
    for path in (
        "/command",
        f"/inbox/people/{issued.registration_id}",
        "/inbox",
        f"/approvals/{new.id}",
        "/admin/devices",
    ):
        desk.goto(f"{lane.address}{path}")
        harmless(desk)
    phone = open_page(lane.browser)
    phone.goto(f"{lane.address}/gate")
    for made in (_FAILED_IMAGE, _SCRIPT):
        for page in (desk, phone):
            assert page.evaluate(made).startswith("script-src")
            assert page.evaluate("() => window.hit") is None
