"""A lane for browser tests: the application behind a socket, an enrolled tablet's page, and people with passes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.registrations import service
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Pass
from checkpoint.risk.sample import import_sample
from tests.factories import camera, declarations, people
from tests.factories.chromium import mistakes, open_page
from tests.factories.serving import serving

UNLISTED = "330411000000"  # 秀洲区: same province, nothing listed in the sample


@dataclass
class Lane:
    """Where the tests act. `errors` holds what the page's scripts threw."""

    app: Flask
    address: str
    browser: Browser
    film: Path
    errors: list[str] = field(default_factory=list)
    people: int = 0

    def issue(self, **changes: Any) -> Pass:
        """The pass of a new traveller who arrives today; green with a negative test of this morning unless changed."""
        self.people += 1
        with self.app.app_context():
            at = clock.now()
            today = clock.local_date(at, self.app.extensions["settings"].timezone)
            body = {"arriving_on": today.isoformat(), "origin": {"code": UNLISTED}, "tests": [swab(at)], **changes}
            declaration = Declaration.model_validate(declarations.declaration(self.people, **body))
            return service.submit(declaration, actor=people.operator(), at=at).issued

    def swabs(self) -> list[dict[str, str]]:
        """A negative test of this morning."""
        with self.app.app_context():
            return [swab(clock.now())]

    def hold(self, text: str, *, empty_seconds: float = 0.3) -> None:
        """What the camera shows from its next opening."""
        camera.film_of(self.film, text, empty_seconds=empty_seconds)

    def nobody(self) -> None:
        """An empty lane before the camera."""
        camera.film(self.film, [(camera.lane(), 1.0)])

    def code(self) -> str:
        """A one-time code for a new tablet."""
        with self.app.app_context():
            return posts.create_device("G60", actor=people.operator(), at=clock.now(), label="测试平板").code

    def tablet(self, **more: Any) -> Page:
        """An enrolled tablet's page with the camera open, in English."""
        page = open_page(self.browser, **more)
        self.errors = mistakes(page)
        page.goto(f"{self.address}/gate?lang=en#enrol={self.code()}")
        page.locator('[data-gate="scan"]').wait_for()
        sign_in(page)
        return page

    def crossings(self) -> list[Crossing]:
        """What the server has stored, oldest first."""
        with self.app.app_context():
            db.session.remove()
            return list(db.session.scalars(select(Crossing).order_by(Crossing.received_at)))

    def crossing(self) -> Crossing:
        """The only crossing."""
        found = self.crossings()
        assert len(found) == 1
        return found[0]


def swab(at: datetime, *, result: str = "negative") -> dict[str, str]:
    """A test of half a day ago."""
    return {"kind": "pcr", "taken_at": (at - timedelta(hours=12)).isoformat(), "result": result}


@contextmanager
def open_lane(app: Flask, browser: Browser, film: Path) -> Iterator[Lane]:
    """A checkpoint with a risk list in force and nobody at the barrier."""
    with app.app_context():
        people.checkpoint()
        people.gate_officer()
        import_sample(actor=people.operator(), at=clock.now())
        db.session.remove()
    with serving(app) as address:
        lane = Lane(app, f"http://{address}", browser, film)
        lane.nobody()
        yield lane
        for context in browser.contexts:
            context.close()
        assert lane.errors == []


def sign_in(page: Page, name: str = people.OFFICER, pin: str = people.PIN) -> None:
    """The officer comes on duty: their name, their PIN. Returns when the lane is open."""
    page.locator("[data-officer]", has_text=name).click()
    page.locator("#gate-pin").fill(pin)
    page.locator("#gate-pin").press("Enter")
    page.locator('[data-gate="officer"]').wait_for(state="hidden")


def type_code(page: Page, text: str) -> None:
    """Type into the code field and hand it in."""
    page.locator("#gate-code").fill(text)
    page.locator("#gate-code").press("Enter")


def verdict_of(page: Page) -> str:
    """Wait for a verdict on the screen and name it."""
    screen = page.locator('[data-gate="verdict"]')
    screen.wait_for()
    return screen.get_attribute("data-verdict") or ""


def decide(page: Page, decision: str) -> None:
    """Press the officer's button and wait for the server's word."""
    page.locator(f'[data-decision="{decision}"]').click()
    page.locator('[data-gate="verdict"]').wait_for(state="hidden")
    page.locator(".log-row.is-sent").first.wait_for()


def unknown_token() -> str:
    """Eight characters that stand under no pass."""
    return "ZZZZ" + uuid.uuid4().hex[:4].upper().translate(str.maketrans("01", "23"))
