"""Commuters: one form, a trip that stands, a pass that goes on, and one act that ends it."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert, AlertState
from checkpoint.approvals import commuters, commuters_office, service
from checkpoint.approvals.models import Approval, ApprovalStep
from checkpoint.audit.models import AuditEntry
from checkpoint.crossings.service import Scan, record_scan
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Pass, Registration, Stay, Traveller
from checkpoint.registrations.service import pass_keys
from checkpoint.risk.models import Assessment
from tests.factories import NOW, TODAY, people
from tests.factories.commuters import (
    ANYBODY,
    applied,
    approval_of,
    conditions,
    grant,
    grant_from_command,
    granted,
    holder,
    new,
    pass_of,
    trip_of,
)
from tests.factories.declarations import declaration
from tests.factories.divisions import FAR_AWAY, NEIGHBOUR, NEIGHBOUR_TOWN, OTHER_VILLAGE, VILLAGE
from tests.factories.lists import FENGJING, in_force

DAY = timedelta(days=1)


def live(registration_id: uuid.UUID) -> list[str]:
    query = select(Alert.kind).where(Alert.subject_id == registration_id, Alert.state != AlertState.RETRACTED.value)
    return list(db.session.scalars(query.order_by(Alert.kind)))


def test_who_applies_has_a_trip_with_a_colour_and_no_pass() -> None:
    in_force(FENGJING)
    approval = applied()
    trip = trip_of(approval)
    assert (trip.state, trip.tier, trip.destination_code) == ("applied", "red", VILLAGE)
    assert (approval.kind, approval.origin_code, approval.state) == ("commuter", NEIGHBOUR_TOWN, "open")
    assert approval.asked_conditions["binding"] is True
    assert db.session.scalars(select(Pass)).all() == []
    assert live(trip.id) == []
    assert db.session.scalars(select(Alert.kind)).all() == ["approval"]


def test_the_address_is_judged_as_it_was_written() -> None:
    in_force(FENGJING)
    elsewhere = trip_of(applied(2, origin={"code": NEIGHBOUR_TOWN, "text": "朱枫公路 88 号"}))
    assert trip_of(applied(1)).tier == "red"
    assert db.session.get_one(Assessment, elsewhere.assessment_id).reasons[0]["rule"] == "high_town"


def test_a_second_sending_is_the_first_application() -> None:
    first = new()
    one = commuters.apply(first, actor=ANYBODY, at=NOW)
    two = commuters.apply(first, actor=ANYBODY, at=NOW + timedelta(minutes=5))
    assert (two.approval.id, two.key, two.created) == (one.approval.id, one.key, False)
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 1
    assert db.session.scalar(select(func.count()).select_from(Traveller)) == 1


def test_a_trip_that_somebody_else_declared_never_takes_the_place_of_the_applied_one() -> None:
    """The identifier of an application is the client's: a declaration under the same one is another trip."""
    approval = applied()
    other = registrations.submit(
        Declaration.model_validate(declaration(2, client_id=str(approval.id))), actor=people.operator(), at=NOW
    )
    assert grant(approval).id != other.registration.id
    assert other.created


@pytest.mark.parametrize(
    ("origin", "code"),
    [({"code": VILLAGE}, "inside_site"), ({"text": "外星"}, "unresolved"), ({"code": "310000000000"}, "unresolved")],
)
def test_an_origin_that_cannot_be_judged_is_refused(origin: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        applied(origin=origin)
    assert [(one.field, one.code) for one in refused.value.errors] == [("origin", code)]
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 0


def test_a_refused_application_leaves_nothing_that_is_waited_for() -> None:
    approval = applied()
    service.refuse(approval.id, "请先隔离", actor=people.commander(), at=NOW)
    trip = trip_of(approval)
    assert trip.state == "withdrawn"
    assert db.session.scalars(select(Pass)).all() == []


def test_granted_it_has_a_pass_for_the_days_of_the_policy_and_no_news_for_the_village() -> None:
    in_force()
    trip = granted(at=NOW)
    issued = pass_of(trip)
    claims = pass_keys().read(issued.token, NOW).claims
    assert claims is not None
    assert (trip.state, trip.client_id) == ("declared", None)
    assert issued.expires_at == claims.expires_at > NOW + 7 * DAY
    assert claims.counties == (NEIGHBOUR[:6],)
    assert live(trip.id) == []


def test_the_pass_never_outlives_the_approval() -> None:
    until = NOW + timedelta(days=2, hours=3)
    trip = granted(conditions=conditions(until=until.isoformat()))
    assert pass_of(trip).expires_at == until


def test_a_paper_that_says_enough_gets_a_trip_when_it_is_granted() -> None:
    clerk = people.village_worker()
    person = declaration(3)
    paper = service.NewApplication(
        id=uuid.uuid4(),
        kind="commuter",
        division_code=VILLAGE,
        origin_code=FAR_AWAY,
        contact_name=person["name"],
        contact_phone=person["phone"],
        purpose="乍浦码头",
        conditions=conditions(),
        holders=[service.Holder(name=person["name"], id_type="resident_id", id_number=person["id_number"])],
        on_paper=True,
    )
    approval = service.apply(paper, actor=clerk, at=NOW).approval
    assert approval.registration_id is None
    trip = grant(approval)
    stay = db.session.scalars(select(Stay).where(Stay.registration_id == trip.id)).one()
    assert (trip.state, stay.code, stay.until) == ("declared", FAR_AWAY, TODAY)
    assert pass_of(trip).revoked_at is None


def test_a_paper_without_origin_cannot_be_granted_and_stays_open() -> None:
    person = declaration(3)
    paper = service.NewApplication(
        id=uuid.uuid4(),
        kind="commuter",
        division_code=VILLAGE,
        contact_name=person["name"],
        contact_phone=person["phone"],
        purpose="乍浦码头",
        conditions=conditions(),
        holders=[service.Holder(name=person["name"], id_type="resident_id", id_number=person["id_number"])],
        on_paper=True,
    )
    approval = service.apply(paper, actor=people.village_worker(), at=NOW).approval
    with pytest.raises(InvalidInput) as refused:
        grant(approval)
    assert "origin" in refused.value.errors[0].field
    db.session.expire_all()
    assert db.session.get_one(Approval, approval.id).state == "open"


def test_revoking_ends_pass_and_trip_in_one_act() -> None:
    in_force()
    tablet = people.tablet()
    trip = granted()
    token = pass_of(trip).token
    service.revoke(approval_of(trip).id, "疫情变化", actor=people.commander(), at=NOW + DAY)
    ended = pass_of(trip)
    assert (ended.revoked_at, ended.revoked_because) == (NOW + DAY, "withdrawn")
    assert trip_of(approval_of(trip)).state == "left"
    crossing = record_scan(Scan(uuid.uuid4(), token, NOW + DAY), actor=tablet.actor, at=NOW + DAY)
    assert (crossing.verdict, crossing.problem) == ("refuse", "withdrawn")


def test_the_commuter_gives_it_up_from_the_pass_and_nobody_else_can() -> None:
    trip, other = granted(1), granted(2)
    with pytest.raises(NotFound):
        commuters.give_up(trip.id, actor=holder(other), at=NOW)
    for _time in range(2):
        commuters.give_up(trip.id, actor=holder(trip), at=NOW)
    assert approval_of(trip).state == "withdrawn"
    assert pass_of(trip).revoked_at == NOW
    assert approval_of(other).state == "granted"


def test_a_standing_trip_is_neither_changed_nor_withdrawn_by_itself() -> None:
    trip = granted()
    with pytest.raises(Conflict):
        registrations.withdraw(trip.id, uuid.uuid4(), actor=holder(trip), at=NOW)
    with pytest.raises(Conflict):
        registrations.amend(trip.id, Declaration.model_validate(declaration(1)), actor=holder(trip), at=NOW)
    assert pass_of(trip).revoked_at is None


def test_a_county_is_withdrawn_in_one_act_and_nobody_else() -> None:
    town = people.town_worker()
    gone = [granted(number) for number in (1, 2)]
    kept = [
        granted(3, origin={"code": FAR_AWAY}),
        granted(4, destination={"code": OTHER_VILLAGE, "address": "新埭 1 号"}),
    ]
    waiting = applied(5)
    chosen = commuters_office.Chosen(county=NEIGHBOUR)
    assert commuters_office.counties(actor=town, at=NOW) == [(NEIGHBOUR, 2), (FAR_AWAY, 1)]
    assert commuters_office.number_of(chosen, actor=town, at=NOW) == 2
    with pytest.raises(Conflict):
        commuters_office.withdraw_all(chosen, "金山疫情", expected=3, actor=town, at=NOW)
    assert commuters_office.withdraw_all(chosen, "金山疫情", expected=2, actor=town, at=NOW) == 2
    assert [approval_of(one).state for one in gone] == ["revoked", "revoked"]
    assert [pass_of(one).revoked_because for one in gone] == ["withdrawn", "withdrawn"]
    assert [approval_of(one).state for one in kept] == ["granted", "granted"]
    db.session.expire_all()
    assert db.session.get_one(Approval, waiting.id).state == "open"
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "approval.revoke_all")).one()
    assert (entry.data or {})["number"] == 2
    assert commuters_office.number_of(chosen, actor=town, at=NOW) == 0


def test_many_passes_are_dead_at_once_and_the_trips_end_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commuters_office, "AT_ONCE", 1)
    monkeypatch.setattr(commuters_office, "FEW", 2)
    gone = [granted(number) for number in range(1, 6)]
    kept = granted(6, origin={"code": FAR_AWAY})
    town = people.town_worker()
    chosen = commuters_office.Chosen(county=NEIGHBOUR)
    assert commuters_office.withdraw_all(chosen, "金山疫情", expected=5, actor=town, at=NOW) == 5
    db.session.expire_all()
    assert [approval_of(one).state for one in gone] == ["revoked"] * 5
    assert all(pass_of(one).revoked_at == NOW for one in gone)
    steps = db.session.scalars(select(ApprovalStep).where(ApprovalStep.act == "revoked")).all()
    assert {step.text for step in steps} == {"金山疫情"}
    assert sorted(_trip_states(gone)) == ["declared", "declared", "declared", "left", "left"]
    system = people.operator()
    assert commuters_office.finish(actor=system, at=NOW, limit=100) == 3
    assert commuters_office.finish(actor=system, at=NOW, limit=100) == 0
    assert _trip_states(gone) == ["left"] * 5
    assert _trip_states([kept]) == ["declared"]
    assert pass_of(kept).revoked_at is None


def _trip_states(trips: Sequence[Registration]) -> list[str]:
    db.session.expire_all()
    return [db.session.get_one(Registration, one.id).state for one in trips]


def test_what_command_has_granted_a_town_does_not_take_back() -> None:
    town, command = people.town_worker(), people.commander()
    own, higher = granted(1), grant_from_command(applied(2))
    chosen = commuters_office.Chosen(county=NEIGHBOUR)
    assert commuters_office.number_of(chosen, actor=town, at=NOW) == 2
    assert commuters_office.number_in_reach(chosen, actor=town, at=NOW) == 1
    assert commuters_office.withdraw_all(chosen, "金山疫情", expected=1, actor=town, at=NOW) == 1
    assert (approval_of(own).state, approval_of(higher).state) == ("revoked", "granted")
    assert commuters_office.withdraw_all(chosen, "金山疫情", expected=1, actor=command, at=NOW) == 1
    assert approval_of(higher).state == "revoked"


def test_a_company_is_withdrawn_in_one_act() -> None:
    company = uuid.uuid4()
    theirs, other = granted(1, company_id=company), granted(2)
    command = people.commander()
    assert commuters_office.companies(actor=command, at=NOW) == [(company, 1)]
    chosen = commuters_office.Chosen(company_id=company)
    assert commuters_office.withdraw_all(chosen, "停工", expected=1, actor=command, at=NOW) == 1
    assert (approval_of(theirs).state, approval_of(other).state) == ("revoked", "granted")


def test_whoever_may_not_answer_may_not_withdraw_and_nobody_withdraws_everybody() -> None:
    granted()
    with pytest.raises(NotAllowed):
        commuters_office.withdraw_all(
            commuters_office.Chosen(county=NEIGHBOUR), "为什么", expected=1, actor=people.tablet().actor, at=NOW
        )
    with pytest.raises(InvalidInput):
        commuters_office.withdraw_all(commuters_office.Chosen(), "为什么", expected=1, actor=people.commander(), at=NOW)
    with pytest.raises(InvalidInput):
        commuters_office.withdraw_all(
            commuters_office.Chosen(county=NEIGHBOUR), " ", expected=1, actor=people.commander("two"), at=NOW
        )


def test_the_list_shows_masked_names_the_worst_colour_first() -> None:
    in_force(FENGJING)
    fine = granted(1, origin={"code": FAR_AWAY})
    red = granted(2)
    rows = commuters_office.listed(commuters_office.Chosen(), actor=people.town_worker(), at=NOW)
    assert [(one.registration_id, one.tier) for one in rows] == [(red.id, "red"), (fine.id, fine.tier)]
    assert all("*" in one.name for one in rows)
    assert commuters_office.listed(commuters_office.Chosen(), actor=people.stranger(), at=NOW) == []
