"""`gate`: the tablet in a real Chromium. Scan to verdict on line and off, a day off line while the page dies, the rule vectors, the weight.

It uses the tests' own film for the fake camera, their bad network and their storm, so it needs what `scripts/install --dev` installs.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import select

from checkpoint import clock
from checkpoint.accounts import posts
from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts.models import Alert
from checkpoint.benchmarks import workloads
from checkpoint.benchmarks.instance import Instance, served
from checkpoint.config import PROJECT_ROOT
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.errors import ConfigurationError
from checkpoint.registrations.models import Pass
from checkpoint.risk.models import Assessment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.factories.rough import Network

VECTORS = PROJECT_ROOT / "tests" / "vectors" / "gate.json"
_JUDGE = """async ({ snapshots, rows }) => {
  const { judgePass, judgeDeclaration } = await import("/static/js/gate/rules.js");
  return rows.map(({ judge, given }) => {
    const whole = { ...given, snapshot: snapshots[given.snapshot] };
    return judge === "pass" ? judgePass(whole) : judgeDeclaration(whole);
  });
}"""
_TIMES = "performance.getEntriesByName('scan-to-verdict').map((entry) => entry.duration)"
_COUNT_TOUCHES = "globalThis.touches = 0; addEventListener('pointerdown', () => (globalThis.touches += 1), true)"
_SHOWN_SECONDS = 1.2


@dataclass(frozen=True, slots=True)
class Plan:
    """How many scans the storm has and how often the page dies in it; how many codes are timed each way."""

    scans: int
    kills: int
    timed: int


FULL = Plan(scans=2000, kills=12, timed=12)
QUICK = Plan(scans=200, kills=3, timed=5)


class Tablet:
    """One enrolled tablet behind a network that can be made bad. `first_load`: the bytes until its page is kept."""

    def __init__(self, instance: Instance, browser: "Browser", network: "Network", film: Path) -> None:
        from tests.factories import chromium, people

        self.instance, self.network, self.film = instance, network, film
        self.address = f"http://{network.address}"
        self.page: Page = chromium.open_page(browser)
        with instance.app.app_context():
            actor = system_actor("")
            code = posts.create_device("BENCH", actor=actor, at=clock.now()).code
            people.gate_officer()
            db.session.remove()
            db.engine.dispose()
        self.page.goto(f"{self.address}/gate?lang=en#enrol={code}")
        self.page.locator("html[data-shell=kept]").wait_for(state="attached", timeout=60_000)
        self.first_load = network.carried
        self._sign_in(people.OFFICER, people.PIN)

    def _sign_in(self, name: str, pin: str) -> None:
        self.page.locator("[data-officer]", has_text=name).click()
        self.page.locator("#gate-pin").fill(pin)
        self.page.locator("#gate-pin").press("Enter")
        self.page.locator('[data-gate="officer"]').wait_for(state="hidden")
        self.page.locator("[data-honest=withdrawals].honest-good").wait_for()

    def timed(self, tokens: Sequence[str]) -> tuple[list[float], int]:
        """Milliseconds from the frame with the code to the painted verdict of each, and the touches of the first one."""
        from tests.factories import camera

        camera.film(
            self.film, [(shot, _SHOWN_SECONDS) for one in tokens for shot in (camera.lane(), camera.shown(one))]
        )
        self.page.goto(f"{self.address}/gate?lang=en")
        self.page.evaluate(_COUNT_TOUCHES)
        touches = 0
        for _ in tokens:
            verdict = self.page.locator("[data-gate=verdict]")
            verdict.wait_for()
            is_green = verdict.get_attribute("data-verdict") == "admit"
            self.page.locator(".decision.is-asked").click()
            verdict.wait_for(state="hidden")
            made = self.page.evaluate("globalThis.touches")
            self.page.evaluate("globalThis.touches = 0")
            touches = max(touches, made) if is_green else touches
        found: list[float] = self.page.evaluate(_TIMES)
        camera.film(self.film, [(camera.lane(), 1.0)])
        return found, touches

    def offline(self, off: bool) -> None:
        """Take the network away, or give it back."""
        self.page.context.set_offline(off)


def measure(instance: Instance, plan: Plan) -> dict[str, float]:
    """The figures of `gate`."""
    try:
        from tests.factories import camera, chromium, rough
    except ImportError as error:
        raise ConfigurationError(
            f"The gate is measured with the tests' tools: scripts/install --dev ({error})"
        ) from error
    tokens = _tokens(instance, plan)
    with tempfile.TemporaryDirectory(prefix="checkpoint-film-") as folder:
        film = camera.film(Path(folder) / "camera.mjpeg", [(camera.lane(), 1.0)])
        with (
            served(instance) as server,
            chromium.chromium(film) as browser,
            rough.rough_network(f"127.0.0.1:{server.port}") as network,
        ):
            gate = Tablet(instance, browser, network, film)
            online, _touches = gate.timed(tokens[: plan.timed])
            gate.offline(True)
            offline, touches = gate.timed(tokens[plan.timed : 2 * plan.timed])
            gate.offline(False)
            vectors = _vectors(gate.page)
            figures = _storm(gate, tokens[2 * plan.timed :], plan)
    return {
        "scan_offline_ms": round(median(offline), 1),
        "scan_online_ms": round(median(online), 1),
        "touches": float(touches),
        **figures,
        **vectors,
        "gate_kb": round(gate.first_load / 1024, 1),
    }


def _tokens(instance: Instance, plan: Plan) -> list[str]:
    """Passes of today: the green ones first, for the timing."""
    tokens = workloads.issue_passes(instance, 4 * plan.timed + min(plan.scans, 400))
    with instance.app.app_context():
        query = (
            select(Pass.token).join(Assessment, Assessment.id == Pass.assessment_id).where(Assessment.tier == "green")
        )
        green = set(db.session.scalars(query))
        db.session.remove()
    return sorted(tokens, key=lambda token: token not in green)


def _vectors(page: "Page") -> dict[str, float]:
    vectors = json.loads(VECTORS.read_text("utf-8"))
    judged = page.evaluate(_JUDGE, vectors)
    differ = sum(got != row["want"] for row, got in zip(vectors["rows"], judged, strict=True))
    return {"vectors": float(len(judged)), "vectors_differ": float(differ)}


def _storm(gate: Tablet, tokens: Sequence[str], plan: Plan) -> dict[str, float]:
    """Everything scanned off line while the page dies, delivered over a bad network, compared field by field."""
    from tests.factories import storm

    storm.deliver(gate.page)
    before = {one["scan_id"] for one in storm.stored(gate.page)}
    gate.offline(True)
    page = storm.scan_all(gate.page, tokens, len(before) + plan.scans, plan.kills, gate.address)
    gate.network.lost, gate.network.twice = 1 / 3, 1 / 10
    page.context.set_offline(False)
    seconds = storm.deliver(page)
    stored = storm.stored(page)
    kept = [one for one in stored if one["scan_id"] not in before]
    return {**_compared(gate.instance.app, kept, len(stored)), "deliver_s": round(seconds, 1)}


def _compared(app: Flask, kept: Sequence[dict[str, Any]], stored: int) -> dict[str, float]:
    """`sent`: on the server as the tablet has it; `lost`: not there or not the same; `doubled`: crossings or alerts too many."""
    with app.app_context():
        rows = {str(row.id): row for row in db.session.scalars(select(Crossing))}
        alerts = Counter(db.session.scalars(select(Alert.cause)))
        db.session.remove()
    same = sum(told["scan_id"] in rows and _same(rows[told["scan_id"]], told) for told in kept)
    doubled = max(0, len(rows) - stored) + sum(times - 1 for times in alerts.values())
    return {"sent": float(same), "lost": float(len(kept) - same), "doubled": float(doubled)}


def _same(row: Crossing, told: dict[str, Any]) -> bool:
    instants = (row.scanned_at.isoformat(), None if row.decided_at is None else row.decided_at.isoformat())
    ours = tuple(datetime.fromisoformat(told[name]).isoformat() for name in ("scanned_at", "decided_at"))
    facts = (row.shown, row.decision, row.skew_seconds, row.snapshot_version)
    return instants == ours and facts == tuple(told.get(name) for name in _FACTS)


_FACTS = ("shown", "decision", "skew_seconds", "snapshot_version")
