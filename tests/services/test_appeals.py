"""An appeal from the phone to the correction of everything that the wrong tier had caused, in one act."""

import io
import threading
import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, traveller_actor
from checkpoint.alerts import service as alerting
from checkpoint.alerts.models import Alert
from checkpoint.appeals import queries, service, tending
from checkpoint.appeals.models import Appeal
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.followups.queries import of_registration
from checkpoint.registrations import service as registrations
from checkpoint.registrations.models import Pass
from checkpoint.registrations.overrides import AssessmentOverride
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state
from tests.factories import NOW, lists, people
from tests.factories.declarations import negative_test
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, SITE, VILLAGE
from tests.factories.travelling import Inside, admitted, declared, scanned

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RED = {"origin": {"code": NEIGHBOUR_TOWN}, "tests": [negative_test()]}


def photo(width: int = 400, height: int = 300) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, "PNG")
    return out.getvalue()


def holder(receipt: registrations.Receipt) -> Inside:
    return Inside(receipt, traveller_actor(receipt.registration.id, SITE))


def appeal(person: Inside, *, at: datetime = NOW, picture: bytes | None = None) -> Appeal:
    return service.submit(
        person.id, uuid.uuid4(), "我四月一日起一直在嘉善，没有去过枫泾。", picture, actor=person.holder, at=at
    )


def states(kind: str) -> list[str]:
    db.session.expire_all()
    return list(db.session.scalars(select(Alert.state).where(Alert.kind == kind).order_by(Alert.created_at, Alert.id)))


def test_granting_corrects_everything_in_one_act() -> None:
    lists.in_force()
    tablet = people.tablet()
    person = holder(declared(**RED))
    assert scanned(person.receipt.issued.token, tablet).verdict == "hold"
    asked = appeal(person, picture=photo())
    [alert] = db.session.scalars(select(Alert).where(Alert.kind == "appeal"))
    assert (alert.division_code, alert.tier, alert.state) == (VILLAGE, "red", "open")
    assert alert.resolve_due == asked.due_at == datetime(2022, 4, 12, 16, tzinfo=NOW.tzinfo)  # midnight at the site
    assert alert.ack_due is not None
    assert alert.ack_due <= asked.due_at
    worker = people.village_worker()
    before = db.session.get_one(Assessment, person.row.assessment_id)
    done = service.grant(asked.id, "核实过轨迹，确未到过枫泾", actor=worker, at=NOW + HOUR)
    assert (done.state, done.tier_before, done.tier_after) == ("granted", "red", "green")
    # A new assessment, the old one untouched, and the fact that explains it.
    after = db.session.get_one(Assessment, person.row.assessment_id)
    assert (person.row.tier, after.cause, before.tier) == ("green", "appeal", "red")
    assert [reason["rule"] for reason in after.reasons] == ["set_aside"]
    override = db.session.scalars(select(AssessmentOverride)).one()
    assert (override.made_by, override.why, override.until) == (
        worker.key,
        "核实过轨迹，确未到过枫泾",
        NOW + HOUR + 14 * DAY,
    )
    # The old pass is replaced; the new one is green, and its stay no longer counts on a tablet off line.
    passes = {one.revoked_because: one for one in db.session.scalars(select(Pass))}
    assert set(passes) == {"replaced", None}
    reading = registrations.pass_keys().read(passes[None].token, NOW)
    assert reading.claims is not None
    assert (reading.claims.tier, reading.claims.counties) == ("green", ())
    assert scanned(person.receipt.issued.token, tablet, NOW + 2 * HOUR).problem == "replaced"
    assert scanned(passes[None].token, tablet, NOW + 2 * HOUR).verdict == "admit"
    assert states("registration") == ["retracted", "notice"]
    assert states("appeal") == ["resolved"]
    acts = [one.act for one in db.session.scalars(select(AuditEntry)) if one.act.startswith("appeal")]
    assert acts == ["appeal.grant"]
    # A second time is harmless.
    assert service.grant(asked.id, "again", actor=worker, at=NOW + 3 * HOUR).answered_at == NOW + HOUR


def test_somebody_inside_gets_the_plan_of_the_corrected_tier() -> None:
    lists.in_force()
    person = admitted(**RED)
    assert len([one for one in of_registration(person.id) if one.kind == "health_check"]) == 7
    service.grant(appeal(person).id, "查实", actor=people.village_worker(), at=NOW + HOUR)
    left = [one.kind for one in of_registration(person.id) if one.state == "open"]
    assert left == ["arrival_visit"]
    assert states("arrival") == ["retracted", "notice"]


def test_what_is_set_aside_stays_so_under_the_next_list_and_a_new_reason_counts() -> None:
    lists.in_force()
    person = holder(declared(**RED))
    service.grant(appeal(person).id, "查实", actor=people.village_worker(), at=NOW)

    def again(at: datetime) -> str:
        with transaction():
            return assess_again(
                locked(person.id), state=current_state(at), cause="scan", actor=people.operator(), at=at
            ).tier

    lists.in_force(lists.FENGJING, lists.JIASHAN_LOW, at=NOW + HOUR, source="second")
    assert again(NOW + HOUR) == "green"
    # Once its time is over it counts again, and the registration is looked at by itself.
    late = NOW + 15 * DAY
    lists.in_force(lists.FENGJING, at=late, source="third")
    assert tending.tend(late) == 1
    assert tending.tend(late) == 0
    assert (person.row.tier, db.session.get_one(Assessment, person.row.assessment_id).cause) == ("red", "override_end")


def test_nobody_can_vouch_for_what_is_not_known() -> None:
    person = holder(declared())  # no list is in force: yellow
    asked = appeal(person)
    with pytest.raises(InvalidInput):
        service.grant(asked.id, "没事", actor=people.village_worker(), at=NOW)
    assert (db.session.get_one(Appeal, asked.id).state, person.row.tier) == ("open", "yellow")


def test_refusing_needs_a_reason_that_the_traveller_reads() -> None:
    lists.in_force()
    person = holder(declared(**RED))
    asked = appeal(person)
    worker = people.village_worker()
    with pytest.raises(InvalidInput):
        service.refuse(asked.id, "  ", actor=worker, at=NOW)
    service.refuse(asked.id, "卡口录像显示到过", actor=worker, at=NOW + HOUR)
    [told] = queries.of_registration(person.id)
    assert (told.state, told.answer, person.row.tier, states("appeal")) == (
        "refused",
        "卡口录像显示到过",
        "red",
        ["resolved"],
    )
    with pytest.raises(Conflict):
        service.grant(asked.id, "其实可以", actor=worker, at=NOW + HOUR)
    appeal(person)  # with something new to say


def test_who_may_appeal_and_who_may_answer() -> None:
    lists.in_force()
    person, green = holder(declared(**RED)), holder(declared())
    asked = uuid.uuid4()
    with pytest.raises(NotFound):
        service.submit(person.id, asked, "我没有去过那里", None, actor=green.holder, at=NOW)
    with pytest.raises(Conflict):
        appeal(green)
    first = service.submit(person.id, asked, "我没有去过那里", None, actor=person.holder, at=NOW)
    assert service.submit(person.id, asked, "我没有去过那里", None, actor=person.holder, at=NOW).id == first.id
    with pytest.raises(Conflict):
        appeal(person)
    with pytest.raises(NotFound):
        service.grant(asked, "查实", actor=people.village_worker(OTHER_VILLAGE), at=NOW)
    with pytest.raises(NotAllowed):
        service.grant(asked, "查实", actor=people.tablet().actor, at=NOW)


def test_a_picture_is_made_anew_and_sealed() -> None:
    lists.in_force()
    person = holder(declared(**RED))
    with pytest.raises(InvalidInput):
        appeal(person, picture=b"<script>alert(1)</script>")
    asked = appeal(person, picture=photo(4000, 1000))
    stored = db.session.get_one(Appeal, asked.id).picture_sealed
    assert stored is not None
    assert b"JFIF" not in stored
    shown = queries.picture(people.village_worker(), asked.id)
    with Image.open(io.BytesIO(shown)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (1600, 400))
    with pytest.raises(NotFound):
        queries.picture(people.village_worker(OTHER_VILLAGE, "far"), asked.id)


def test_an_appeal_is_not_forgotten_when_its_alert_is_closed_and_ends_with_the_trip() -> None:
    lists.in_force()
    person = holder(declared(**RED))
    asked = appeal(person)
    worker = people.village_worker()
    alerting.resolve(asked.alert_id, "handled", None, actor=worker, at=NOW)
    assert tending.tend(NOW + HOUR) == 1
    assert states("appeal") == ["resolved", "open"]
    assert tending.tend(NOW + HOUR) == 0
    registrations.withdraw(person.id, uuid.uuid4(), actor=person.holder, at=NOW + HOUR)
    tending.tend(NOW + HOUR)
    assert db.session.get_one(Appeal, asked.id).state == "void"
    assert states("appeal") == ["resolved", "retracted"]


def test_answered_the_same_day_is_measured() -> None:
    lists.in_force()
    first, second = holder(declared(**RED)), holder(declared(**RED, name="李四"))
    one, _other = appeal(first), appeal(second)
    commander = people.commander()
    service.refuse(one.id, "不符", actor=people.village_worker(), at=NOW + HOUR)
    assert queries.answered(commander, NOW - DAY, NOW + HOUR) == queries.Answered(1, 1)
    assert queries.answered(commander, NOW - DAY, NOW + DAY) == queries.Answered(2, 1)


def test_late_in_the_evening_there_are_two_hours() -> None:
    late = datetime(2022, 4, 12, 15, 30, tzinfo=NOW.tzinfo)  # 23:30 at the site
    assert service.deadline(late, "Asia/Shanghai") == late + 2 * HOUR


def test_two_workers_answer_at_once_and_one_answer_stands(app: Flask) -> None:
    lists.in_force()
    person = holder(declared(**RED))
    asked = appeal(person).id
    workers = [people.village_worker(), people.town_worker()]
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def answer(grants: bool, actor: Actor) -> None:
        with app.app_context():
            ready.wait()
            try:
                if grants:
                    service.grant(asked, "查实", actor=actor, at=NOW + HOUR)
                else:
                    service.refuse(asked, "不符", actor=actor, at=NOW + HOUR)
                outcomes.append("granted" if grants else "refused")
            except Conflict:
                outcomes.append("late")
            db.session.remove()

    threads = [threading.Thread(target=answer, args=(number == 0, one)) for number, one in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("late") == 1
    db.session.expire_all()
    stands = db.session.get_one(Appeal, asked).state
    assert stands in outcomes
    assert person.row.tier == ("green" if stands == "granted" else "red")
    assert len(list(db.session.scalars(select(AssessmentOverride)))) == (1 if stands == "granted" else 0)
    assert len([one for one in db.session.scalars(select(Pass)) if one.revoked_at is None]) == 1
