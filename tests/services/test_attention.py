"""What an administrator is told to look at: each matter appears with its cause and goes with it, within what they may change."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from checkpoint.accounts import invitations, posts, service
from checkpoint.accounts.models import Device, Role
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import duty
from checkpoint.channels.models import Delivery
from checkpoint.database import transaction
from checkpoint.privacy import keyring
from checkpoint.surveillance import attention, feeds
from checkpoint.upkeep import keys
from checkpoint.upkeep.resealing import reseal
from tests.factories import NOW, alerting, lists, people
from tests.factories.divisions import OTHER_TOWN, TOWN, VILLAGE
from tests.factories.outboxes import hook

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def chief(context: Flask) -> Actor:
    lists.in_force()
    return people.commander()


def told(actor: Actor, at: object = NOW) -> dict[str, attention.Matter]:
    return {one.name: one for one in attention.matters(actor, at)}  # type: ignore[arg-type]


def test_a_tablet_that_is_silent_and_a_post_that_has_none(chief: Actor) -> None:
    tablet = people.tablet(people.checkpoint("G60"))
    people.checkpoint("S11")
    with transaction() as session:
        row = session.get_one(Device, tablet.device.id)
        row.enrolled_at, row.last_seen_at = NOW - 3 * DAY, NOW - DAY
    assert "tablet_unseen" not in told(chief)
    later = told(chief, NOW + HOUR)
    assert (later["tablet_unseen"].count, later["tablet_unseen"].since) == (1, NOW - DAY)
    assert later["post_without_tablet"].count == 1
    posts.set_checkpoint_active("S11", False, actor=chief, at=NOW)
    posts.set_checkpoint_active("G60", False, actor=chief, at=NOW)
    assert not {"tablet_unseen", "post_without_tablet"} & set(told(chief, NOW + HOUR))


def test_a_token_that_ends_and_accounts_that_nobody_opens(chief: Actor) -> None:
    made = service.issue_token("integration", VILLAGE, actor=chief, at=NOW, label="系统", expires=NOW + 20 * DAY)
    invited = invitations.invite_newcomer("lina", Role.VILLAGE, VILLAGE, actor=chief, at=NOW)
    assert not {"token_ends", "invitation_over", "account_unused"} & set(told(chief))
    soon = told(chief, NOW + 7 * DAY)
    assert (soon["token_ends"].since, soon["invitation_over"].count) == (NOW + 20 * DAY, 1)
    assert "token_ends" not in told(chief, NOW + 21 * DAY), "it has ended"
    service.revoke_token(made.row.id, actor=chief, at=NOW)
    assert "token_ends" not in told(chief, NOW + 7 * DAY)
    service.deactivate(invited.user.id, actor=chief, at=NOW)
    assert "invitation_over" not in told(chief, NOW + 7 * DAY)
    assert told(chief, NOW + 91 * DAY)["account_unused"].count == 1, "the chief's own"


def test_whose_role_needs_a_second_step(app: Flask, chief: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], totp_roles=("command",)))
    assert told(chief)["no_second_step"].count == 1
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], totp_roles=()))
    assert "no_second_step" not in told(chief)


def test_messages_that_were_given_up_and_a_roster_with_nobody_on_duty(chief: Actor) -> None:
    worker = people.village_worker()
    target, alert = hook(worker), alerting.alert()
    with transaction() as session:
        session.add(
            Delivery(alert_id=alert, target_id=target.id, wave=0, tier="red", state="dead", made_at=NOW, attempts=8)
        )
    assert (told(chief)["undelivered"].count, told(chief)["undelivered"].is_down) == (1, True)
    assert "nobody_on_duty" not in told(chief)
    assert worker.id is not None
    shifts = duty.Shifts(worker.id, (NOW + DAY).date(), 1, "08:00", "20:00")
    duty.add_shifts(shifts, actor=chief, at=NOW, timezone="Asia/Shanghai")
    assert told(chief)["nobody_on_duty"].count == 1


def test_a_source_that_is_silent_is_told_once_and_no_more_when_it_is_removed(chief: Actor) -> None:
    feed = feeds.add_feed(feeds.NewFeed("国家名单", "https://93.184.216.34/a", 60, 24), actor=chief, at=NOW)
    assert "feed_silent" not in told(chief, NOW + DAY)
    found = told(chief, NOW + DAY + HOUR)
    assert (found["feed_silent"].since, "part_feeds" in found) == (NOW, False)
    feeds.remove_feed(feed.id, actor=chief, at=NOW)
    assert "feed_silent" not in told(chief, NOW + DAY + HOUR)


def test_a_key_is_due_after_a_year_and_its_change_is_told_until_the_old_one_is_gone(chief: Actor) -> None:
    feeds.add_feed(feeds.NewFeed("国家名单", "https://93.184.216.34/a", 60, 24), actor=chief, at=NOW)  # the first act
    people.village_worker()
    assert "key_due" not in told(chief)
    assert told(chief, NOW + 366 * DAY)["key_due"].count == 1
    number = keys.add(actor=chief, at=NOW)
    assert not {"resealing", "key_to_retire"} & set(told(chief)), "it does not seal yet"
    keys.use(number, actor=chief, at=NOW + HOUR)
    assert told(chief, NOW + HOUR)["resealing"].count == 1
    while not keys.state().is_done:
        reseal(lambda: NOW + HOUR, seconds=5)
    assert told(chief, NOW + HOUR)["key_to_retire"].count == 1
    assert keys.waiting() == {}
    [old] = keys.state().old_keys
    keys.retire(old.number, actor=chief, at=NOW + 3 * HOUR)
    assert not {"resealing", "key_to_retire"} & set(told(chief, NOW + 3 * HOUR))
    assert keyring().sealing_current == number
    assert "key_due" not in told(chief, NOW + 365 * DAY), "the new one has sealed for less than a year"


def test_nobody_is_told_of_what_they_cannot_change(chief: Actor) -> None:
    people.checkpoint("G60", TOWN)
    elsewhere = people.actor_of(people.user("other", Role.COMMAND, OTHER_TOWN))
    confined = replace(elsewhere, permissions=elsewhere.permissions - {"command.read"})
    assert "post_without_tablet" in told(chief)
    names = set(told(confined))
    assert not {name for name in names if name.startswith(("part_", "post_", "key_", "no_backup"))}, names
    assert told(people.village_worker()) == {}


def test_what_does_not_work_comes_first(chief: Actor) -> None:
    people.checkpoint("G60")
    downs = [one.is_down for one in attention.matters(chief, NOW)]
    assert downs == sorted(downs, reverse=True)
    assert {"part_scheduler", "no_backup"} <= set(told(chief)), "nothing beats in a test, and no folder is set"
