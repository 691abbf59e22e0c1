"""Each face's main task from its first page, by somebody who has never seen it: docs/faces.md says how many touches it takes.

What a page costs is counted in bytes and in shifts of its layout, which a slow machine does not change; times are `scripts/bench pages`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.models import Role
from checkpoint.alerts import feed
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from checkpoint.risk.sample import import_sample
from tests.factories import alerting, camera, faces, people, watching
from tests.factories.chromium import chromium, mistakes, open_page
from tests.factories.divisions import SITE, VILLAGE
from tests.factories.faces import Hand
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
FORM_KB, INBOX_KB = 60, 70


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return camera.film(tmp_path_factory.mktemp("film") / "camera.mjpeg", [(camera.lane(), 1.0)])


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    with chromium(film) as opened:
        yield opened


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with app.app_context():
        people.checkpoint()
        people.gate_officer()
        people.user("village", Role.VILLAGE, VILLAGE)
        people.user("command", Role.COMMAND, SITE)
        import_sample(actor=people.operator(), at=clock.now())
        db.session.remove()
    with serving(app) as found:
        yield f"http://{found}"


@pytest.fixture
def hand(browser: Browser) -> Iterator[Callable[[int], Hand]]:
    """A person at a screen of some width."""
    pages: list[Page] = []
    thrown: list[list[str]] = []

    def start(width: int = 360) -> Hand:
        pages.append(open_page(browser, width=width, height=740, locale="zh-CN"))
        thrown.append(mistakes(pages[-1]))
        return Hand(pages[-1])

    yield start
    for page in pages:
        page.context.close()
    assert all(one == [] for one in thrown)


def written(face: str) -> tuple[int, int]:
    """The touches and keys that docs/faces.md tells of a face."""
    text = (PROJECT_ROOT / "docs" / "faces.md").read_text("utf-8")
    row = re.search(rf"^\| {face} \|.*\| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert row is not None
    return int(row[1]), int(row[2])


def counted(hand: Hand) -> tuple[int, int]:
    print(f"\n{hand.clicks} touches, {hand.keys} keys")
    return hand.clicks, hand.keys


def test_a_traveller_declares_and_the_officer_lets_them_in(
    app: Flask, address: str, film: Path, hand: Callable[..., Hand]
) -> None:
    traveller = hand()
    faces.declare(traveller, address)
    assert counted(traveller) == written("traveller")
    faces.show(film, traveller.page.locator(".pass-code img").screenshot())
    with app.app_context():
        code = posts.create_device("G60", actor=people.operator(), at=clock.now()).code
    officer = hand(820)
    officer.page.goto(f"{address}/gate#enrol={code}")
    faces.admit(officer)
    assert counted(officer) == written("barrier")


def test_a_village_worker_answers_and_command_publishes_a_list(
    app: Flask, address: str, hand: Callable[..., Hand]
) -> None:
    with app.app_context():
        alerting.alert(VILLAGE, "red", at=clock.now())
    village = hand()
    faces.answer(village, address)
    assert counted(village) == written("village")
    command = hand(1440)
    faces.publish(command, address)
    assert counted(command) == written("command")


def test_the_first_load_of_the_form_is_light_and_nothing_moves(browser: Browser, address: str) -> None:
    """By the bytes that really went over the wire, and by what the browser says of shifts."""
    with faces.phone(browser, base_url=address) as page:
        wire = watching.Wire(page)
        page.goto("/")
        page.locator("[data-traveller-form][data-ready]").wait_for()
        print(f"\nform: {wire.kilobytes:.1f} KB in {wire.answers} answers")
        assert 0 < wire.kilobytes <= FORM_KB
        assert watching.layout_shift(page) <= 0.01


def test_the_first_load_of_the_inbox_is_light(app: Flask, address: str, hand: Callable[..., Hand]) -> None:
    with app.app_context():
        for number in range(20):
            alerting.alert(VILLAGE, "red" if number % 4 == 0 else "yellow", at=clock.now())
        feed.number()
    worker = hand()
    wire = watching.Wire(worker.page)
    faces.sign_in(worker, address, "village")
    worker.page.locator('[data-live-state="live"]').wait_for()
    print(f"\ninbox with the page to sign in: {wire.kilobytes:.1f} KB in {wire.answers} answers")
    assert 0 < wire.kilobytes <= INBOX_KB
    assert watching.layout_shift(worker.page) <= 0.01
