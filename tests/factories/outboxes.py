"""Channels without a wire: targets, what was sent to them, and the rounds that the scheduler makes."""

import threading
from datetime import datetime, timedelta

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import feed
from checkpoint.channels import targets
from checkpoint.channels.collecting import collect
from checkpoint.channels.messages import Message
from checkpoint.channels.models import ChannelTarget, Delivery
from checkpoint.channels.senders import SendFailed
from checkpoint.channels.sending import send_due
from checkpoint.channels.targets import NewTarget
from checkpoint.database import db
from tests.factories import NOW

HOOK = "https://93.184.216.34/hook"


class Outbox:
    """In place of a sender: keeps what it was given, and fails as it is told."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)
        self.sent: list[tuple[str, Message]] = []
        self.lock = threading.Lock()

    def __call__(self, _kind: str, address: str, message: Message, _at: datetime) -> None:
        with self.lock:
            if self.failures:
                code = self.failures.pop(0)
                if code:
                    raise SendFailed(code, gone=code == "gone")
            self.sent.append((address, message))

    @property
    def counts(self) -> list[tuple[int, int, int, int]]:
        return [(one.red, one.yellow, one.green, one.taken_back) for _address, one in self.sent]


def hook(actor: Actor, address: str = HOOK, **changes: object) -> ChannelTarget:
    return targets.add(NewTarget("webhook", address, **changes), actor=actor, at=NOW)  # type: ignore[arg-type]


def told(after: float = 10, at: datetime = NOW, box: Outbox | None = None) -> Outbox:
    """Number, collect and send, `after` seconds after the alerts."""
    outbox = box or Outbox()
    feed.number()
    collect(at)
    send_due(lambda: at + timedelta(seconds=after), sender=outbox)
    return outbox


def states() -> list[str]:
    """The states of all deliveries, sorted."""
    return sorted(db.session.scalars(select(Delivery.state).execution_options(populate_existing=True)))
