"""Takes the pictures: an instance of its own, four people at their screens, the way from the phone to the inbox."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import system_actor
from checkpoint.benchmarks.instance import prepared, served
from checkpoint.config import PROJECT_ROOT
from checkpoint.database import db
from tests.factories import camera, chromium, declarations, lists, people
from tests.factories.divisions import SITE, VILLAGE
from tests.factories.faces import Hand, sign_in
from tests.pictures.stage import Screen, Stage

LONGEST_S = 20
_PHONE = {"width": 390, "height": 844}


def _keep(folder: Path, name: str, shot: bytes, width: int) -> None:
    """Write a still picture, no wider than `width`. All its colours: a palette loses the small red things that matter."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    height = round(picture.height * width / picture.width)
    picture.resize((width, height), Image.Resampling.LANCZOS).save(folder / f"{name}.png", optimize=True)


def _fill(app: Flask) -> str:
    """A list in force, a worker, a commander, an officer; returns the code of a new tablet."""
    with app.app_context():
        lists.in_force(lists.FENGJING, lists.ZHUJING, at=clock.now(), source="疫情风险等级名单")
        people.user("village", Role.VILLAGE, VILLAGE).display_name = "李主任"
        people.user("command", Role.COMMAND, SITE)
        people.gate_officer()
        code = posts.create_device("BENCH", actor=system_actor(""), at=clock.now(), label="东侧车道").code
        db.session.remove()
        db.engine.dispose()
        return code


class Story:
    """The phone, the tablet and the worker's phone, and what has been filmed of them."""

    def __init__(self, browser: Browser, address: str, film: Path, folder: Path) -> None:
        self.browser, self.address, self.film, self.folder = browser, address, film, folder
        self.stage = Stage(browser)
        self.phone, self.inbox = self._page(_PHONE), self._page(_PHONE)
        self.tablet = self._page({"width": 820, "height": 1180})
        self.names: dict[Page, str] = {self.phone: "旅客手机", self.tablet: "卡口平板", self.inbox: "村（社区）手机"}
        self.last: dict[Page, bytes] = {}

    def _page(self, size: dict[str, int]) -> Page:
        context = self.browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            locale="zh-CN",
            permissions=["camera"],
            reduced_motion="reduce",
            color_scheme="light",
        )
        context.set_default_timeout(30_000)
        return context.new_page()

    def frame(self, zh: str, en: str, now: Page, seconds: float) -> None:
        """One frame: `now` is photographed, the other two stand as they were."""
        self.last[now] = now.screenshot()
        shown = [Screen(self.names[page], self.last[page], page is now) for page in self.names if page in self.last]
        self.stage.frame(zh, en, shown, seconds)

    def declare(self) -> None:
        """The form, field by field."""
        page = self.phone
        sign_in(Hand(self.inbox), self.address, "village")
        expect(self.inbox.locator("[data-live-state]")).to_have_attribute("data-live-state", "live")
        self.last[self.inbox] = self.inbox.screenshot()
        page.goto(f"{self.address}/")
        page.locator("[data-traveller-form][data-ready]").wait_for()
        zh, en = "来之前，在手机上申报", "Before the journey: declare on the phone"
        self.frame(zh, en, page, 1.2)
        hand = Hand(page)
        for field, text in (
            ("#name", declarations.name(1)),
            ("#id_number", declarations.resident_id(1)),
            ("#phone", declarations.phone(1)),
        ):
            hand.write(page.locator(field), text)
            self.frame(zh, en, page, 0.5)
        for field, text, name in (("#origin", "金山", "金山区"), ("#destination", "八字", "八字村")):
            page.locator(field).scroll_into_view_if_needed()
            hand.write(page.locator(field), text)
            page.locator(".picker-option", has_text=name).first.wait_for()
            self.frame(zh, en, page, 0.7)
            page.locator(".picker-option", has_text=name).first.click()
        hand.write(page.locator("#destination-address"), "3组12号")
        page.check("[name=transport][value=car]")
        hand.write(page.locator("#plate"), "沪A12345")
        self.frame(zh, en, page, 0.8)
        page.evaluate("scrollTo(0, 0)")
        _keep(self.folder, "form", page.screenshot(), 390)

    def send(self) -> None:
        """The code on the phone, and the alert in the village in the same second."""
        page = self.phone
        page.locator("[data-send]").click()
        page.locator(".pass-code img").evaluate("(img) => img.decode()")
        self.frame("提交后马上得到通行码", "Sent: the code is there at once", page, 1.6)
        _keep(self.folder, "pass", page.screenshot(), 390)
        self.inbox.locator("[data-alert]").wait_for()
        self.inbox.locator("#toasts .toast").first.wait_for(state="detached")
        self.frame("同一秒，村里收到预警", "In the same second the village is told", self.inbox, 2.0)

    def scan(self, code: str) -> None:
        """The barrier: the camera sees the phone's own screen."""
        picture = Image.open(io.BytesIO(self.phone.locator(".pass-code img").screenshot()))
        camera.film(self.film, [(camera.lane(), 0.3), (camera.held(picture, height=430), 5.0)])
        page = self.tablet
        page.goto(f"{self.address}/gate#enrol={code}")
        page.locator("[data-officer]", has_text=people.OFFICER).click()
        page.locator("#gate-pin").fill(people.PIN)
        page.locator("#gate-pin").press("Enter")
        page.locator("[data-gate=verdict]").wait_for()
        self.frame("卡口扫一扫，结论和理由一目了然", "At the barrier: one scan, the verdict and why", page, 2.4)
        _keep(self.folder, "gate", page.screenshot(), 480)
        page.locator("[data-decision=admitted]").click()
        page.locator(".log-row.is-sent").wait_for()
        self.frame("警员决定放行", "The officer decides", page, 1.0)

    def close(self) -> None:
        """The village sees the arrival, takes it on, says that the person is at the door, and closes it."""
        page = self.inbox
        card = page.locator("[data-alert]", has=page.get_by_text("已过卡口"))
        card.wait_for()
        page.locator("#toasts .toast").first.wait_for(state="detached")
        self.frame("村里知道人已进城", "The village knows that they have come", page, 1.6)
        _keep(self.folder, "inbox", page.screenshot(), 390)
        steps: tuple[tuple[str, str, Callable[[], None]], ...] = (
            ("接警", "Acknowledged", card.locator("form[action$='/acknowledge'] button").click),
            ("上门确认：人已到家", "At the door: arrived", card.locator("button[value=arrived]").click),
        )
        for zh, en, act in steps:
            act()
            page.locator("#toasts .toast").first.wait_for()
            page.locator("#toasts .toast").first.wait_for(state="detached")
            card.scroll_into_view_if_needed()
            self.frame(zh, en, page, 1.3)
        card.locator("[data-panel=resolve] summary").click()
        card.locator("button[value=handled]").click()
        card.wait_for(state="detached")
        page.evaluate("scrollTo(0, 0)")
        self.frame(
            "办结：从手机到家门，一个人也没有漏掉", "Closed: nobody is lost between the barrier and the door", page, 2.0
        )

    def command(self) -> None:
        """The numbers of the city."""
        page = self._page({"width": 1280, "height": 800})
        sign_in(Hand(page), self.address, "command")
        page.locator("[data-stat]").first.wait_for()
        _keep(self.folder, "command", page.screenshot(), 960)


@click.command()
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=PROJECT_ROOT / "docs" / "pictures")
def main(into: Path) -> None:
    """Take the pictures anew."""
    into.mkdir(parents=True, exist_ok=True)
    with prepared(None, {"TOTP_ROLES": "none"}) as instance, tempfile.TemporaryDirectory() as folder:
        code = _fill(instance.app)
        film = camera.film(Path(folder) / "camera.mjpeg", [(camera.lane(), 1.0)])
        with served(instance) as server, chromium.chromium(film) as browser:
            story = Story(browser, f"http://127.0.0.1:{server.port}", film, into)
            story.declare()
            story.send()
            story.scan(code)
            story.close()
            story.command()
            assert story.stage.seconds <= LONGEST_S
            story.stage.write(into / "way.webp")
    for path in sorted(into.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
