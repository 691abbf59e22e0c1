"""An account in a real browser: invited by a link, a password, the second step, a second device, and the end of the first."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from checkpoint import clock
from checkpoint.accounts import invitations, totp
from checkpoint.accounts.models import Role
from checkpoint.database import db
from tests.browser.axe import violations, with_axe
from tests.factories import people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.divisions import SITE
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
CHOSEN = "three words together"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    app.extensions["settings"] = replace(app.extensions["settings"], totp_roles=("command",))
    with serving(app) as found:
        yield f"http://{found}"


@pytest.fixture
def token(app: Flask) -> str:
    with app.app_context():
        made = invitations.invite_newcomer("lina", Role.COMMAND, SITE, actor=people.operator(), at=clock.now())
        db.session.remove()
    return made.token


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def test_from_the_invitation_to_the_end_of_the_first_device(browser: Browser, address: str, token: str) -> None:
    first = open_page(browser, width=360, height=740)
    errors = mistakes(first)
    first.goto(f"{address}/invitation/{token}?lang=en")
    first.locator("#password").fill(CHOSEN)
    first.locator("#again").fill(CHOSEN)
    press(first, "Set the password")
    first.wait_for_url("**/account/second-step")
    first.goto(f"{address}/command")
    first.wait_for_url("**/account/second-step")
    press(first, "Set up the second step")
    secret = first.locator("[data-secret]").inner_text().replace(" ", "")
    now = totp.step_of(clock.now())
    first.locator("#code").fill(totp.code_at(secret, now))
    press(first, "Turn the second step on")
    expect(first.locator("[data-secret-codes] li")).to_have_count(10)
    keep_picture(first, "recovery-codes")
    recovery = first.locator("[data-secret-codes] li").first.inner_text()

    second = open_page(browser, width=1280, height=900)
    with_axe(second.context)
    errors += mistakes(second)
    second.goto(f"{address}/login?lang=en")
    second.locator("#login").fill("lina")
    second.locator("#password").fill(CHOSEN)
    press(second, "Sign in")
    second.wait_for_url("**/login/code")
    second.locator("#code").fill(totp.code_at(secret, now))
    press(second, "Go on")
    expect(second.locator("#code-error")).to_contain_text("used already")
    assert violations(second) == []
    second.get_by_role("link", name="use a recovery code").click()
    second.locator("#code").fill(recovery)
    press(second, "Go on")
    second.wait_for_url("**/account/second-step")
    expect(second.locator("main")).to_contain_text("9 recovery codes left")
    second.goto(f"{address}/account")
    expect(second.locator(".session-list li")).to_have_count(2)
    press(second, "End")
    expect(second.locator(".session-list li")).to_have_count(1)
    keep_picture(second, "sessions")

    first.goto(f"{address}/account")
    expect(first.locator("h1")).to_have_text("Sign in")
    first.goto(f"{address}/invitation/{token}")
    expect(first.locator("h1")).to_have_text("This link is over")
    assert errors == []
