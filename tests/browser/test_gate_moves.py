"""A tablet that is enrolled at another checkpoint while something is unsent, in a real Chromium."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.models import Checkpoint, Device
from checkpoint.crossings.models import Crossing
from checkpoint.database import db, transaction
from tests.browser.gate_support import Lane, open_lane, sign_in, type_code, verdict_of
from tests.browser.lane_support import LONG, decide_now, until
from tests.factories import people
from tests.factories.chromium import chromium, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
OTHER = "S32"


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
        with app.app_context():
            people.checkpoint(OTHER)
            db.session.remove()
        yield opened


def code(lane: Lane, post: str) -> str:
    with lane.app.app_context():
        return posts.create_device(post, actor=people.operator(), at=clock.now()).code


def enrol(page: Page, lane: Lane, post: str) -> None:
    page.goto("about:blank")
    page.goto(f"{lane.address}/gate?lang=en#enrol={code(lane, post)}")
    page.locator("[data-gate=checkpoint]", has_text=post).wait_for()
    sign_in(page)


def crossings(lane: Lane) -> dict[str, list[str | None]]:
    """What was decided at each checkpoint, by its code."""
    with lane.app.app_context():
        db.session.remove()
        found: dict[str, list[str | None]] = {}
        for post, decision in db.session.execute(
            select(Checkpoint.code, Crossing.decision).join(Checkpoint, Checkpoint.id == Crossing.checkpoint_id)
        ):
            found.setdefault(post, []).append(decision)
        return found


def no_scans(route: Route) -> None:
    route.abort()


def scanned_but_unsent(lane: Lane) -> Page:
    """A tablet of G60 with an admitted traveller whom the server has not heard of."""
    page = lane.tablet()
    page.locator("[data-honest=withdrawals].honest-good").wait_for()
    page.context.route("**/api/v1/scans**", no_scans)
    type_code(page, lane.issue().token)
    verdict_of(page)
    decide_now(page, "admitted")
    assert crossings(lane) == {}
    return page


def test_what_was_scanned_there_is_recorded_there(lane: Lane) -> None:
    page = scanned_but_unsent(lane)
    enrol(page, lane, OTHER)
    former = page.locator("[data-gate=former]")
    expect(former).to_contain_text("from G60 出口 are still being sent there")
    keep_picture(page, "former")
    type_code(page, lane.issue().token)
    verdict_of(page)
    decide_now(page, "held")
    page.context.unroute("**/api/v1/scans**")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    until(page, lambda: crossings(lane) == {"G60": ["admitted"], OTHER: ["held"]})
    expect(former).to_be_hidden(timeout=LONG)
    kept = page.evaluate("async () => (await import('/static/js/gate/store.js')).recall('former')")
    assert kept == []


def test_a_token_that_has_ended_leaves_them_for_the_next_tablet_of_that_checkpoint(lane: Lane) -> None:
    page = scanned_but_unsent(lane)
    with lane.app.app_context(), transaction() as session:
        session.scalars(select(Device).where(Device.token_hash.is_not(None))).one().token_hash = secrets.token_bytes(32)
    page.wait_for_timeout(3200)  # so long a process trusts what it knew of a token
    page.context.unroute("**/api/v1/scans**")
    enrol(page, lane, OTHER)
    expect(page.locator("[data-gate=former]")).to_contain_text("cannot be sent from here", timeout=LONG)
    assert crossings(lane) == {}
    enrol(page, lane, "G60")
    until(page, lambda: crossings(lane) == {"G60": ["admitted"]})
    expect(page.locator("[data-gate=former]")).to_be_hidden()
