"""Where we stand in a real Chromium: charts under our content policy, a figure that changes by itself, a wall that tells its age."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import expect

from checkpoint.accounts.models import Role
from tests.factories import NOW, inside, people
from tests.factories.chromium import chromium, keep_picture, mistakes
from tests.factories.divisions import SITE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving(app) as found:
        yield f"http://{found}"


def test_figures_charts_and_wall(app: Flask, address: str, freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(hours=1))
    with app.app_context():
        people.user("chief", Role.COMMAND, SITE)
        tablet = people.tablet()
        inside.let_in(tablet, 1)
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        page = context.new_page()
        thrown, refused = mistakes(page), []
        page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)
        page.goto(f"{address}/login?lang=en&next=/command")
        page.fill("#login", "chief")
        page.fill("#password", people.PASSWORD)
        page.locator("main form button").click()
        expect(page.locator("[data-live-state]")).to_have_attribute(
            "data-live-state", re.compile("live"), timeout=15_000
        )
        expect(page.locator('[data-chart="hours"] canvas')).to_be_visible(timeout=15_000)
        expect(page.locator('[data-chart="hours"] table')).to_be_hidden()  # the chart stands for it
        page.locator('[data-chart="hours"] summary').click()
        expect(page.locator('[data-stat="admitted"]')).to_have_text("1")
        with app.app_context():
            inside.let_in(tablet, 2)
        expect(page.locator('[data-stat="admitted"]')).to_have_text("2", timeout=10_000)
        expect(page.locator('[data-chart="hours"] tbody strong').first).to_have_text("2")  # still open, and anew
        expect(page.locator('[data-chart="hours"] canvas')).to_be_visible()
        keep_picture(page, "command-live")

        wall = context.new_page()
        wall.set_viewport_size({"width": 1920, "height": 1080})
        wall.clock.install()
        wall.goto(f"{address}/command/screen")
        expect(wall.locator(".chart canvas")).to_be_visible(timeout=15_000)
        root = wall.locator("html")
        assert root.evaluate("one => [one.scrollWidth, one.scrollHeight]") == [1920, 1080]
        clipped = "all => all.filter((one) => one.scrollHeight > one.clientHeight + 2).map((one) => one.className)"
        assert wall.locator(".wall .panel").evaluate_all(clipped) == []
        expect(wall.locator("[data-stale]")).to_be_hidden()
        context.set_offline(True)
        wall.clock.run_for(60_000)
        expect(wall.locator("[data-stale]")).to_contain_text("seconds old")
        context.set_offline(False)
        wall.clock.run_for(10_000)
        expect(wall.locator("[data-stale]")).to_be_hidden()
        assert (thrown, [line for line in refused if "Content Security Policy" in line]) == ([], [])
        context.close()
