"""The rules of the off-line verdict in the browser that runs them: every row of the file that Python runs as well."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from checkpoint.privacy import public_jwk
from checkpoint.registrations.passes import Claims, PassKeys
from tests.factories.chromium import chromium, open_page
from tests.factories.forged import forgeries
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


READ = """async ({ tokens, keys, now }) => {
  const { readPass } = await import("/static/js/gate/pass.js");
  return Promise.all(tokens.map((token) => readPass(token, keys, now)));
}"""


def test_the_browser_reads_every_pass_as_it_was_written(app: Flask) -> None:
    """Passes of all kinds, and each of them with one letter changed: never read, never "expired", never an exception."""
    dice = random.Random(3)  # noqa: S311 - test data
    with app.app_context():
        ring = app.extensions["keyring"]
        keys = PassKeys(ring)
        jwks = [public_jwk(kid, private) for kid, private in ring.signing.items()]
    written = []
    for _ in range(60):
        expires = datetime.fromtimestamp(dice.randrange(1_700_000_000, 1_900_000_000), UTC)
        counties = tuple(f"{dice.randrange(110_000, 660_000):06d}" for _ in range(dice.randrange(7)))
        test_at = expires - dice.randrange(1, 256) * timedelta(hours=1) if dice.random() < 0.7 else None
        tier = dice.choice(("green", "yellow", "red"))
        flags = (dice.random() < 0.3, dice.random() < 0.3)
        written.append(Claims(dice.randbytes(8), expires, tier, dice.randbytes(4), counties, *flags, test_at))
    tokens = [keys.sign(claims) for claims in written]
    spoilt = []
    for token in tokens:
        at = dice.randrange(4, len(token))
        spoilt.append(token[:at] + dice.choice([one for one in "0A9Z" if one != token[at]]) + token[at + 1 :])
    with chromium() as browser, serving(app) as address:
        page = open_page(browser)
        page.goto(f"http://{address}/gate?lang=en")
        given = {"tokens": tokens + spoilt, "keys": jwks, "now": 1_600_000_000_000}
        read = page.evaluate(READ, given)
    for claims, got in zip(written, read, strict=False):
        assert got["problem"] is None
        assert {**got["claims"], "expires_at": None, "negative_test_at": None} == {
            "serial": claims.serial.hex(), "expires_at": None, "tier": claims.tier, "document": claims.document.hex(),
            "counties": list(claims.counties), "truncated": claims.truncated, "unresolved": claims.unresolved,
            "negative_test_at": None,
        }  # fmt: skip
        assert datetime.fromisoformat(got["claims"]["expires_at"]) == claims.expires_at
        test_at = got["claims"]["negative_test_at"]
        assert (datetime.fromisoformat(test_at) if test_at else None) == claims.negative_test_at
    assert {got["problem"] for got in read[len(tokens) :]} <= {"forged", "unreadable", "other_key"}


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


def test_the_browser_reads_no_forged_pass(app: Flask) -> None:
    with app.app_context():
        ring = app.extensions["keyring"]
        made = forgeries(ring, datetime(2030, 1, 1, tzinfo=UTC))
        keys = PassKeys(ring)
        jwks = [public_jwk(kid, private) for kid, private in ring.signing.items()]
    times = (datetime(2029, 12, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
    with chromium() as browser, serving(app) as address:
        page = open_page(browser)
        page.goto(f"http://{address}/gate?lang=en")
        tokens = list(made.values())
        answers = [
            page.evaluate(READ, {"tokens": tokens, "keys": jwks, "now": now.timestamp() * 1000}) for now in times
        ]
    for now, read in zip(times, answers, strict=True):
        said = {name: got["problem"] for name, got in zip(made, read, strict=True)}
        assert said == {name: keys.read(token, now).problem for name, token in made.items()}
        assert [name for name, got in zip(made, read, strict=True) if got.get("claims")] == []
