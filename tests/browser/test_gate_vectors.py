"""The rules of the off-line verdict in the browser that runs them: every row of the file that Python runs as well."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.factories.chromium import chromium, open_page
from tests.factories.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
VECTORS = Path(__file__).parents[1] / "vectors" / "gate.json"
RUN = """async ({ snapshots, rows }) => {
  const { judgePass, judgeDeclaration } = await import("/static/js/gate/rules.js");
  return rows.map(({ judge, given }) => {
    const whole = { ...given, snapshot: snapshots[given.snapshot] };
    return judge === "pass" ? judgePass(whole) : judgeDeclaration(whole);
  });
}"""


def test_the_browser_agrees_with_every_row(app: Flask) -> None:
    vectors: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    rows = vectors["rows"]
    assert len(rows) >= 300
    with chromium() as browser, serving(app) as address:
        page = open_page(browser)
        page.goto(f"http://{address}/gate?lang=en")
        judged = page.evaluate(RUN, vectors)
    differ = [(row["name"], row["want"], got) for row, got in zip(rows, judged, strict=True) if got != row["want"]]
    assert differ == []
