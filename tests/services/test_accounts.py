"""Accounts: who gets in, who is kept out, and what each act leaves in the audit trail."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from checkpoint.accounts import invitations, queries, service, sessions
from checkpoint.accounts.models import ApiToken, Role, User
from checkpoint.accounts.passwords import hash_password, matches, random_password
from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.accounts.tokens import actor_for_token, forget_cached
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotFound
from tests.factories import NOW, people
from tests.factories.divisions import OTHER_TOWN, SITE, TOWN, VILLAGE

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def wrong_fields(error: pytest.ExceptionInfo[InvalidInput]) -> set[str]:
    return {item.field for item in error.value.errors}


def test_a_password_is_random_legible_and_kept_as_argon2id() -> None:
    first, second = random_password(), random_password()
    assert first != second
    assert len(first) == 19
    assert not set(first) & set("il0o1")
    stored = hash_password(first)
    assert stored.startswith("$argon2id$")
    assert matches(stored, first)
    assert not matches(stored, second)
    assert not matches(None, first)


def test_a_new_user_signs_in_with_the_password_that_was_shown_once() -> None:
    made = service.create_user("Li.Na", Role.VILLAGE, VILLAGE, actor=people.operator(), at=NOW, name="李娜")
    assert made.user.login == "li.na"
    assert made.password not in made.user.password_hash
    signed_in = service.authenticate("LI.NA ", made.password, HOME, at=NOW)
    assert signed_in is not None
    assert signed_in.id == made.user.id
    assert acts() == ["user.create"]
    opened = sessions.open_session(signed_in, at=NOW, agent="", address=HOME)
    assert signed_in.last_login_at == NOW
    assert sessions.find(opened.key, at=NOW) is not None
    assert acts() == ["user.create", "user.sign_in"]


@pytest.mark.parametrize(
    ("login", "role", "division", "fields"),
    [
        ("x", Role.VILLAGE, VILLAGE, {"login"}),
        ("two words", Role.VILLAGE, VILLAGE, {"login"}),
        ("-dash", Role.VILLAGE, VILLAGE, {"login"}),
        ("a" * 65, Role.VILLAGE, VILLAGE, {"login"}),
        ("fine", "king", VILLAGE, {"role"}),
        ("fine", Role.INTEGRATION, VILLAGE, {"role"}),
        ("fine", Role.VILLAGE, "330482999999", {"division"}),
        ("fine", Role.VILLAGE, "", {"division"}),
        ("", "", "x", {"login", "role", "division"}),
    ],
)
def test_every_wrong_field_of_a_new_user_is_named(login: str, role: str, division: str, fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as error:
        service.create_user(login, role, division, actor=people.operator(), at=NOW)
    assert wrong_fields(error) == fields
    assert db.session.scalars(select(User)).all() == []


def test_a_login_is_taken_once_in_any_case() -> None:
    people.user("worker")
    with pytest.raises(InvalidInput) as error:
        service.create_user("Worker", Role.TOWN, TOWN, actor=people.operator(), at=NOW)
    assert wrong_fields(error) == {"login"}


def test_nobody_is_given_a_division_outside_the_givers_own() -> None:
    town = people.town_worker(TOWN)
    with pytest.raises(InvalidInput) as error:
        service.create_user("friend", Role.TOWN, OTHER_TOWN, actor=town, at=NOW)
    assert [item.code for item in error.value.errors] == ["outside"]


def test_users_of_another_jurisdiction_are_not_there() -> None:
    mine = people.user("mine", division=VILLAGE)
    other = people.user("other", Role.TOWN, OTHER_TOWN)
    town = people.town_worker(TOWN)
    assert {user.login for user in queries.users(town)} == {"mine", "town"}
    assert queries.user(town, mine.id) is mine
    for verb in (invitations.invite, service.deactivate):
        with pytest.raises(NotFound):
            verb(other.id, actor=town, at=NOW)


@pytest.mark.parametrize("login", ["village", "nobody"])
def test_a_wrong_password_and_an_unknown_login_look_alike(login: str) -> None:
    people.user("village")
    assert service.authenticate(login, "wrong", HOME, at=NOW) is None


def test_a_deactivated_user_cannot_sign_in_and_can_again_when_reactivated() -> None:
    user = people.user("village")
    chief = people.commander()
    key = sessions.open_session(user, at=NOW, agent="", address=HOME).key
    service.deactivate(user.id, actor=chief, at=NOW)
    assert service.authenticate("village", people.PASSWORD, HOME, at=NOW) is None
    assert sessions.find(key, at=NOW) is None
    service.set_active(user.id, True, actor=chief, at=NOW)
    assert service.authenticate("village", people.PASSWORD, HOME, at=NOW) is not None
    assert sessions.find(key, at=NOW) is None, "the sessions from before stay ended"


def test_nobody_deactivates_themselves() -> None:
    chief = people.commander()
    assert chief.id is not None
    with pytest.raises(Conflict):
        service.deactivate(chief.id, actor=chief, at=NOW)


def test_changing_the_own_password_needs_the_old_one() -> None:
    user = people.user("village")
    actor = people.actor_of(user)
    with pytest.raises(InvalidInput) as error:
        service.set_password(user.id, "wrong", "long enough now", actor=actor, at=NOW)
    assert wrong_fields(error) == {"old"}
    with pytest.raises(InvalidInput) as error:
        service.set_password(user.id, people.PASSWORD, "short", actor=actor, at=NOW)
    assert wrong_fields(error) == {"new"}
    with pytest.raises(NotFound):
        service.set_password(user.id, people.PASSWORD, "long enough now", actor=people.commander(), at=NOW)
    service.set_password(user.id, people.PASSWORD, "long enough now", actor=actor, at=NOW)
    assert service.authenticate("village", "long enough now", HOME, at=NOW) is not None


def test_guessing_is_slowed_down_without_locking_the_owner_out() -> None:
    people.user("village")
    for _attempt in range(5):
        assert service.authenticate("village", "guess", ELSEWHERE, at=NOW) is None
    with pytest.raises(TooManyAttempts) as error:
        service.authenticate("village", people.PASSWORD, ELSEWHERE, at=NOW)
    assert 1 <= error.value.retry_after <= 300
    assert service.authenticate("village", people.PASSWORD, HOME, at=NOW) is not None
    assert service.authenticate("other", "guess", ELSEWHERE, at=NOW) is None, "another account is another count"


def test_a_token_names_its_role_and_division_and_is_kept_as_a_hash() -> None:
    made = service.issue_token(Role.VILLAGE, VILLAGE, actor=people.operator(), at=NOW, label="屏幕")
    assert made.token.startswith("cpt_")
    assert made.token.encode() not in made.row.token_hash
    actor = actor_for_token(made.token, at=NOW)
    assert actor is not None
    assert (actor.kind, actor.id, actor.role, actor.division) == ("token", made.row.id, "village", VILLAGE)
    assert acts() == ["token.issue"]


@pytest.mark.parametrize("token", ["", "cpt_", "cpt_unknown", "cpd_unknown", "Bearer", "cpt_" + "x" * 5000, "cpt_\x00"])
def test_a_token_that_was_never_issued_is_nobody(token: str) -> None:
    assert actor_for_token(token, at=NOW) is None


def test_a_token_ends_when_it_expires() -> None:
    end = NOW + timedelta(days=1)
    made = service.issue_token(Role.INTEGRATION, SITE, actor=people.operator(), at=NOW, expires=end)
    assert actor_for_token(made.token, at=end - timedelta(seconds=1)) is not None
    forget_cached()
    assert actor_for_token(made.token, at=end) is None
    with pytest.raises(InvalidInput):
        service.issue_token(Role.INTEGRATION, SITE, actor=people.operator(), at=NOW, expires=NOW)


def test_a_revoked_token_is_dead_at_once_here() -> None:
    made = service.issue_token(Role.COMMAND, SITE, actor=people.operator(), at=NOW)
    assert actor_for_token(made.token, at=NOW) is not None
    service.revoke_token(made.row.id, actor=people.operator(), at=NOW)
    assert actor_for_token(made.token, at=NOW) is None
    service.revoke_token(made.row.id, actor=people.operator(), at=NOW)
    assert acts() == ["token.issue", "token.revoke"]


def test_a_token_that_another_process_revoked_is_dead_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [1000.0]
    monkeypatch.setattr("checkpoint.accounts.tokens.time.monotonic", lambda: seconds[0])
    made = service.issue_token(Role.COMMAND, SITE, actor=people.operator(), at=NOW)
    assert actor_for_token(made.token, at=NOW) is not None
    db.session.get_one(ApiToken, made.row.id).revoked_at = NOW
    db.session.commit()
    seconds[0] += 5
    assert actor_for_token(made.token, at=NOW) is None


def test_a_token_outside_the_actors_jurisdiction_is_not_there() -> None:
    made = service.issue_token(Role.TOWN, OTHER_TOWN, actor=people.operator(), at=NOW)
    with pytest.raises(NotFound):
        service.revoke_token(made.row.id, actor=people.town_worker(TOWN), at=NOW)
