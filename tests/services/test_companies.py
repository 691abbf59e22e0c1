"""A company registers, is asked back, accepted or refused, and closed; its list is imported, and each member's standing told."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.audit.models import AuditEntry
from checkpoint.channels import targets
from checkpoint.channels.messages import Message
from checkpoint.channels.senders import SendFailed
from checkpoint.channels.targets import NewTarget
from checkpoint.companies import members, queries, service, telling
from checkpoint.companies.models import Company, CompanyDelivery, CompanyImport, CompanyMember, CompanyNotice
from checkpoint.companies.rows import person
from checkpoint.companies.watching import look
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.inquiries.reading import Unreadable
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import RegistrationState
from tests.factories import NOW, companies, lists, people
from tests.factories.declarations import declaration, name, phone, resident_id
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, SITE, TOWN
from tests.factories.travelling import admitted, declared

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(context: Flask) -> Actor:
    return people.town_worker()


@pytest.fixture
def liaison(town: Actor) -> Actor:
    lists.in_force()
    return companies.active(town=town)[1]


def wrong_fields(error: InvalidInput) -> set[str]:
    return {one.field for one in error.errors}


def test_registering_tells_the_town_and_a_repeat_changes_nothing(town: Actor) -> None:
    new = companies.new_company()
    made = service.apply(new, actor=companies.VISITOR, at=NOW)
    assert service.apply(new, actor=companies.VISITOR, at=NOW + HOUR).made_at == made.made_at
    alert = db.session.scalars(select(Alert).where(Alert.kind == service.KIND)).one()
    assert (alert.division_code, alert.subject_id, alert.resolve_due) == (TOWN, made.id, NOW + 24 * HOUR)
    assert queries.by_link(service.handle_of(made)).id == made.id
    assert [one.id for one in queries.reviewed(town)] == [made.id]
    sealed = db.session.execute(select(Company.__table__)).one()
    assert "陈明".encode() not in b"".join(value for value in sealed if isinstance(value, bytes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credit_code": companies.credit_code()[:-1] + "?"}, "credit_code"),
        ({"credit_code": "91330482MA00000010"}, "credit_code"),
        ({"name": " "}, "name"),
        ({"address": ""}, "address"),
        ({"contact_name": "12345"}, "contact_name"),
        ({"contact_phone": "12"}, "contact_phone"),
        ({"division_code": "999999999999"}, "division"),
        ({"division_code": NEIGHBOUR_TOWN}, "division"),
        ({"division_code": SITE}, "division"),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_is_wrong_is_named(context: Flask, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        service.apply(companies.new_company(**changes), actor=companies.VISITOR, at=NOW)
    assert wrong_fields(caught.value) == {field}
    assert db.session.scalar(select(func.count(Company.id))) == 0


def test_one_code_is_one_company_until_it_is_refused(town: Actor) -> None:
    first = service.apply(companies.new_company(), actor=companies.VISITOR, at=NOW)
    with pytest.raises(InvalidInput) as caught:
        service.apply(companies.new_company(), actor=companies.VISITOR, at=NOW)
    assert wrong_fields(caught.value) == {"credit_code"}
    service.refuse(first.id, "材料不符", actor=town, at=NOW)
    assert service.apply(companies.new_company(), actor=companies.VISITOR, at=NOW).id != first.id


def test_asked_back_answered_and_accepted(town: Actor) -> None:
    made = service.apply(companies.new_company(), actor=companies.VISITOR, at=NOW)
    link = service.handle_of(made)
    with pytest.raises(Conflict):
        service.reply(link, "没有人问", actor=companies.VISITOR, at=NOW)
    service.ask(made.id, "请说明宿舍地址", actor=town, at=NOW)
    service.reply(link, "厂区内三号楼", actor=companies.VISITOR, at=NOW + HOUR)
    states = dict(db.session.execute(select(Alert.created_at, Alert.state).where(Alert.kind == service.KIND)).all())
    assert states == {NOW: AlertState.RESOLVED.value, NOW + HOUR: AlertState.OPEN.value}
    done = service.accept(made.id, actor=town, at=NOW + 2 * HOUR)
    assert service.accept(made.id, actor=town, at=NOW + 3 * HOUR).decided_at == done.decided_at
    user = db.session.get_one(User, done.liaison_id)
    assert (user.login, user.role, user.division_code) == (
        companies.credit_code().casefold(),
        Role.COMPANY,
        made.division_code,
    )
    assert [(step.act, step.text) for step in queries.steps(made.id)] == [
        ("applied", None), ("asked", "请说明宿舍地址"), ("replied", "厂区内三号楼"), ("accepted", None),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        service.refuse(made.id, "太晚", actor=town, at=NOW + 3 * HOUR)


def test_the_link_lets_the_liaison_choose_a_password_once(town: Actor) -> None:
    made = service.apply(companies.new_company(), actor=companies.VISITOR, at=NOW)
    link = service.handle_of(made)
    with pytest.raises(Conflict):
        service.choose_password(link, companies.PASSWORD, at=NOW)
    service.accept(made.id, actor=town, at=NOW)
    with pytest.raises(InvalidInput):
        service.choose_password(link, "short", at=NOW)
    service.choose_password(link, companies.PASSWORD, at=NOW + HOUR)
    login = companies.credit_code().casefold()
    assert accounts.authenticate(login, companies.PASSWORD, "192.0.2.1", at=NOW + HOUR) is not None
    with pytest.raises(Conflict):
        service.choose_password(link, "another-password", at=NOW + HOUR)
    # A new invitation ends the old link and the old password.
    renewed = service.invite(made.id, actor=town, at=NOW + HOUR)
    with pytest.raises(NotFound):
        queries.by_link(link)
    assert accounts.authenticate(login, companies.PASSWORD, "192.0.2.1", at=NOW + HOUR) is None
    with pytest.raises(Conflict):
        service.choose_password(service.handle_of(renewed), companies.PASSWORD, at=NOW + service.INVITED + 2 * HOUR)
    with pytest.raises(NotFound):
        queries.by_link(link[:-2] + "AA")


def test_another_jurisdiction_and_another_company_do_not_exist(town: Actor, liaison: Actor) -> None:
    company = queries.own(liaison)
    stranger = people.stranger()
    acts: tuple[Callable[[], object], ...] = (
        lambda: queries.one(stranger, company.id),
        lambda: service.ask(company.id, "?", actor=stranger, at=NOW),
        lambda: service.close(company.id, "?", actor=stranger, at=NOW),
        lambda: queries.own(people.actor_of(people.user("lonely", Role.COMPANY, company.division_code))),
    )
    for act in acts:
        with pytest.raises(NotFound):
            act()
    for refused in (lambda: queries.reviewed(liaison), lambda: queries.own(town), lambda: queries.absent(liaison)):
        with pytest.raises(NotAllowed):
            refused()
    other = companies.active(2, town=people.stranger("far"), division_code=OTHER_VILLAGE)[1]
    mine = companies.listed(liaison)
    assert members.remove([mine.id], actor=other, at=NOW) == 0
    with pytest.raises(NotFound):
        members.add(mine.id, person(name(2), resident_id(2)), actor=other, at=NOW)


def csv_file(folder: Path, *lines: str) -> Path:
    path = folder / "名单.csv"
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    return path


def test_a_list_is_read_shown_and_confirmed(liaison: Actor, tmp_path: Path) -> None:
    kept, leaving, lorry = (companies.listed(liaison, 1), companies.listed(liaison, 2), companies.listed_lorry(liaison))
    source = csv_file(
        tmp_path,
        "员工花名册,,",
        "工号,员工姓名,身份证号,手机号",
        f"1,{name(1)}新,{resident_id(1)},{phone(1)}",
        f"2,{name(3)},{resident_id(3)},",
        "3,=坏人,123,",
    )
    draft = members.read_file(source, tmp_path, actor=liaison, at=NOW)
    plan = members.plan_of(draft)
    assert [row.name for row in plan.new] == [name(3)]
    assert [member.id for member, _row in plan.changed] == [kept.id]
    assert ([member.id for member in plan.gone], plan.same) == ([leaving.id], 0)
    wrong = members.wrong_rows(draft.id, actor=liaison)
    assert [(one["row"], one["cause"], one["document"]) for one in wrong] == [("5", "name_unreadable", "123")]
    done = members.confirm(draft.id, whole=True, actor=liaison, at=NOW)
    assert done.done == {"new": 1, "changed": 1, "gone": 1}
    assert members.confirm(draft.id, whole=False, actor=liaison, at=NOW + HOUR).done_at == NOW
    left = queries.listed(queries.own(liaison).id)
    assert {one.name for one in left} == {f"{name(1)}新", name(3), None}
    assert lorry.id in {one.id for one in left}
    assert members.forget_old(NOW + HOUR) == 0
    assert members.forget_old(NOW + members.IMPORT_KEPT) == 1


def test_a_file_that_names_nobody_is_refused(liaison: Actor, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        members.read_file(csv_file(tmp_path, "部门,工位", "一部,三号"), tmp_path, actor=liaison, at=NOW)
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(Unreadable):
        members.read_file(tmp_path / "x.pdf", tmp_path, actor=liaison, at=NOW)
    assert db.session.scalar(select(func.count(CompanyImport.id))) == 0


def standing_of(member: CompanyMember) -> str:
    return db.session.get_one(CompanyMember, member.id, populate_existing=True).standing


def told(liaison: Actor) -> list[str]:
    return [notice.standing for notice, _member in queries.notices(queries.own(liaison).id)]


def test_a_member_turns_red_and_clears(liaison: Actor) -> None:
    member = companies.listed(liaison)
    assert (standing_of(member), look(NOW)) == ("absent", 0)
    receipt = declared(NOW, number=1)
    assert look(NOW + MINUTE) == 1
    assert (standing_of(member), told(liaison)) == ("may_come", [])
    assert look(NOW + MINUTE) == 0
    changes = declaration(1, origin={"code": NEIGHBOUR_TOWN})
    registrations.amend(
        receipt.registration.id,
        Declaration.model_validate(changes),
        actor=people.operator(),
        at=NOW + HOUR,
    )
    assert look(NOW + HOUR + MINUTE) == 1
    assert (standing_of(member), told(liaison)) == ("may_not_come", ["may_not_come"])
    assert queries.unread(queries.own(liaison).id) == 1


def test_who_is_listed_after_registering_is_known_at_once(liaison: Actor) -> None:
    inside = admitted(origin={"code": NEIGHBOUR_TOWN}, number=3)
    assert inside.row.state == RegistrationState.INSIDE.value
    member = companies.listed(liaison, 3)
    assert (member.standing, told(liaison)) == ("may_not_come", ["may_not_come"])
    lorry = companies.listed_lorry(liaison, inside.row.plate or "")
    assert lorry.standing == "may_not_come"


def test_a_pass_that_ends_is_no_registration_any_more(liaison: Actor) -> None:
    member = companies.listed(liaison)
    declared(NOW, number=1)
    look(NOW + MINUTE)
    assert standing_of(member) == "may_come"
    assert look(NOW + timedelta(days=9)) == 1
    assert standing_of(member) == "absent"


def test_whoever_leaves_the_list_is_not_told_of(liaison: Actor) -> None:
    member = companies.listed(liaison)
    assert members.remove([member.id], actor=liaison, at=NOW) == 1
    assert members.remove([member.id], actor=liaison, at=NOW) == 0
    declared(NOW, number=1, origin={"code": NEIGHBOUR_TOWN})
    assert (look(NOW + MINUTE), told(liaison)) == (0, [])
    again = companies.listed(liaison, 1, NOW + HOUR)
    assert (again.id != member.id, again.standing) == (True, "may_not_come")


def test_the_liaison_is_told_by_their_channel_without_a_reason(liaison: Actor) -> None:
    target = targets.add(NewTarget("webhook", "https://1.1.1.1/hook"), actor=liaison, at=NOW)
    sent: list[Message] = []
    failing = True

    def sender(_kind: str, _address: str, message: Message, _at: datetime) -> None:
        if failing:
            raise SendFailed("http_500")
        sent.append(message)

    companies.listed(liaison)
    declared(NOW, number=1, origin={"code": NEIGHBOUR_TOWN})
    look(NOW + MINUTE)
    clock = NOW + 2 * MINUTE
    assert telling.send_notices(lambda: clock, sender=sender) == 0
    failing = False
    assert telling.send_notices(lambda: clock, sender=sender) == 0  # waits before it tries again
    clock += HOUR
    assert telling.send_notices(lambda: clock, sender=sender) == 1
    assert telling.send_notices(lambda: clock + HOUR, sender=sender) == 0
    assert [message.text for message in sent] == ["员工钱* 暂不能到岗，请联系社区"]
    assert sent[0].url.endswith("/company")
    rows = db.session.execute(select(CompanyDelivery.state, CompanyDelivery.attempts)).all()
    assert [tuple(row) for row in rows] == [("sent", 1)]
    targets.remove(target.id, actor=liaison, at=clock)
    assert db.session.scalar(select(func.count(CompanyDelivery.id))) == 0


def test_coverage_and_who_is_missing(town: Actor, liaison: Actor) -> None:
    companies.listed(liaison, 1)
    companies.listed(liaison, 2)
    companies.listed_lorry(liaison)
    declared(NOW, number=1, plate="浙F99999")
    look(NOW + MINUTE)
    company = queries.own(liaison)
    found = queries.coverage([company.id])[company.id]
    assert (found.people, found.lorries, found.absent, found.stopped, found.listed) == (2, 1, 2, 0, 3)
    assert {member.plate or member.name for _company, member in queries.absent(town)} == {name(2), "浙F12345"}
    assert len(queries.absent(people.commander(), company.id)) == 2
    assert queries.absent(people.stranger()) == []


def test_closing_destroys_the_list_and_ends_the_account(town: Actor, liaison: Actor, tmp_path: Path) -> None:
    company = queries.own(liaison)
    companies.listed(liaison)
    members.read_file(
        csv_file(tmp_path, "姓名,证件号码", f"{name(4)},{resident_id(4)}"), tmp_path, actor=liaison, at=NOW
    )
    declared(NOW, number=1, origin={"code": NEIGHBOUR_TOWN})
    look(NOW + MINUTE)
    service.close(company.id, "企业注销", actor=town, at=NOW + HOUR)
    assert service.close(company.id, "再次", actor=town, at=NOW + 2 * HOUR).closed_at == NOW + HOUR
    for table in (CompanyMember, CompanyNotice, CompanyImport, CompanyDelivery):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert accounts.authenticate(company.credit_code, companies.PASSWORD, "192.0.2.1", at=NOW + HOUR) is None
    again = service.apply(companies.new_company(), actor=companies.VISITOR, at=NOW + HOUR)
    made = service.accept(again.id, actor=town, at=NOW + HOUR)
    assert db.session.get_one(User, made.liaison_id).login == company.credit_code.casefold() + "-2"


def test_unmasking_needs_a_purpose_and_is_audited(town: Actor, liaison: Actor) -> None:
    company = queries.own(liaison)
    with pytest.raises(InvalidInput):
        service.unmask(company.id, "curiosity", actor=town, at=NOW)
    with pytest.raises(NotAllowed):
        service.unmask(company.id, "call", actor=liaison, at=NOW)
    assert service.unmask(company.id, "call", actor=town, at=NOW)["contact_name"] == "陈明"
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "people.unmask")).one()
    assert (entry.object_type, entry.object_id, entry.purpose) == ("company", str(company.id), "call")


def test_two_uuids_of_one_person_are_one_member(liaison: Actor) -> None:
    first = companies.listed(liaison)
    second = members.add(uuid.uuid4(), person("钱改名", resident_id(1), "13800000009"), actor=liaison, at=NOW)
    assert (second.id, second.name, second.phone) == (first.id, "钱改名", "+8613800000009")
