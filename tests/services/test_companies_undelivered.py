"""What a company was not told: its town sees it among the messages that were given up, tries it again, or takes it off the list."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.audit.models import AuditEntry
from checkpoint.channels import targets
from checkpoint.channels.models import ChannelTarget
from checkpoint.channels.targets import NewTarget
from checkpoint.companies import telling, undelivered
from checkpoint.companies.models import CompanyDelivery
from checkpoint.companies.watching import look
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from tests.factories import NOW, companies, lists, people
from tests.factories.divisions import NEIGHBOUR_TOWN
from tests.factories.outboxes import HOOK, Outbox
from tests.factories.travelling import declared

SOON = NOW + timedelta(minutes=2)


@pytest.fixture
def town(context: Flask) -> Actor:
    return people.town_worker()


@pytest.fixture
def channel(town: Actor) -> ChannelTarget:
    """A liaison's channel that is gone, with one message that was given up by it."""
    lists.in_force()
    liaison = companies.active(town=town)[1]
    found = targets.add(NewTarget("webhook", HOOK), actor=liaison, at=NOW)
    companies.listed(liaison)
    declared(NOW, number=1, origin={"code": NEIGHBOUR_TOWN})
    look(NOW + timedelta(minutes=1))
    assert telling.send_notices(lambda: SOON, sender=Outbox("gone")) == 0
    return found


def states() -> list[str]:
    return list(db.session.scalars(select(CompanyDelivery.state)))


def test_the_town_sees_it_with_the_company_and_tries_it_again(town: Actor, channel: ChannelTarget) -> None:
    [found] = undelivered.given_up(town)
    assert (found.target.id, found.number, found.error, found.target.active) == (channel.id, 1, "gone", False)
    assert found.company.name == companies.new_company().name
    assert undelivered.try_again(channel.id, actor=town, at=SOON) == 1
    assert (undelivered.given_up(town), states()) == ([], ["waiting"])
    box = Outbox()
    assert telling.send_notices(lambda: SOON + timedelta(minutes=1), sender=box) == 1
    assert (len(box.sent), states()) == (1, ["sent"])
    assert undelivered.try_again(channel.id, actor=town, at=SOON) == 0, "a second time is harmless"


def test_what_is_taken_off_the_list_is_not_sent_and_the_act_is_recorded(town: Actor, channel: ChannelTarget) -> None:
    assert undelivered.discard(channel.id, actor=town, at=SOON) == 1
    assert (undelivered.given_up(town), states()) == ([], ["needless"])
    acts = db.session.scalars(select(AuditEntry.act).where(AuditEntry.object_id == str(channel.id))).all()
    assert list(acts) == ["channel.add", "channel.discard"]


def test_it_is_nobody_elses(channel: ChannelTarget) -> None:
    stranger = people.stranger()
    assert undelivered.given_up(stranger) == []
    for act in (undelivered.try_again, undelivered.discard):
        with pytest.raises(NotFound):
            act(channel.id, actor=stranger, at=SOON)
    village = people.village_worker()
    with pytest.raises(NotAllowed):
        undelivered.given_up(village)
    with pytest.raises(NotAllowed):
        undelivered.discard(channel.id, actor=village, at=SOON)
    assert states() == ["dead"]


def test_a_channel_of_nobody_who_answers_for_a_company_is_not_there(town: Actor, channel: ChannelTarget) -> None:
    own = targets.add(NewTarget("webhook", f"{HOOK}/own"), actor=town, at=NOW)
    with pytest.raises(NotFound):
        undelivered.try_again(own.id, actor=town, at=SOON)
