"""City command, an inquiry list from the upload to being taken back: columns, progress, people found, wrong rows."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.audit.models import AuditEntry
from checkpoint.crossmatch.service import run_waiting
from checkpoint.database import db
from checkpoint.inquiries.models import Inquiry, InquiryHit
from tests.factories import NOW, TODAY, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import SITE, TOWN
from tests.factories.inside import register


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def chief(app: Flask, client: FlaskClient) -> FlaskClient:
    return signed_in(app, client, Role.COMMAND, SITE)


def signed_in(app: Flask, client: FlaskClient, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user("chief", role, division)
    client.post("/login", data={"login": "chief", "password": people.PASSWORD})
    return client


def form(content: bytes, file_name: str = "名单.csv", **changes: str) -> dict[str, object]:
    values = {
        "source": "嘉兴市疾控中心",
        "case": "某案",
        "level": "red",
        "legal_basis": "传染病防治法",
        "valid_from": TODAY.isoformat(),
        "valid_until": (TODAY + timedelta(days=7)).isoformat(),
    }
    return {**values, **changes, "file": (io.BytesIO(content), file_name)}


def test_a_list_goes_from_the_upload_to_being_taken_back(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        register(1)
        register(2)
    rows = f"查询名单,,\n编号,持有人,本人号\n1,{name(1)},{resident_id(1)}\n2,=王五,无\n"
    answer = chief.post("/command/inquiries", data=form(rows.encode("gb18030")))
    assert answer.status_code == 303
    address = answer.headers["Location"]
    page = chief.get(address).get_data(as_text=True)
    assert "持有人" in page
    assert resident_id(1) not in page  # examples are masked
    refused = chief.post(f"{address}/columns", data={"name": "#2"})
    assert refused.status_code == 422
    assert chief.post(f"{address}/columns", data={"name": "#2", "document": "#3"}).status_code == 303
    assert "即将读取" in chief.get(address).get_data(as_text=True)
    with app.app_context():
        assert run_waiting(actor=people.operator(), clock=lambda: NOW) == 1
        assert db.session.scalars(select(InquiryHit)).one().rule == "whole_document"
    page = chief.get(address).get_data(as_text=True)
    assert "同一证件" in page
    assert resident_id(1) not in page
    assert 'data-running="0"' in chief.get(address, headers={"X-Fragment": "1"}).get_data(as_text=True)
    wrong = chief.get(f"{address}/wrong-rows")
    text = wrong.get_data().decode("utf-8-sig")
    assert text.splitlines()[1].startswith("4,")
    assert "'=王五" in text or ",王五" in text
    assert ",=王五" not in text
    with app.app_context():
        assert db.session.scalars(select(AuditEntry).where(AuditEntry.act == "inquiry.wrong_rows")).one()
    assert "收回" in chief.get(f"{address}/withdraw").get_data(as_text=True)
    assert chief.post(f"{address}/withdraw").status_code == 303
    assert "已收回" in chief.get("/command/inquiries").get_data(as_text=True)
    assert chief.get(f"{address}/wrong-rows").status_code == 404


def test_what_is_wrong_with_a_file_is_said_in_a_sentence(app: Flask, chief: FlaskClient) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(410 << 20))
    for content, sentence in (
        (b"", "没有任何一行"),
        (bomb.getvalue(), "解压"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "CSV"),
    ):
        answer = chief.post("/command/inquiries", data=form(content))
        assert answer.status_code == 422
        assert sentence in answer.get_data(as_text=True)
    answer = chief.post("/command/inquiries", data=form(b"x", source="", valid_until="2020-01-01"))
    assert answer.status_code == 422
    with app.app_context():
        assert db.session.scalars(select(Inquiry)).all() == []


def test_only_command_may_look_and_upload(app: Flask, client: FlaskClient) -> None:
    worker = signed_in(app, client, Role.TOWN, TOWN)
    assert worker.get("/command/inquiries").status_code == 403
    assert worker.post("/command/inquiries", data=form(b"name\n")).status_code == 403


def test_nothing_personal_stands_in_an_address(app: Flask, chief: FlaskClient) -> None:
    rows = f"姓名,手机\n{name(1)},{phone(1)}\n"
    address = chief.post("/command/inquiries", data=form(rows.encode())).headers["Location"]
    assert re.fullmatch(r"/command/inquiries/[0-9a-f-]{36}", address)
