"""Vehicles, the queue, people without a phone and their documents, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.crossings.lane_models import SpotTest
from checkpoint.database import db
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from tests.browser.gate_support import UNLISTED, Lane, open_lane, swab, type_code, verdict_of
from tests.browser.lane_support import (
    A6,
    LONG,
    card_reader,
    decide_now,
    fill_as_traveller,
    fill_form,
    printed,
    tab,
    until,
)
from tests.factories import declarations, people
from tests.factories.chromium import chromium, keep_picture, open_page

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]


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


def test_plate_first_a_car_gets_its_sticker(lane: Lane) -> None:
    page = lane.tablet()
    tab(page, "vehicle")
    page.locator("#vehicle-plate").fill("浙F12345")
    page.locator('[data-gate="vehicle-form"] button').click()
    expect(page.locator('[data-gate="in-vehicle"]')).to_have_text("Scans join 浙F12345")
    for changes in ({}, {"symptoms": ["fever"]}):
        type_code(page, lane.issue(**changes).short_code)
        verdict_of(page)
        decide_now(page, "admitted")
    expect(page.locator(".seat")).to_have_count(2)
    expect(page.locator('[data-gate="vehicle-tier"]')).to_have_text("Yellow")
    keep_picture(page, "lane-vehicle")
    page.locator('[data-act="sticker"]').click()
    expect(page.locator(".sticker-yellow .sticker-plate")).to_have_text("浙F12345")
    expect(page.locator(".sticker-code svg")).to_be_visible()
    assert printed(page, "lane-sticker") == [A6]
    page.locator('[data-gate="print-close"]').click()
    page.locator('[data-act="leave"]').click()
    vehicle = {one.vehicle_id for one in lane.crossings()}.pop()
    type_code(page, f"CPV1:{str(vehicle).upper()}")  # the sticker is scanned at the next look
    expect(page.locator(".seat")).to_have_count(2)
    page.locator('[data-act="close"]').click()
    expect(page.locator('[data-gate="vehicle-form"]')).to_be_visible()
    until(page, lambda: {one.vehicle_id for one in lane.crossings()} != {None})
    assert len({one.vehicle_id for one in lane.crossings()}) == 1


def test_people_first_the_ticked_ones_join_and_one_gets_out(lane: Lane) -> None:
    page = lane.tablet()
    for changes in ({}, {"tests": [swab(clock.now(), result="positive")]}):
        type_code(page, lane.issue(**changes).short_code)
        verdict = verdict_of(page)
        decide_now(page, "admitted" if verdict == "admit" else "held")
    tab(page, "vehicle")
    boxes = page.locator('[data-gate="vehicle-recent"] input')
    expect(boxes).to_have_count(2)
    for number in range(2):
        boxes.nth(number).check()
    page.locator('[data-gate="vehicle-form"] button').click()
    expect(page.locator('[data-gate="vehicle-tier"]')).to_have_text("Red")
    page.locator(".seat-drop").first.click()
    expect(page.locator(".seat")).to_have_count(1)
    until(page, lambda: sum(one.vehicle_id is not None for one in lane.crossings()) == 1)


def test_a_coachs_passenger_registers_by_its_code_and_is_tapped(lane: Lane) -> None:
    page = lane.tablet()
    tab(page, "vehicle")
    page.locator('[data-gate="vehicle-form"] [value="coach"]').check()
    page.locator("#vehicle-plate").fill("浙F12345")
    page.locator('[data-gate="vehicle-form"] button').click()
    coach = page.locator('[data-act="coach"]')
    expect(page.locator('[data-honest="unsent"].honest-good')).to_be_visible()  # the server knows the coach
    coach.click()
    page.locator(".coach-code").wait_for()
    keep_picture(page, "lane-coach")
    url = page.locator(".coach").get_attribute("data-url") or ""
    page.locator('[data-gate="print-close"]').click()
    assert "/v/" in url
    phone = open_page(lane.browser, width=360, height=740)
    phone.goto(f"{lane.address}/v/{url.rpartition('/v/')[2]}?lang=en")
    expect(phone.locator("#plate")).to_have_value("浙F12345")
    fill_as_traveller(phone)
    phone.wait_for_url("**/p/**")
    expected = page.locator('[data-gate="vehicle-expected"] button')
    expected.wait_for(timeout=LONG)
    expected.click()
    assert verdict_of(page) == "test"
    decide_now(page, "tested")
    expect(page.locator(".seat")).to_have_count(1)


def test_somebody_who_registered_by_the_poster_is_tapped_instead_of_scanned(lane: Lane) -> None:
    page = lane.tablet()
    tab(page, "queue")
    with lane.app.app_context():
        at = clock.now()
        today = clock.local_date(at, lane.app.extensions["settings"].timezone).isoformat()
        body = declarations.declaration(
            9, arriving_on=today, origin={"code": UNLISTED}, checkpoint="G60", tests=[swab(at)]
        )
        registrations.submit(Declaration.model_validate(body), actor=people.operator(), at=at)
        db.session.remove()
    person = page.locator("#panel-queue [data-person]")
    person.wait_for(timeout=LONG)
    keep_picture(page, "lane-queue")
    person.click()
    assert verdict_of(page) == "admit"
    decide_now(page, "admitted")
    expect(person).to_have_count(0, timeout=LONG)
    until(page, lambda: [one.decision for one in lane.crossings()] == ["admitted"])


def test_a_family_without_a_phone_gets_verdict_and_slips(lane: Lane) -> None:
    page = lane.tablet()
    page.locator('[data-gate="form-open"]').click()
    page.locator(".form-send").click()
    expect(page.locator('[data-gate="form-message"] p').first).to_contain_text("This is needed.")
    page.locator('[data-gate="form-close"]').click()
    fill_form(page)
    page.locator('[data-gate="form-family"]').click()
    row = page.locator('[data-gate="form-companions"] fieldset')
    row.locator("[data-name]").fill(declarations.name(51))
    row.locator("[data-number]").fill(declarations.resident_id(51))
    keep_picture(page, "lane-form")
    page.locator(".form-send").click()
    assert verdict_of(page) == "test"
    decide_now(page, "tested")  # for both
    until(page, lambda: [one.decision for one in lane.crossings()] == ["tested", "tested"])
    tab(page, "queue")
    expect(page.locator("#panel-queue [data-person]")).to_have_count(0)
    slips = page.locator("[data-slip]")
    expect(slips).to_have_count(2)
    keep_picture(page, "lane-slips")
    slips.first.click()
    expect(page.locator(".slip-name")).to_contain_text(declarations.name(50))
    assert printed(page, "lane-slip") == [A6]


def test_the_document_in_hand_is_compared(lane: Lane) -> None:
    page = lane.tablet()
    issued = lane.issue()
    number = declarations.resident_id(lane.people)
    type_code(page, issued.token)
    verdict_of(page)
    result = page.locator('[data-gate="document-result"]')
    card_reader(page, number)  # nobody has touched a field
    expect(result).to_have_text("This is the declared document.")
    page.locator("#document-number").fill(declarations.resident_id(99))
    page.locator("#document-number").press("Enter")
    expect(result).to_contain_text("This is not the declared document.")
    keep_picture(page, "lane-document")
    decide_now(page, "admitted")
    until(page, lambda: bool(lane.crossings()) and lane.crossings()[0].decision == "admitted")
    page.wait_for_timeout(3200)
    page.context.set_offline(True)
    type_code(page, issued.token)
    verdict_of(page)
    card_reader(page, number)
    expect(result).to_have_text("This is the declared document.")
    page.locator("#document-number").fill(declarations.resident_id(99))
    page.locator("#document-number").press("Enter")
    expect(result).to_contain_text("This is not the declared document.")


def test_without_network_form_vehicle_test_and_sticker_go_on_and_arrive(lane: Lane) -> None:
    page = lane.tablet()
    page.locator('[data-honest="withdrawals"].honest-good').wait_for()  # the snapshot is here
    page.context.set_offline(True)
    tab(page, "vehicle")
    page.locator("#vehicle-plate").fill("浙F54321")
    page.locator('[data-gate="vehicle-form"] button').click()
    fill_form(page, 60)
    page.locator(".form-send").click()
    assert verdict_of(page) == "test"
    decide_now(page, "tested")
    expect(page.locator(".seat")).to_have_count(1)
    page.locator('[data-act="sticker"]').click()
    expect(page.locator(".sticker .sticker-plate")).to_have_text("浙F54321")
    page.locator('[data-gate="print-close"]').click()
    tab(page, "tests")
    page.locator('[data-act="negative"]').click()
    assert verdict_of(page) == "admit"
    decide_now(page, "admitted")
    assert lane.crossings() == []
    page.context.set_offline(False)
    until(page, lambda: [one.decision for one in lane.crossings()] == ["admitted"])
    until(page, lambda: lane.crossings()[0].vehicle_id is not None)
    with lane.app.app_context():
        db.session.remove()
        assert [one.result for one in db.session.scalars(select(SpotTest))] == ["negative"]
