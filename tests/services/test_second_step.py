"""Invitations, sessions and the second step: what is kept, what opens, what ends."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from checkpoint.accounts import invitations, second_step, service, sessions, totp
from checkpoint.accounts.models import Invitation, RecoveryCode, Role, User, UserSession, UserTotp
from checkpoint.accounts.permissions import Permission, actor_for
from checkpoint.accounts.sessions import SignedIn
from checkpoint.accounts.tokens import actor_for_token, forget_cached
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.factories import NOW, people
from tests.factories.divisions import OTHER_TOWN, SITE, TOWN, VILLAGE

HOME = "192.0.2.77"
STEP = timedelta(seconds=totp.STEP_SECONDS)
CHOSEN = "long enough now"


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def opened(user: User) -> SignedIn:
    """A session of somebody who gave the password."""
    made = sessions.open_session(user, at=NOW, agent="", address=HOME)
    return SignedIn(user, made.session)


def secured(user: User) -> tuple[SignedIn, str, list[str]]:
    """Somebody who turned the second step on: the session, the secret, the recovery codes."""
    mine = opened(user)
    secret = second_step.begin(user.id, at=NOW)
    return mine, secret, second_step.confirm(mine, totp.code_at(secret, totp.step_of(NOW)), HOME, at=NOW)


def test_an_invitation_works_once_and_for_72_hours() -> None:
    made = invitations.invite_newcomer("lina", Role.VILLAGE, VILLAGE, actor=people.operator(), at=NOW)
    assert service.authenticate("lina", "", HOME, at=NOW) is None, "no password opens it before"
    assert made.token.encode() not in db.session.scalars(select(Invitation.token_hash)).all()
    assert invitations.by_token(made.token, at=NOW + timedelta(hours=72)) is None
    just_in_time = NOW + timedelta(hours=71)
    with pytest.raises(InvalidInput):
        invitations.accept(made.token, "short", at=just_in_time)
    assert invitations.accept(made.token, CHOSEN, at=just_in_time).login == "lina"
    assert service.authenticate("lina", CHOSEN, HOME, at=just_in_time) is not None
    with pytest.raises(Conflict):
        invitations.accept(made.token, "another password", at=just_in_time)
    recorded = [act for act in acts() if act != "user.sign_in_failed"]
    assert recorded == ["user.create", "user.invite", "user.accept_invitation"]


def test_a_new_invitation_ends_password_sessions_and_the_one_before() -> None:
    user = people.user("village")
    key = sessions.open_session(user, at=NOW, agent="", address=HOME).key
    chief = people.commander()
    first = invitations.invite(user.id, actor=chief, at=NOW)
    assert sessions.find(key, at=NOW) is None
    assert service.authenticate("village", people.PASSWORD, HOME, at=NOW) is None
    second = invitations.invite(user.id, actor=chief, at=NOW)
    assert invitations.by_token(first.token, at=NOW) is None
    assert invitations.by_token(second.token, at=NOW) is user
    invitations.revoke(user.id, actor=chief, at=NOW)
    assert invitations.by_token(second.token, at=NOW) is None


def test_a_session_lives_twelve_idle_hours_and_seven_days() -> None:
    user = people.user("village")
    made = sessions.open_session(user, at=NOW, agent="Firefox/140 (Windows NT 10.0)", address=HOME)
    assert made.key.encode() not in made.session.key_hash
    assert (made.session.device, made.session.address) == ("Firefox, Windows", "192.0.2.0/24")
    assert sessions.find(made.key, at=NOW + timedelta(hours=13)) is None
    for hours in range(10, 7 * 24, 10):
        found = sessions.find(made.key, at=NOW + timedelta(hours=hours))
        assert found is not None
        sessions.touch(found.session, at=NOW + timedelta(hours=hours))
    assert sessions.find(made.key, at=NOW + timedelta(days=7)) is None


def test_a_request_becomes_a_write_every_few_minutes_at_most() -> None:
    made = sessions.open_session(people.user("village"), at=NOW, agent="", address=HOME)
    seen = []
    for minutes in (1, 4, 6, 8):
        found = sessions.find(made.key, at=NOW + timedelta(minutes=minutes))
        assert found is not None
        sessions.touch(found.session, at=NOW + timedelta(minutes=minutes))
        seen.append(db.session.scalar(select(UserSession.seen_at)))
    assert seen == [NOW, NOW, NOW + timedelta(minutes=6), NOW + timedelta(minutes=6)]


def test_a_sign_in_under_way_does_not_survive_the_end_of_all_sessions() -> None:
    user = people.user("village")
    before = User(id=user.id, login=user.login, session_epoch=user.session_epoch)
    sessions.end_all(user.id, actor=people.commander(), at=NOW)
    late = sessions.open_session(before, at=NOW, agent="", address=HOME)
    assert sessions.find(late.key, at=NOW) is None


def test_no_code_opens_twice_and_one_step_early_or_late_is_forgiven() -> None:
    user = people.user("village")
    _mine, secret, _codes = secured(user)
    step = totp.step_of(NOW)
    cases = [
        (totp.code_at(secret, step), NOW, False),  # it turned the second step on
        (totp.code_at(secret, step + 1), NOW, True),  # the phone is ahead
        (totp.code_at(secret, step + 1), NOW + STEP, False),
        (totp.code_at(secret, step + 2), NOW + 3 * STEP, True),  # the phone is behind
        (totp.code_at(secret, step + 9), NOW + 4 * STEP, False),
    ]
    for code, at, opens in cases:
        assert second_step.check(user, code, HOME, at=at) is opens


def test_the_secret_is_sealed_and_the_recovery_codes_are_hashed() -> None:
    user = people.user("village")
    _mine, secret, codes = secured(user)
    row = db.session.scalars(select(UserTotp)).one()
    assert secret.encode() not in row.secret_sealed
    assert row.secret == secret
    kept = b"".join(db.session.scalars(select(RecoveryCode.code_hash)))
    assert all(code.encode() not in kept for code in codes)
    assert second_step.check_recovery(user, codes[3].upper(), HOME, at=NOW)
    assert not second_step.check_recovery(user, codes[3], HOME, at=NOW)
    assert second_step.codes_left(user.id) == 9


def test_turning_it_on_ends_the_other_sessions() -> None:
    user = people.user("village")
    other = sessions.open_session(user, at=NOW, agent="", address=HOME).key
    mine, _secret, _codes = secured(user)
    assert sessions.find(other, at=NOW) is None
    assert [row.id for row in sessions.listed(user.id, at=NOW)] == [mine.session.id]
    assert mine.session.has_code


def test_a_reset_is_for_others_of_the_own_jurisdiction() -> None:
    chief, far = people.commander(), people.stranger()
    user = people.user("village")
    secured(user)
    with pytest.raises(NotFound):
        second_step.reset(user.id, actor=far, at=NOW)
    with pytest.raises(Conflict):
        second_step.reset(user.id, actor=people.actor_of(user), at=NOW)
    assert second_step.is_on(user.id)
    second_step.reset(user.id, actor=chief, at=NOW)
    assert not second_step.is_on(user.id)
    assert sessions.listed(user.id, at=NOW) == []
    assert acts()[-1] == "user.second_step_reset"


def test_many_addresses_together_do_not_guess_a_code_and_recovery_still_opens() -> None:
    user = people.user("village")
    _mine, _secret, codes = secured(user)
    for number in range(50):
        second_step.check(user, "000000", f"198.51.100.{number}", at=NOW)
    with pytest.raises(second_step.throttle.TooManyAttempts):
        second_step.check(user, "000000", "203.0.113.9", at=NOW)
    assert second_step.check_recovery(user, codes[0], "203.0.113.9", at=NOW)


def test_a_token_may_less_than_its_role() -> None:
    made = service.issue_token(
        Role.TOWN, TOWN, actor=people.operator(), at=NOW, expires=NOW + timedelta(days=1), scopes=["alerts.read"]
    )
    actor = actor_for_token(made.token, at=NOW)
    assert actor is not None
    assert actor.permissions == {Permission.ALERTS_READ}
    assert made.row.last_used_at == NOW
    forget_cached()
    assert actor_for_token(made.token, at=NOW + timedelta(days=2)) is None


def test_nobody_gives_away_more_than_they_may() -> None:
    chief = people.commander()
    for role, division in ((Role.AUDITOR, SITE), (Role.TOWN, OTHER_TOWN[:4] + "00000000")):
        with pytest.raises(InvalidInput):
            service.issue_token(role, division, actor=chief, at=NOW)
    with pytest.raises(NotAllowed):
        service.issue_token(Role.TOWN, TOWN, actor=actor_for("token", people.user().id, Role.COMMAND, SITE), at=NOW)
