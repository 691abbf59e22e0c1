"""Checkpoints and tablets: a code works once and for a short time, and turns into a token that only the tablet knows."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from checkpoint.accounts import posts, queries
from checkpoint.accounts.models import Checkpoint, CheckpointKind
from checkpoint.accounts.permissions import Permission
from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.accounts.tokens import actor_for_token
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotFound
from tests.factories import NOW, people
from tests.factories.divisions import OTHER_TOWN, SITE, TOWN

HOME = "192.0.2.1"


def announced(**options: timedelta) -> posts.NewDevice:
    post = queries.checkpoint_by_code("G60") or people.checkpoint("G60")
    return posts.create_device(post.code, actor=people.operator(), at=NOW, label="1号", **options)


def test_a_checkpoint_is_opened_with_its_code_in_capitals() -> None:
    post = posts.create_checkpoint(
        " g60-1 ", "平湖出口", CheckpointKind.EXPRESSWAY, TOWN, actor=people.operator(), at=NOW
    )
    assert post.code == "G60-1"
    assert queries.checkpoint_by_code("g60-1") is post


@pytest.mark.parametrize(
    ("code", "name", "kind", "division", "fields"),
    [
        ("A B", "名", CheckpointKind.PORT, TOWN, {"code"}),
        ("../x", "名", CheckpointKind.PORT, TOWN, {"code"}),
        ("卡口", "名", CheckpointKind.PORT, TOWN, {"code"}),
        ("OK1", "", CheckpointKind.PORT, TOWN, {"name"}),
        ("OK1", "长" * 65, CheckpointKind.PORT, TOWN, {"name"}),
        ("OK1", "名", "moat", TOWN, {"kind"}),
        ("OK1", "名", CheckpointKind.PORT, "000000000000", {"division"}),
        ("", "", "", "", {"code", "name", "kind", "division"}),
    ],
)
def test_every_wrong_field_of_a_checkpoint_is_named(
    code: str, name: str, kind: str, division: str, fields: set[str]
) -> None:
    with pytest.raises(InvalidInput) as error:
        posts.create_checkpoint(code, name, kind, division, actor=people.operator(), at=NOW)
    assert {item.field for item in error.value.errors} == fields
    assert db.session.scalars(select(Checkpoint)).all() == []


def test_a_code_becomes_a_token_once() -> None:
    made = announced()
    done = posts.enrol_device(made.code.lower().replace("-", " "), HOME, at=NOW + timedelta(minutes=5))
    assert done.token.startswith("cpd_")
    actor = actor_for_token(done.token, at=NOW + timedelta(minutes=5))
    assert actor is not None
    assert (actor.kind, actor.checkpoint_id, actor.division) == ("device", made.checkpoint.id, SITE)
    assert actor.may(Permission.SCANS_WRITE)
    assert not actor.may(Permission.PEOPLE_READ)
    with pytest.raises(NotFound):
        posts.enrol_device(made.code, HOME, at=NOW + timedelta(minutes=6))
    assert list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id))) == ["device.create", "device.enrol"]


def test_a_code_runs_out() -> None:
    made = announced(valid_for=timedelta(minutes=15))
    with pytest.raises(NotFound):
        posts.enrol_device(made.code, HOME, at=NOW + timedelta(minutes=15))


@pytest.mark.parametrize("valid_for", [timedelta(minutes=14), timedelta(hours=25)])
def test_a_code_lives_from_15_minutes_to_24_hours(valid_for: timedelta) -> None:
    with pytest.raises(InvalidInput):
        announced(valid_for=valid_for)


def test_guessing_codes_is_slowed_down() -> None:
    made = announced()
    for _attempt in range(20):
        with pytest.raises(NotFound):
            posts.enrol_device("AAAAA-AAAAA", HOME, at=NOW)
    with pytest.raises(TooManyAttempts):
        posts.enrol_device(made.code, HOME, at=NOW)
    assert posts.enrol_device(made.code, "198.51.100.7", at=NOW).device.id == made.device.id


def test_the_code_is_not_in_the_database() -> None:
    made = announced()
    assert made.device.enrol_hash is not None
    assert made.code.encode() not in made.device.enrol_hash
    assert made.code not in posts.enrolment_url("https://example.org", made.code).partition("#")[0]


def test_a_revoked_tablet_cannot_scan_and_its_code_is_dead() -> None:
    tablet = people.tablet()
    waiting = posts.create_device(tablet.checkpoint.code, actor=people.operator(), at=NOW)
    assert actor_for_token(tablet.token, at=NOW) is not None
    for device in (tablet.device, waiting.device):
        posts.revoke_device(device.id, actor=people.operator(), at=NOW)
    assert actor_for_token(tablet.token, at=NOW) is None
    with pytest.raises(NotFound):
        posts.enrol_device(waiting.code, HOME, at=NOW)


def test_a_new_code_ends_the_old_token() -> None:
    tablet = people.tablet()
    assert actor_for_token(tablet.token, at=NOW) is not None
    made = posts.renew_device(tablet.device.id, actor=people.operator(), at=NOW)
    assert actor_for_token(tablet.token, at=NOW) is None
    again = posts.enrol_device(made.code, HOME, at=NOW)
    assert again.device.id == tablet.device.id
    assert again.token != tablet.token
    assert actor_for_token(again.token, at=NOW) is not None


def test_a_tablets_last_sign_of_life_is_noted_once_a_minute() -> None:
    tablet = people.tablet()
    for seconds in (0, 30, 59):
        moment = NOW + timedelta(seconds=seconds)
        db.session.expire_all()
        actor_for_token(tablet.token, at=moment)
    db.session.expire_all()
    assert queries.device(people.operator(), tablet.device.id).device.last_seen_at == NOW


def test_a_deactivated_checkpoint_takes_no_new_tablets() -> None:
    people.checkpoint("G60")
    posts.set_checkpoint_active("G60", False, actor=people.operator(), at=NOW)
    with pytest.raises(Conflict):
        announced()


def test_another_towns_checkpoint_is_not_there() -> None:
    post = people.checkpoint("X1", OTHER_TOWN)
    tablet = people.tablet(post)
    town = people.town_worker(TOWN)
    assert queries.checkpoints(town) == []
    assert queries.devices(town) == []
    with pytest.raises(NotFound):
        posts.create_device("X1", actor=town, at=NOW)
    with pytest.raises(NotFound):
        posts.revoke_device(tablet.device.id, actor=town, at=NOW)
