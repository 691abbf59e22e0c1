"""Reviews: both answers are remembered, everywhere, once; taken back within reach; nobody waits unseen."""

import threading
import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import service as alerts
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.crossmatch import reviews
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, NotAllowed, NotFound
from checkpoint.inquiries import queries, reviewing, service
from checkpoint.inquiries.lookup import shelf
from checkpoint.inquiries.models import HitDecision, Inquiry, InquiryHit, PairVerdict
from checkpoint.inquiries.reviewing import Order
from checkpoint.registrations.models import Registration
from tests.factories import NOW, inquiries, people
from tests.factories.declarations import name, phone, resident_id
from tests.factories.divisions import VILLAGE
from tests.factories.inside import register

LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _in_application(context: Flask) -> None:
    """Every test acts inside the application."""


def in_force(folder: Path, *rows: str, name: str = "list.csv") -> Inquiry:
    inquiry = inquiries.read(inquiries.write(folder, rows, name=name))
    shelf().forget()
    return inquiry


def slip(number: int) -> str:
    """A row with one wrong digit of a document and nothing else: for a reviewer."""
    return f",{resident_id(number)[:8]}9{resident_id(number)[9:]},,,"


def hits(inquiry: Inquiry) -> Sequence[InquiryHit]:
    query = select(InquiryHit).where(InquiryHit.inquiry_id == inquiry.id).order_by(InquiryHit.row_number, InquiryHit.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def hit(inquiry: Inquiry) -> InquiryHit:
    (only,) = hits(inquiry)
    return only


def say(one: InquiryHit, decision: HitDecision, actor: Actor) -> reviews.Decided:
    return reviews.decide(one.id, one.row_number, decision, actor=actor, at=LATER)


def told() -> list[tuple[str, str]]:
    rows = db.session.scalars(
        select(Alert).where(Alert.kind == "inquiry").order_by(Alert.id).execution_options(populate_existing=True)
    )
    return [(row.division_code, row.state) for row in rows]


def waiting(actor: Actor) -> int:
    return sum(one.number for one in reviewing.waiting(actor))


def test_the_same_tells_the_village_at_once_and_is_remembered(tmp_path: Path) -> None:
    trip = register(1)
    first = in_force(tmp_path, slip(1))
    chief = people.commander()
    assert (told(), waiting(chief)) == ([], 1)
    decided = say(hit(first), HitDecision.SAME, chief)
    assert (decided.decision, decided.is_mine) == ("same", True)
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == "inquiry"))
    assert (alert.subject_id, alert.division_code, alert.params["rule"]) == (trip.id, VILLAGE, "reviewed")
    assert (waiting(chief), queries.tallies([first.id])[first.id]) == (0, queries.Tally(1, 0))
    second = in_force(tmp_path, slip(1), name="second.csv")
    assert (hit(second).outcome, hit(second).rule) == ("alert", "reviewed")
    assert [state for _village, state in told()] == ["open", "open"]


def test_not_the_same_is_never_asked_again_in_either_direction(tmp_path: Path) -> None:
    register(1)
    first = in_force(tmp_path, slip(1))
    chief = people.commander()
    say(hit(first), HitDecision.OTHER, chief)
    second = in_force(tmp_path, slip(1), name="second.csv")  # a list meets somebody registered
    register(1)  # somebody who registers meets the lists
    assert (told(), waiting(chief), hits(second)) == ([], 0, [])


@pytest.mark.parametrize("decision", [HitDecision.SAME, HitDecision.OTHER])
def test_one_answer_settles_every_open_list(tmp_path: Path, decision: HitDecision) -> None:
    lists = [in_force(tmp_path, slip(1), name=f"{number}.csv") for number in range(3)]
    register(1)
    chief = people.commander()
    assert waiting(chief) == 3
    say(hit(lists[1]), decision, chief)
    assert waiting(chief) == 0
    assert {hit(one).decision for one in lists} == {decision.value}
    assert len(told()) == (3 if decision is HitDecision.SAME else 0)


def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    chief = people.commander()
    one = hit(inquiry)
    assert [say(one, HitDecision.SAME, chief).decided_at for _time in range(3)] == [LATER] * 3
    assert len(told()) == 1
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.act == "inquiry.review")).all()) == 1


def test_the_first_of_two_reviewers_stands(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    one, other = people.commander("one"), people.commander("other")
    say(hit(inquiry), HitDecision.OTHER, one)
    second = say(hit(inquiry), HitDecision.SAME, other)
    assert (second.decision, second.decided_by, second.is_mine) == ("other", one.key, False)
    assert told() == []


def test_two_reviewers_at_the_same_instant(app: Flask, tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    hit_id, row = hit(inquiry).id, hit(inquiry).row_number
    actors = {HitDecision.SAME: people.commander("one"), HitDecision.OTHER: people.commander("other")}
    db.session.remove()
    ready, answers = threading.Barrier(2), []

    def answer(decision: HitDecision) -> None:
        with app.app_context():
            ready.wait()
            answers.append(reviews.decide(hit_id, row, decision, actor=actors[decision], at=LATER))
            db.session.remove()

    threads = [threading.Thread(target=answer, args=(decision,)) for decision in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.decision for one in answers}) == 1
    assert sorted(one.is_mine for one in answers) == [False, True]
    assert len(told()) == (1 if answers[0].decision == "same" else 0)
    assert len(db.session.scalars(select(PairVerdict)).all()) == 1


@pytest.mark.parametrize("decision", [HitDecision.SAME, HitDecision.OTHER])
def test_an_answer_can_be_taken_back_and_given_again(tmp_path: Path, decision: HitDecision) -> None:
    register(1)
    lists = [in_force(tmp_path, slip(1), name=f"{number}.csv") for number in range(2)]
    chief = people.commander()
    decided = say(hit(lists[0]), decision, chief)
    assert not reviews.undo(decided.hit_id, decided.decided_at, actor=people.commander("other"), at=LATER)
    assert reviews.undo(decided.hit_id, decided.decided_at, actor=chief, at=LATER)
    assert not reviews.undo(decided.hit_id, decided.decided_at, actor=chief, at=LATER)
    assert waiting(chief) == 2
    assert {state for _village, state in told()} <= {"retracted"}
    assert db.session.scalars(select(PairVerdict)).all() == []
    say(hit(lists[1]), HitDecision.SAME, chief)
    assert [state for _village, state in told()].count("open") == 2


def test_what_the_village_has_resolved_stays_when_an_answer_is_taken_back(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    chief = people.commander()
    decided = say(hit(inquiry), HitDecision.SAME, chief)
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == "inquiry"))
    alerts.resolve(alert.id, "handled", None, actor=people.village_worker(), at=LATER)
    assert reviews.undo(decided.hit_id, decided.decided_at, actor=chief, at=LATER)
    assert told() == [(VILLAGE, "resolved")]


def test_behind_a_row_that_is_somebody_else_another_one_comes_up(tmp_path: Path) -> None:
    trip = register(1)
    wrong, other = slip(1), f",{resident_id(1)[:9]}9{resident_id(1)[10:]},,,"
    inquiry = in_force(tmp_path, wrong, other)
    chief = people.commander()
    first = hit(inquiry)
    first_row = first.row_number
    decided = say(first, HitDecision.OTHER, chief)
    assert hit(inquiry).row_number != first_row
    assert waiting(chief) == 1
    # the finger that pressed twice has answered for the row on screen, not for the one behind it
    again = reviews.decide(decided.hit_id, first_row, HitDecision.OTHER, actor=chief, at=LATER)
    assert (again.decision, again.is_mine, waiting(chief)) == ("other", True, 1)
    assert reviews.undo(decided.hit_id, decided.decided_at, actor=chief, at=LATER)
    assert (waiting(chief), hit(inquiry).row_number) == (1, first_row)
    say(hit(inquiry), HitDecision.OTHER, chief)
    reviews.decide(decided.hit_id, hit(inquiry).row_number, HitDecision.SAME, actor=chief, at=LATER)
    assert told() == [(VILLAGE, "open")]
    assert hit(inquiry).registration_id == trip.id


def test_who_is_not_meant_by_one_row_is_found_by_a_certain_one_later(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1), f",,{phone(50)},,")
    chief = people.commander()
    say(hit(inquiry), HitDecision.OTHER, chief)
    register(1, phone=phone(50))  # the only holder of a phone on the same list
    assert told() == [(VILLAGE, "open")]


def test_masks_and_words_in_place_of_a_number_name_nobody(tmp_path: Path) -> None:
    register(1)
    register(2, phone=phone(1))
    inquiry = in_force(tmp_path, f"{name(3)},无,{phone(1)},,")
    chief = people.commander()
    for one in hits(inquiry):
        say(one, HitDecision.OTHER, chief)
    second = in_force(tmp_path, f",无,{phone(1)},,", name="second.csv")
    assert len(hits(second)) == 2  # another person without a number is another person


def test_a_list_that_ends_clears_its_queue(tmp_path: Path) -> None:
    register(1)
    first, second = in_force(tmp_path, slip(1)), in_force(tmp_path, slip(1), name="second.csv")
    chief = people.commander()
    gone = hit(first)
    service.withdraw(first.id, actor=chief, at=LATER)
    assert waiting(chief) == 1
    assert queries.tallies([first.id])[first.id].reviews == 0
    with pytest.raises(Conflict):
        say(gone, HitDecision.SAME, chief)
    service.expire(second.valid_until + timedelta(days=1), actor=chief, at=LATER)
    assert (waiting(chief), reviewing.first(chief, Order.OLDEST)) == (0, None)


def test_the_queue_is_walked_in_both_orders(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        register(number, phone=phone(9))
    in_force(tmp_path, slip(1), slip(2), name="slips.csv")
    phones = in_force(tmp_path, f",,{phone(9)},,", name="phones.csv")
    chief = people.commander()
    for order in Order:
        for inquiry_id, number in ((None, 5), (phones.id, 3)):
            seen = [reviewing.first(chief, order, inquiry_id)]
            while seen[-1] is not None:
                one = db.session.get_one(InquiryHit, seen[-1])
                before, behind = reviewing.beside(chief, one, order, inquiry_id)
                assert before == (seen[-2] if len(seen) > 1 else None)
                assert reviewing.place(chief, one, order, inquiry_id) == len(seen) - 1
                seen.append(behind)
            assert len(set(seen[:-1])) == len(seen) - 1 == number
    scores = [db.session.get_one(InquiryHit, one).score for one in _walk(chief)]
    assert scores == sorted(scores, reverse=True)


def _walk(actor: Actor) -> list[uuid.UUID]:
    found, here = [], reviewing.first(actor, Order.STRONGEST)
    while here is not None:
        found.append(here)
        here = reviewing.beside(actor, db.session.get_one(InquiryHit, here), Order.STRONGEST)[1]
    return found


def test_only_reviewers_may_and_only_in_their_jurisdiction(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    town = people.town_worker()
    for attempt in (
        lambda: say(hit(inquiry), HitDecision.SAME, town),
        lambda: reviews.undo(hit(inquiry).id, NOW, actor=town, at=NOW),
        lambda: reviews.reveal(hit(inquiry).id, "review", actor=town, at=NOW),
        lambda: reviewing.waiting(town),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with transaction():
        hit(inquiry).division_code = "310116102005"
    chief = people.commander()
    with pytest.raises(NotFound):
        say(hit(inquiry), HitDecision.SAME, chief)
    with pytest.raises(NotFound):
        reviewing.one(chief, hit(inquiry).id)


def test_both_sides_are_opened_for_a_purpose_and_written_down(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    chief = people.commander()
    opened = reviews.reveal(hit(inquiry).id, "review", actor=chief, at=LATER)
    assert opened.registered.document == resident_id(1)
    assert opened.listed.document == slip(1).strip(",")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "people.unmask")).one()
    assert (entry.actor_id, entry.object_id, entry.purpose) == (str(chief.id), str(hit(inquiry).id), "review")
    service.withdraw(inquiry.id, actor=chief, at=LATER)
    with pytest.raises(NotFound):
        reviews.reveal(hit(inquiry).id, "review", actor=chief, at=LATER)


def test_command_is_told_when_nobody_looks(tmp_path: Path) -> None:
    register(1)
    register(2)
    inquiry = in_force(tmp_path, slip(1), slip(2))
    late = NOW + reviews.REVIEW_WITHIN
    assert reviews.remind(at=late - timedelta(minutes=1)) == 0
    assert reviews.remind(at=late) == 1
    assert reviews.remind(at=late) == 0
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == "inquiry_review"))
    assert (alert.state, alert.tier, alert.params["waiting"], alert.subject_id) == ("open", "red", 2, inquiry.id)
    chief = people.commander()
    for one in hits(inquiry):
        say(one, HitDecision.OTHER, chief)
    assert reviews.remind(at=late) == 1
    db.session.refresh(alert)
    assert alert.state == "retracted"


def test_a_hit_that_was_found_while_its_pair_was_answered_for_is_settled(tmp_path: Path) -> None:
    register(1)
    inquiry = in_force(tmp_path, slip(1))
    one = hit(inquiry)
    with transaction() as session:  # the answer was committed between the reader's question and its own commit
        session.add(
            PairVerdict(
                listed_hash=one.listed_hash, person_hash=one.person_hash, is_same=True, decided_at=NOW, decided_by="x"
            )
        )
    assert reviews.tend(at=LATER) == 1
    assert (hit(inquiry).decision, told()) == ("same", [(VILLAGE, "open")])
    assert reviews.tend(at=LATER) == 0


def test_nobody_is_alarmed_about_who_has_left(tmp_path: Path) -> None:
    trip = register(1)
    inquiry = in_force(tmp_path, slip(1))
    with transaction():
        db.session.get_one(Registration, trip.id).state = "left"
    say(hit(inquiry), HitDecision.SAME, people.commander())
    assert told() == []
    register(1)
    assert told() == [(VILLAGE, "open")]
