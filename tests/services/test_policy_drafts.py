"""A draft of the policy: what the dry run says is what publishing does, and nobody overwrites what they have not seen."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.registrations.models import Registration
from checkpoint.risk import drafts
from checkpoint.risk.models import Policy, PolicyDraft
from checkpoint.risk.policies import PolicyMoved, policy_in_force, publish_policy, withdraw_policy
from checkpoint.risk.policy import PolicyData, default_policy
from checkpoint.risk.service import ensure_state
from checkpoint.surveillance import policy_impact
from checkpoint.surveillance.models import PolicyImpact
from checkpoint.surveillance.policy_impact import count_waiting_drafts, dry_run
from tests.factories import NOW, people
from tests.factories.declarations import stay
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_TOWN, OTHER_VILLAGE, TOWN
from tests.factories.inside import follow_up, let_in, put, register
from tests.services.test_reassessment import WUHAN

LATER = NOW + timedelta(hours=1)


def _policy(**changes: Any) -> PolicyData:
    return PolicyData.model_validate(default_policy().model_dump(mode="json") | changes)


def _draft(**changes: Any) -> PolicyDraft:
    return drafts.make_draft(_policy(**changes), ensure_state(NOW).policy_id, actor=people.operator(), at=NOW)


def _people() -> list[Registration]:
    put(WUHAN)
    found = [
        let_in(people.tablet(), 1, stays=[stay(NEIGHBOUR_TOWN)]),
        register(2, stays=[stay(NEIGHBOUR_TOWN)], destination={"code": OTHER_VILLAGE, "address": "新埭 1 号"}),
        register(3),
    ]
    follow_up()
    return found


def test_the_dry_run_is_what_publishing_then_does() -> None:
    trips = _people()
    draft = _draft(yellow_from=10)
    shown = dry_run(draft.id, at=LATER)
    assert (shown.people, shown.raised, shown.lowered, shown.counted_at) == (3, 2, 0, LATER)
    assert shown.towns == {TOWN: {("green", "yellow"): 1}, OTHER_TOWN: {("green", "yellow"): 1}}
    assert {one.registration_id for one in shown.some} == {trip.id for trip in trips[:2]}
    assert set(db.session.scalars(select(Registration.tier))) == {"green"}
    made = drafts.publish_draft(draft.id, "试运行一周", actor=people.operator(), at=LATER)
    assert (made.version, made.reason, policy_in_force()) == (2, "试运行一周", made)
    follow_up(LATER)
    assert sorted(db.session.scalars(select(Registration.tier))) == ["green", "yellow", "yellow"]
    assert db.session.scalar(select(func.count()).select_from(PolicyImpact)) == 0
    purposes = db.session.scalars(select(AuditEntry.purpose).where(AuditEntry.act == "policy.publish")).all()
    assert purposes == ["试运行一周"]
    withdraw_policy(made.id, actor=people.operator(), at=LATER, reason="过严")
    follow_up(LATER)
    assert set(db.session.scalars(select(Registration.tier))) == {"green"}


def test_measures_that_alone_would_change_are_counted_too() -> None:
    _people()
    measures = default_policy().model_dump(mode="json")["measures"]
    measures[2]["test_days"] = [1, 2]
    shown = dry_run(_draft(measures=measures).id, at=LATER)
    assert (shown.changes, shown.measures) == ({}, 2)


def test_many_people_are_counted_by_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    _people()
    monkeypatch.setattr(policy_impact, "AT_ONCE", 2)
    draft = _draft(yellow_from=10)
    assert dry_run(draft.id, at=NOW).counted_at is None
    assert count_waiting_drafts(LATER) == 1
    assert (dry_run(draft.id, at=LATER).raised, count_waiting_drafts(LATER)) == (2, 0)
    register(4)
    put(WUHAN, at=LATER, source="later")  # what is in force has changed: the old count says nothing any more
    assert dry_run(draft.id, at=LATER).people == 4


def test_two_who_look_at_once_keep_one_count(app: Flask) -> None:
    _people()
    draft_id = _draft(yellow_from=10).id
    db.session.remove()
    together, found = Barrier(2), []

    def look() -> None:
        with app.app_context():
            together.wait(10)
            found.append(dry_run(draft_id, at=LATER).raised)

    threads = [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [2, 2]
    assert db.session.scalar(select(func.count()).select_from(PolicyImpact)) == 1


def test_the_second_of_two_editors_is_told_and_may_look_again() -> None:
    mine, theirs = _draft(red_from=90), _draft(red_from=95)
    command = people.operator()
    drafts.publish_draft(theirs.id, "先到", actor=command, at=NOW)
    with pytest.raises(PolicyMoved):
        drafts.publish_draft(mine.id, "后到", actor=command, at=LATER)
    assert db.session.scalar(select(func.count()).select_from(Policy)) == 2
    again = drafts.rebase(mine.id, actor=command, at=LATER)
    with pytest.raises(NotFound):
        drafts.draft_of(mine.id)
    assert drafts.publish_draft(again.id, "看过了", actor=command, at=LATER).data["red_from"] == 90


@pytest.mark.parametrize("reason", ["", "  ", "长" * 301])
def test_publishing_needs_a_reason_that_fits(reason: str) -> None:
    draft = _draft(red_from=90)
    with pytest.raises(InvalidInput):
        drafts.publish_draft(draft.id, reason, actor=people.operator(), at=NOW)
    assert [one.id for one in drafts.drafts()] == [draft.id]


def test_drafts_are_thrown_away_or_go_with_time_and_only_by_those_who_may() -> None:
    draft, old = _draft(red_from=90), _draft(red_from=91)
    drafts.discard(draft.id, actor=people.operator(), at=NOW)
    drafts.discard(draft.id, actor=people.operator(), at=NOW)
    assert [one.id for one in drafts.drafts()] == [old.id]
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.act == "policy.discard")).all()) == 1
    drafts.make_draft(_policy(), old.base_id, actor=people.operator(), at=NOW + timedelta(days=31))
    assert len(drafts.drafts()) == 1
    assert drafts.drafts()[0].id > old.id  # a number that somebody may have open never comes to mean another draft
    village = people.village_worker()
    newest = drafts.drafts()[0].id
    for act in (
        lambda: drafts.make_draft(_policy(), old.base_id, actor=village, at=NOW),
        lambda: drafts.publish_draft(newest, "x", actor=village, at=NOW),
        lambda: drafts.discard(newest, actor=village, at=NOW),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_the_same_policy_again_changes_nothing() -> None:
    first = publish_policy(_policy(red_from=90), actor=people.operator(), at=NOW)
    draft = _draft(red_from=90)
    assert drafts.publish_draft(draft.id, "同上", actor=people.operator(), at=LATER).id == first.id
    assert drafts.drafts() == []
