"""A lorry with an approval, in a real Chromium: outside its hours it is held, within them let in to a test, on line and off."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from checkpoint import clock
from checkpoint.approvals import service
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval, ApprovalKind, ApprovalState
from checkpoint.approvals.service import Holder
from tests.browser.gate_support import Lane, open_lane, type_code, verdict_of
from tests.factories import applications, people
from tests.factories.chromium import chromium, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
HOUR = timedelta(hours=1)
LISTED = "上海市金山区枫泾镇青禾家园3号楼"  # a high-risk area of the sample
APPROVED = """async () => {
  const store = await import("/static/js/gate/store.js");
  const { approvals } = await store.recall("snapshot");
  return Object.values(approvals).filter((each) => each.length).length;
}"""

NONE_APPROVED = f"async () => await ({APPROVED})() === 0"


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


def around(lane: Lane, first: int, last: int) -> list[str]:
    """Hours of the site from `first` to `last` hours from now."""
    zone = ZoneInfo(lane.app.extensions["settings"].timezone)
    now = clock.now().astimezone(zone)
    return [(now + hours * HOUR).strftime("%H:%M") for hours in (first, last)]


def approve(lane: Lane, plate: str, hours: list[str]) -> Approval:
    """A lorry's approval for red people within some hours, granted by command."""
    at = clock.now()
    asked = {"from": at - HOUR, "until": at + 48 * HOUR, "hours": hours, "covers": "red", "binding": True}
    with lane.app.app_context():
        holders = (Holder(plate=plate),)
        wanted = Conditions.from_json(asked)
        approval = applications.applied(ApprovalKind.LORRY, at, conditions=wanted, holders=holders)
        while approval.state != ApprovalState.GRANTED.value:
            approval = service.approve(approval.id, None, "", actor=people.operator(), at=clock.now())
        return approval


def lorry(lane: Lane, plate: str) -> str:
    """The pass of a driver from a listed block, red."""
    return lane.issue(origin={"text": LISTED}, plate=plate, transport="lorry").token


def ready(lane: Lane) -> Page:
    page = lane.tablet()
    page.locator("html[data-shell=kept]").wait_for(state="attached")
    page.locator("[data-honest=withdrawals].honest-good").wait_for()
    return page


def judged(page: Page, token: str, name: str) -> tuple[str, str]:
    """The verdict on a code, what it says first, and a picture of it."""
    type_code(page, token)
    verdict = verdict_of(page)
    keep_picture(page, name)
    return verdict, page.locator("[data-gate=reasons] li").first.inner_text()


def decide(page: Page, decision: str) -> None:
    page.locator(f'[data-decision="{decision}"]').click()
    page.locator("[data-gate=verdict]").wait_for(state="hidden")


@pytest.mark.parametrize("online", [True, False])
def test_a_lorry_is_let_to_its_test_within_its_hours_and_held_outside(lane: Lane, online: bool) -> None:
    inside, outside = approve(lane, "沪A11111", around(lane, -2, 2)), approve(lane, "沪A22222", around(lane, 3, 6))
    welcome, early, unknown = (lorry(lane, plate) for plate in ("沪A11111", "沪A22222", "沪A33333"))
    page = ready(lane)
    where = "online" if online else "offline"
    if not online:
        page.context.set_offline(True)
        page.locator("[data-gate=link][data-state=offline]").wait_for()
    verdict, words = judged(page, welcome, f"approval-kept-{where}")
    assert (verdict, f"Approval {inside.number} in force and kept" in words) == ("test", True)
    assert "–" in words  # its hours stand below
    decide(page, "tested")
    verdict, words = judged(page, early, f"approval-broken-{where}")
    assert (verdict, f"Approval {outside.number}: not at this hour" in words) == ("hold", True)
    decide(page, "held")
    verdict, words = judged(page, unknown, f"approval-none-{where}")
    assert (verdict, "Approval" in words) == ("hold", False)
    decide(page, "held")
    page.context.set_offline(False)
    page.locator("[data-honest=unsent].honest-good").wait_for()
    stored = lane.crossings()
    assert [one.verdict for one in stored] == ["test", "hold", "hold"]
    assert [(one.shown or {}).get("verdict") for one in stored] == ([None] * 3 if online else ["test", "hold", "hold"])
    expect(page.locator("[data-matter]")).to_have_count(0)  # the server and the tablet agree


def test_a_revoked_approval_is_gone_at_the_next_contact(lane: Lane) -> None:
    approval = approve(lane, "沪A11111", around(lane, -2, 2))
    token = lorry(lane, "沪A11111")
    page = ready(lane)
    assert page.evaluate(APPROVED) == 1
    with lane.app.app_context():
        service.revoke(approval.id, "名单变化", actor=people.operator(), at=clock.now())
    page.reload()
    page.locator("[data-gate=link][data-state=online]").wait_for()
    page.wait_for_function(NONE_APPROVED)
    page.context.set_offline(True)
    page.locator("[data-gate=link][data-state=offline]").wait_for()
    assert judged(page, token, "approval-revoked")[0] == "hold"
