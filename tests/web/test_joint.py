"""City command: another place made known by its fingerprint, asked about people, its answer on the record; and the command line."""

import dataclasses
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.database import db
from checkpoint.joint import identity, taking
from checkpoint.joint.models import JointRecord, Peer
from tests.factories import NOW, TODAY, inquiries, people
from tests.factories.declarations import name, resident_id
from tests.factories.divisions import SITE, TOWN
from tests.factories.inside import register
from tests.factories.joined import Side, neighbour


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def there(app: Flask, template: Path, tmp_path: Path) -> Iterator[Side]:
    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], allow_private_targets=True)
    with neighbour(template, tmp_path / "there", "http://127.0.0.1:9") as other:
        yield Side(other)


@pytest.fixture
def chief(app: Flask, client: FlaskClient) -> FlaskClient:
    return signed_in(app, client, Role.COMMAND, SITE)


def signed_in(app: Flask, client: FlaskClient, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user("chief", role, division)
    client.post("/login", data={"login": "chief", "password": people.PASSWORD})
    return client


def peer_id(app: Flask) -> uuid.UUID:
    with app.app_context():
        return db.session.scalars(db.select(Peer.id)).one()


def form(app: Flask, **changes: str) -> dict[str, str]:
    return {
        "request_id": str(uuid.uuid4()),
        "peer": str(peer_id(app)),
        "level": "red",
        "legal_basis": "传染病防治法",
        "case": "某案",
        "question": "是否在你处",
        "valid_until": (TODAY + timedelta(days=7)).isoformat(),
        "typed": f"{name(1)} {resident_id(1)}",
        **changes,
    }


def test_a_place_is_made_known_by_its_fingerprint_and_revoked(app: Flask, chief: FlaskClient, there: Side) -> None:
    text = there.introduction()
    page = chief.get("/command/peers").get_data(as_text=True)
    with app.app_context():
        assert identity.fingerprint(identity.introduce().keys) in page
    assert chief.post("/command/peers/look", data={"introduction": "CPI1:xx"}).status_code == 422
    looked = chief.post("/command/peers/look", data={"introduction": text}).get_data(as_text=True)
    assert "金山区" in looked
    found = re.search(r'name="fingerprint" value="([\d ]+)"', looked)
    assert found is not None
    wrong = {"introduction": text, "fingerprint": "1" * 40}
    assert chief.post("/command/peers", data=wrong).status_code == 422
    with app.app_context():
        assert db.session.scalars(db.select(Peer)).all() == []
    assert chief.post("/command/peers", data={"introduction": text, "fingerprint": found[1]}).status_code == 303
    with app.app_context():
        taking.refuse("stale", db.session.scalars(db.select(Peer.kid)).one(), at=NOW)
    page = chief.get("/command/peers").get_data(as_text=True)
    assert "时钟不准" in page
    address = f"/command/peers/{peer_id(app)}/revoke"
    assert "金山区" in chief.get(address).get_data(as_text=True)
    assert chief.post(address).status_code == 303
    assert "不再信任" in chief.get("/command/peers").get_data(as_text=True)
    assert chief.post(f"/command/peers/{uuid.uuid4()}/revoke").status_code == 404


def test_a_request_from_the_form_to_the_answer(app: Flask, chief: FlaskClient, there: Side) -> None:
    here = Side(app)
    here.know(there)
    there.know(here)
    assert "request_id" in chief.get("/command/joint/new").get_data(as_text=True)
    body = form(app)
    answer = chief.post("/command/joint", data=body)
    assert answer.status_code == 303
    assert chief.post("/command/joint", data=body).headers["Location"] == answer.headers["Location"]
    address = answer.headers["Location"]
    assert re.fullmatch(r"/command/joint/[0-9a-f-]{36}", address)
    page = chief.get(address).get_data(as_text=True)
    assert resident_id(1) not in page
    assert name(1) not in page
    assert "正在发往对方" in page
    assert here.send() == 0
    assert "没有应答" in chief.get(address).get_data(as_text=True)
    assert "金山区" in chief.get("/command/joint").get_data(as_text=True)
    assert chief.get(f"{address}/finish").status_code == 200
    assert chief.post(f"{address}/finish").status_code == 303
    assert "请求方不再需要" in chief.get(address).get_data(as_text=True)


def test_what_is_wrong_stands_at_its_field(app: Flask, chief: FlaskClient, there: Side) -> None:
    Side(app).know(there)
    for changes, words in (
        ({"typed": "张三"}, "第 1 行"),
        ({"valid_until": "soon"}, "请填写日期"),
        ({"peer": ""}, "请选择要请求协查的地方"),
        ({"question": ""}, "请填写 1 至 1000 个字"),
    ):
        answer = chief.post("/command/joint", data=form(app, **changes))
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    with app.app_context():
        assert db.session.scalars(db.select(JointRecord)).all() == []


def test_people_come_from_a_registration_or_from_rows_of_a_list(
    app: Flask, chief: FlaskClient, there: Side, tmp_path: Path
) -> None:
    Side(app).know(there)
    with app.app_context():
        trip = register(1)
        rows = [f"{name(number)},{resident_id(number)},,," for number in range(2, 9)]
        listed = inquiries.read(inquiries.write(tmp_path, rows))
    assert f"/command/joint/new?registration={trip.id}" in chief.get(f"/inbox/people/{trip.id}").get_data(as_text=True)
    assert f"/command/joint/new?inquiry={listed.id}" in chief.get(f"/command/inquiries/{listed.id}").get_data(
        as_text=True
    )
    page = chief.get(f"/command/joint/new?registration={trip.id}").get_data(as_text=True)
    assert name(1) not in page
    answer = chief.post("/command/joint", data=form(app, typed="", registration=str(trip.id)))
    assert answer.status_code == 303
    assert chief.get(f"/command/joint/new?registration={uuid.uuid4()}").status_code == 404
    assert "嘉兴市疾控中心" in chief.get(f"/command/joint/new?inquiry={listed.id}").get_data(as_text=True)
    for wanted in ("", "0", "8", "3-1", "x"):
        answer = chief.post("/command/joint", data=form(app, typed="", inquiry=str(listed.id), rows=wanted))
        assert answer.status_code == 422
    answer = chief.post("/command/joint", data=form(app, typed="", inquiry=str(listed.id), rows="1-3, 7"))
    assert answer.status_code == 303
    with app.app_context():
        found = db.session.scalars(db.select(JointRecord).order_by(JointRecord.id)).all()
        assert [record.people for record in found] == [1, 4]


def test_only_command_may_look(app: Flask, client: FlaskClient) -> None:
    worker = signed_in(app, client, Role.TOWN, TOWN)
    for address in ("/command/joint", "/command/joint/new", "/command/peers", f"/command/joint/{uuid.uuid4()}"):
        assert worker.get(address).status_code == 403


def test_the_command_line(app: Flask, there: Side) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(args=["peers", "introduce"]).stdout.startswith("CPI1:")
    text = there.introduction()
    refused = runner.invoke(args=["peers", "add", text, "--fingerprint", "0" * 40])
    assert refused.exit_code == 1
    assert runner.invoke(args=["peers", "add", "-"], input=text).exit_code == 1  # nobody has said yes
    with there.app.app_context():
        shown = identity.fingerprint(identity.introduce().keys)
    added = runner.invoke(args=["peers", "add", text, "--fingerprint", shown])
    assert added.exit_code == 0, added.output
    assert shown in runner.invoke(args=["peers", "list"]).stdout
    assert runner.invoke(args=["peers", "revoke", added.stdout.strip()]).exit_code == 0
    assert runner.invoke(args=["peers", "revoke", str(uuid.uuid4())]).exit_code == 1
