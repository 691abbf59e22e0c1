"""A company on its pages: registered and reviewed, its list imported, its people applied for; each role sees its own and no more."""

import csv
import io
import re
import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.approvals import answering
from checkpoint.approvals.models import Approval
from checkpoint.approvals.queries import proposed
from checkpoint.companies import queries, service
from checkpoint.companies.models import Company, CompanyMember
from checkpoint.companies.watching import look
from checkpoint.database import db
from tests.factories import NOW, TODAY, companies, lists, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_TOWN, OTHER_VILLAGE, SECOND_VILLAGE, TOWN, VILLAGE
from tests.factories.travelling import declared


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def signed_in(app: Flask, login: str, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user(login, role, division)
    client = app.test_client()
    assert client.post("/login", data={"login": login, "password": people.PASSWORD}).status_code == 302
    return client


def at_desk(app: Flask, number: int = 1, division: str = VILLAGE, town: str = TOWN) -> FlaskClient:
    """The browser of the liaison of an active company."""
    with app.app_context():
        if number == 1:
            lists.in_force()
        worker = people.town_worker(town, f"town{number}")
        companies.active(number, town=worker, division_code=division)
    client = app.test_client()
    login = {"login": companies.credit_code(number).lower(), "password": companies.PASSWORD}
    answer = client.post("/login", data=login)
    assert answer.location == "/company"
    return client


def form(**changes: str) -> dict[str, str]:
    return {
        "client_id": str(uuid.uuid4()),
        "name": "平湖机械有限公司",
        "credit_code": companies.credit_code(),
        "division_text": "",
        "division_code": VILLAGE,
        "address": "外环西路 88 号",
        "contact_name": "陈明",
        "contact_phone": "13905730001",
        **changes,
    }


def test_registered_asked_back_accepted_and_signed_in(app: Flask, client: FlaskClient) -> None:
    assert client.get("/companies/register?lang=zh").status_code == 200
    wrong = client.post("/companies/register?lang=en", data=form(credit_code="1", division_code="", contact_phone=""))
    assert wrong.status_code == 422
    for words in ("valid unified social credit code", "Choose a place.", "not a phone number"):
        assert words in wrong.text
    given = form()
    made = client.post("/companies/register", data=given)
    assert (made.status_code, client.post("/companies/register", data=given).location) == (303, made.location)
    link = made.location
    page = client.get(f"{link}?lang=en")
    assert ("Waits for the town" in page.text, page.headers["Cache-Control"]) == (True, "no-store")
    assert "陈明" not in page.text

    town = signed_in(app, "town", Role.TOWN, TOWN)
    assert "平湖机械有限公司" in town.get("/companies").text
    with app.app_context():
        company = db.session.scalars(select(Company.id)).one()
    assert f"/companies/{company}" in town.get("/inbox?lang=en").text
    assert town.post(f"/companies/{company}/ask", data={"why": " "}).status_code == 422
    assert town.post(f"/companies/{company}/ask", data={"why": "宿舍在哪里？"}).status_code == 303
    assert "宿舍在哪里？" in client.get(link).text
    assert client.post(f"{link}/reply", data={"text": ""}).status_code == 422
    assert client.post(f"{link}/reply", data={"text": "厂区内"}).status_code == 303
    review = town.get(f"/companies/{company}?lang=en").text
    assert ("厂区内" in review, "陈*" in review, "陈明" in review) == (True, True, False)
    assert "陈明" in town.post(f"/companies/{company}/unmask", data={"purpose": "call"}).text
    assert client.post(f"{link}/password", data={"password": companies.PASSWORD, "again": "x"}).status_code == 422
    assert town.post(f"/companies/{company}/accept").status_code == 303
    differs = client.post(f"{link}/password?lang=en", data={"password": companies.PASSWORD, "again": "x"})
    assert (differs.status_code, "differ" in differs.text) == (422, True)
    chosen = {"password": companies.PASSWORD, "again": companies.PASSWORD}
    assert client.post(f"{link}/password", data=chosen).location == "/login"
    login = {"login": companies.credit_code().lower(), "password": companies.PASSWORD}
    assert client.post("/login", data=login).location == "/company"
    assert client.get("/company?lang=en").status_code == 200

    invited = town.post(f"/companies/{company}/invite")
    fresh = re.search(r"data-link>[^<]*(/companies/application/[^<]+)<", invited.text)
    assert fresh is not None
    assert (client.get(link).status_code, app.test_client().get(fresh[1]).status_code) == (404, 200)
    assert client.get("/company").status_code == 302  # the old session ended


def test_refused_and_closed(app: Flask, client: FlaskClient) -> None:
    town = signed_in(app, "town", Role.TOWN, TOWN)
    link = client.post("/companies/register", data=form()).location
    with app.app_context():
        company = db.session.scalars(select(Company.id)).one()
    assert town.post(f"/companies/{company}/refuse", data={"why": "不在本镇"}).status_code == 303
    assert "不在本镇" in client.get(link).text
    assert town.post(f"/companies/{company}/accept").status_code == 409
    assert town.post(f"/companies/{company}/close", data={"why": "x"}).status_code == 409
    desk = at_desk(app)
    with app.app_context():
        company = db.session.scalars(select(Company.id).where(Company.state == "active")).one()
    assert town.post(f"/companies/{company}/close", data={"why": ""}).status_code == 422
    assert town.post(f"/companies/{company}/close", data={"why": "注销"}).status_code == 303
    assert desk.get("/company").status_code == 302


def upload(desk: FlaskClient, content: str) -> str:
    data = {"file": (io.BytesIO(content.encode("gb18030")), "名单.csv")}
    answer = desk.post("/company/import", data=data)
    assert answer.status_code == 303
    return str(answer.location)


def test_a_list_is_uploaded_previewed_and_confirmed(app: Flask) -> None:
    desk = at_desk(app)
    assert desk.post("/company/import", data={}).status_code == 422
    bad = desk.post("/company/import?lang=en", data={"file": (io.BytesIO(b"%PDF-1"), "x.pdf")})
    assert (bad.status_code, "no CSV" in bad.text) == (422, True)
    where = upload(
        desk,
        f"姓名,身份证号,手机,车牌\n{name(1)},{resident_id(1)},{phone(1)},浙F12345\n=cmd(),{resident_id(2)},,\n",
    )
    page = desk.get(f"{where}?lang=en").text
    assert (resident_id(1) in page, name(1) in page, "Row 3" in page) == (False, False, True)
    rows = list(csv.reader(io.StringIO(desk.get(f"{where}/wrong-rows?lang=en").data.decode("utf-8-sig"))))
    assert (rows[1][0], rows[1][2]) == ("3", "'=cmd()")
    assert desk.post(f"{where}/confirm", data={"whole": "1"}).status_code == 303
    assert "2 new" in desk.get(f"{where}?lang=en").text
    page = desk.get("/company/members?lang=en").text
    assert ("浙F1***5" in page, "not registered" in page, resident_id(1) in page) == (True, True, False)
    assert desk.get("/company/template.csv").data.startswith(b"\xef\xbb\xbf")


def test_one_by_one(app: Flask) -> None:
    desk = at_desk(app)
    person = {"client_id": str(uuid.uuid4()), "kind": "person", "name": name(1), "id_number": resident_id(1)}
    for _again in range(2):
        assert desk.post("/company/members", data=person).status_code == 303
    assert desk.post("/company/members", data={"kind": "lorry", "plate": "浙F·12345"}).status_code == 303
    wrong = desk.post("/company/members?lang=en", data={**person, "id_number": "123"})
    assert (wrong.status_code, "document number cannot be read" in wrong.text) == (422, True)
    with app.app_context():
        found = db.session.scalars(select(CompanyMember)).all()
        assert sorted(one.kind for one in found) == ["lorry", "person"]
    for one in found:
        assert desk.post(f"/company/members/{one.id}/remove").status_code == 303
    assert "Nobody on the list yet" in desk.get("/company/members?lang=en").text


def test_the_liaison_learns_that_and_never_why(app: Flask) -> None:
    desk = at_desk(app)
    desk.post("/company/members", data={"kind": "person", "name": name(1), "id_number": resident_id(1)})
    with app.app_context():
        declared(
            number=1,
            origin={"code": NEIGHBOUR_TOWN},
            destination={"code": SECOND_VILLAGE, "address": "雅山路 5 号"},
            symptoms=["fever"],
        )
        assert look(NOW) == 1
    page = desk.get("/company?lang=en").text
    assert ("1 new" in page, "may not come for now" in page) == (True, True)
    everything = page + "".join(desk.get(f"/company/{part}?lang=en").text for part in ("members", "applications/new"))
    for secret in ("枫泾", "金山", "雅山", "fever", "Fever", "red code", "tier-red", resident_id(1), name(1)):
        assert secret not in everything
    assert desk.post("/company/seen").status_code == 303
    assert "1 new" not in desk.get("/company?lang=en").text


def test_applied_for_granted_and_taken_back(app: Flask) -> None:
    desk = at_desk(app)
    desk.post("/company/members", data={"kind": "person", "name": name(1), "id_number": resident_id(1)})
    with app.app_context():
        member = db.session.scalars(select(CompanyMember.id)).one()
    asked = {
        "client_id": str(uuid.uuid4()),
        "kind": "company",
        "members": str(member),
        "plan": "车间两班倒，住厂区宿舍",
        "first_day": TODAY.isoformat(),
        "last_day": TODAY.isoformat(),
        "days": ["1", "2"],
        "hours_from": "07:00",
        "hours_until": "19:00",
    }
    wrong = desk.post("/company/applications/new?lang=en", data={**asked, "plan": "", "last_day": ""})
    assert (wrong.status_code, f'value="{member}" checked' in wrong.text) == (422, True)
    made = desk.post("/company/applications/new", data=asked)
    assert (made.status_code, desk.post("/company/applications/new", data=asked).location) == (303, made.location)
    page = desk.get(f"{made.location}?lang=en").text
    assert ("07:00–19:00" in page, "Mon, Tue" in page, "Waits for an answer" in page) == (True, True, True)
    with app.app_context():
        approval = db.session.scalars(select(Approval)).one()
        answering.grant(approval.id, proposed(approval), "同意", actor=people.town_worker(login="grants"), at=NOW)
    assert "Granted" in desk.get(f"{made.location}?lang=en").text
    desk.post("/company/members", data={"kind": "person", "name": name(2), "id_number": resident_id(2)})
    with app.app_context():
        new = db.session.scalars(select(CompanyMember.id).where(CompanyMember.id != member)).one()
    more = desk.post(f"{made.location}/more", data={"client_id": str(uuid.uuid4()), "members": str(new)})
    assert (more.status_code, more.location != made.location) == (303, True)
    assert desk.post(f"{made.location}/more", data={"members": "x"}).status_code == 422
    assert desk.get("/company/applications?lang=en").text.count("/company/applications/0") <= 2
    assert desk.post(f"{made.location}/withdraw").status_code == 303
    assert "Taken back" in desk.get(f"{made.location}?lang=en").text


def test_nobody_sees_what_is_not_theirs(app: Flask) -> None:
    desk = at_desk(app)
    desk.post("/company/members", data={"kind": "person", "name": name(1), "id_number": resident_id(1)})
    where = upload(desk, f"姓名,证件号码\n{name(2)},{resident_id(2)}\n")
    other = at_desk(app, 2, OTHER_VILLAGE, OTHER_TOWN)
    with app.app_context():
        member = db.session.scalars(select(CompanyMember.id)).one()
        company = db.session.scalars(select(Company.id).where(Company.division_code == VILLAGE)).one()
    other.post(f"/company/members/{member}/remove")
    for path in (where, f"{where}/wrong-rows", f"/company/applications/{uuid.uuid4()}"):
        assert other.get(path).status_code == 404
    assert other.post(f"{where}/confirm").status_code == 404
    with app.app_context():
        assert db.session.get_one(CompanyMember, member).removed_at is None
    far = signed_in(app, "far", Role.TOWN, OTHER_TOWN)
    assert far.get(f"/companies/{company}").status_code == 404
    for act in ("accept", "ask", "refuse", "close", "invite", "unmask"):
        assert far.post(f"/companies/{company}/{act}", data={"why": "x"}).status_code == 404
    village = signed_in(app, "village", Role.VILLAGE, VILLAGE)
    for client, paths in (
        (village, ("/companies", "/company", "/companies/not-registered.csv")),
        (desk, ("/companies", f"/companies/{company}", "/inbox", "/command", "/admin/users")),
    ):
        assert [client.get(path).status_code for path in paths] == [403] * len(paths)


def test_who_is_not_registered_as_a_table(app: Flask) -> None:
    desk = at_desk(app)
    for number in (1, 2):
        person = {"kind": "person", "name": name(number), "id_number": resident_id(number)}
        desk.post("/company/members", data=person)
    with app.app_context():
        declared(number=1)
        look(NOW)
        made = service.apply(
            companies.new_company(7, name="=HYPERLINK(1)"), actor=companies.VISITOR, at=NOW
        )  # a name that a spreadsheet would run
        service.accept(made.id, actor=people.town_worker(login="accepts"), at=NOW)
        service.choose_password(service.handle_of(made), companies.PASSWORD, at=NOW)
        company = db.session.scalars(select(Company).where(Company.name != made.name)).one()
        assert queries.coverage([company.id])[company.id].absent == 1
    trap = app.test_client()
    trap.post("/login", data={"login": companies.credit_code(7).lower(), "password": companies.PASSWORD})
    trap.post("/company/members", data={"kind": "lorry", "plate": "浙F54321"})
    town = signed_in(app, "town", Role.TOWN, TOWN)
    rows = list(csv.reader(io.StringIO(town.get("/companies/not-registered.csv").data.decode("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == {company.name, "'=HYPERLINK(1)"}
    assert {row[4] for row in rows[1:]} == {name(2)[0] + "*" * (len(name(2)) - 1), "浙F5***1"}
    only = town.get(f"/companies/not-registered.csv?company={company.id}").data.decode("utf-8-sig")
    assert "HYPERLINK" not in only
    assert "On the list and not registered" in town.get(f"/companies/{company.id}?lang=en").text
