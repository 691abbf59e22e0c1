"""A round walked with a real tablet: a point's code before the camera, photo and note with no network, told of when there is one."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.patrols import queries
from checkpoint.patrols.models import PatrolPoint, PatrolTask, PatrolVisit
from checkpoint.patrols.photos import MAX_BYTES
from tests.browser.gate_support import Lane, open_lane, type_code
from tests.factories import patrols, people
from tests.factories.chromium import chromium, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
JPEG_IN_BASE64 = "/9j/"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film") / "camera.mjpeg"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    with chromium(film) as found:
        yield found


@pytest.fixture
def lane(app: Flask, browser: Browser, film: Path) -> Iterator[Lane]:
    with open_lane(app, browser, film) as found:
        yield found


@pytest.fixture
def points(lane: Lane) -> list[PatrolPoint]:
    """Three points on a route whose round is open now."""
    with lane.app.app_context():
        at = clock.now()
        begun = (at - timedelta(minutes=10)).astimezone(ZoneInfo(lane.app.extensions["settings"].timezone))
        found = [patrols.point(name) for name in ("白沙湾路口", "老渡口便桥", "机耕路口")]
        patrols.route(*found, times=((f"{begun:%H:%M}", "120"),), at=at - timedelta(hours=1))
        db.session.remove()
        return found


def code(lane: Lane, point: PatrolPoint) -> str:
    with lane.app.app_context():
        return patrols.code(point)


def stored(lane: Lane) -> list[PatrolVisit]:
    with lane.app.app_context():
        db.session.remove()
        return list(db.session.scalars(select(PatrolVisit).order_by(PatrolVisit.counted_at)))


def photograph(page: Page) -> None:
    """Take the picture that the camera shows now."""
    page.locator('[data-gate="visit-take"]').click()
    page.locator('[data-gate="visit-picture"]').wait_for()


def test_a_round_is_walked_with_no_network_and_told_of_later(lane: Lane, points: list[PatrolPoint]) -> None:
    lane.hold(code(lane, points[0]))
    page = lane.tablet()
    page.locator('[data-gate="visit"]').wait_for()  # the camera has seen the point's code
    expect(page.locator('[data-gate="visit-point"]')).to_have_text(points[0].name)
    page.locator('[data-gate="patrol-line"]').wait_for(state="attached")
    expect(page.locator('[data-gate="patrol-count"]')).to_have_text(
        "0 / 3"
    )  # the rounds are here: now the network may go
    page.context.set_offline(True)
    page.get_by_text("Closed and whole").click()
    photograph(page)
    page.locator("#visit-note").fill("锁完好，封条在")
    keep_picture(page, "patrol-visit")
    page.locator('[data-gate="visit-save"]').click()
    card = page.locator(".patrol-card.is-open")
    expect(card.locator("li.is-done")).to_have_count(1)
    expect(card.locator("li.is-next")).to_contain_text(points[1].name)
    expect(page.locator('[data-gate="patrol-unsent"]')).to_contain_text("1 visits")
    keep_picture(page, "patrol-offline")
    assert stored(lane) == []
    waiting = page.evaluate("async () => JSON.stringify(await (await import('/static/js/gate/store.js')).entries())")
    assert '"photo_sealed"' in waiting
    assert JPEG_IN_BASE64 not in waiting

    page.locator('[data-gate="patrol-scan"]').click()
    type_code(page, code(lane, points[1]))
    page.locator('[data-gate="visit"]').wait_for()
    page.locator("label.found.is-open").click()
    photograph(page)
    page.locator('[data-gate="visit-save"]').click()
    expect(card.locator("li.is-done")).to_have_count(2)

    page.context.set_offline(False)
    expect(page.locator('[data-gate="patrol-unsent"]')).to_be_hidden(timeout=20_000)
    first, second = stored(lane)
    assert (first.found, first.has_photo, second.found, second.has_photo) == ("closed", True, "open", True)
    assert first.task_id is not None
    assert first.received_at > first.counted_at
    with lane.app.app_context():
        assert db.session.get_one(PatrolVisit, first.id).note == "锁完好，封条在"
        _visit, jpeg = queries.photo(people.operator(), first.id)
        assert Image.open(io.BytesIO(jpeg)).size == (1280, 720)
        assert [alert.kind for alert in db.session.scalars(select(Alert))] == ["barrier_open"]
        states = sorted(db.session.scalars(select(PatrolTask.state)))
    assert states.count("done") == 2


def test_what_was_begun_survives_a_reload(lane: Lane, points: list[PatrolPoint]) -> None:
    page = lane.tablet()
    type_code(page, code(lane, points[2]))
    page.locator('[data-gate="visit"]').wait_for()
    page.locator("label.found.is-damaged").click()
    photograph(page)
    page.locator("#visit-note").fill("护栏歪了")
    page.wait_for_timeout(200)
    page.wait_for_load_state("networkidle")  # a file that is cut off half-way would be the server's mistake to pytest
    page.reload()
    page.locator('[data-gate="visit"]').wait_for()
    assert page.locator('input[value="damaged"]').is_checked()
    assert page.locator("#visit-note").input_value() == "护栏歪了"
    assert page.locator(
        '[data-gate="visit-sealed"]'
    ).is_visible()  # taken and kept, but nobody looks at it here any more
    assert page.locator('[data-gate="visit-picture"]').is_hidden()
    page.locator('[data-gate="visit-save"]').click()
    page.locator(".patrol-card li.is-done.is-bad").wait_for()
    keep_picture(page, "patrol-list")
    expect(page.locator('[data-gate="patrol-unsent"]')).to_be_hidden(timeout=20_000)
    (visit,) = stored(lane)
    assert (visit.found, visit.has_photo, visit.point_id) == ("damaged", True, points[2].id)


def test_a_large_picture_is_made_small_enough_and_nothing_must_be_said_twice(
    lane: Lane, points: list[PatrolPoint], tmp_path: Path
) -> None:
    noisy = Image.effect_noise((3000, 2200), 90).convert("RGB")
    noisy.save(tmp_path / "large.png")
    page = lane.tablet()
    type_code(page, code(lane, points[0]))
    page.locator('[data-gate="visit"]').wait_for()
    page.locator('[data-gate="visit-save"]').click()
    expect(page.locator('[data-gate="visit-error"]')).to_contain_text("Say what you found first")
    page.locator('[data-gate="visit-file"]').set_input_files(tmp_path / "large.png")
    picture = page.locator('[data-gate="visit-picture"]')
    picture.wait_for()
    assert picture.evaluate("(shown) => Math.max(shown.naturalWidth, shown.naturalHeight)") <= 1280
    draft = page.evaluate("async () => (await import('/static/js/gate/store.js')).get('rounds', 'draft')")
    assert len(draft["photo"]["sealed"]) * 3 // 4 <= MAX_BYTES + 93  # the key, the nonce and the tag of the envelope
    page.get_by_text("Closed and whole").click()
    page.locator('[data-gate="visit-save"]').click()
    page.locator(".patrol-card li.is-done").wait_for()
    expect(page.locator('[data-gate="patrol-unsent"]')).to_be_hidden(timeout=20_000)
    assert [visit.has_photo for visit in stored(lane)] == [True]


def test_a_code_of_ones_own_making_is_refused_on_the_spot(lane: Lane, points: list[PatrolPoint]) -> None:
    page = lane.tablet()
    page.locator('[data-gate="patrol-line"]').wait_for()
    right = code(lane, points[0])
    type_code(page, right[:-4] + ("0000" if not right.endswith("0000") else "1111"))
    expect(page.locator('[data-gate="hint"]')).to_contain_text("not the code of a patrol point")
    assert page.locator('[data-gate="visit"]').is_hidden()
    assert stored(lane) == []
