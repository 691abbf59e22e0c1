"""What a page costs a phone: bytes over the wire, shifts of its layout, how long it keeps the phone busy; and a slow network for it."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

_SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    const add = (list) => list.getEntries().forEach((one) => (sum += one.hadRecentInput ? 0 : one.value));
    const observer = new PerformanceObserver(add);
    observer.observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => {
        add({ getEntries: () => observer.takeRecords() });
        resolve(sum);
    }));
})"""
_LONGEST = """() => new Promise((resolve) => {
    let most = 0;
    const add = (list) => list.getEntries().forEach((one) => (most = Math.max(most, one.duration)));
    new PerformanceObserver(add).observe({ type: "longtask", buffered: true });
    requestAnimationFrame(() => setTimeout(() => resolve(most), 50));
})"""
_PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


class Wire:
    """Counts what a page's own requests bring over the wire, heads and bodies as they were sent, from now on."""

    def __init__(self, page: Page) -> None:
        self.size = 0.0
        self.answers = 0
        self.hand: CDPSession = page.context.new_cdp_session(page)
        self.hand.send("Network.enable")
        self.hand.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        self.size += event["encodedDataLength"]
        self.answers += event["encodedDataLength"] > 0

    @property
    def kilobytes(self) -> float:
        """In units of 1,024 bytes."""
        return self.size / 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A bad network: bits a second, milliseconds for each request."""

    kilobits: float
    latency_ms: float


THIN = Line(400, 400)
EDGE = Line(120, 500)  # 2G with three bars


def slow_down(page: Page, line: Line, *, processor: float = 4.0) -> None:
    """Give a page a bad network and a processor so many times slower."""
    hand = page.context.new_cdp_session(page)
    hand.send("Network.enable")
    rate = line.kilobits * 1000 / 8
    conditions = {"offline": False, "latency": line.latency_ms, "downloadThroughput": rate, "uploadThroughput": rate}
    hand.send("Network.emulateNetworkConditions", conditions)
    hand.send("Emulation.setCPUThrottlingRate", {"rate": processor})


def layout_shift(page: Page) -> float:
    """The sum of all shifts that no touch caused, since the page was opened."""
    found: float = page.evaluate(_SHIFTS)
    return found


def longest_task_ms(page: Page) -> float:
    """The longest time since the page was opened for which it answered to nothing; 0 when none took 50 ms."""
    found: float = page.evaluate(_LONGEST)
    return found


def first_paint_ms(page: Page) -> float:
    """When something of the page was first to be read, from the moment it was asked for."""
    found: float = page.evaluate(_PAINTED)
    return found
