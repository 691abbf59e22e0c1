"""One of everything in VILLAGE's jurisdiction, and everybody who may ask for it: what the access matrix walks through.

The world is built once; after each request that may have written, the database file is copied back.
"""

import csv
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from checkpoint import clock, create_app
from checkpoint.accounts import invitations, sessions
from checkpoint.accounts.models import ApiToken, Role, User
from checkpoint.accounts.permissions import PERMISSIONS, traveller_actor
from checkpoint.alerts.feed import number as number_feed
from checkpoint.alerts.models import Alert, DutyShift
from checkpoint.alerts.service import resolve
from checkpoint.appeals import service as appeals
from checkpoint.approvals import queries as approvals
from checkpoint.approvals import service as applying
from checkpoint.channels.models import Delivery
from checkpoint.channels.targets import NewTarget
from checkpoint.channels.targets import add as add_target
from checkpoint.companies import applying as company_applying
from checkpoint.companies import members
from checkpoint.companies import service as company_service
from checkpoint.crossings import shifts
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.vehicles import Vehicle, tell, vehicle_handle
from checkpoint.database import db, transaction
from checkpoint.followups import reports
from checkpoint.followups.doors import door_handle
from checkpoint.followups.models import FollowUp
from checkpoint.inquiries.models import InquiryHit
from checkpoint.joint import identity, peers
from checkpoint.joint.asking import ask
from checkpoint.patrols import queries as patrol_queries
from checkpoint.patrols.models import PatrolVisit
from checkpoint.privacy import keyring, public_jwk
from checkpoint.regions import service as regions
from checkpoint.registrations import passes
from checkpoint.risk.drafts import make_draft
from checkpoint.risk.models import Policy, RiskChange, RiskList
from checkpoint.risk.policy import default_policy
from checkpoint.surveillance.feeds import NewFeed, add_feed
from checkpoint.surveillance.models import WithdrawalFinding
from tests.factories import (
    NOW,
    TODAY,
    alerting,
    applications,
    commuters,
    companies,
    databases,
    inquiries,
    inside,
    joined,
    lists,
    patrols,
    people,
    reading,
)  # fmt: skip
from tests.factories.carried import carried
from tests.factories.declarations import companion, declaration, name, negative_test, resident_id, stay
from tests.factories.divisions import (
    NEIGHBOUR,
    NEIGHBOUR_TOWN,
    OTHER_TOWN,
    OTHER_VILLAGE,
    SECOND_VILLAGE,
    SITE,
    TOWN,
    VILLAGE,
)  # fmt: skip
from tests.factories.travelling import admitted, declared
from tests.web.access.asking import Asker, World

__all__ = ["LATER", "Asker", "World", "build"]

LATER = NOW + timedelta(hours=1)


def build(folder: Path, template: Path, patch: pytest.MonkeyPatch) -> World:
    """The whole world, in a data folder of its own, at an hour after NOW."""
    data = databases.copy_template(template, folder / "data", with_database=True)
    made = create_app(databases.environment(data))
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    made.extensions["settings"] = replace(made.extensions["settings"], allow_private_targets=True)
    patch.setattr(clock, "now", lambda: LATER)
    with made.app_context():
        for engine in db.engines.values():
            event.listen(engine, "connect", _hurry)
    world = World(made, data)
    with made.app_context():
        _askers(world)
        for make in (_people, _care, _carried, _approvals, _companies, _lists, _inquiries, _patrols, _gate, _accounts):
            make(world, folder)
        number_feed()
    with joined.neighbour(template, folder / "there", "http://127.0.0.1:9") as there, made.app_context():
        _peers(world, there)
    world.keep()
    return world


def _hurry(connection: Any, _record: Any) -> None:
    """Nothing here has to outlive the machine: no write waits for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


def _session(app: Flask, login: str, password: str = people.PASSWORD) -> dict[str, str]:
    """The header of somebody who has signed in. Clients remember nothing, so that no request ends the session for the next."""
    client = app.test_client()
    answer = client.post("/login", data={"login": login, "password": password})
    assert answer.status_code == 302, answer.text
    return {"Cookie": "; ".join(f"{one.key}={one.value}" for one in client._cookies.values())}


def _askers(world: World) -> None:
    app = world.app
    world.askers["nobody"] = Asker("nobody")
    for login, role, division in (
        ("village", Role.VILLAGE, VILLAGE),
        ("next village", Role.VILLAGE, SECOND_VILLAGE),
        ("far village", Role.VILLAGE, OTHER_VILLAGE),
        ("town", Role.TOWN, TOWN),
        ("other town", Role.TOWN, OTHER_TOWN),
        ("command", Role.COMMAND, SITE),
        ("other command", Role.COMMAND, NEIGHBOUR),
        ("auditor", Role.AUDITOR, SITE),
        ("officer", Role.OFFICER, SITE),
    ):
        row = people.gate_officer() if role is Role.OFFICER else people.user(login.replace(" ", "-"), role, division)
        world.askers[login] = Asker(login, role, division, PERMISSIONS[role], _session(app, row.login), row.id)
    for login, division in (("token", SITE), ("far token", OTHER_VILLAGE)):
        headers = people.bearer(people.token(Role.INTEGRATION, division))
        found = PERMISSIONS[Role.INTEGRATION]
        world.askers[login] = Asker(login, Role.INTEGRATION, division, found, headers)
    post, other = people.checkpoint(), people.checkpoint("S7", OTHER_TOWN)
    world.things |= {"post": post.code, "post_id": post.id}
    for login, at in (("tablet", post), ("other tablet", other)):
        tablet = people.tablet(at)
        world.things[login] = tablet
        headers = people.bearer(tablet.token)
        world.askers[login] = Asker(login, None, SITE, tablet.actor.permissions, headers, tablet.device.id)


def _people(world: World, _folder: Path) -> None:
    lists.in_force()
    tablet: people.Tablet = world["tablet"]
    one = admitted(
        tablet, number=1, origin={"code": NEIGHBOUR_TOWN}, stays=[stay(NEIGHBOUR_TOWN)], companions=[companion(2)]
    )
    own = one.id
    held = one.receipt.issued.token
    world.things |= {
        "registration": own,
        "handle": passes.link_handle(keyring(), own),
        "alert": db.session.scalars(select(Alert.id).where(Alert.subject_id == own, Alert.state == "open")).first(),
        "followup": db.session.scalars(select(FollowUp.id).where(FollowUp.registration_id == own)).first(),
        "scan": db.session.scalars(select(Crossing.id).where(Crossing.registration_id == own)).first(),
        "pass": held,
        "closed_alert": alerting.alert(),
    }
    resolve(world["closed_alert"], "handled", None, actor=people.operator(), at=NOW)
    world.askers["traveller"] = Asker("traveller", headers=people.bearer(held))
    unscanned = declared(number=7)
    world.things |= {
        "fresh_pass": unscanned.issued.token,
        "fresh_handle": passes.link_handle(keyring(), unscanned.registration.id),
    }


def _care(world: World, _folder: Path) -> None:
    own = declared(number=3, origin={"code": NEIGHBOUR_TOWN}).registration.id
    holder = traveller_actor(own, SITE)
    asked = appeals.submit(own, uuid.uuid4(), "我不在那个小区", applications.photo(), actor=holder, at=NOW)
    green = admitted(world["tablet"], number=4)
    told = reports.report_test(
        green.id, uuid.uuid4(), kind="pcr", result="negative", taken_at=NOW, actor=green.holder, at=NOW
    )
    with transaction() as session:
        shift = DutyShift(
            division_code=VILLAGE, user_id=world.askers["village"].id, starts_at=NOW, ends_at=LATER + timedelta(hours=8),
            made_by="system", made_at=NOW,
        )  # fmt: skip
        session.add(shift)
    world.things |= {"appeal": asked.id, "report": told.id, "shift": shift.id, "door": door_handle(keyring(), VILLAGE)}


def _carried(world: World, _folder: Path) -> None:
    ring = keyring()
    key = public_jwk(ring.carried_current, ring.carried[ring.carried_current])
    body = declaration(5, companions=[companion(6)], stays=[stay()], tests=[negative_test()], phone="+861234567")
    tablet = world.askers["tablet"]
    answer = world.ask(tablet, "POST", "/api/v1/registrations/carried", json=carried(key, body))
    assert answer.status_code == 202, answer.text
    world.things |= {
        "carried": db.session.scalars(select(Alert.id).where(Alert.kind == "carried_refused")).one(),
        "carried_division": db.session.scalars(
            select(Alert.division_code).where(Alert.kind == "carried_refused")
        ).one(),
        "carried_key": key,
    }


def _approvals(world: World, _folder: Path) -> None:
    new = applications.new(pictures=(applications.photo(),))
    done = applying.apply(new, actor=applications.applicant(new.id), at=NOW)
    world.things |= {"approval": new.id, "approval_key": done.key, "page": approvals.pages(new.id)[0].id}
    given = applications.applied(holders=(replace(applications.DRIVER, id_number=resident_id(77)),))
    applying.grant(given.id, None, "可以", actor=people.operator(), at=NOW)
    world.things["granted"] = given.id
    world.things["commuter"] = passes.link_handle(keyring(), commuters.granted(30).id)


def _companies(world: World, folder: Path) -> None:
    town = people.operator()
    waiting = company_service.apply(companies.new_company(8), actor=companies.VISITOR, at=NOW)
    world.things |= {"company": waiting.id, "company_handle": company_service.handle_of(waiting)}
    for number, login in ((1, "company"), (2, "other company")):
        company, liaison = companies.active(number, town=town)
        row = db.session.get_one(User, liaison.id)
        cookie = _session(world.app, row.login, companies.PASSWORD)
        world.askers[login] = Asker(login, Role.COMPANY, row.division_code, PERMISSIONS[Role.COMPANY], cookie, row.id)
        if number > 1:
            continue
        member = companies.listed(liaison, 40)
        path = folder / "staff.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["姓名", "证件号码"], [name(41), resident_id(41)], [name(42), "1"]])
        draft = members.read_file(path, folder, actor=liaison, at=NOW)
        asked = company_applying.Asked(
            uuid.uuid4(), "company", (member.id,), "车间两班倒，住厂区宿舍", TODAY, TODAY + timedelta(days=3)
        )
        sent = company_applying.apply(asked, actor=liaison, at=NOW)
        applying.grant(sent.id, None, "可以", actor=people.operator(), at=NOW)
        second = company_applying.apply(replace(asked, id=uuid.uuid4(), kind="staff"), actor=liaison, at=NOW)
        applying.ask(second.id, "哪里住宿？", actor=people.operator(), at=NOW)
        told = add_target(NewTarget("webhook", "http://127.0.0.1:9/c"), actor=liaison, at=NOW)
        world.things |= {
            "company_target": told.id,
            "active_company": company.id,
            "member": member.id,
            "import": draft.id,
            "company_approval": sent.id,
            "asked_approval": second.id,
        }


def _lists(world: World, _folder: Path) -> None:
    published = db.session.scalars(select(RiskList.id)).first()
    waiting = inside.draft(lists.ZHUJING, source="second")
    feed = add_feed(NewFeed("国家名单", "https://127.0.0.1/list", 60, 24), actor=people.operator(), at=NOW)
    version = db.session.scalars(select(RiskChange.version)).first()
    with transaction() as session:
        found = WithdrawalFinding(
            version=version, registration_id=world["registration"], kind="alert", object_id=world["alert"],
            division_code=VILLAGE, decided_at=NOW, actor="system", decision="handled", tier_before="red",
            tier_after="green",
        )  # fmt: skip
        session.add(found)
    world.things |= {
        "list": waiting.id,
        "published": published,
        "feed": feed.id,
        "finding": found.id,
        "policy": db.session.scalars(select(Policy.id)).first(),
        "policy_draft": make_draft(default_policy(), 1, actor=people.operator(), at=NOW).id,
        "rule": "one_phone",
        "alias": regions.add_alias("老镇上", VILLAGE, None, actor=people.operator(), at=NOW).id,
    }


def _inquiries(world: World, folder: Path) -> None:
    document = resident_id(4)
    read = inquiries.read(inquiries.write(folder, [f",{document[:8]}9{document[9:]},,,", "坏,1,,,"]))
    hit = db.session.scalars(select(InquiryHit).where(InquiryHit.inquiry_id == read.id)).first()
    assert hit is not None
    draft = inquiries.draft(inquiries.write(folder, [f"{name(9)},{resident_id(9)},,,"], name="draft.csv"))
    world.things |= {"inquiry": read.id, "inquiry_draft": draft.id, "hit": hit.id, "hit_row": hit.row_number}


def _patrols(world: World, _folder: Path) -> None:
    point = patrols.point()
    route = patrols.route(point)
    patrols.visit(point, world["tablet"], NOW + timedelta(minutes=40), photo=patrols.photo())
    world.things |= {
        "point": point.id,
        "point_code": patrols.code(point),
        "route": route.id,
        "slot": patrol_queries.slots(route.id)[0].id,
        "visit": db.session.scalars(select(PatrolVisit.id)).one(),
    }


def _gate(world: World, _folder: Path) -> None:
    tablet: people.Tablet = world["tablet"]
    officer = world.askers["officer"].id
    assert officer is not None
    opening = shifts.Opening(uuid.uuid4(), officer, people.PIN, NOW)
    shifts.open_shift(opening, actor=tablet.actor, at=NOW)
    vehicle = Vehicle(
        uuid.uuid4(), "car", "浙F00001", NOW, scans=(world["scan"],), dropped=(), closed_at=None, shift_id=None
    )
    tell(vehicle, actor=tablet.actor, at=NOW)
    board = vehicle_handle(keyring(), vehicle.vehicle_id)
    world.things |= {"officer_shift": opening.shift_id, "vehicle": vehicle.vehicle_id, "board": board}


def _accounts(world: World, _folder: Path) -> None:
    own = people.actor_of(db.session.get_one(User, world.askers["village"].id))
    target = add_target(NewTarget("webhook", "http://127.0.0.1:9/a", "系统"), actor=own, at=NOW)
    group = add_target(
        NewTarget("webhook", "http://127.0.0.1:9/b", division_code=VILLAGE), actor=people.operator(), at=NOW
    )
    with transaction() as session:
        for one in (target, group):
            session.add(
                Delivery(alert_id=world["alert"], target_id=one.id, wave=0, tier="red", state="dead", made_at=NOW)
            )
    world.things |= {"target": target.id, "division_target": group.id, "user": world.askers["far village"].id}
    spare = people.tablet(db.session.get_one(type(world["tablet"].checkpoint), world["post_id"]))
    world.things |= {"device": spare.device.id, "village_user": people.user("spare").id}
    world.things |= {
        "invitation": invitations.invite(world["village_user"], actor=people.operator(), at=NOW).token,
        "session": sessions.listed(own.id, at=LATER)[0].id if own.id else None,
    }
    people.token(Role.INTEGRATION, VILLAGE)
    world.things["token_id"] = db.session.scalars(select(ApiToken.id).where(ApiToken.division_code == VILLAGE)).one()
    officer = people.user("second-officer", Role.OFFICER, SITE)
    world.things["officer_user"] = officer.id
    world.things["unusual"] = reading.unusual(own.key, at=LATER)


def _peers(world: World, there: Flask) -> None:
    with there.app_context():
        text = identity.written(identity.introduce())
    offer = peers.offer(text)
    peer = peers.add(text, offer.fingerprint, actor=people.operator(), at=NOW)
    record = ask(joined.request(peer.id, f"{name(1)} {resident_id(1)}"), actor=people.operator(), at=NOW)
    world.things |= {"peer": peer.id, "record": record.id, "introduction": text, "fingerprint": offer.fingerprint}
