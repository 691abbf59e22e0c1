"""Officers at the tablet: PINs, shifts on line and off line, hand-over."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from checkpoint.accounts import pins
from checkpoint.accounts.models import Role, User
from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.audit.models import AuditEntry
from checkpoint.crossings.lane_models import Shift
from checkpoint.crossings.shifts import OFFLINE_FOR, Opening, end_shift, open_shift
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.factories import NOW, people
from tests.factories.divisions import FAR_AWAY, SITE
from tests.factories.people import Tablet

PIN = "274951"


def officer(login: str = "wang", division: str = SITE) -> User:
    row = people.user(login, Role.OFFICER, division)
    pins.set_pin(row.id, actor=people.operator(), at=NOW, pin=PIN)
    return row


def sign_in(tablet: Tablet, who: User, pin: str | None = PIN, *, at: datetime = NOW, **more: Any) -> Shift:
    opening = Opening(more.get("shift_id") or uuid.uuid4(), who.id, pin, more.get("started_at") or at)
    return open_shift(opening, actor=tablet.actor, at=at).shift


@pytest.mark.parametrize("pin", ["12345", "1234567890123", "27495a", "111111", "123456", "987654", ""])
def test_a_pin_that_is_easy_or_no_pin_is_refused(pin: str) -> None:
    row = people.user("wang", Role.OFFICER, SITE)
    with pytest.raises(InvalidInput):
        pins.set_pin(row.id, actor=people.operator(), at=NOW, pin=pin)


def test_a_random_pin_has_six_digits_and_is_kept_as_argon2() -> None:
    row = people.user("wang", Role.OFFICER, SITE)
    made = pins.set_pin(row.id, actor=people.operator(), at=NOW)
    assert len(made.pin) == 6
    assert made.pin.isdigit()
    assert (db.session.get_one(User, row.id).pin_hash or "").startswith("$argon2id$")


def test_only_officers_have_a_pin() -> None:
    with pytest.raises(Conflict):
        pins.set_pin(people.user("clerk").id, actor=people.operator(), at=NOW)


def test_a_shift_begins_with_the_pin_and_again_changes_nothing() -> None:
    tablet, wang = people.tablet(), officer()
    shift = sign_in(tablet, wang)
    assert (shift.officer_id, shift.device_id, shift.proven, shift.offline) == (wang.id, tablet.device.id, True, False)
    again = sign_in(tablet, wang, "000999", shift_id=shift.id, at=NOW + timedelta(minutes=1))
    assert again.started_at == NOW
    assert len(db.session.scalars(select(Shift)).all()) == 1
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert acts.count("shift.open") == 1


def test_a_wrong_pin_opens_nothing_and_too_many_close_the_tablet() -> None:
    tablet, wang = people.tablet(), officer()
    other = people.tablet(tablet.checkpoint)
    for _attempt in range(8):
        with pytest.raises(InvalidInput):
            sign_in(tablet, wang, "274952")
    with pytest.raises(TooManyAttempts):
        sign_in(tablet, wang)
    assert sign_in(other, wang).proven  # the other tablet of the lane goes on


def test_who_takes_over_relieves_who_was_there_at_this_tablet_only() -> None:
    tablet, wang, li = people.tablet(), officer(), officer("li")
    other = people.tablet(tablet.checkpoint)
    first, elsewhere = sign_in(tablet, wang), sign_in(other, wang)
    later = NOW + timedelta(hours=6)
    second = sign_in(tablet, li, at=later)
    ended = {
        row.id: row.ended_at for row in db.session.scalars(select(Shift).execution_options(populate_existing=True))
    }
    assert ended == {first.id: later, elsewhere.id: None, second.id: None}


def test_off_line_an_officer_of_the_last_twelve_hours_is_vouched_for() -> None:
    tablet, wang, li = people.tablet(), officer(), officer("li")
    sign_in(tablet, wang)
    within, after = NOW + OFFLINE_FOR, NOW + OFFLINE_FOR + timedelta(seconds=1)
    assert sign_in(tablet, wang, None, at=after, started_at=within).proven
    assert not sign_in(tablet, wang, None, at=after, started_at=after).proven
    assert not sign_in(tablet, li, None, at=NOW).proven
    assert not sign_in(people.tablet(tablet.checkpoint), wang, None, at=NOW).proven


def test_the_end_of_a_shift_stays() -> None:
    tablet, wang = people.tablet(), officer()
    shift = sign_in(tablet, wang)
    end = NOW + timedelta(hours=8)
    assert end_shift(shift.id, end, actor=tablet.actor, at=end).shift.ended_at == end
    again = end_shift(shift.id, end + timedelta(hours=1), actor=tablet.actor, at=end + timedelta(hours=1))
    assert again.shift.ended_at == end
    with pytest.raises(NotFound):
        end_shift(shift.id, end, actor=people.tablet(tablet.checkpoint).actor, at=end)
    with pytest.raises(NotFound):
        end_shift(uuid.uuid4(), end, actor=tablet.actor, at=end)


def test_a_clock_that_was_set_back_ends_no_shift_before_it_began() -> None:
    tablet, wang = people.tablet(), officer()
    shift = sign_in(tablet, wang)
    ended = end_shift(shift.id, NOW - timedelta(hours=3), actor=tablet.actor, at=NOW + timedelta(minutes=1))
    assert ended.shift.ended_at == NOW


def test_officers_of_elsewhere_closed_accounts_and_people_are_not_let_in() -> None:
    tablet = people.tablet()
    wang = officer()
    closed = officer("zhao")
    closed.active = False
    db.session.commit()
    far = people.user("far", Role.OFFICER, FAR_AWAY)
    assert [one.login for one in pins.officers(tablet.actor)] == ["wang"]
    for somebody in (closed, far, people.user("clerk")):
        with pytest.raises(InvalidInput):
            sign_in(tablet, somebody)
    with pytest.raises(NotFound):
        sign_in(tablet, far, None)
    with pytest.raises(NotAllowed):
        open_shift(Opening(uuid.uuid4(), wang.id, PIN, NOW), actor=people.commander(), at=NOW)


def test_the_stamp_changes_with_the_pin() -> None:
    wang = officer()
    before = pins.stamp(wang)
    pins.set_pin(wang.id, actor=people.operator(), at=NOW, pin="580316")
    assert pins.stamp(wang) != before
