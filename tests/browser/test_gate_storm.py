"""Two hundred scans off line while the page dies, then a network that loses a third and repeats a tenth: nothing lost, nothing twice.

`scripts/bench gate` does the same with two thousand.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.registrations.models import Pass
from tests.browser.gate_support import open_lane, sign_in
from tests.factories import storm
from tests.factories.chromium import chromium, open_page
from tests.factories.rough import rough_network

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
SCANS = 200
PASSES = 120
KILLS = 4


@pytest.mark.timeout(240)
@pytest.mark.slow
def test_every_scan_arrives_once(app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with chromium(tmp_path / "none.mjpeg") as browser, open_lane(app, browser, tmp_path / "none.mjpeg") as lane:
        tokens = [lane.issue(tests=[] if number % 4 == 0 else lane.swabs()).token for number in range(PASSES)]
        with rough_network(lane.address.removeprefix("http://")) as network:
            address = f"http://{network.address}"
            page = open_page(browser)
            page.goto(f"{address}/gate?lang=en#enrol={lane.code()}")
            sign_in(page)
            page.locator("html[data-shell=kept]").wait_for(state="attached")
            page.locator("[data-honest=withdrawals].honest-good").wait_for()
            page.context.set_offline(True)
            page = storm.scan_all(page, tokens, SCANS, KILLS, address)
            network.lost, network.twice = 1 / 3, 1 / 10
            page.context.set_offline(False)
            took = storm.deliver(page)
            kept = {one["scan_id"]: one for one in storm.stored(page)}
        rows = lane.crossings()
        with capsys.disabled():
            print(
                f"\n{len(rows)} crossings of {len(kept)} in {took:.1f} s, {network.dropped} lost, {network.repeated} twice"
            )
        assert len(kept) == len(rows) == SCANS
        with app.app_context():
            serials = dict(db.session.execute(select(Pass.token, Pass.serial)).all())
            causes = Counter(db.session.scalars(select(Alert.cause)))
        for row in rows:
            told = kept[str(row.id)]
            assert row.scanned_at == datetime.fromisoformat(told["scanned_at"])
            assert row.decided_at == datetime.fromisoformat(told["decided_at"])
            assert row.shown == told["shown"]
            assert (row.decision, row.skew_seconds, row.snapshot_version) == (
                told["decision"], told["skew_seconds"], told["snapshot_version"],
            )  # fmt: skip
            assert row.pass_serial == serials[told["token"]]
        assert network.dropped > 0
        assert {cause: times for cause, times in causes.items() if times > 1} == {}
