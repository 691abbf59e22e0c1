"""The command line: assess again, try a policy, replay real lists over a copy."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from checkpoint.risk.models import RiskListing
from checkpoint.risk.policy import default_policy
from tests.factories import NOW
from tests.factories.declarations import stay
from tests.factories.divisions import NEIGHBOUR_TOWN, VILLAGE
from tests.factories.inside import follow_up, put, register
from tests.factories.lists import FENGJING
from tests.services.test_reassessment import WUHAN
from tests.web.test_command import national


def _run(app: Flask, *arguments: str, code: int = 0) -> str:
    done = app.test_cli_runner().invoke(args=["risk", *arguments])
    assert done.exit_code == code, done.output
    return str(done.output)


def test_reassess_does_what_waits(app: Flask, freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(hours=1))
    put(WUHAN)
    register(1, stays=[stay(NEIGHBOUR_TOWN)])
    put(FENGJING, at=NOW + timedelta(hours=1))
    db.session.remove()
    assert "1 people were assessed again" in _run(app, "reassess")
    assert db.session.scalar(select(func.count()).where(Alert.kind == "reassessment")) == 1
    assert "0 people were assessed again" in _run(app, "reassess")


def test_a_policy_by_the_command_line(app: Flask, tmp_path: Path) -> None:
    put(WUHAN)
    db.session.remove()
    shown = json.loads(_run(app, "policy", "show"))
    assert shown == default_policy().model_dump(mode="json")
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(shown | {"red_from": 30}))
    assert "red_from" in _run(app, "policy", "publish", str(path), code=1)
    path.write_text(json.dumps(shown | {"red_from": 90}))
    assert "version 2 is in force" in _run(app, "policy", "publish", str(path))
    assert _run(app, "policy", "show", "--versions").count("\n") == 2
    assert "version 1" in _run(app, "policy", "withdraw", "2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three versions of one day: the ground, one that lists a place, one that adds another far away."""
    lists = tmp_path / "lists"
    lists.mkdir()
    places = [("石化街道全域",), ("石化街道全域", "枫泾镇全域"), ("石化街道全域", "枫泾镇全域", "亭林镇全域")]
    for number, texts in enumerate(places):
        (lists / f"{number}.json").write_bytes(national(*texts, level="high", hour=12 + number))
    (lists / "notes.json").write_text("{}")
    return lists


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_a_replay_reports_alerts_and_leaves_the_live_database_alone(
    app: Flask, folder: Path, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    put(WUHAN)
    for number in range(1, 4):
        register(number, stays=[stay(NEIGHBOUR_TOWN)])
    follow_up()
    before = _standing()
    db.session.remove()
    _run(app, "backtest", str(folder), "--json")
    found = json.loads(capfd.readouterr().out.strip().splitlines()[-1])
    assert [one["name"] for one in found["versions"]] == ["1.json", "2.json"]
    assert [one["alerts"] for one in found["versions"]] == [3, 0]
    assert (found["alerts"], found["alerts_by_day"], found["shift_days"]) == (3, {"2022-04-12": 3}, 0)
    assert [(one["code"], one["alerts"]) for one in found["alerts_by_village"]] == [(VILLAGE, 3)]
    assert all(one["seconds"] > 0 for one in found["versions"])
    assert _standing() == before


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_a_replay_tries_a_policy(app: Flask, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(WUHAN)
    register(1, stays=[stay(NEIGHBOUR_TOWN)])
    db.session.remove()
    mild = default_policy().model_dump(mode="json")
    mild["points"] |= dict.fromkeys(("high_area", "high_town", "high_county"), 20)
    path = tmp_path / "mild.json"
    path.write_text(json.dumps(mild))
    _run(app, "backtest", str(folder), "--json", "--policy", str(path))
    found = json.loads(capfd.readouterr().out.strip().splitlines()[-1])
    assert found["alerts"] == 0
    assert db.session.scalar(select(func.count()).where(Alert.kind == "reassessment")) == 0


def test_a_replay_runs_on_a_copy_only(app: Flask, folder: Path) -> None:
    assert "not a copy" in _run(app, "replay", str(folder), code=1)


def _standing() -> tuple[object, ...]:
    people = db.session.execute(select(Registration.id, Registration.tier, Registration.state_version)).all()
    return (
        sorted(tuple(row) for row in people),
        db.session.scalar(select(func.count()).select_from(RiskListing)),
        db.session.scalar(select(func.count()).select_from(Alert)),
    )
