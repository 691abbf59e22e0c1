"""Two versions of the gate, and two lanes with one person, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from checkpoint.web import gate, gate_words
from tests.browser.gate_support import Lane, open_lane, type_code, verdict_of
from tests.browser.lane_support import LONG, decide_now, until
from tests.factories.chromium import chromium, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
NEW_WORDS = "The second version is ready for a pass"
WORDS = "document.getElementById('gate-configuration').textContent"
HAS_NEW_WORDS = f"() => document.getElementById('gate-configuration')?.textContent.includes({NEW_WORDS!r})"
CACHES = "async () => (await caches.keys()).filter((name) => name.startsWith('checkpoint-gate-'))"
LOOK = "async () => { await (await navigator.serviceWorker.getRegistration('/gate')).update(); }"


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


def test_an_open_lane_goes_on_and_the_new_version_takes_over_when_it_is_free(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = lane.tablet()
    page.locator("html[data-shell=kept]").wait_for(state="attached")
    page.reload()  # from now on the first version answers for the page
    page.locator("[data-gate=scan]").wait_for()
    first = page.evaluate(CACHES)
    type_code(page, lane.issue().token)
    assert verdict_of(page) == "admit"

    old_words = gate_words.gate_words
    monkeypatch.setattr(gate, "gate_words", lambda: old_words() | {"scan.ready": NEW_WORDS})
    page.evaluate(LOOK)
    update = page.locator("[data-gate=update]")
    update.wait_for(state="attached")
    page.wait_for_function("async () => Boolean((await navigator.serviceWorker.getRegistration('/gate')).waiting)")
    expect(page.locator("[data-gate=verdict]")).to_be_visible()  # nobody was interrupted
    update.dispatch_event("click")  # pressed while somebody stands at the barrier: nothing happens
    page.wait_for_timeout(500)
    expect(page.locator("[data-gate=verdict]")).to_have_attribute("data-verdict", "admit")
    assert set(first) <= set(page.evaluate(CACHES))  # what the open page may still need is there
    decide_now(page, "admitted")
    until(page, lambda: [one.decision for one in lane.crossings()] == ["admitted"])
    assert NEW_WORDS not in page.evaluate(WORDS)
    expect(update).to_be_visible()
    keep_picture(page, "new-version")

    page.wait_for_load_state("networkidle")
    update.click()
    page.wait_for_function(HAS_NEW_WORDS, timeout=LONG)
    until(page, lambda: len(page.evaluate(CACHES)) == 1)
    assert page.evaluate(CACHES) != first
    page.context.set_offline(True)
    page.reload()
    page.wait_for_function(HAS_NEW_WORDS, timeout=LONG)
    type_code(page, lane.issue().token)
    verdict_of(page)
    decide_now(page, "held")
    page.context.set_offline(False)
    until(page, lambda: [one.decision for one in lane.crossings()] == ["admitted", "held"])


def test_one_person_in_two_lanes_is_two_facts_and_is_shown(lane: Lane) -> None:
    token = lane.issue().token
    first, second = lane.tablet(), lane.tablet()
    for page in (first, second):
        page.locator("[data-honest=withdrawals].honest-good").wait_for()
    second.context.set_offline(True)
    type_code(first, token)
    assert verdict_of(first) == "admit"
    decide_now(first, "admitted")
    until(first, lambda: [one.decision for one in lane.crossings()] == ["admitted"])
    type_code(second, token)
    assert verdict_of(second) == "admit"
    decide_now(second, "turned_back")
    second.context.set_offline(False)
    matter = second.locator("[data-gate=matters] li")
    expect(matter).to_have_count(1, timeout=LONG)
    expect(matter).to_contain_text("decided otherwise in another lane")
    expect(matter).to_contain_text("Turned back")
    expect(matter).to_contain_text("Let in")
    keep_picture(second, "conflict")
    assert sorted(str(one.decision) for one in lane.crossings()) == ["admitted", "turned_back"]
    second.wait_for_load_state("networkidle")
    second.reload()
    expect(matter).to_have_count(1)  # until somebody has seen it
    matter.locator("button").click()
    expect(matter).to_have_count(0)
