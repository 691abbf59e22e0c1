"""The patrols' pages in a real browser: the printed sheet is one A6 page for each point, and its code can be read."""

import re
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from checkpoint import clock
from checkpoint.accounts.models import Role
from checkpoint.database import db
from checkpoint.patrols.rounds import tell_missed
from tests.factories import patrols, people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.divisions import SITE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
A6 = (297.6, 419.5)  # points


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A city with a round under way and one that is over, of which one point was missed."""
    with app.app_context():
        at = clock.now()
        zone = ZoneInfo(app.extensions["settings"].timezone)
        begun, past = (at - timedelta(minutes=10)).astimezone(zone), (at - timedelta(minutes=100)).astimezone(zone)
        points = [patrols.point(name) for name in ("白沙湾路口护栏", "老渡口便桥", "机耕路口")]
        early = at - timedelta(hours=2)
        patrols.route(*points, times=((f"{begun:%H:%M}", "120"),), at=early)
        patrols.route(*points[:2], times=((f"{past:%H:%M}", "60"),), at=early, name="夜间线")
        tablet = people.tablet()
        patrols.visit(points[0], tablet, at - timedelta(minutes=5), photo=patrols.photo(), note="锁完好，封条在")
        patrols.visit(points[1], tablet, at - timedelta(minutes=3), "open", photo=patrols.photo())
        patrols.visit(points[0], tablet, at - timedelta(minutes=90), received_at=at - timedelta(minutes=80))
        tell_missed(at)
        people.user("command", Role.COMMAND, SITE)
        db.session.remove()
    with serving(app) as where:
        yield f"http://{where}"


def signed_in(browser: Browser, address: str, **size: int) -> Page:
    page = open_page(browser, **size)
    page.goto(f"{address}/login")
    page.locator("#login").fill("command")
    page.locator("#password").fill(people.PASSWORD)
    page.locator("#password").press("Enter")
    page.wait_for_url("**/command")
    return page


@pytest.mark.parametrize(("width", "height"), [(820, 1180), (1440, 900), (360, 740)])
def test_no_page_is_wider_than_the_screen(browser: Browser, address: str, width: int, height: int) -> None:
    page = signed_in(browser, address, width=width, height=height)
    errors = mistakes(page)
    for path in ("", "/points", "/routes"):
        page.goto(f"{address}/patrols{path}")
        keep_picture(page, f"patrols{path.replace('/', '-')}-{width}")
        box = page.locator("main").bounding_box()
        assert box is not None
        assert box["width"] <= width
        page.goto(f"{address}/patrols{path}?lang=en")
        page.goto(f"{address}/patrols{path}?lang=zh")
    page.locator(".row-name").first.click()
    page.locator("#times").wait_for()
    keep_picture(page, f"patrols-route-{width}")
    page.goto(f"{address}/patrols")
    page.locator(".patrol-main > a").first.click()
    page.locator(".patrol-visit").first.wait_for()
    page.wait_for_load_state("networkidle")
    keep_picture(page, f"patrols-point-{width}")
    assert errors == []
    page.context.close()


def test_the_sheet_prints_one_a6_page_for_each_point(browser: Browser, address: str) -> None:
    page = signed_in(browser, address)
    page.goto(f"{address}/patrols/points/sheet")
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert len(sizes) == 3
    for width, height in sizes:
        assert (float(width), float(height)) == pytest.approx(A6, abs=1.5)
    keep_picture(page, "patrols-sheet")
    page.emulate_media(media="print")
    keep_picture(page, "patrols-sheet-print")
    for sheet in page.locator(".patrol-sheet").all():
        content = sheet.evaluate("(one) => [one.scrollHeight, one.clientHeight]")
        assert content[0] <= content[1] + 1, "nothing is cut off at the sheet's edge"
    page.context.close()
