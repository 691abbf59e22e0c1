"""The tablet at the barrier in a real Chromium, with a camera that shows real passes."""

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.models import Device
from checkpoint.crossings.models import CrossingDecision
from checkpoint.database import db
from tests.browser.gate_support import Lane, decide, open_lane, sign_in, swab, type_code, unknown_token, verdict_of
from tests.factories import camera, people
from tests.factories.chromium import chromium, keep_picture, open_page

pytestmark = pytest.mark.browser
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
SCANS = "**/api/v1/scans"


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


def test_a_green_pass_is_let_in_with_one_touch(lane: Lane, capsys: pytest.CaptureFixture[str]) -> None:
    """From the film of a real pass to the stored crossing; the pass stays in view and is one scan all the same."""
    lane.hold(lane.issue().token)
    page = lane.tablet()
    assert verdict_of(page) == "admit"
    keep_picture(page, "gate-admit")
    expect(page.locator("[data-gate=verdict-word]")).to_have_text("Admit")
    expect(page.locator("[data-gate=verdict-shape] circle")).to_be_visible()
    expect(page.locator("[data-gate=name]")).to_have_text("钱*")
    taken = page.evaluate("performance.getEntriesByName('scan-to-verdict').map((entry) => entry.duration)")
    with capsys.disabled():
        print(f"\nframe with the code to the painted verdict: {taken[0]:.0f} ms")
    assert taken[0] < 3000
    decide(page, "admitted")
    page.wait_for_timeout(1500)
    keep_picture(page, "gate-camera")
    crossing = lane.crossing()
    assert (crossing.verdict, crossing.decision) == ("admit", "admitted")
    expect(page.locator(".log-row")).to_contain_text("Let in")


@on_sqlite
def test_a_queue_of_people_moves(lane: Lane, capsys: pytest.CaptureFixture[str]) -> None:
    """One phone after another is held up; each verdict is timed from the frame that held its code."""
    queue = [lane.issue().token for _ in range(6)]
    shots = [(picture, 0.9) for token in queue for picture in (camera.lane(), camera.shown(token))]
    camera.film(lane.film, shots)
    page = lane.tablet()
    for _ in queue:
        assert verdict_of(page) == "admit"
        decide(page, "admitted")
    taken = page.evaluate("performance.getEntriesByName('scan-to-verdict').map((entry) => entry.duration)")
    with capsys.disabled():
        print(f"\nframe with the code to the painted verdict: {[round(one) for one in taken]} ms")
    assert len(taken) >= len(queue)
    assert statistics.median(taken) < 1500
    # The lane moves before the last decision has been sent: the outbox delivers it a moment later.
    until = time.monotonic() + 15
    while len(decided := [one for one in lane.crossings() if one.decision == "admitted"]) < len(queue):
        assert time.monotonic() < until, f"{len(decided)} of {len(queue)} decisions arrived"
        page.wait_for_timeout(100)


@on_sqlite
def test_each_verdict_has_a_word_and_a_shape_of_its_own(lane: Lane) -> None:
    at = clock.now()
    page = lane.tablet()
    passes = {
        "test": lane.issue(tests=[]).short_code,
        "hold": lane.issue(tests=[swab(at, result="positive")]).short_code,
        "refuse": unknown_token(),
    }
    seen = set()
    for verdict, code in passes.items():
        type_code(page, code)
        assert verdict_of(page) == verdict
        keep_picture(page, f"gate-{verdict}")
        drawing = page.locator("[data-gate=verdict-shape] svg").inner_html()
        colour = page.locator(".verdict-band").evaluate("(band) => getComputedStyle(band).backgroundColor")
        seen.add((page.locator("[data-gate=verdict-word]").inner_text(), drawing, colour))
        assert page.locator("[data-gate=reasons] li").count() >= 1
        asked = page.locator(".decision.is-asked")
        assert asked.count() == 1
        assert (asked.bounding_box() or {"height": 0})["height"] >= 64
        asked.click()
        page.locator("[data-gate=verdict]").wait_for(state="hidden")
    assert len(seen) == 3
    assert len({word for word, _drawing, _colour in seen}) == len({drawing for _word, drawing, _colour in seen}) == 3
    expect(page.locator(".log-row.is-sent")).to_have_count(3)
    assert [one.decision for one in lane.crossings()] == ["tested", "held", "turned_back"]


@on_sqlite
def test_an_override_needs_a_reason(lane: Lane) -> None:
    page = lane.tablet()
    type_code(page, lane.issue(tests=[swab(clock.now(), result="positive")]).short_code)
    assert verdict_of(page) == "hold"
    page.locator('[data-decision="admitted"]').click()
    page.locator("[data-gate=override] .danger").click()
    expect(page.locator("[data-gate=note-error]")).to_be_visible()
    assert lane.crossing().decision is None
    page.locator("[data-reason]").nth(1).click()
    page.locator("[data-gate=override] .danger").click()
    page.locator(".log-row.is-sent").wait_for()
    assert lane.crossing().decision == "admitted"
    with lane.app.app_context():
        assert db.session.scalars(select(CrossingDecision)).one().note == "Medical emergency"


@on_sqlite
def test_what_was_decided_last_time_is_shown(lane: Lane) -> None:
    page = lane.tablet()
    issued = lane.issue(tests=[])
    type_code(page, issued.short_code)
    expect(page.locator("[data-gate=previous]")).to_have_text("First scan of this registration")
    decide(page, "tested")
    type_code(page, issued.token)
    expect(page.locator("[data-gate=previous]")).to_contain_text("Tested on the spot")
    expect(page.locator("[data-gate=previous]")).to_contain_text("G60 出口")


@on_sqlite
def test_a_code_that_is_not_ours_is_named_at_once(lane: Lane) -> None:
    lane.hold("https://pay.example.com/abc")
    page = lane.tablet()
    hint = page.locator("[data-gate=hint]")
    expect(hint).to_have_text("This QR code is not a pass. Ask for the pass of this system.")
    keep_picture(page, "gate-foreign")
    for text, words in (
        (f"{lane.address}/c/G60", "poster's code"),
        (f"{lane.address}/gate#enrol=ABCDE-FGHJK", "enrolment code"),
        (f"{lane.address}/p/{'a' * 35}", "link of a pass"),
        ("ABC", "eight letters and digits"),
    ):
        type_code(page, text)
        expect(hint).to_contain_text(words)
    assert lane.crossings() == []


@on_sqlite
@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_broken_network_is_seen_and_the_scan_is_one_scan(lane: Lane, lost: str) -> None:
    """The first attempts fail: before the server had them, or after it had answered."""
    page = lane.tablet()
    sent: list[str] = []

    def fail_twice(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "{}")["scan_id"])
        if len(sent) > 2:
            route.continue_()
            return
        if lost == "answer":
            route.fetch()
        route.abort()

    page.route(SCANS, fail_twice)
    type_code(page, lane.issue().short_code)
    busy = page.locator("[data-gate=busy-words]")
    expect(busy).to_contain_text("Sending again")
    keep_picture(page, f"gate-no-network-{lost}")
    expect(page.locator("[data-gate=link]")).to_contain_text("No connection")
    assert verdict_of(page) == "admit"
    expect(page.locator("[data-gate=link]")).to_contain_text("Connected")
    assert len(sent) == 3
    assert set(sent) == {str(lane.crossing().id)}


@on_sqlite
def test_a_decision_without_network_is_kept_over_a_reload(lane: Lane) -> None:
    page = lane.tablet()
    type_code(page, lane.issue().short_code)
    verdict_of(page)
    page.route("**/decision", lambda route: route.abort())
    page.locator('[data-decision="admitted"]').click()
    expect(page.locator(".log-row")).to_contain_text("sending…")
    page.unroute("**/decision")
    page.reload()
    page.locator(".log-row.is-sent").wait_for()
    expect(page.locator("[data-gate=verdict]")).to_be_hidden()
    assert lane.crossing().decision == "admitted"


@on_sqlite
def test_a_verdict_waits_for_the_decision_also_over_a_reload(lane: Lane) -> None:
    page = lane.tablet()
    type_code(page, lane.issue().short_code)
    verdict_of(page)
    page.goto(f"{lane.address}/gate?lang=zh")
    assert verdict_of(page) == "admit"
    decide(page, "admitted")
    assert lane.crossing().decision == "admitted"


@on_sqlite
def test_a_hand_scanner_types_wherever_the_focus_is(lane: Lane) -> None:
    page = lane.tablet()
    page.locator("[data-gate=night]").focus()
    page.keyboard.type(lane.issue().token, delay=1)
    page.keyboard.press("Enter")
    assert verdict_of(page) == "admit"
    page.locator('[data-decision="turned_back"]').focus()
    page.keyboard.type(lane.issue().token, delay=1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-gate=toast]")).to_have_text("Decide on this person first, then scan the next.")
    assert lane.crossing().decision is None


@on_sqlite
def test_a_revoked_tablet_keeps_nothing(lane: Lane) -> None:
    page = lane.tablet()
    type_code(page, lane.issue().short_code)
    verdict_of(page)
    with lane.app.app_context():
        device = db.session.scalars(select(Device)).one()
        posts.revoke_device(device.id, actor=people.operator(), at=clock.now())
    page.locator('[data-decision="admitted"]').click()
    expect(page.locator("[data-gate=enrol-message]")).to_contain_text("access has ended")
    keep_picture(page, "gate-revoked")
    kept = page.evaluate(
        "async () => { const store = await import('/static/js/gate/store.js');"
        " return [await store.recall('device'), await store.recall('held'), (await store.entries()).length,"
        " sessionStorage.length]; }"
    )
    assert kept == [None, None, 0, 0]


@on_sqlite
def test_a_wrong_enrolment_code_is_told_and_leaves_the_address(lane: Lane) -> None:
    page = open_page(lane.browser)
    page.goto(f"{lane.address}/gate/enroll?lang=en#WRONG-WRONG")
    expect(page.locator("[data-gate=enrol-message]")).to_contain_text("The code could not be used")
    keep_picture(page, "gate-enrol")
    assert page.url == f"{lane.address}/gate"
    page.locator("#enrol-code").fill(lane.code().lower())
    page.locator("[data-gate=enrol-form] button").click()
    expect(page.locator("[data-gate=checkpoint]")).to_have_text("G60 出口")


@on_sqlite
def test_one_tab_at_a_time(lane: Lane) -> None:
    page = lane.tablet()
    second: Page = page.context.new_page()
    second.goto(f"{lane.address}/gate?lang=en")
    second.locator("[data-gate=elsewhere]").wait_for()
    second.locator("[data-gate=take-over]").click()
    second.locator("[data-gate=scan]").wait_for()
    page.locator("[data-gate=elsewhere]").wait_for()


@on_sqlite
def test_no_camera_is_said_in_words(lane: Lane) -> None:
    page = open_page(lane.browser)
    page.context.clear_permissions()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    page.goto(f"{lane.address}/gate?lang=en#enrol={lane.code()}")
    sign_in(page)
    expect(page.locator("[data-gate=camera-words]")).to_contain_text("not allowed for this page")
    type_code(page, lane.issue().short_code)
    assert verdict_of(page) == "admit"
