"""Ids of others, in addresses and in what is sent: who may not have a thing learns nothing of it and changes nothing about it.

The access matrix asks every route as everybody for its status. Here the answers themselves are compared: what lies elsewhere answers
exactly like what does not exist. And every id that a form or a body can hold is sent with the id of somebody else's thing.
"""

import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import traveller_actor
from checkpoint.appeals.models import Appeal
from checkpoint.approvals import queries as approvals
from checkpoint.approvals import service as applying
from checkpoint.companies.models import Company
from checkpoint.crossings.spot_tests import Reading, record_test
from checkpoint.database import db
from checkpoint.followups.models import TravellerReport
from checkpoint.privacy import keyring
from checkpoint.registrations.models import Registration
from checkpoint.registrations.passes import link_handle
from checkpoint.registrations.service import withdraw
from tests.factories import NOW, applications, companies, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import NEIGHBOUR, OTHER_VILLAGE, SITE, TOWN, VILLAGE
from tests.factories.travelling import declared, scanned
from tests.fuzz.pages import Page
from tests.web.access.row import Row, expected
from tests.web.access.rows import rows
from tests.web.access.test_matrix import address
from tests.web.access.world import LATER, World

ROWS = {row.id: row for row in rows()}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LINKS = ("handle", "key", "door", "token")
_PEOPLE = range(1, 80)


@pytest.fixture(scope="module", autouse=True)
def _more(world: World) -> None:
    """What others than VILLAGE own."""
    with world.app.app_context():
        theirs = applications.new(division_code=OTHER_VILLAGE, pictures=(applications.photo(),), contact_name="吴远")
        key = applying.apply(theirs, actor=applications.applicant(theirs.id), at=NOW).key
        second = db.session.scalars(select(User).join(Company, Company.liaison_id == User.id)).all()[-1]
        other = declared(number=70, stays=[]).registration
        gone, act = declared(number=71).registration.id, uuid.uuid4()
        withdraw(gone, act, actor=traveller_actor(gone, SITE), at=NOW)
        far = people.user("far-officer", Role.OFFICER, NEIGHBOUR)
        post = world["other tablet"]
        scan = scanned(world["fresh_pass"], post)
        own = uuid.uuid4()
        record_test(
            Reading(own, world["scan"], "negative", NOW, NOW + timedelta(minutes=20)),
            actor=world["tablet"].actor,
            at=LATER,
        )
        world.things |= {
            "their_act": act,
            "their_scan": scan.id,
            "spot_test": own,
            "their_approval": theirs.id,
            "their_page": approvals.pages(theirs.id)[0].id,
            "their_key": key,
            "their_member": companies.listed(people.actor_of(second), 60).id,
            "far_officer": far.id,
            "other_registration": other.id,
            "other_handle": link_handle(keyring(), other.id),
            "report_row": db.session.scalars(select(TravellerReport.id)).one(),
            "appeal_row": db.session.scalars(select(Appeal.id)).one(),
            "client_id": db.session.scalar(
                select(Registration.client_id).where(Registration.id == world["registration"])
            ),
        }
    world.keep()


def secrets(world: World) -> set[str]:
    """Names, documents and phones of everybody in the world, as they would stand there in clear, and every link and token."""
    found = {make(number) for number in _PEOPLE for make in (resident_id, phone)} | {name(at) for at in _PEOPLE}
    return found | {
        str(world[one]) for one in ("handle", "approval_key", "pass", "company_handle", "invitation", "client_id")
    }


def plain(answer: TestResponse) -> str:
    """What an answer says, without what differs from one request to the next."""
    text = re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]*"', "", answer.text)
    return str(answer.status_code) + str(answer.location) + text


def nothing_of(value: Any) -> str:
    """An id of the same form that names nothing."""
    text = str(value)
    return "999999" if text.isdecimal() else str(uuid.UUID(int=0x0180_0000_0000_7000_8000 << 48))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_lies_elsewhere_answers_like_what_does_not_exist(world: World, method: str) -> None:
    told, asked, known = [], 0, secrets(world)
    for row in ROWS.values():
        if row.method != method or not row.values or set(row.values) & {*_LINKS, "code", "name", "act", "kind"}:
            continue
        absent = [asker for asker in world.askers.values() if expected(row, asker) == "absent"]
        made = {key: nothing_of(world.things.get(one, one)) for key, one in row.values.items()}
        nothing = world.app.url_map.bind("localhost").build(row.endpoint, made, method=method) + row.query
        for asker in (*absent[:1], *absent[1:][-1:]):
            given = dict(row.body(world)) if method == "POST" else {}
            again = dict(row.body(world)) if method == "POST" else {}
            real = address(world, row)
            there, none = world.ask(asker, method, real, **given), world.ask(asker, method, nothing, **again)
            asked += 1
            said = plain(there).replace(real, nothing)
            for key, one in row.values.items():
                said = said.replace(str(world.things.get(one, one)), made[key])
            if said != plain(none) or any(secret in there.text + str(there.headers) for secret in known):
                told.append(f"{row.id} as {asker.name}: {there.status_code}, {none.status_code}")
    assert told == []
    assert asked > (30 if method == "GET" else 60)


def test_no_link_opens_anything_but_its_own(world: World) -> None:
    """Pass, approval, company, door, vehicle and invitation have links of the same looks: each is nothing at every other door."""
    links = {
        "handle": {"handle", "fresh_handle", "commuter"}, "key": {"approval_key"}, "door": {"door"}, "board": {"board"},
        "company": {"company_handle"}, "token": {"invitation"},
    }  # fmt: skip
    opened, asked = [], 0
    nobody = world.askers["nobody"]
    for row in (
        one for one in ROWS.values() if one.needs is None and set(one.values) & set(_LINKS) and one.method == "GET"
    ):
        part = next(iter(set(row.values) & set(_LINKS)))
        right = str(world[str(row.values[part])])
        kind = next(name_ for name_, keys in links.items() if str(row.values[part]) in keys)
        others = [str(world[key]) for name_, keys in links.items() if name_ != kind for key in sorted(keys)[:1]]
        altered = [
            right[:-1] + ("A" if right[-1] != "A" else "Q"),
            ("B" if right[0] != "B" else "A") + right[1:],
            right[:-2],
            right + "AAAA",
            str(world["registration"]),
        ]
        for wrong in (*others, *altered):
            values = {**{key: str(world.things.get(one, one)) for key, one in row.values.items()}, part: wrong}
            answer = world.ask(nobody, "GET", world.app.url_map.bind("localhost").build(row.endpoint, values))
            asked += 1
            led = answer.status_code in (302, 303) and answer.location.split("?")[0] == f"/p/{wrong}"
            if not (answer.status_code in (401, 404, 410) or led):
                opened.append(f"{row.id} with {wrong}: {answer.status_code}")
    assert opened == []
    assert asked > 100


def test_a_pass_opens_its_own_registration_only(world: World) -> None:
    traveller = world.askers["traveller"]
    assert world.ask(traveller, "GET", f"/api/v1/registrations/{world['registration']}").status_code == 200
    for other in (world["other_registration"], uuid.uuid4()):
        answer = world.ask(traveller, "GET", f"/api/v1/registrations/{other}")
        assert answer.status_code == 404
        assert not secrets(world) & {answer.text}
    page = f"/approvals/{world['their_approval']}/pages/{world['page']}.jpg"  # theirs, with a page of VILLAGE's
    answer = world.ask(world.askers["far village"], "GET", page)
    assert answer.status_code in (404, 409)  # 409: not opened for a purpose yet
    assert not answer.mimetype.startswith("image/")


@dataclass(frozen=True, slots=True)
class Case:
    """A request that somebody may make, with the id of a thing that is not theirs in a field. `at` replaces parts of the address."""

    row: str
    field: str
    thing: str
    asker: str
    change: Callable[[World, dict[str, Any], str], None]
    at: Mapping[str, str]

    @property
    def id(self) -> str:
        return f"{self.row} {self.field} as {self.asker}"


def case(
    row: str, field: str, thing: str, asker: str, *, inside: str = "", also: Mapping[str, str] | None = None, **at: str
) -> Case:
    """`inside`: the list in whose items the field stands; `also`: further fields with things of the world."""

    def change(world: World, body: dict[str, Any], value: str) -> None:
        held = body.setdefault(inside, [{}])[0] if inside else body
        held[field] = [value] if isinstance(held.get(field), list) or field in ("scans", "dropped") else value
        body.update({key: str(world[one]) for key, one in (also or {}).items()})

    return Case(row, field, thing, asker, change, at)


def _vehicle(field: str) -> Case:
    return case("POST api_lane.tell_vehicle", field, "scan", "other tablet", also={"vehicle_id": "fresh"})


CASES = [
    case("POST inbox.seen", "alert", "alert", "far village"),
    case("POST duty.assign", "to", "user", "village"),
    case("POST duty.hand_all", "alert", "alert", "far village"),
    case("POST duty.hand_all", "to", "user", "village"),
    case("POST duty.add", "user", "village_user", "far village"),
    case("POST duty.add", "user", "village_user", "other command"),
    case("POST channels.add_for_division", "division_code", "VILLAGE", "other town"),
    case("POST admin_users.add", "division_code", "VILLAGE", "other command"),
    case("POST admin_tokens.issue", "division_code", "VILLAGE", "other command"),
    case("POST admin.add_checkpoint", "division_code", "TOWN", "other command"),
    case("POST admin.add_device", "checkpoint", "post_id", "other command", also={"checkpoint": "post"}),
    case("POST patrols.add_point", "division_code", "VILLAGE", "other command"),
    case("POST patrols.add_point", "checkpoint", "post_id", "other command", also={"checkpoint": "post"}),
    case("POST patrols.add_route", "division_code", "TOWN", "other command"),
    case("POST company.add", "client_id", "member", "other company"),
    case("POST company.apply", "members", "member", "other company"),
    case("POST company.apply", "client_id", "company_approval", "other company"),
    case("POST company.apply_too", "members", "their_member", "company"),
    case("POST company.apply_too", "client_id", "their_approval", "company"),
    case("POST api_lane.open_shift", "officer_id", "far_officer", "other tablet"),
    case("POST api_lane.open_shift", "shift_id", "officer_shift", "other tablet"),
    case("POST api_lane.record_test", "scan_id", "scan", "other tablet"),
    case("POST api_lane.check_document", "scan_id", "scan", "other tablet"),
    case("POST api_lane.tell_vehicle", "vehicle_id", "vehicle", "other tablet"),
    _vehicle("scans"),
    _vehicle("dropped"),
    case("POST api_scans.scan", "scan_id", "scan", "other tablet"),
    case("POST api_scans.batch", "scan_id", "scan", "other tablet", inside="scans"),
    case("POST api_patrols.visit", "visit_id", "visit", "other tablet"),
    case("POST traveller.amend", "client_id", "client_id", "nobody"),
    case("POST traveller.amend", "client_id", "their_act", "nobody"),
    case("POST traveller.withdraw", "client_id", "their_act", "nobody"),
    case("POST own_data.erase", "client_id", "client_id", "nobody", handle="other_handle"),
    case("POST api_lane.record_test", "test_id", "spot_test", "other tablet", also={"scan_id": "their_scan"}),
    case("POST inbox.complete", "alert", "alert", "far village"),
    case("POST inbox.unmask", "alert", "alert", "far village", registration_id="other_registration"),
    case("POST pass_reports.test", "report_id", "report_row", "nobody", handle="other_handle"),
    case("POST pass_reports.health", "report_id", "report_row", "nobody", handle="other_handle"),
    case("POST pass_reports.arrival", "report_id", "report_row", "nobody", handle="other_handle"),
    case("POST pass_reports.appeal", "report_id", "appeal_row", "nobody", handle="other_handle"),
]
ELSEWHERE = {
    "shift_id": "stands beside the tablet's own id, and who was on duty is read by both",
    "decision_id": "compared with the decisions of the crossing that the address names",
    "once": "compared with the steps of the application that the address names",
}


_SECRET = "made by the phone and shown to nobody else; it leads to the first result by design"
NO_CASE = {
    "api_registrations.submit": _SECRET,
    "api_lane.register": _SECRET,
    "api_carried.receive": _SECRET,
    "traveller.declare": _SECRET,
    "traveller.board": _SECRET,
    "applying.apply": "test_borrowed_forms.py",
    "approvals.paper": "test_borrowed_forms.py",
    "commuters.apply": "test_borrowed_forms.py",
    "companies.register": "test_borrowed_forms.py",
    "api_scans.scan": "a scan is stored whatever vehicle it names: the test above",
    "api_scans.batch": "a scan is stored whatever vehicle it names: the test above",
}
"""Endpoints whose remaining ids have no case here, and why."""


def traces(world: World, thing: str) -> set[str]:
    """Every row of every table in which an id or code stands, but for what is only a note of the request itself."""
    text = str(world[thing])
    found = set()
    with closing(sqlite3.connect(world.data / "checkpoint.sqlite")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in tables:
            if table in ("audit_entry", "division", "division_alias", "user_session"):
                continue
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own tables
                shown = repr(row)
                if text in shown or text.replace("-", "") in shown:
                    found.add(f"{table}: {shown}")
    return found


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.id)
def test_an_id_of_others_in_what_is_sent_changes_and_tells_nothing(world: World, one: Case) -> None:
    world.things |= {"fresh": uuid.uuid4(), "VILLAGE": VILLAGE, "TOWN": TOWN}
    row = ROWS[one.row]
    given = {kind: dict(body) for kind, body in row.body(world).items()} or {"data": {}}
    before = traces(world, one.thing)
    one.change(world, next(iter(given.values())), str(world[one.thing]))
    values = {key: one.at.get(key, value) for key, value in row.values.items()}
    answer = world.ask(
        world.askers[one.asker],
        row.method,
        address(world, Row(row.endpoint, row.method, row.needs, row.scope, values)),
        **given,
    )
    after = traces(world, one.thing)
    world.restore()
    assert answer.status_code < 500
    assert answer.status_code not in (401, 405), "the request did not come as far as the id"
    assert after == before, answer.status_code
    sent = {str(value) for value in next(iter(given.values())).values()}
    assert [secret for secret in secrets(world) - sent if secret in answer.text] == []


def test_a_scan_at_one_post_seats_nobody_in_a_vehicle_of_another(world: World) -> None:
    own, other, path = world.askers["tablet"], world.askers["other tablet"], f"/api/v1/gate/vehicles/{world['vehicle']}"
    before = world.ask(own, "GET", path).get_json()["seated"]
    scan = {"scan_id": str(uuid.uuid4()), "token": world["fresh_pass"], "scanned_at": NOW.isoformat()}
    single = world.ask(other, "POST", "/api/v1/scans", json=scan | {"vehicle_id": str(world["vehicle"])})
    late = {**scan, "scan_id": str(uuid.uuid4()), "vehicle_id": str(world["vehicle"])}
    many = world.ask(other, "POST", "/api/v1/scans/batch", json={"scans": [late]})
    assert (single.status_code, many.status_code) == (200, 200)
    after = world.ask(own, "GET", path).get_json()["seated"]
    lane = world.ask(own, "GET", "/api/v1/gate/lane").get_json()["vehicles"]
    world.restore()
    assert after == before
    assert [one["people"] for one in lane] == [len(before)]


def _ids_in_forms(world: World) -> Iterator[tuple[str, str]]:
    """Endpoint and field of everything that a form of any page sends and that looks like an id."""
    adapter = world.app.url_map.bind("localhost")
    for row in ROWS.values():
        asker = next((one for one in world.askers.values() if expected(row, one) == "in"), None)
        if row.method != "GET" or asker is None or row.endpoint in ("stream.stream", "static"):
            continue
        answer = world.ask(asker, "GET", address(world, row))
        if answer.mimetype != "text/html":
            continue
        for form in Page(answer.text, address(world, row)).forms:
            target = form.action.partition("?")[0]
            if form.method == "POST" and adapter.test(target, "POST"):
                endpoint, _values = adapter.match(target, method="POST")
                yield from ((str(endpoint), name_) for name_, _kind, value in form.fields if _UUID.fullmatch(value))


def _documented(rule: str) -> str:
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule)


def _ids_in_bodies(world: World) -> Iterator[tuple[str, str]]:
    document = world.ask(world.askers["nobody"], "GET", "/api/v1/openapi.json").get_json()
    models = document["components"]["schemas"]

    def fields(schema: Any) -> Iterator[str]:
        for key, inner in schema.get("properties", {}).items():
            if '"uuid"' in str(inner).replace("'", '"'):
                yield key
            reference = re.search(r"#/components/schemas/(\w+)", str(inner))
            if reference:
                yield from fields(models[reference[1]])

    for path, operations in document["paths"].items():
        for content in operations.get("post", {}).get("requestBody", {}).get("content", {}).values():
            reference = re.search(r"#/components/schemas/(\w+)", str(content["schema"]))
            if reference:
                rule = next(
                    one
                    for one in world.app.url_map.iter_rules()
                    if _documented(one.rule) == path and "POST" in (one.methods or ())
                )
                endpoint = rule.endpoint
                yield from ((str(endpoint), key) for key in fields(models[reference[1]]))


def test_every_id_that_can_be_sent_has_a_case(world: World) -> None:
    found = {*_ids_in_forms(world), *_ids_in_bodies(world)}
    covered = {(one.row.partition(" ")[2], one.field) for one in CASES}
    missing = {
        (endpoint, field)
        for endpoint, field in found - covered
        if field not in ELSEWHERE and ROWS[f"POST {endpoint}"].scope != "site" and endpoint not in NO_CASE
    }
    assert sorted(missing) == []
    assert len(found) > 40
