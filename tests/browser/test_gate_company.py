"""People who came with one declaration, in a real Chromium: each has a crossing of their own, decided once or one by one."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from checkpoint import clock
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from tests.browser.gate_support import UNLISTED, Lane, open_lane, swab, verdict_of
from tests.browser.lane_support import decide_now, fill_form, tab, until
from tests.factories import declarations
from tests.factories.chromium import chromium, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
CARRY = """async (body) => {
    const {toCodes} = await import("/static/js/carried-code.js");
    const {handlers} = await import("/static/js/gate/handlers.js");
    for (const code of await toCodes(body)) await handlers.get("carried")(code);
}"""


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


def family(people: int = 3, **changes: Any) -> dict[str, Any]:
    """A declaration of several who arrive today."""
    today = clock.local_date(clock.now(), "Asia/Shanghai").isoformat()
    others = [declarations.companion(number) for number in range(71, 70 + people)]
    given = {"client_id": str(uuid.uuid4()), "arriving_on": today, "origin": {"code": UNLISTED}, "companions": others}
    return declarations.declaration(70, **given, **changes)


def ready(lane: Lane, *, off: bool) -> Page:
    page = lane.tablet()
    page.locator("html[data-shell=kept]").wait_for(state="attached")
    page.locator("[data-honest=withdrawals].honest-good").wait_for()
    page.context.set_offline(off)
    page.locator(f"[data-gate=link][data-state={'offline' if off else 'online'}]").wait_for()
    return page


def by_name(lane: Lane) -> list[tuple[Crossing, Registration]]:
    """Each crossing with whom it is about, the lead first and the others as they were declared."""
    with lane.app.app_context():
        db.session.remove()
        query = (
            select(Crossing, Registration)
            .join(Registration, Registration.id == Crossing.registration_id)
            .order_by(Registration.id)
        )
        return [(one, person) for one, person in db.session.execute(query)]


def test_one_decision_for_a_carried_family_stores_a_crossing_for_each(lane: Lane) -> None:
    page = ready(lane, off=True)
    body = family()
    page.evaluate(CARRY, body)
    assert verdict_of(page) == "test"
    company = page.locator("[data-gate=company]")
    expect(company).to_contain_text("3 people together, the same verdict")
    expect(company.locator("li")).to_have_count(3)
    keep_picture(page, "company-united")
    decide_now(page, "tested")
    tab(page, "tests")
    expect(page.locator(".test-row")).to_have_count(3)  # a strip for each of them
    assert by_name(lane) == []
    page.context.set_offline(False)
    until(page, lambda: [one.decision for one, _ in by_name(lane)] == ["tested"] * 3)
    found = by_name(lane)
    assert [str(person.client_id) for _, person in found[:1]] == [body["client_id"]]
    assert {person.lead_id for _, person in found[1:]} == {found[0][1].id}
    assert len({person.id for _, person in found}) == 3
    assert all(one.offline and one.shown["verdict"] == "test" for one, _ in found if one.shown is not None)


def test_different_verdicts_are_decided_one_by_one_and_survive_a_reload(lane: Lane) -> None:
    page = ready(lane, off=True)
    body = family(tests=[swab(clock.now())])  # the lead's own test lets the lead in, nobody else
    page.evaluate(CARRY, body)
    assert verdict_of(page) == "admit"
    company = page.locator("[data-gate=company]")
    expect(company).to_contain_text("different verdicts")
    keep_picture(page, "company-apart")
    names = page.locator("[data-gate=company-list] .company-name").all_text_contents()
    page.reload()  # the declaration is sealed by now: the same screen comes back, masked
    assert verdict_of(page) == "admit"
    expect(page.locator("[data-gate=name]")).to_have_text(names[0])
    expect(company.locator("li")).to_have_count(3)
    expect(page.locator("[data-gate=reasons]")).to_contain_text("Negative test")
    page.locator('[data-decision="admitted"]').click()
    expect(page.locator("[data-gate=verdict]")).to_have_attribute("data-verdict", "test")
    expect(company).to_contain_text("2 people together, the same verdict")
    page.reload()
    assert verdict_of(page) == "test"
    expect(page.locator("[data-gate=name]")).to_have_text(names[1])
    decide_now(page, "held")
    page.context.set_offline(False)
    until(page, lambda: [one.decision for one, _ in by_name(lane)] == ["admitted", "held", "held"])
    assert [one.verdict for one, _ in by_name(lane)] == ["admit", "test", "test"]


def test_a_family_on_the_officers_form_is_decided_with_the_server(lane: Lane) -> None:
    page = ready(lane, off=False)
    fill_form(page)
    page.locator('[data-gate="form-family"]').click()
    row = page.locator('[data-gate="form-companions"] fieldset')
    row.locator("[data-name]").fill(declarations.name(51))
    row.locator("[data-number]").fill(declarations.resident_id(51))
    page.locator(".form-send").click()
    assert verdict_of(page) == "test"
    expect(page.locator("[data-gate=company]")).to_contain_text("2 people together")
    decide_now(page, "held")
    until(page, lambda: [one.decision for one, _ in by_name(lane)] == ["held", "held"])
    assert [one.offline for one, _ in by_name(lane)] == [False, False]
    assert len({person.id for _, person in by_name(lane)}) == 2
