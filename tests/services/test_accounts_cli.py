"""The command line of accounts: what scripts read stands alone on standard output."""

import json

import pytest
from click.testing import Result
from flask import Flask

from checkpoint import clock
from checkpoint.accounts import invitations, pins, posts, queries, service
from checkpoint.accounts.models import Role
from checkpoint.accounts.tokens import actor_for_token
from tests.factories import NOW, people
from tests.factories.divisions import FAR_AWAY, SITE, TOWN, VILLAGE


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def test_a_user_is_added_and_the_password_printed_alone(app: Flask) -> None:
    result = run(app, "users", "add", "lina", "--role", "village", "--division", VILLAGE, "--name", "李娜")
    assert result.exit_code == 0, result.output
    password = result.stdout.strip()
    assert service.authenticate("lina", password, "192.0.2.1", at=NOW) is not None
    assert "lina" in run(app, "users", "list").stdout


def test_with_invite_the_link_is_printed_alone(app: Flask) -> None:
    words = ("users", "add", "lina", "--role", "village", "--division", VILLAGE, "--invite")
    link = run(app, *words).stdout.removesuffix("\n")
    base, _slash, token = link.rpartition("/")
    assert base == f"{app.extensions['settings'].public_url}/invitation"
    newer = run(app, "users", "invite", "lina").stdout.strip().rpartition("/")[2]
    assert invitations.by_token(token, at=clock.now()) is None
    assert invitations.accept(newer, "long enough now", at=clock.now()).login == "lina"
    assert run(app, "users", "reset-second-step", "lina").exit_code == 0
    assert run(app, "users", "invite", "nobody").exit_code == 1


def test_a_token_is_narrowed_by_scopes(app: Flask) -> None:
    words = ("tokens", "issue", "--role", "town", "--division", TOWN, "--scope", "alerts.read", "--days", "2")
    actor = actor_for_token(run(app, *words).stdout.strip(), at=clock.now())
    assert actor is not None
    assert actor.permissions == {"alerts.read"}
    assert run(app, *words, "--scope", "users.write").exit_code == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("users", "add", "lina", "--role", "village", "--division", "1"), "division"),
        (("users", "add", "?", "--role", "village", "--division", VILLAGE), "login"),
        (("tokens", "issue", "--role", "town", "--division", "330482999999"), "division"),
        (("checkpoints", "add", "?", "名", "--kind", "port", "--division", TOWN), "code"),
        (("checkpoints", "add", "P1", "名", "--kind", "port", "--division", FAR_AWAY), "division"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(app: Flask, words: tuple[str, ...], named: str) -> None:
    result = run(app, *words)
    assert result.exit_code == 1
    assert f"{named}: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("role", list(Role))
def test_a_token_of_any_role_is_printed_alone(app: Flask, role: Role) -> None:
    result = run(app, "tokens", "issue", "--role", role.value, "--division", SITE)
    assert result.exit_code == 0, result.output
    actor = actor_for_token(result.stdout.removesuffix("\n"), at=NOW)
    assert actor is not None
    assert (actor.role, actor.division) == (role.value, SITE)


def test_a_token_is_revoked_by_the_id_in_the_list(app: Flask) -> None:
    made = service.issue_token(Role.TOWN, TOWN, actor=people.operator(), at=NOW, label="大屏")
    assert run(app, "tokens", "revoke", str(made.row.id)).exit_code == 0
    assert actor_for_token(made.token, at=NOW) is None
    assert run(app, "tokens", "revoke", "00000000-0000-0000-0000-000000000000").exit_code == 1
    assert run(app, "tokens", "list").exit_code == 0


def test_a_tablet_is_enrolled_at_once_or_by_a_code(app: Flask) -> None:
    people.checkpoint("G60")
    token = run(app, "devices", "enroll", "G60", "--token").stdout.removesuffix("\n")
    actor = actor_for_token(token, at=NOW)
    assert actor is not None
    assert actor.kind == "device"
    result = run(app, "devices", "enroll", "g60", "--label", "2号")
    address = result.stdout.splitlines()[0]
    code = address.rpartition("=")[2]
    assert address == posts.enrolment_url(app.extensions["settings"].public_url, code)
    missing = run(app, "devices", "enroll", "NONE", "--token")
    assert missing.exit_code == 1
    assert missing.stdout == ""


def test_checkpoints_are_added_and_listed_as_json(app: Flask) -> None:
    added = run(app, "checkpoints", "add", "g60", "平湖出口", "--kind", "expressway", "--division", TOWN)
    assert added.stdout.strip().endswith("/c/G60")
    assert json.loads(run(app, "checkpoints", "list", "--json").stdout) == [
        {"code": "G60", "name": "平湖出口", "kind": "expressway", "division": TOWN, "active": True}
    ]
    assert "G60" in run(app, "checkpoints", "list").stdout


def test_an_officer_gets_a_pin_beside_the_password_and_a_new_one_later(app: Flask) -> None:
    made = run(app, "users", "add", "wang", "--role", "officer", "--division", SITE, "--pin")
    password, first = made.stdout.split()
    officer, tablet = service.authenticate("wang", password, "10.0.0.1", at=NOW), people.tablet().actor
    assert officer is not None
    assert pins.check_pin(tablet, officer.id, first).login == "wang"
    second = run(app, "users", "pin", "wang").stdout.strip()
    assert pins.check_pin(tablet, officer.id, second).login == "wang"
    assert run(app, "users", "pin", "nobody").exit_code == 1
    refused = run(app, "users", "add", "clerk", "--role", "town", "--division", TOWN, "--pin")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert queries.user_by_login("clerk") is None
