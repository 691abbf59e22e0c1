"""Finding an alert in a full inbox: by the last four characters of a document, phone or plate, by what it waits for, in bunches.

The last four are compared with the sealed values of the people whose alerts the reader's own inbox holds, opened in memory, and of no
more than MOST alerts: they are what every card of these people shows anyway, so nothing is learned that was not on the page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.duty import level_of
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.registrations.queries import masked_plate
from checkpoint.web.inbox_cards import Card, people_of
from checkpoint.words import _, lazy

MOST = 1000
LAST = 4
ONLY = {
    "red": lazy("Red only"),
    "open": lazy("Not yet acknowledged"),
    "overdue": lazy("Overdue"),
    "escalated": lazy("Escalated"),
}
BY = {"village": lazy("Village or community"), "family": lazy("Family"), "vehicle": lazy("Vehicle")}
_WRITTEN = re.compile(r"[0-9A-Z]{4}")


@dataclass(frozen=True, slots=True)
class Sift:
    """What somebody looks for: `last` four characters, `only` a key of ONLY, `by` a key of BY; each may be empty."""

    last: str = ""
    only: str = ""
    by: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether the list differs from the plain inbox."""
        return bool(self.last or self.only or self.by)

    @property
    def is_wrong(self) -> bool:
        """Whether what was typed cannot be the last four of anything."""
        return bool(self.last) and not _WRITTEN.fullmatch(self.last)

    def address(self) -> dict[str, str]:
        """Its part of an address."""
        return {key: value for key, value in (("last", self.last), ("only", self.only), ("by", self.by)) if value}


@dataclass(frozen=True, slots=True)
class Bunch:
    """Cards under one heading; without a title they stand alone."""

    title: str
    cards: Sequence[Card]


def read(given: Mapping[str, str]) -> Sift:
    """What an address asks for; what is not known counts as not asked."""
    last = given.get("last", "").strip().upper()[-20:]
    only, by = given.get("only", ""), given.get("by", "")
    return Sift(last, only if only in ONLY else "", by if by in BY else "")


def sifted(actor: Actor, alerts: Sequence[Alert], asked: Sift, at: datetime) -> list[Alert]:
    """Those of some alerts that are looked for, in the same order."""
    found = [one for one in alerts if _is(one, asked.only, at)]
    if not asked.last:
        return found
    if asked.is_wrong:
        return []
    people = people_of(actor, (one.subject_id for one in found if one.subject_type == "registration"))
    return [one for one in found if one.subject_id in people and _ends(people[one.subject_id], asked.last)]


def _is(alert: Alert, only: str, at: datetime) -> bool:
    if only == "red":
        return alert.tier == "red"
    if only == "open":
        return alert.state == AlertState.OPEN.value
    if only == "overdue":
        due = {AlertState.OPEN.value: alert.ack_due, AlertState.ACKNOWLEDGED.value: alert.resolve_due}.get(alert.state)
        return due is not None and due <= at
    if only == "escalated":
        return alert.escalated_at is not None or alert.responsible_level < level_of(alert.division_code)
    return True


def _ends(person: tuple[Registration, Traveller], last: str) -> bool:
    registration, traveller = person
    return any(
        value.upper().endswith(last) for value in (traveller.id_number, traveller.phone, registration.plate) if value
    )


def bunches(cards: Sequence[Card], by: str) -> list[Bunch]:
    """The cards under headings, each where its first card stands; whoever has no family or vehicle comes last."""
    if not by:
        return [Bunch("", cards)]
    together: dict[object, list[Card]] = {}
    for card in cards:
        together.setdefault(_key(card, by), []).append(card)
    found = [(key, held) for key, held in together.items() if key is not None]
    if by == "family":
        alone = [card for _key_, held in found if len(held) == 1 for card in held]
        found = [(key, held) for key, held in found if len(held) > 1]
        together[None] = sorted([*alone, *together.get(None, ())], key=list(cards).index)
    rest = together.get(None, [])
    named = [Bunch(_title(held[0], by), held) for _key_, held in found]
    return named + ([Bunch(_rest(by), rest)] if rest else [])


def _key(card: Card, by: str) -> object:
    """What cards have in common that belong together; None for a card that belongs to nobody."""
    if by == "village":
        return card.alert.division_code
    if card.registration is None:
        return None
    if by == "family":
        return card.registration.lead_id or card.registration.id
    return card.registration.plate_hash


def _title(card: Card, by: str) -> str:
    if by == "village":
        return card.place
    if by == "vehicle" and card.registration is not None:
        return masked_plate(card.registration)
    return str(_("Travelling with %(name)s", name=card.person["name"] if card.person else ""))


def _rest(by: str) -> str:
    return str(_("Travelling alone") if by == "family" else _("Without a number plate"))
