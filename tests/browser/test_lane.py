"""Officers, tests on the spot and the room on the lane's screen, in a real Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.crossings.lane_models import Shift, SpotTest
from checkpoint.database import db
from tests.browser.gate_support import Lane, decide, open_lane, sign_in, type_code, verdict_of
from tests.browser.lane_support import LONG, decide_now, enrolled, tab, until
from tests.factories import people
from tests.factories.chromium import chromium, keep_picture, mistakes, open_page
from tests.factories.divisions import SITE

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "spot.json").read_text("utf-8"))


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


def test_no_lane_without_an_officer(lane: Lane) -> None:
    """The camera sees a pass all the while; nothing is scanned before somebody is on duty, and a wrong PIN is nobody."""
    lane.hold(lane.issue().token)
    page = enrolled(lane)
    keep_picture(page, "lane-officer")
    page.locator("[data-officer]", has_text=people.OFFICER).click()
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


def proof_is_kept(page: Page) -> bool:
    """Whether the tablet has what it needs to know the officer again without network."""
    return bool(
        page.evaluate(
            """() => new Promise((resolve) => {
              const asked = indexedDB.open("checkpoint-gate");
              asked.onsuccess = () => {
                const found = asked.result.transaction("kept").objectStore("kept").get("officer-proofs");
                found.onsuccess = () => { asked.result.close(); resolve(Boolean(found.result)); };
              };
            })"""
        )
    )


def test_an_officer_signs_in_again_without_network_and_another_cannot(lane: Lane) -> None:
    with lane.app.app_context():
        other = people.user("li", Role.OFFICER, SITE)
        other.pin_hash = people.gate_officer("赵警官", "zhao").pin_hash
        db.session.merge(other)
        db.session.commit()
    page = lane.tablet()
    until(page, lambda: proof_is_kept(page))
    page.context.set_offline(True)
    page.locator('[data-gate="on-duty"]').click()
    page.locator('[data-gate="officer-end"]').click()
    page.locator("[data-officer]", has_text="赵警官").click()
    page.locator("#gate-pin").fill(people.PIN)
    page.locator("#gate-pin").press("Enter")
    expect(page.locator('[data-gate="officer-message"]')).to_contain_text("has not signed in here in the last 12 hours")
    page.locator('[data-gate="officer-back"]').click()
    page.locator("[data-officer]", has_text=people.OFFICER).click()
    page.locator("#gate-pin").fill("000001")
    page.locator("#gate-pin").press("Enter")
    expect(page.locator('[data-gate="officer-message"]')).to_have_text("This PIN is not right.")
    page.locator("#gate-pin").fill(people.PIN)
    page.locator("#gate-pin").press("Enter")
    page.locator('[data-gate="officer"]').wait_for(state="hidden")
    assert len(shifts(lane)) == 1
    page.context.set_offline(False)
    until(page, lambda: len(shifts(lane)) == 2)
    first, second = shifts(lane)
    assert (first.ended_at is not None, second.offline, second.proven) == (True, True, True)


def test_a_shift_is_handed_over_in_two_touches_and_the_pin(lane: Lane) -> None:
    with lane.app.app_context():
        people.gate_officer("赵警官", "zhao")
    page = lane.tablet()
    page.locator('[data-gate="on-duty"]').click()
    page.locator("[data-officer]", has_text="赵警官").click()
    page.locator("#gate-pin").fill(people.PIN)
    page.locator("#gate-pin").press("Enter")
    expect(page.locator('[data-gate="on-duty-name"]')).to_have_text("赵警官")
    first, second = shifts(lane)
    assert (first.ended_at, second.ended_at) == (second.started_at, None)
    page.reload()
    expect(page.locator('[data-gate="on-duty-name"]')).to_have_text("赵警官")
    expect(page.locator('[data-gate="officer"]')).to_be_hidden()


def test_a_test_on_the_spot_outlives_a_reload_and_gives_the_verdict_anew(lane: Lane) -> None:
    page = lane.tablet()
    for _person in range(2):
        type_code(page, lane.issue(tests=[]).short_code)
        assert verdict_of(page) == "test"
        decide(page, "tested")
    tab(page, "tests")
    rows = page.locator("[data-test]")
    expect(rows).to_have_count(2)
    page.reload()
    page.locator('[data-gate="scan"]').wait_for()
    tab(page, "tests")
    expect(rows).to_have_count(2)
    keep_picture(page, "lane-tests")
    rows.first.locator('[data-act="negative"]').click()
    assert verdict_of(page) == "admit"
    expect(page.locator('[data-gate="reasons"]')).to_contain_text("The test on the spot is negative")
    keep_picture(page, "lane-test-negative")
    page.locator('[data-decision="admitted"]').click()
    page.locator('[data-gate="verdict"]').wait_for(state="hidden")
    expect(rows).to_have_count(1)
    rows.first.locator('[data-act="positive"]').click()
    assert verdict_of(page) == "hold"
    page.locator('[data-decision="held"]').click()
    page.locator('[data-gate="verdict"]').wait_for(state="hidden")
    expect(page.locator('[data-gate="tests-empty"]')).to_be_visible()
    until(page, lambda: sorted(one.decision or "" for one in lane.crossings()) == ["admitted", "held"])
    with lane.app.app_context():
        db.session.remove()
        assert sorted(one.result for one in db.session.scalars(select(SpotTest))) == ["negative", "positive"]


def test_a_test_rings_when_its_quarter_of_an_hour_is_over(lane: Lane) -> None:
    page = open_page(lane.browser)
    lane.errors = mistakes(page)
    page.clock.install()
    page.goto(f"{lane.address}/gate?lang=en#enrol={lane.code()}")
    sign_in(page)
    type_code(page, lane.issue(tests=[]).short_code)
    assert verdict_of(page) == "test"
    page.locator('[data-decision="tested"]').click()
    page.locator('[data-gate="verdict"]').wait_for(state="hidden")
    expect(page.locator("html")).to_have_attribute("data-signal", "recorded")
    expect(page.locator('[data-gate="tests-alarm"]')).to_be_hidden()
    page.clock.fast_forward("15:01")
    expect(page.locator('[data-gate="tests-alarm"]')).to_have_text("Results to read: 1")
    assert page.locator("html").get_attribute("data-signal") == "due"
    page.locator('[data-gate="tests-alarm"]').click()
    expect(page.locator(".test-row.is-due .test-time")).to_have_text("Read the result now")
    keep_picture(page, "lane-test-due")


def test_a_test_that_another_tablet_began_is_read_here(lane: Lane) -> None:
    first = lane.tablet()
    type_code(first, lane.issue(tests=[]).short_code)
    assert verdict_of(first) == "test"
    decide_now(first, "tested")
    second = lane.tablet()
    tab(second, "tests")
    row = second.locator("[data-test]")
    expect(row).to_contain_text("on another tablet", timeout=LONG)
    row.locator('[data-act="take"]').click()
    row.locator('[data-act="positive"]').click()
    assert verdict_of(second) == "hold"
    decide_now(second, "transferred")
    until(second, lambda: [one.decision for one in lane.crossings()] == ["transferred"])


def test_the_rule_after_a_test_is_the_servers(lane: Lane) -> None:
    page = lane.tablet()
    page.locator("html[data-shell=kept]").wait_for(state="attached")
    found = page.evaluate(
        """async (rows) => {
          const { afterTest } = await import("/static/js/gate/spot-rules.js");
          return rows.map((row) => afterTest(row.given));
        }""",
        VECTORS,
    )
    assert found == [row["want"] for row in VECTORS]


@pytest.mark.parametrize("size", [(820, 1180), (1180, 820)])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.slow
def test_the_lane_has_room_for_everything(lane: Lane, language: str, size: tuple[int, int]) -> None:
    """Nothing sticks out of the screen, in both languages and both ways of holding the tablet."""
    page = enrolled(lane, language, width=size[0], height=size[1])
    sign_in(page)
    page.locator('[data-gate="board"][data-stale="no"]').wait_for()
    for panel in ("log", "queue", "tests", "vehicle", "tablets"):
        tab(page, panel)
        keep_picture(page, f"room-{language}-{size[0]}-{panel}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        bottom = page.locator(f"#panel-{panel}").bounding_box() or {"height": 0}
        assert bottom["height"] >= 96
    page.locator('[data-gate="form-open"]').click()
    keep_picture(page, f"room-{language}-{size[0]}-form")


@pytest.mark.slow
def test_a_thousand_timers_leave_the_page_free(lane: Lane) -> None:
    page = lane.tablet()
    page.evaluate(
        """async () => {
            const {write} = await import("/static/js/gate/store.js");
            const started_at = new Date().toISOString();
            await write(Array.from({length: 1000}, (_, number) => ({put: "tests", value: {
                id: `t${number}`, scan_id: crypto.randomUUID(), token: "", view: {tier: "yellow"}, name: `钱${number}`,
                started_at, due_at: Date.now() + 6e4 + number * 500, result: null}})));
        }"""
    )
    page.reload()
    expect(page.locator('[data-gate="tab-tests-count"]')).to_have_text("1000")
    tab(page, "tests")
    expect(page.locator(".test-row")).to_have_count(40)
    expect(page.locator('[data-gate="tests-more"]')).to_contain_text("960 more")
    busy = page.evaluate(
        """() => new Promise((resolve) => {
            let worst = 0, last = performance.now();
            const end = last + 4000;
            const look = () => {
                const now = performance.now();
                worst = Math.max(worst, now - last);
                last = now;
                if (now < end) setTimeout(look, 0); else resolve(worst);
            };
            look();
        })"""
    )
    print(f"\nlongest the page was busy in 4 s with 1000 timers: {busy:.0f} ms")
    assert busy < 200
    first = page.locator(".test-row").first
    expect(first).to_contain_text("钱0")
    first.locator('[data-act="negative"]').click()
    verdict_of(page)
    decide_now(page, "admitted")
    expect(page.locator(".test-row").first).to_contain_text("钱1")
