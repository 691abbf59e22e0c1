"""WCAG 2.2 AA on every page that the address map has, as the person sees it who may: full, with mistakes, empty, with what opens.

The pages come from the access matrix, which names every way into the application and somebody who may use it; so a page without
a row fails there, and a page that nobody could open fails here.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page
from werkzeug.test import TestResponse

from tests.browser.axe import DESK, PHONE, TABLET, violations, wear, with_axe
from tests.factories.chromium import chromium
from tests.factories.declarations import resident_id
from tests.factories.serving import serving
from tests.web.access.row import Row, expected
from tests.web.access.rows import rows
from tests.web.access.test_matrix import TURNED_AWAY, address
from tests.web.access.world import Asker, World, build

pytestmark = pytest.mark.browser
ENDLESS = {"stream.stream"}
NEVER_A_PAGE = {
    "auth.code": "only somebody who has given their password and not yet the code has this page: test_accounts looks at it",
    "own_data.erased": "only there once everything is erased: `erased` below looks at it",
}
LOOKS = [(DESK, "light"), (PHONE, "dark")]
EVERY_LOOK = [(size, scheme) for size in (PHONE, TABLET, DESK) for scheme in ("light", "dark")]
OPEN_DETAILS = "for (const one of document.querySelectorAll('main details')) one.open = true"
# A chart is drawn anew a moment after the window has changed.
WIDTH = """(width) => new Promise((resolve) => {
  const until = performance.now() + 2000;
  const look = () => {
    const needed = document.documentElement.scrollWidth;
    if (needed <= width || performance.now() > until) resolve(needed);
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass
class Site:
    """The world behind a socket, and one browser page that looks at it."""

    world: World
    origin: str
    page: Page
    asker: Asker | None = None

    def go(self, asker: Asker, path: str) -> None:
        """Open a page as somebody."""
        if self.asker is not asker:
            self.page.context.clear_cookies()
            pairs = [one.partition("=") for one in asker.headers.get("Cookie", "").split("; ") if one]
            self.page.context.add_cookies(
                [{"name": name, "value": value, "url": self.origin} for name, _, value in pairs]
            )
            self.asker = asker
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"

    def show(self, html: str) -> None:
        """What an act answered, as the browser would show it."""
        self.page.set_content(html)

    def found(self, name: str, looks: list[tuple[tuple[int, int], str]]) -> list[str]:
        """What is wrong with the page that is open, in each look; what can be unfolded is unfolded after the first."""
        wrong = []
        for size, scheme in looks:
            wear(self.page, size, scheme)
            wrong += [f"{name} ({size[0]} {scheme}): {line}" for line in violations(self.page)]
            self.page.evaluate(OPEN_DETAILS)
        return wrong

    def too_wide(self, name: str) -> list[str]:
        """Whether the page that is open must be pushed sideways: at 320 pixels, and on a desk at 200 %."""
        wrong = []
        for width in (320, DESK[0] // 2):
            wear(self.page, (width, 640), "light")
            needed = self.page.evaluate(WIDTH, width)
            wrong += [f"{name}: {needed} pixels wide on {width}"] if needed > width else []
        return wrong


@pytest.fixture(scope="module")
def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        world = build(tmp_path_factory.mktemp("pages"), template, patch)
        with serving(world.app) as host, chromium() as browser:
            context = with_axe(browser.new_context(service_workers="block"))
            context.set_default_timeout(15_000)
            yield Site(world, f"http://{host}", context.new_page())


def is_page(answer: TestResponse) -> bool:
    """Whether an answer is a whole page of ours that somebody reads: no part of one, no way to another."""
    leads_on = 300 <= answer.status_code < 400
    return answer.mimetype == "text/html" and not leads_on and answer.text.lstrip().startswith("<!doctype")


def readers(world: World, row: Row) -> list[Asker]:
    """Who may have what a row names."""
    return [asker for asker in world.askers.values() if expected(row, asker) == "in"]


def pages(world: World) -> Iterator[tuple[str, Asker, str]]:
    """Name, reader and address of every whole page that can be opened."""
    for row in rows():
        if row.method != "GET" or row.endpoint in ENDLESS | NEVER_A_PAGE.keys():
            continue
        answers = ((asker, world.ask(asker, "GET", address(world, row))) for asker in readers(world, row))
        opened = next(((asker, answer) for asker, answer in answers if answer.status_code == 200), None)
        if opened is None:
            assert row.id in TURNED_AWAY, f"nobody can open {row.id}"
            continue
        asker, answer = opened
        if is_page(answer):
            yield row.endpoint, asker, address(world, row)


def answered(world: World) -> Iterator[tuple[str, str]]:
    """Name and HTML of every page that an act answers: a form with nothing in it comes back with its mistakes; a good one may show
    something once."""
    for row in rows():
        if row.method != "POST":
            continue
        asker = next(iter(readers(world, row)), None)
        good = dict(row.body(world))
        if asker is None or "data" not in good or isinstance(good["data"], bytes):
            continue
        for what, given in (("empty", {}), ("done", good["data"])):
            answer = world.ask(asker, "POST", address(world, row), data=given)
            if answer.status_code < 400:
                world.restore()
            if is_page(answer):
                yield f"{row.endpoint} {what}", answer.text


@pytest.mark.timeout(300)
def test_every_page(site: Site) -> None:
    wrong, seen = [], 0
    for name, asker, path in pages(site.world):
        site.go(asker, path)
        wrong += site.found(name, LOOKS) + site.too_wide(name)
        seen += 1
    assert wrong == []
    assert seen > 80


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_in_every_look(site: Site, language: str) -> None:
    wrong = []
    for name, asker, path in pages(site.world):
        site.go(asker, f"{path}{'&' if '?' in path else '?'}lang={language}")
        wrong += site.found(name, EVERY_LOOK) + site.too_wide(name)
    assert wrong == []


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_every_page_that_an_act_answers(site: Site) -> None:
    site.go(site.world.askers["nobody"], "/healthz")
    wrong, mistakes, done = [], 0, 0
    for name, html in answered(site.world):
        site.show(html)
        wrong += site.found(name, LOOKS[1:])
        mistakes, done = mistakes + name.endswith("empty"), done + name.endswith("done")
    assert wrong == []
    assert mistakes > 20
    assert done > 5


def test_what_opens_on_a_page(site: Site) -> None:
    """The menu of the account, both kinds of dialog, the list of places below its field, and both toasts."""
    wrong = []
    page, clerk = site.page, site.world.askers["command"]
    site.go(clerk, "/styleguide?lang=en")
    page.locator("details.account-menu summary").click()
    wrong += site.found("account menu", LOOKS[:1])
    for opener, closer in (("[data-dialog]", "[data-close]"), ("[data-confirm] button", "dialog .outline")):
        site.go(clerk, "/styleguide")
        page.locator(opener).first.click()
        page.locator("dialog[open]").wait_for()
        wrong += site.found(opener, LOOKS)
        page.locator(closer).click()
        page.locator("dialog[open]").wait_for(state="hidden")
    page.locator("#sample-place").press_sequentially("八字", delay=10)
    page.locator(".picker-option").first.wait_for()
    page.locator("#sample-place").press("ArrowDown")
    wrong += site.found("list of places", LOOKS)
    for kind in ("info", "error"):
        page.locator(f"[data-toast={kind}]").click()
    wrong += site.found("toasts", LOOKS)
    assert wrong == []


def test_pages_with_nothing_on_them(site: Site) -> None:
    """Who answers for a village where nobody stays and nothing has happened."""
    wrong, seen = [], 0
    empty = site.world.askers["far village"]
    for row in rows():
        if row.method == "GET" and not row.values and row.needs in empty.permissions and row.scope == "":
            answer = site.world.ask(empty, "GET", address(site.world, row))
            if answer.status_code == 200 and is_page(answer):
                site.go(empty, address(site.world, row))
                wrong += site.found(f"{row.endpoint} empty", LOOKS[1:])
                seen += 1
    assert wrong == []
    assert seen > 8


def test_what_is_shown_once_everything_is_erased(site: Site) -> None:
    world = site.world
    handle, nobody = world["handle"], world.askers["nobody"]
    document = resident_id(1)[-4:]
    given = {"client_id": str(uuid.uuid4()), "document": document}
    assert world.ask(nobody, "POST", f"/p/{handle}/data/erase", data=given).status_code < 400
    site.go(nobody, f"/p/{handle}/erased")
    wrong = site.found("erased", LOOKS)
    world.restore()
    assert wrong == []
