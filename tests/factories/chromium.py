"""A real Chromium whose camera shows a film of ours. Pages have our strict content policy: wait for elements, not for functions."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def program() -> str:
    """Where Chromium is: as CHROMIUM says, or the system's own."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise RuntimeError(
            "The browser tests need chromium: install it (Debian: apt-get install chromium), or set CHROMIUM."
        )
    return found


@contextmanager
def chromium(film: Path | None = None) -> Iterator[Browser]:
    """A browser; with `film` its camera shows that Motion JPEG file, read anew whenever a page opens the camera."""
    camera = () if film is None else (f"--use-file-for-fake-video-capture={film.absolute()}",)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*_FLAGS, *camera])
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, *, width: int = 820, height: int = 1180, **more: Any) -> Page:
    """A page of its own storage that may use the camera; a mistake in a script fails the test that asks `mistakes`."""
    context = browser.new_context(viewport={"width": width, "height": height}, permissions=["camera"], **more)
    context.set_default_timeout(15_000)
    return context.new_page()


def mistakes(page: Page) -> list[str]:
    """Collects what the page's scripts throw from now on."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def keep_picture(page: Page, name: str) -> None:
    """Save a screenshot into the folder that SCREENSHOTS names, if it names one."""
    folder = os.environ.get("SCREENSHOTS", "")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
