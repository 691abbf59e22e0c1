"""The access matrix: one row for each way into the application. A route without a row fails the matrix."""

from collections.abc import Iterator
from datetime import timedelta

from checkpoint.accounts.permissions import Permission
from tests.factories import NOW, TODAY, companies, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import NEIGHBOUR_TOWN, TOWN, VILLAGE
from tests.web.access.admin_rows import admin
from tests.web.access.policy_rows import policy_and_coverage
from tests.web.access.row import Made, Row, body, form, get, post, thing
from tests.web.access.sent import (
    NATIONAL,
    WHY,
    batch,
    carried_body,
    declared,
    file,
    fresh_id,
    introduction,
    scan,
    trip,
    visit,
)
from tests.web.access.standing_rows import standing
from tests.web.access.trail_rows import trail
from tests.web.access.world import LATER


def _account() -> Iterator[Row]:
    yield get("auth.login", None)
    yield post("auth.sign_in", None, "", form(login="nobody", password="wrong-wrong-wrong"))
    yield post("auth.logout", None)
    yield get("account.index", Permission.ACCOUNT_OWN)
    new = "four-words-that-are-new"
    yield post("account.change_password", Permission.ACCOUNT_OWN, "", form(old=people.PASSWORD, new=new, again=new))
    yield get("auth.invitation", None, token="invitation")
    yield post("auth.accept", None, "", form(password=new, again=new), token="invitation")
    yield get("auth.code", None)
    yield post("auth.give_code", None)
    yield get("account.second_step", Permission.ACCOUNT_SECURE)
    yield post("account.begin", Permission.ACCOUNT_SECURE)
    yield post("account.confirm", Permission.ACCOUNT_SECURE)
    for act in ("renew_codes", "turn_off"):
        yield post(f"account.{act}", Permission.ACCOUNT_OWN, "", form(password=people.PASSWORD))
    yield post("account.end_others", Permission.ACCOUNT_OWN)
    yield post("account.end_session", Permission.ACCOUNT_OWN, "only village", session_id="session")


def _alerts() -> Iterator[Row]:
    yield get("api_alerts.index", Permission.ALERTS_READ)
    yield get("api_alerts.show", Permission.ALERTS_READ, VILLAGE, alert_id="alert")
    yield post("api_alerts.acknowledge", Permission.ALERTS_ACT, VILLAGE, alert_id="alert")
    yield post("api_alerts.resolve", Permission.ALERTS_ACT, VILLAGE, body(result="handled"), alert_id="alert")
    yield get("stream.stream", Permission.ALERTS_READ)
    yield get("inbox.index", Permission.ALERTS_READ)
    yield get("inbox.counts", Permission.ALERTS_READ)
    yield get("inbox.changes", Permission.ALERTS_READ)
    yield get("inbox.alert", Permission.ALERTS_READ, VILLAGE, alert_id="alert")
    yield post("inbox.acknowledge", Permission.ALERTS_ACT, VILLAGE, alert_id="alert")
    yield post("inbox.resolve", Permission.ALERTS_ACT, VILLAGE, form(result="handled"), alert_id="alert")
    yield post("inbox.note", Permission.ALERTS_ACT, VILLAGE, form(note="已联系"), alert_id="alert")
    yield post("inbox.seen", Permission.ALERTS_READ, "", form(alert=thing("alert")))
    yield get("duty.hand", Permission.ALERTS_ACT, VILLAGE, alert_id="alert")
    yield post("duty.assign", Permission.ALERTS_ACT, VILLAGE, form(to=thing("village_user")), alert_id="alert")
    yield get("duty.hand_over", Permission.ALERTS_ACT)
    over = form(alert=thing("alert"), to=thing("village_user"))
    yield post("duty.hand_all", Permission.ALERTS_ACT, VILLAGE, over)
    yield post("duty.reopen", Permission.ALERTS_ACT, VILLAGE, form(note="又来了"), alert_id="closed_alert")
    yield get("duty.roster", Permission.ROSTERS_WRITE)
    shift = form(user=thing("village_user"), first=TODAY.isoformat(), days="1", begins="08:00", ends="20:00")
    yield post("duty.add", Permission.ROSTERS_WRITE, "", shift)
    yield post("duty.remove", Permission.ROSTERS_WRITE, VILLAGE, shift_id="shift")


def _persons() -> Iterator[Row]:
    yield get("api_registrations.show", None, "holder", registration_id="registration")
    yield get("inbox.person", Permission.PEOPLE_READ, VILLAGE, registration_id="registration")
    look = form(what="phone", purpose="call")
    yield post("inbox.unmask", Permission.PEOPLE_UNMASK, VILLAGE, look, registration_id="registration")
    yield post("inbox.complete", Permission.FOLLOWUPS_ACT, VILLAGE, form(result="arrived"), followup_id="followup")
    yield post(
        "retention.hold", Permission.RETENTION_HOLD, VILLAGE, form(why="法院要求保留"), registration_id="registration"
    )
    yield post("retention.end_hold", Permission.RETENTION_HOLD, VILLAGE, registration_id="registration")
    yield get("retention.index", Permission.COMMAND_READ, "site")
    yield get("care.appeals", Permission.PEOPLE_READ)
    yield get("care.appeal", Permission.PEOPLE_READ, VILLAGE, appeal_id="appeal")
    yield get("care.picture", Permission.PEOPLE_READ, VILLAGE, appeal_id="appeal")
    grant = form(why="已核实", days="7", set_aside="0")
    yield post("care.grant", Permission.APPEALS_ANSWER, VILLAGE, grant, appeal_id="appeal")
    yield post("care.refuse", Permission.APPEALS_ANSWER, VILLAGE, WHY, appeal_id="appeal")
    yield post("care.settle", Permission.FOLLOWUPS_ACT, VILLAGE, form(confirmed="1"), report_id="report")
    yield get("care.doors", Permission.FOLLOWUPS_ACT)
    yield Row("care.door", "GET", Permission.FOLLOWUPS_ACT, VILLAGE, {"code": VILLAGE})
    yield get("carried.show", Permission.PEOPLE_READ, TOWN, alert_id="carried")
    yield post("carried.open_form", Permission.PEOPLE_UNMASK, TOWN, form(purpose="mend"), alert_id="carried")
    yield post("carried.mend", Permission.PEOPLE_UNMASK, TOWN, trip(5), alert_id="carried")


def _applications() -> Iterator[Row]:
    yield get("approvals.index", Permission.APPROVALS_ANSWER)
    yield get("approvals.show", Permission.APPROVALS_ANSWER, VILLAGE, approval_id="approval")
    yield get("approvals.picture", Permission.APPROVALS_ANSWER, VILLAGE, approval_id="approval", page_id="page")
    yield post("approvals.reveal", Permission.PEOPLE_UNMASK, VILLAGE, form(purpose="call"), approval_id="approval")
    yield post("approvals.ask", Permission.APPROVALS_ANSWER, VILLAGE, form(text="住哪里？"), approval_id="approval")
    until = (NOW + timedelta(days=2)).date().isoformat()
    granted = form(text="可以", until=until, **{"from": TODAY.isoformat(), "covers": "yellow"})
    yield post("approvals.approve", Permission.APPROVALS_ANSWER, VILLAGE, granted, approval_id="approval")
    yield post("approvals.refuse", Permission.APPROVALS_ANSWER, VILLAGE, WHY, approval_id="approval")
    yield post("approvals.revoke", Permission.APPROVALS_ANSWER, VILLAGE, WHY, approval_id="granted")
    for method in ("GET", "POST"):
        yield Row("approvals.paper", method, Permission.APPROVALS_PAPER)
        yield Row(
            "commuters.withdraw", method, Permission.APPROVALS_ANSWER, query=f"?county={NEIGHBOUR_TOWN[:6]}000000"
        )
    yield get("commuters.index", Permission.APPROVALS_ANSWER)


def _companies() -> Iterator[Row]:
    yield get("companies.index", Permission.COMPANIES_REVIEW)
    yield get("companies.not_registered", Permission.COMPANIES_REVIEW)
    yield get("companies.one", Permission.COMPANIES_REVIEW, VILLAGE, company_id="company")
    for act, why in (("accept", None), ("ask", WHY), ("refuse", WHY)):
        yield post(f"companies.{act}", Permission.COMPANIES_REVIEW, VILLAGE, why, company_id="company")
    yield post("companies.close", Permission.COMPANIES_REVIEW, VILLAGE, WHY, company_id="active_company")
    yield post("companies.invite", Permission.COMPANIES_REVIEW, VILLAGE, company_id="active_company")
    yield post("companies.unmask", Permission.COMPANIES_REVIEW, VILLAGE, form(purpose="call"), company_id="company")
    for page in ("index", "staff", "template", "applications", "new_application"):
        yield get(f"company.{page}", Permission.COMPANY_OWN)
    yield post("company.seen", Permission.COMPANY_OWN)
    yield post(
        "company.add",
        Permission.COMPANY_OWN,
        "",
        form(client_id=fresh_id, kind="person", name=name(9), id_number=resident_id(9)),
    )
    only = "only company"
    yield post("company.remove", Permission.COMPANY_OWN, "", member_id="member")
    yield post(
        "company.upload",
        Permission.COMPANY_OWN,
        "",
        form(file=file("a.csv", f"姓名,证件号码\n{name(9)},{resident_id(9)}\n")),
    )
    yield get("company.preview", Permission.COMPANY_OWN, only, import_id="import")
    yield get("company.wrong_rows", Permission.COMPANY_OWN, only, import_id="import")
    yield post("company.confirm", Permission.COMPANY_OWN, only, form(whole="0"), import_id="import")
    plan = {"plan": "车间两班倒，住厂区宿舍", "first_day": TODAY.isoformat(), "last_day": TODAY.isoformat()}
    yield post(
        "company.apply",
        Permission.COMPANY_OWN,
        "",
        form(client_id=fresh_id, kind="staff", members=thing("member"), **plan),
    )
    yield get("company.application", Permission.COMPANY_OWN, only, approval_id="company_approval")
    more = form(client_id=fresh_id, members=thing("member"))
    yield post("company.apply_too", Permission.COMPANY_OWN, only, more, approval_id="company_approval")
    yield post("company.reply", Permission.COMPANY_OWN, only, form(text="厂区宿舍"), approval_id="asked_approval")
    yield post("company.withdraw", Permission.COMPANY_OWN, only, approval_id="company_approval")


def _channels() -> Iterator[Row]:
    hook = {"kind": "webhook", "address": "http://127.0.0.1:9/x", "label": "群", "lowest_tier": "red", "language": "zh"}
    yield get("channels.index", Permission.CHANNELS_OWN)
    yield post("channels.add", Permission.CHANNELS_OWN, "", form(**hook))
    yield get("channels.divisions", Permission.CHANNELS_WRITE)
    yield post(
        "channels.add_for_division",
        Permission.CHANNELS_WRITE,
        "",
        form(**hook, division_code=VILLAGE, division_text=""),
    )
    for act in ("remove", "switch_on", "switch_off", "try_channel"):
        yield post(f"channels.{act}", Permission.CHANNELS_OWN, "only village", target_id="target")
    yield get("channels.undelivered", Permission.CHANNELS_WRITE)
    for act in ("retry_company", "discard_company"):
        yield post(f"channels.{act}", Permission.CHANNELS_WRITE, TOWN, target_id="company_target")
    for act in ("retry", "discard"):
        yield post(f"channels.{act}", Permission.CHANNELS_WRITE, VILLAGE, target_id="division_target")
    yield get("channels.push_key", Permission.CHANNELS_OWN)
    yield post("channels.subscribe", Permission.CHANNELS_OWN, "", form(subscription="{}"))
    yield post("channels.unsubscribe", Permission.CHANNELS_OWN, "", form(subscription="{}"))


def _command() -> Iterator[Row]:
    for endpoint in (
        "command.index", "command.explain", "command.versions", "inquiries.index", "watching.index", "work.index",
        "work.decisions", "work.sources", "health.standing",
    ):  # fmt: skip
        yield get(endpoint, Permission.COMMAND_READ, "site")
    yield get("command.version", Permission.COMMAND_READ, "site", list_id="list")
    yield get("inquiries.one", Permission.COMMAND_READ, "site", inquiry_id="inquiry")
    yield Row("work.one", "GET", Permission.COMMAND_READ, "site", {"version": "published"})
    yield Row("watching.rule", "GET", Permission.COMMAND_READ, "site", {"name": "rule"})
    yield post("command.upload", Permission.LISTS_WRITE, "site", form(file=file("national.csv", NATIONAL)))
    yield get("command.ask_withdraw", Permission.LISTS_WRITE, "site", list_id="published")
    yield post("command.publish_version", Permission.LISTS_WRITE, "site", form(collapsed_is_right="1"), list_id="list")
    yield post("command.withdraw_version", Permission.LISTS_WRITE, "site", list_id="published")
    yield post("api_lists.upload", Permission.LISTS_WRITE, "site", form(file=file("national.csv", NATIONAL)))
    yield post("api_lists.publish", Permission.LISTS_WRITE, "site", list_id="list")
    yield post("api_lists.withdraw", Permission.LISTS_WRITE, "site", list_id="published")
    source = {"name": "另一个", "url": "https://127.0.0.1/x", "interval_minutes": "60", "silent_hours": "24"}
    yield post("work.add_source", Permission.LISTS_WRITE, "site", form(**source))
    for act in ("remove_source", "fetch_source"):
        yield post(f"work.{act}", Permission.LISTS_WRITE, "site", feed_id="feed")
    yield post("work.switch_source", Permission.LISTS_WRITE, "site", form(active="0"), feed_id="feed")
    yield post("work.look_at", Permission.LISTS_WRITE, "site", finding_id="finding")
    yield post("watching.change", Permission.WATCH_WRITE, "site", form(tier="yellow", enabled="1"), name="rule")
    listed = "姓名,证件号码\n"
    about = {"source": "某市", "case": "某案", "level": "red", "legal_basis": "传染病防治法"}
    days = {"valid_from": TODAY.isoformat(), "valid_until": TODAY.isoformat()}
    sent = form(**about, **days, file=file("list.csv", f"{listed}{name(9)},{resident_id(9)}\n"))
    yield post("inquiries.upload", Permission.LISTS_WRITE, "site", sent)
    columns = form(name="#1", document="#2", phone="", birth="", plate="")
    yield post("inquiries.confirm", Permission.LISTS_WRITE, "site", columns, inquiry_id="inquiry_draft")
    yield get("inquiries.wrong_rows", Permission.LISTS_WRITE, "site", inquiry_id="inquiry")
    yield get("inquiries.ask_withdraw", Permission.LISTS_WRITE, "site", inquiry_id="inquiry")
    yield post("inquiries.withdraw", Permission.LISTS_WRITE, "site", inquiry_id="inquiry")
    yield get("reviews.index", Permission.INQUIRIES_REVIEW, "site")
    yield get("reviews.one", Permission.INQUIRIES_REVIEW, "site", hit_id="hit")
    decided = form(decision="same", row=thing("hit_row"))
    yield post("reviews.decide", Permission.INQUIRIES_REVIEW, "site", decided, hit_id="hit")
    yield post("reviews.reveal", Permission.PEOPLE_UNMASK, "reviewer", form(purpose="review"), hit_id="hit")
    yield post("reviews.undo", Permission.INQUIRIES_REVIEW, "site")


def _joint() -> Iterator[Row]:
    joint = Permission.INQUIRIES_JOINT
    for endpoint in ("joint.index", "joint.new", "peers.index"):
        yield get(endpoint, joint, "site")
    for endpoint in ("joint.one", "joint.ask_finish"):
        yield get(endpoint, joint, "site", record_id="record")
    asked = form(
        request_id=fresh_id, peer=thing("peer"), level="red", legal_basis="传染病防治法", case="某案", question="是否在你处",
        valid_until=(TODAY + timedelta(days=7)).isoformat(), typed=f"{name(1)} {resident_id(1)}",
    )  # fmt: skip
    yield post("joint.ask", joint, "site", asked)
    yield post("joint.finish", joint, "site", record_id="record")
    yield get("peers.ask_revoke", joint, "site", peer_id="peer")
    yield post("peers.revoke", joint, "site", peer_id="peer")
    yield post("peers.add", joint, "site", introduction)
    yield post("peers.look", joint, "site", introduction)
    yield Row("api_joint.receive", "POST", None, "signed", body=lambda _world: {"data": b"x"})


def _patrols() -> Iterator[Row]:
    yield get("patrols.today", Permission.PATROLS_READ)
    yield get("patrols.point", Permission.PATROLS_READ, VILLAGE, point_id="point")
    yield get("patrols.photo", Permission.PATROLS_READ, VILLAGE, visit_id="visit")
    for endpoint in ("all_points", "all_routes", "sheet"):
        yield get(f"patrols.{endpoint}", Permission.PATROLS_WRITE)
    point = form(name="南湾路口", division_code=VILLAGE, division_text="", checkpoint="", latitude="", longitude="")
    yield post("patrols.add_point", Permission.PATROLS_WRITE, "", point)
    yield get("patrols.edit_point", Permission.PATROLS_WRITE, VILLAGE, point_id="point")
    yield post("patrols.change_point", Permission.PATROLS_WRITE, VILLAGE, point, point_id="point")
    yield Row("patrols.switch_point", "POST", Permission.PATROLS_WRITE, VILLAGE, {"point_id": "point", "act": "close"})
    yield post(
        "patrols.add_route",
        Permission.PATROLS_WRITE,
        "",
        form(name="南线", division_code=TOWN, division_text="", checkpoint=""),
    )
    yield get("patrols.route", Permission.PATROLS_WRITE, TOWN, route_id="route")
    stops: Made = lambda world: {"data": {f"order-{world['point']}": "1"}}  # noqa: E731 - the name of the field is the point's
    yield post("patrols.set_stops", Permission.PATROLS_WRITE, TOWN, stops, route_id="route")
    times = form(starts="15:00", window="60", weekdays=["0", "1"])
    yield post("patrols.add_time", Permission.PATROLS_WRITE, TOWN, times, route_id="route")
    yield post("patrols.remove_time", Permission.PATROLS_WRITE, TOWN, slot_id="slot")
    yield Row("patrols.switch_route", "POST", Permission.PATROLS_WRITE, TOWN, {"route_id": "route", "act": "close"})


def _gate() -> Iterator[Row]:
    scans = Permission.SCANS_WRITE
    yield get("gate.device", scans, "tablet alone")
    yield get("api_gate.snapshot", Permission.GATE_SNAPSHOT, "tablet")
    yield post("api_gate.roll_token", Permission.GATE_SNAPSHOT, "tablet alone")
    yield get("api_lane.show_lane", scans, "tablet")
    shift = body(shift_id=fresh_id, officer_id=thing("officer_user"), started_at=NOW.isoformat())
    yield post("api_lane.open_shift", scans, "tablet", shift)
    yield post(
        "api_lane.end_shift", scans, "tablet of the post", body(ended_at=LATER.isoformat()), shift_id="officer_shift"
    )
    test = {"test_id": fresh_id, "scan_id": thing("scan"), "result": "negative"}
    yield post(
        "api_lane.record_test",
        scans,
        "tablet of the post",
        body(**test, taken_at=NOW.isoformat(), read_at=LATER.isoformat()),
    )
    yield post("api_lane.register", scans, "tablet", declared(51))
    yield post(
        "api_lane.check_document", scans, "tablet of the post", body(scan_id=thing("scan"), id_number=resident_id(1))
    )
    yield get("api_lane.show_vehicle", scans, "tablet", vehicle_id="vehicle")
    vehicle = body(vehicle_id=thing("vehicle"), kind="car", opened_at=NOW.isoformat())
    yield post("api_lane.tell_vehicle", scans, "tablet of the post", vehicle)
    yield get("api_patrols.rounds", Permission.GATE_SNAPSHOT, "tablet alone")
    yield post("api_patrols.visit", scans, "tablet", visit)
    yield post("api_scans.scan", scans, "tablet", lambda world: {"json": scan(world)})
    yield post("api_scans.batch", scans, "tablet", batch)
    yield post(
        "api_scans.decide", scans, "tablet of the post", body(decision="admitted", note="已核实"), scan_id="scan"
    )
    yield post("api_carried.receive", scans, "tablet", carried_body)


def _public() -> Iterator[Row]:
    for endpoint in (
        "api.openapi", "applying.choose", "companies.form", "gate.shell", "gate.enrolment", "gate_shell.manifest",
        "gate_shell.reader", "gate_shell.worker", "health.healthz", "health.readyz", "health.metrics", "places.offline",
        "places.search", "styleguide.index", "traveller_shell.manifest", "traveller_shell.worker", "channels.worker",
    ):  # fmt: skip
        yield get(endpoint, None)
    yield Row("static", "GET", None, values={"filename": "css/base.css"})
    yield post("api_registrations.submit", None, "", declared(52))
    yield post("gate.enrol", None, "", form(code="WRONG"))
    for method in ("GET", "POST"):
        yield Row("applying.apply", method, None, values={"kind": "person"})
        yield Row("applying.withdraw", method, None, values={"key": "approval_key"})
        yield Row("commuters.apply", method, None)
        yield Row("commuters.give_up", method, None, values={"handle": "commuter"})
        yield Row("traveller.amend", method, None, values={"handle": "fresh_handle"}, body=trip(7))
        yield Row("traveller.withdraw", method, None, values={"handle": "fresh_handle"})
        yield Row("traveller.board", method, None, values={"handle": "board"}, body=trip(53))
        yield Row("traveller.declare", method, None, body=trip(54))
    yield get("applying.show", None, key="approval_key")
    yield get("applying.slip", None, key="approval_key")
    yield post("applying.reply", None, "", form(text="补充"), key="approval_key")
    yield get("companies.application", None, handle="company_handle")
    company = companies.new_company(9)
    fields = {"name": company.name, "credit_code": company.credit_code, "address": company.address}
    contact = {"contact_name": "陈明", "contact_phone": phone(9), "division_code": VILLAGE, "division_text": ""}
    yield post("companies.register", None, "", form(client_id=fresh_id, **fields, **contact))
    yield post("companies.reply", None, "", form(text="厂区内"), handle="company_handle")
    chosen = form(password=companies.PASSWORD, again=companies.PASSWORD)
    yield post("companies.choose_password", None, "", chosen, handle="company_handle")
    for page in ("index", "erased"):
        yield get(f"own_data.{page}", None, handle="handle")
    for act in ("copy", "erase", "keep"):
        yield post(f"own_data.{act}", None, "", form(client_id=fresh_id, document=resident_id(1)[-4:]), handle="handle")
    yield get("pass_reports.arrive", None, door="door")
    yield get("pass_reports.live", None, handle="handle")
    for act in ("appeal", "arrival", "health", "test"):
        yield post(f"pass_reports.{act}", None, handle="handle")
    yield get("traveller.show_pass", None, handle="handle")
    yield get("traveller.pass_code", None, handle="handle")


def rows() -> list[Row]:
    """The whole matrix."""
    parts = (
        _account, admin, _alerts, _persons, _applications, _companies, _channels, _command, _joint, _patrols, _gate, trail,
        _public, policy_and_coverage, standing,
    )  # fmt: skip
    return [row for part in parts for row in part()]
