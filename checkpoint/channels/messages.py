"""What a message says: how many of each tier wait, how many were taken back, and where to look. Never who or where."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import force_locale

from checkpoint.words import _, plural


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message where the channel carries files."""

    name: str
    mimetype: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message in the receiver's language. `id` is the same when the same things are sent again, so that a receiver may drop it.

    Only mail carries `attachments`.
    """

    id: str
    title: str
    text: str
    url: str
    red: int
    yellow: int
    green: int
    taken_back: int
    attachments: tuple[Attachment, ...] = ()

    @property
    def is_urgent(self) -> bool:
        return self.red > 0


def message_id(deliveries: Iterable[int]) -> str:
    """A name for a set of deliveries, 32 hexadecimal digits."""
    return hashlib.blake2b(",".join(str(one) for one in sorted(deliveries)).encode(), digest_size=16).hexdigest()


def compose(
    deliveries: Iterable[int], *, red: int, yellow: int, green: int, taken_back: int, url: str, language: str
) -> Message:
    """The message for some deliveries, counted by tier."""
    with force_locale(language):
        parts = []
        if red:
            parts.append(plural("%(num)s red alert", "%(num)s red alerts", red))
        if yellow:
            parts.append(plural("%(num)s yellow alert", "%(num)s yellow alerts", yellow))
        if green:
            parts.append(plural("%(num)s green alert", "%(num)s green alerts", green))
        said = [_("%(alerts)s waiting for an answer", alerts=_(", ").join(parts))] if parts else []
        if taken_back:
            said.append(plural("%(num)s alert was taken back", "%(num)s alerts were taken back", taken_back))
        title = _("Border Checkpoint")
        text = _("; ").join(said)
    return Message(message_id(deliveries), title, text, url, red, yellow, green, taken_back)


def trial(url: str, language: str) -> Message:
    """What is sent when somebody tries a channel out."""
    with force_locale(language):
        title, text = _("Border Checkpoint"), _("This is a trial: messages arrive here.")
    return Message(message_id(()), title, text, url, 0, 0, 0, 0)
