"""What axe-core finds on a page: the rules of WCAG 2.2 AA, in the page's own Chromium, under the page's own content policy."""

from typing import Any

from playwright.sync_api import BrowserContext, Page

from checkpoint.config import PROJECT_ROOT

SOURCE = PROJECT_ROOT / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},  # of WCAG 2.2, and switched off unless it is asked for
    "resultTypes": ["violations"],
    "elementRef": False,
}
PHONE, TABLET, DESK = (360, 740), (820, 1180), (1440, 900)


def with_axe(context: BrowserContext) -> BrowserContext:
    """A context whose every page has axe-core. Playwright puts it in, so that nothing of the content policy is lifted."""
    assert SOURCE.is_file(), "axe-core is missing: run scripts/install --dev"
    context.add_init_script(path=SOURCE)
    return context


def wear(page: Page, size: tuple[int, int], scheme: str) -> None:
    """Show the page that is open at another size, in the colours of the day ("light") or of the night ("dark")."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")


def violations(page: Page) -> list[str]:
    """A line for each element that breaks a rule: the rule, where, and what axe says of it."""
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", OPTIONS)
    return [
        f"{one['id']} at {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())[:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


CUT_OFF = """() => [...document.querySelectorAll("button, dd, h1, h2, label, li, p, strong, textarea")].filter((one) => {
  const box = one.getBoundingClientRect();
  const shown = box.width > 1 && box.height > 1 && one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const pushed = box.right > innerWidth + 1 || box.left < -1;
  const spills = one.matches("button") && one.scrollWidth > one.clientWidth + 1;
  return shown && (pushed || spills);
}).map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`)"""


def cut_off(page: Page) -> list[str]:
    """What stands beyond the edge of the screen, and buttons whose words do not fit into them."""
    return [f"cut off: {one}" for one in page.evaluate(CUT_OFF)]
