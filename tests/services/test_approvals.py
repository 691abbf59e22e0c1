"""An application from the form to what is granted: who answers, who asks, who comes too late, and what nobody may see."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.alerts.models import Alert
from checkpoint.approvals import hooks, queries, service
from checkpoint.approvals.models import (
    Approval,
    ApprovalHolder,
    ApprovalKind,
    ApprovalPage,
    ApprovalState,
    ApprovalStep,
)
from checkpoint.approvals.service import Holder
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.risk.policy import PolicyData, default_policy
from checkpoint.risk.service import current_state
from tests.factories import NOW, people
from tests.factories.applications import DAY, DRIVER, applicant, applied, conditions, new, photo
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, SITE, TOWN, VILLAGE

HOUR = timedelta(hours=1)
LORRY = ApprovalKind.LORRY


def alerts() -> list[tuple[str, str]]:
    db.session.expire_all()
    query = (
        select(Alert.division_code, Alert.state).where(Alert.kind == "approval").order_by(Alert.created_at, Alert.id)
    )
    return [(code, state) for code, state in db.session.execute(query)]


def acts(approval_id: uuid.UUID) -> list[str]:
    return [step.act for step in queries.steps(approval_id)]


def test_village_then_town_then_command_and_each_hears_of_it_in_turn() -> None:
    village, town, command = people.village_worker(), people.town_worker(), people.commander()
    asked = applied(LORRY)
    assert (asked.state, asked.stage) == ("open", 5)
    assert asked.number.startswith("L220412-")
    assert alerts() == [(VILLAGE, "open")]
    assert asked.due_at == NOW + DAY
    for early in (town, command):
        assert [one.id for one in queries.waiting(early).mine] == []
        assert [one.id for one in queries.waiting(early).others] == [asked.id]
    with pytest.raises(NotAllowed):
        service.forward(asked.id, "", None, actor=town, at=NOW + HOUR)
    service.forward(asked.id, "厂里已确认", conditions(hours=["08:00", "18:00"]), actor=village, at=NOW + HOUR)
    assert alerts() == [(VILLAGE, "resolved"), (TOWN, "open")]
    with pytest.raises(NotAllowed):
        service.forward(asked.id, "", None, actor=village, at=NOW + HOUR)
    with pytest.raises(Conflict):  # command comes after
        service.grant(asked.id, None, actor=town, at=NOW + HOUR)
    service.forward(asked.id, "", None, actor=town, at=NOW + 2 * HOUR)
    assert [one.id for one in queries.waiting(command).mine] == [asked.id]
    with pytest.raises(Conflict):  # nobody comes after
        service.forward(asked.id, "", None, actor=command, at=NOW + 2 * HOUR)
    done = service.grant(asked.id, None, "按此执行", actor=command, at=NOW + 3 * HOUR)
    assert (done.state, done.stage, done.decided_by) == ("granted", 3, command.key)
    assert done.conditions is not None
    assert done.conditions["hours"] == ["08:00", "18:00"]  # the village's proposal went up with it
    assert alerts() == [(VILLAGE, "resolved"), (TOWN, "resolved"), (SITE, "resolved")]
    assert acts(asked.id) == ["applied", "forwarded", "forwarded", "granted"]
    written = [one.act for one in db.session.scalars(select(AuditEntry)) if one.act.startswith("approval")]
    assert written == ["approval.applied", "approval.forwarded", "approval.forwarded", "approval.granted"]
    # A second time by the same is harmless; somebody else is told.
    assert service.grant(asked.id, None, actor=command, at=NOW + 4 * HOUR).decided_at == NOW + 3 * HOUR
    with pytest.raises(Conflict):
        service.refuse(asked.id, "不行", actor=people.commander("second"), at=NOW + 4 * HOUR)


def test_the_same_form_again_is_the_same_application_with_the_same_link() -> None:
    form = new(pictures=(photo(),))
    first = service.apply(form, actor=applicant(form.id), at=NOW)
    again = service.apply(form, actor=applicant(form.id), at=NOW + HOUR)
    assert (first.created, again.created) == (True, False)
    assert (again.approval.id, again.key) == (first.approval.id, first.key)
    assert queries.by_key(first.key).id == form.id
    assert len(list(db.session.scalars(select(ApprovalHolder)))) == 1
    assert len(list(db.session.scalars(select(ApprovalPage)))) == 1
    assert alerts() == [(VILLAGE, "open")]
    # Who merely knows the identifier does not come to the link.
    with pytest.raises(Conflict):
        service.apply(new(id=form.id, contact_name="别人"), actor=applicant(form.id), at=NOW)
    with pytest.raises(NotFound):
        queries.by_key("A" * 22)


def test_nothing_personal_is_readable_in_the_tables() -> None:
    asked = applied(pictures=(photo(),))
    holder = queries.holders(asked.id)[0]
    assert (holder.name, holder.id_number, holder.phone) == ("周师傅", DRIVER.id_number, "+8613900000001")
    assert holder.id_number_hash == lookup_hash(keyring(), "document", f"resident_id:{DRIVER.id_number}")
    assert (asked.contact_name, asked.purpose) == ("周师傅", "给村里的厂送货")
    for sealed in (
        asked.contact_name_sealed,
        asked.purpose_sealed,
        holder.name_sealed or b"",
        holder.id_number_sealed or b"",
    ):
        assert sealed
        assert "周".encode() not in sealed
        assert b"310116" not in sealed
    page = queries.pages(asked.id)[0]
    assert queries.picture(people.village_worker(), asked.id, page.id)[:3] == b"\xff\xd8\xff"
    assert page.picture_sealed[13:16] != b"\xff\xd8\xff"


def test_asking_stops_the_clock_and_a_reply_starts_it_anew() -> None:
    village = people.village_worker()
    asked = applied()
    with pytest.raises(Conflict):
        service.reply(asked.id, "我先说", actor=applicant(asked.id), at=NOW)
    with pytest.raises(InvalidInput):
        service.ask(asked.id, " ", actor=village, at=NOW)
    service.ask(asked.id, "住在谁家？", actor=village, at=NOW + HOUR)
    assert (asked.state, asked.due_at) == ("asked", None)
    assert alerts() == [(VILLAGE, "resolved")]
    with pytest.raises(Conflict):  # nobody says yes over an open question
        service.forward(asked.id, "", None, actor=village, at=NOW + 2 * HOUR)
    once = uuid.uuid4()
    for _time in range(2):
        service.reply(asked.id, "住在我姐家", [photo()], actor=applicant(asked.id), at=NOW + 30 * HOUR, once=once)
    assert asked.state == "open"
    assert asked.due_at == NOW + 30 * HOUR + DAY
    assert alerts() == [(VILLAGE, "resolved"), (VILLAGE, "open")]
    assert acts(asked.id) == ["applied", "asked", "replied"]
    assert len(queries.pages(asked.id)) == 1
    assert queries.steps(asked.id)[2].text == "住在我姐家"


def test_nobody_else_replies_or_withdraws() -> None:
    asked, other = applied(), applied(holders=(Holder(plate="沪B99999"),))
    service.ask(asked.id, "住在谁家？", actor=people.village_worker(), at=NOW)
    for actor in (applicant(other.id), people.stranger(), people.actor_of(people.user("liaison", Role.COMPANY, TOWN))):
        with pytest.raises(NotFound):
            service.reply(asked.id, "是我", actor=actor, at=NOW)
        with pytest.raises(NotFound):
            service.withdraw(asked.id, actor=actor, at=NOW)


def test_another_jurisdiction_finds_nothing() -> None:
    asked = applied(division_code=OTHER_VILLAGE)
    for actor in (people.village_worker(), people.town_worker(), people.village_worker(SECOND_VILLAGE, "second")):
        assert queries.waiting(actor) == queries.Waiting([], [])
        with pytest.raises(NotFound):
            queries.one(actor, asked.id)
        for act in (
            lambda actor=actor: service.ask(asked.id, "？", actor=actor, at=NOW),
            lambda actor=actor: service.forward(asked.id, "", None, actor=actor, at=NOW),
            lambda actor=actor: service.refuse(asked.id, "不", actor=actor, at=NOW),
            lambda actor=actor: service.revoke(asked.id, "不", actor=actor, at=NOW),
        ):
            with pytest.raises(NotFound):
                act()
    with pytest.raises(NotAllowed):
        queries.one(people.tablet().actor, asked.id)


def test_silence_goes_up_and_the_town_may_then_answer_for_both() -> None:
    people.village_worker()
    town = people.town_worker()
    asked = applied()
    moved = escalate_overdue(actor=people.operator(), at=NOW + 2 * HOUR, policy=current_state(NOW).policy)
    assert moved == 1
    assert queries.escalated_to(asked) == 4
    assert [one.id for one in queries.waiting(town).mine] == [asked.id]
    done = service.grant(asked.id, None, actor=town, at=NOW + 3 * HOUR)
    assert (done.state, done.stage) == ("granted", 4)


def test_without_anybody_on_duty_in_the_village_the_town_is_asked_at_once() -> None:
    town = people.town_worker()
    asked = applied()
    assert [one.id for one in queries.waiting(town).mine] == [asked.id]


def test_command_answers_at_any_stage() -> None:
    asked = applied(LORRY)
    people.village_worker()
    assert service.grant(asked.id, None, actor=people.commander(), at=NOW).state == "granted"


def test_who_comes_second_is_told() -> None:
    first, second = people.village_worker(), people.village_worker(login="second")
    asked = applied()
    seen = asked.changed_at
    service.ask(asked.id, "几点到？", actor=first, at=NOW + HOUR, seen=seen)
    service.reply(asked.id, "八点", actor=applicant(asked.id), at=NOW + 2 * HOUR)
    with pytest.raises(Conflict):
        service.refuse(asked.id, "没有回答", actor=second, at=NOW + 3 * HOUR, seen=seen)
    assert queries.one(second, asked.id).state == "open"


def test_what_lets_red_people_in_goes_to_command_too() -> None:
    village, town = people.village_worker(), people.town_worker()
    asked = applied(conditions=conditions(covers="red"))
    service.forward(asked.id, "", None, actor=village, at=NOW)
    service.forward(asked.id, "", None, actor=town, at=NOW)
    assert asked.stage == 3
    narrowed = applied(conditions=conditions(covers="red"))
    service.forward(narrowed.id, "", None, actor=village, at=NOW)
    assert service.grant(narrowed.id, conditions(covers="yellow"), actor=town, at=NOW).state == "granted"


def test_a_town_as_a_whole_begins_at_the_town() -> None:
    asked = applied(division_code=TOWN)
    assert asked.stage == 4
    assert queries.waiting(people.village_worker()) == queries.Waiting([], [])


def test_refusing_needs_a_reason() -> None:
    village = people.village_worker()
    asked = applied()
    with pytest.raises(InvalidInput):
        service.refuse(asked.id, "", actor=village, at=NOW)
    done = service.refuse(asked.id, "住处在封控区", actor=village, at=NOW)
    assert done.state == "refused"
    assert queries.steps(asked.id)[-1].text == "住处在封控区"
    with pytest.raises(Conflict):
        service.withdraw(asked.id, actor=applicant(asked.id), at=NOW)


def test_the_applicant_takes_it_back_before_and_after() -> None:
    asked = applied()
    assert service.withdraw(asked.id, actor=applicant(asked.id), at=NOW).state == "withdrawn"
    assert alerts() == [(VILLAGE, "retracted")]
    assert service.withdraw(asked.id, actor=applicant(asked.id), at=NOW + HOUR).decided_at == NOW
    given = applied()
    service.grant(given.id, None, actor=people.commander(), at=NOW)
    assert service.withdraw(given.id, actor=applicant(given.id), at=NOW).state == "withdrawn"


def test_revoking_is_for_the_level_that_granted_and_those_above() -> None:
    village, town = people.village_worker(), people.town_worker()
    asked = applied()
    with pytest.raises(Conflict):
        service.revoke(asked.id, "太早", actor=town, at=NOW)
    service.forward(asked.id, "", None, actor=village, at=NOW)
    service.grant(asked.id, None, actor=town, at=NOW)
    with pytest.raises(NotAllowed):
        service.revoke(asked.id, "我不同意", actor=village, at=NOW)
    done = service.revoke(asked.id, "出发地新增病例", actor=town, at=NOW + HOUR)
    assert (done.state, done.changed_at) == ("revoked", NOW + HOUR)


def test_hooks_run_in_the_same_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_granted", {})
    monkeypatch.setattr(hooks, "_ended", {})
    heard: list[tuple[str, str]] = []

    def ended(approval: Approval, _actor: Actor, _at: Any) -> None:
        heard.append(("ended", approval.state))

    def fails(_approval: Approval, _actor: Actor, _at: Any) -> None:
        raise InvalidInput.one("pass", "impossible", "no pass")

    for _time in range(2):  # registered twice, called once
        hooks.when_ended(ApprovalKind.PERSON, ended)
    hooks.when_granted(ApprovalKind.PERSON, fails)
    command = people.commander()
    asked = applied()
    with pytest.raises(InvalidInput):
        service.grant(asked.id, None, actor=command, at=NOW)
    db.session.expire_all()
    assert (db.session.get_one(Approval, asked.id).state, acts(asked.id)) == ("open", ["applied"])
    service.refuse(asked.id, "不行", actor=command, at=NOW)
    service.withdraw(applied().id, actor=command, at=NOW)
    service.refuse(applied(LORRY).id, "不行", actor=command, at=NOW)  # of another kind
    assert heard == [("ended", "refused"), ("ended", "withdrawn")]


def test_holders_are_added_and_taken_off() -> None:
    asked = applied()
    second = Holder("李四", "passport", "E12345678")
    own = applicant(asked.id)
    assert len(service.add_holders(asked.id, [second, DRIVER], actor=own, at=NOW)) == 2
    command = people.commander()
    service.grant(asked.id, None, actor=command, at=NOW)
    with pytest.raises(Conflict):  # not by the applicant once it is granted
        service.add_holders(asked.id, [Holder(plate="沪C11111")], actor=own, at=NOW)
    assert len(service.add_holders(asked.id, [Holder(plate="沪C11111")], actor=command, at=NOW)) == 3
    gone = [one.id for one in queries.holders(asked.id) if one.plate]
    assert service.remove_holders(asked.id, [*gone, uuid.uuid4()], actor=own, at=NOW + HOUR) == 1
    assert service.remove_holders(asked.id, gone, actor=own, at=NOW + HOUR) == 0
    assert [one.plate for one in queries.holders(asked.id)] == [None, None]
    assert db.session.get_one(Approval, asked.id).changed_at == NOW + HOUR


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"division_code": "310116102000"}, "division"),
        ({"division_code": "330482000000"}, "division"),
        ({"division_code": "999999999999"}, "division"),
        ({"origin_code": "999999999999"}, "origin"),
        ({"contact_name": ""}, "contact_name"),
        ({"contact_phone": "12"}, "contact_phone"),
        ({"purpose": "  "}, "purpose"),
        ({"purpose": "长" * 1001}, "purpose"),
        ({"holders": ()}, "holders"),
        ({"holders": (Holder("周", "resident_id", "310116198001010051"),)}, "holders.0.id_number"),
        ({"holders": (DRIVER, Holder("周"))}, "holders.1.id_number"),
        ({"holders": (Holder(plate="?"),)}, "holders.0.plate"),
        ({"pictures": (b"not a picture",)}, "pictures"),
        ({"conditions": conditions(until=(NOW + 15 * DAY).isoformat())}, "conditions.until"),
        (
            {"conditions": conditions(**{"from": (NOW - 2 * DAY).isoformat(), "until": NOW.isoformat()})},
            "conditions.until",
        ),
        ({"conditions": conditions(until=(NOW - DAY).isoformat())}, "conditions"),
        ({"conditions": conditions(checkpoints=["NOWHERE"])}, "conditions.checkpoints"),
        ({"conditions": conditions(route={"from": None, "to": ["999999999999"], "stops": []})}, "conditions.route"),
        ({"conditions": conditions(days=[8])}, "conditions.days.0"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        applied(**changes)
    assert field in [error.field for error in caught.value.errors]
    assert list(db.session.scalars(select(Approval.id))) == []
    assert list(db.session.scalars(select(ApprovalStep.id))) == []


def test_the_policy_says_who_answers_and_old_policies_still_stand() -> None:
    policy = default_policy()
    old = policy.model_dump(mode="json")
    for name in ("approval_stages", "approval_longest_days", "approval_command_for_red"):
        del old[name]
    assert PolicyData.model_validate(old).stages_of("lorry") == ("village", "town", "command")
    changed = PolicyData.model_validate(old | {"approval_stages": {"lorry": ["command"]}})
    assert (changed.stages_of("lorry"), changed.stages_of("person")) == (("command",), ("village", "town"))
    with pytest.raises(ValueError, match="approval_stages"):
        PolicyData.model_validate(old | {"approval_stages": {"lory": ["town"]}})


def test_a_paper_is_taken_at_a_tablet_and_at_a_desk_only() -> None:
    paper = new(on_paper=True, pictures=(photo(), photo()))
    with pytest.raises(NotAllowed):
        service.apply(paper, actor=applicant(paper.id), at=NOW)
    tablet = people.actor_of(people.gate_officer())
    stored = service.apply(paper, actor=tablet, at=NOW).approval
    assert (stored.on_paper, stored.made_by, len(queries.pages(stored.id))) == (True, tablet.key, 2)
    assert ApprovalState(stored.state) is ApprovalState.OPEN
