"""The words of administration: what needs somebody and where to see to it, and what the parts of administration are for."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import url_for
from flask_babel.speaklater import LazyString

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.surveillance.attention import Matter
from checkpoint.web.filters import ago, when
from checkpoint.web.health import MEANINGS, NAMES
from checkpoint.words import _, lazy, plural


@dataclass(frozen=True, slots=True)
class Said:
    """A matter in words: what it is, what it means or what to do, and where."""

    title: str
    text: str
    href: str
    is_down: bool


@dataclass(frozen=True, slots=True)
class _Way:
    """How a kind of matter is told: its title with a count, what to do, and the endpoint where that is done."""

    title: Callable[[int], str]
    text: Callable[[Matter], str]
    endpoint: str


_WAYS: dict[str, _Way] = {
    "invitation_over": _Way(
        lambda n: plural("%(num)s account cannot be opened", "%(num)s accounts cannot be opened", n),
        lambda _m: _("Its link was taken back or ran out before a password was chosen. Give a new link."),
        "admin_users.users",
    ),
    "no_second_step": _Way(
        lambda n: plural("%(num)s account lacks the second step", "%(num)s accounts lack the second step", n),
        lambda _m: _("Their role needs it. They are led to it at the next sign-in; until then they can do nothing."),
        "admin_users.users",
    ),
    "account_unused": _Way(
        lambda n: plural("%(num)s account is not used", "%(num)s accounts are not used", n),
        lambda _m: _("Nobody has signed in for 90 days. Deactivate it if the person has left."),
        "admin_users.users",
    ),
    "tablet_unseen": _Way(
        lambda n: plural("%(num)s tablet is silent", "%(num)s tablets are silent", n),
        lambda m: _("Not seen for a day, one of them last seen %(time)s. Ask at the checkpoint.", time=ago(m.since)),
        "admin.devices",
    ),
    "post_without_tablet": _Way(
        lambda n: plural("%(num)s checkpoint has no tablet", "%(num)s checkpoints have no tablet", n),
        lambda _m: _("Nobody can scan a pass there. Enrol a tablet."),
        "admin.checkpoints",
    ),
    "token_ends": _Way(
        lambda n: plural("%(num)s token ends soon", "%(num)s tokens end soon", n),
        lambda m: _(
            "The first on %(time)s. Issue a new one and put it into the other system before.", time=when(m.since)
        ),
        "admin_tokens.tokens",
    ),
    "undelivered": _Way(
        lambda n: plural("%(num)s message was given up", "%(num)s messages were given up", n),
        lambda m: _("The newest %(time)s. Look at the channel, then try again.", time=ago(m.since)),
        "channels.undelivered",
    ),
    "nobody_on_duty": _Way(
        lambda n: plural("%(num)s division has nobody on duty", "%(num)s divisions have nobody on duty", n),
        lambda _m: _("Its alerts go to the next level up. Enter shifts."),
        "duty.roster",
    ),
    "no_backup": _Way(
        lambda _n: _("No backups are made"),
        lambda _m: _("Whoever runs this system sets a folder for them: BACKUP_DIR."),
        "health.standing",
    ),
    "feed_silent": _Way(
        lambda n: plural("%(num)s source of lists is silent", "%(num)s sources of lists are silent", n),
        lambda m: _("The last list came %(time)s. Upload lists by hand meanwhile.", time=ago(m.since)),
        "work.sources",
    ),
    "key_due": _Way(
        lambda _n: _("The sealing key is due to be changed"),
        lambda m: _("It has sealed since %(time)s.", time=when(m.since)),
        "keys.index",
    ),
    "sealed_broken": _Way(
        lambda n: plural("%(num)s sealed row does not open", "%(num)s sealed rows do not open", n),
        lambda _m: _("It is damaged, or its key is missing. Restore it from a backup."),
        "keys.index",
    ),
    "key_to_retire": _Way(
        lambda n: plural("%(num)s old key can be retired", "%(num)s old keys can be retired", n),
        lambda _m: _("Everything is sealed under the new one."),
        "keys.index",
    ),
    "resealing": _Way(
        lambda _n: _("Data is being sealed anew"),
        lambda m: _("The new key seals since %(time)s. Nothing needs to be done.", time=when(m.since)),
        "keys.index",
    ),
}
_PART_PAGES = {"list": "command.versions", "feeds": "work.sources", "channels": "channels.divisions"}


def said(matter: Matter) -> Said:
    """A matter in the reader's language."""
    part = matter.name.removeprefix("part_")
    if part != matter.name:
        endpoint = _PART_PAGES.get(part, "health.standing")
        return Said(str(NAMES[part]), str(MEANINGS[part]), url_for(endpoint), matter.is_down)
    way = _WAYS[matter.name]
    return Said(way.title(matter.count), way.text(matter), url_for(way.endpoint), matter.is_down)


_PARTS: tuple[tuple[str, LazyString, LazyString, Permission], ...] = (
    ("admin_users.users", lazy("Users"), lazy("Who may sign in, for which division"), Permission.USERS_WRITE),
    ("duty.roster", lazy("Duty rosters"), lazy("Who is on duty, and when nobody is"), Permission.ROSTERS_WRITE),
    ("admin.checkpoints", lazy("Checkpoints"), lazy("Posts on the border, with their posters"), Permission.DEVICES_WRITE),
    ("patrols.all_points", lazy("Closed crossings"), lazy("What is patrolled, by whom and how often"), Permission.PATROLS_WRITE),
    ("admin.devices", lazy("Tablets"), lazy("Which tablet scans where"), Permission.DEVICES_WRITE),
    ("admin_tokens.tokens", lazy("Tokens"), lazy("Other systems that read and write here"), Permission.TOKENS_WRITE),
    ("admin.aliases", lazy("Place names"), lazy("Names that no national code covers"), Permission.REGIONS_WRITE),
    ("channels.divisions", lazy("Messages to divisions"), lazy("Group chats and mailboxes that are told"), Permission.CHANNELS_WRITE),
    ("channels.undelivered", lazy("Not delivered"), lazy("Messages that were given up"), Permission.CHANNELS_WRITE),
    ("work.sources", lazy("List sources"), lazy("Where risk lists are fetched from"), Permission.COMMAND_READ),
    ("watching.index", lazy("Watch rules"), lazy("What nobody sits and watches for"), Permission.COMMAND_READ),
    ("retention.index", lazy("Keeping of data"), lazy("What goes, what is held, and why"), Permission.COMMAND_READ),
    ("keys.index", lazy("Keys"), lazy("What personal data is sealed under"), Permission.COMMAND_READ),
    ("health.standing", lazy("State of the system"), lazy("Each part, and its last sign of life"), Permission.COMMAND_READ),
)  # fmt: skip


def parts(actor: Actor) -> list[tuple[str, LazyString, LazyString]]:
    """The parts of administration that somebody may open: address, name, and what it is for."""
    return [(url_for(endpoint), name, text) for endpoint, name, text, needs in _PARTS if actor.may(needs)]
