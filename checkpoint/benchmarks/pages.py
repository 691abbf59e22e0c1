"""`pages`: the four faces in a real Chromium: how heavy they are, how soon they can be used on a thin line, how many touches they ask.

It uses the tests' own driver of the faces, their fake camera and axe-core, so it needs what `scripts/install --dev` installs, and Chromium.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts import feed
from checkpoint.benchmarks import gate
from checkpoint.benchmarks.instance import Instance, served
from checkpoint.database import db
from checkpoint.errors import ConfigurationError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ALERTS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How often the first loads are timed, and whether somebody types as slowly as a person."""

    loads: int
    as_a_person: bool


FULL = Plan(5, as_a_person=True)
QUICK = Plan(1, as_a_person=False)


def measure(instance: Instance, plan: Plan) -> dict[str, float]:
    """The figures of `pages`."""
    try:
        from tests.browser import axe
        from tests.factories import camera, chromium, rough

        chromium.program()
    except (ImportError, RuntimeError) as error:
        raise ConfigurationError(
            f"Pages are measured with the tests' tools and Chromium: scripts/install --dev ({error})"
        ) from error
    if not axe.SOURCE.is_file():
        raise ConfigurationError("Pages are checked with axe-core: scripts/install --dev")
    _people(instance)
    with tempfile.TemporaryDirectory(prefix="checkpoint-film-") as folder:
        film = camera.film(Path(folder) / "camera.mjpeg", [(camera.lane(), 1.0)])
        with (
            served(instance) as server,
            chromium.chromium(film) as browser,
            rough.rough_network(f"127.0.0.1:{server.port}") as network,
        ):
            address = f"http://127.0.0.1:{server.port}"
            figures = {**_form(browser, address, plan), **_declared(browser, address, film, plan)}
            figures |= _inbox(browser, address, plan)
            tablet = gate.Tablet(instance, browser, network, film)
            figures["gate_kb"] = round(tablet.first_load / 1024, 1)
            tablet.page.context.close()
            figures |= _touches(instance, browser, address)
            figures["axe_violations"] = float(_violations(browser, address))
    return figures


def _people(instance: Instance) -> None:
    """A village worker with alerts and a commander."""
    from tests.factories import alerting, people
    from tests.factories.divisions import SITE, VILLAGE

    with instance.app.app_context():
        people.user("village", Role.VILLAGE, VILLAGE)
        people.user("command", Role.COMMAND, SITE)
        for number in range(ALERTS):
            alerting.alert(VILLAGE, "red" if number % 4 == 0 else "yellow", at=clock.now())
        feed.number()
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _opened(browser: "Browser", **more: Any) -> Iterator["Page"]:
    from tests.factories import faces

    with faces.phone(browser, **more) as page:
        yield page


def _form(browser: "Browser", address: str, plan: Plan) -> dict[str, float]:
    """First loads of the form on a phone that has nothing of it, at 400 kbit/s and 400 ms, its processor four times slower than ours."""
    from tests.factories import watching

    sizes, usable, ready, longest, shifts = [], [], [], [], []
    for _ in range(plan.loads):
        with _opened(browser) as page:
            watching.slow_down(page, watching.THIN)
            wire = watching.Wire(page)
            start = time.monotonic()
            page.goto(f"{address}/", wait_until="commit")
            page.locator("[data-traveller-form][data-ready]").wait_for()
            ready.append(time.monotonic() - start)
            sizes.append(wire.kilobytes)
            usable.append(
                watching.first_paint_ms(page) / 1000
            )  # the form needs no script: what is painted can be filled in
            longest.append(watching.longest_task_ms(page))
            shifts.append(watching.layout_shift(page))
    return {
        "form_kb": round(max(sizes), 1),
        "form_usable_s": round(median(usable), 2),
        "form_ready_s": round(median(ready), 2),
        "form_longest_task_ms": round(median(longest)),
        "form_shift": round(max(shifts), 3),
    }


def _declared(browser: "Browser", address: str, film: Path, plan: Plan) -> dict[str, float]:
    """A person declares on that line, from the address to the code; then the code is held before the tablet's camera."""
    from tests.factories import faces, watching

    with _opened(browser) as page:
        watching.slow_down(page, watching.THIN)
        hand = faces.Hand(page, slow=plan.as_a_person)
        start = time.monotonic()
        faces.declare(hand, address)
        seconds = time.monotonic() - start
        page.locator(".pass-code img").evaluate("(img) => img.decode()")
        faces.show(film, page.locator(".pass-code img").screenshot())
    return {"register_s": round(seconds, 1), "clicks": float(hand.clicks)}


def _inbox(browser: "Browser", address: str, plan: Plan) -> dict[str, float]:
    """The inbox on a phone with three bars of 2G, after signing in."""
    from tests.factories import faces, people, watching

    sizes, usable = [], []
    for _ in range(plan.loads):
        with _opened(browser) as page:
            page.goto(f"{address}/login", wait_until="commit")
            watching.slow_down(page, watching.EDGE)
            wire = watching.Wire(page)
            hand = faces.Hand(page)
            hand.write(page.locator("#login"), "village")
            hand.write(page.locator("#password"), people.PASSWORD)
            start = time.monotonic()
            hand.enter()
            page.locator(f"[data-alert] >> nth={ALERTS - 1}").wait_for()
            page.locator("[data-live-state=live]").wait_for()
            usable.append(time.monotonic() - start)
            sizes.append(wire.kilobytes)
    return {"inbox_kb": round(max(sizes), 1), "inbox_usable_s": round(median(usable), 2)}


def _touches(instance: Instance, browser: "Browser", address: str) -> dict[str, float]:
    """The main tasks of barrier, village and command: the touches that each takes."""
    from tests.factories import chromium, faces

    with instance.app.app_context():
        code = posts.create_device("BENCH", actor=system_actor(""), at=clock.now()).code
        db.session.remove()
        db.engine.dispose()
    found = {}
    for face, width in (("gate", 820), ("inbox", 360), ("command", 1440)):
        page = chromium.open_page(browser, width=width, locale="zh-CN")
        hand = faces.Hand(page)
        if face == "gate":
            page.goto(f"{address}/gate#enrol={code}")
            faces.admit(hand)
        elif face == "inbox":
            faces.answer(hand, address)
        else:
            faces.publish(hand, address)
        found[f"clicks_{face}"] = float(hand.clicks)
        page.context.close()
    return found


def _violations(browser: "Browser", address: str) -> int:
    """What axe-core finds on the first pages of all faces, at the size of a phone, by day and by night."""
    from tests.browser import axe
    from tests.factories import faces

    found = 0
    for login in ("", "village", "command"):
        context = axe.with_axe(browser.new_context(locale="zh-CN"))
        page = context.new_page()
        if login:
            faces.sign_in(faces.Hand(page), address, login)
        for path in ("/", "/gate", "/login") if not login else (f"/{'inbox' if login == 'village' else login}",):
            page.goto(f"{address}{path}")
            for scheme in ("light", "dark"):
                axe.wear(page, axe.PHONE, scheme)
                found += len(axe.violations(page))
        context.close()
    return found
