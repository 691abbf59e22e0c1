"""The one way by which somebody who works here opens what is sealed: a permission, a purpose, a bound, and an entry in the audit trail.

A guard test walks through every route and fails where a document or a phone is answered in full without it.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.audit.models import AuditEntry
from checkpoint.audit.service import record
from checkpoint.database import db, transaction
from checkpoint.disclosure.purposes import PURPOSES
from checkpoint.errors import InvalidInput, NotAllowed
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.service import current_state
from checkpoint.words import _

UNMASK = "people.unmask"
REFUSED = "people.unmask_refused"
EXPORTS = ("people.export", "inquiry.wrong_rows", "coverage.names")
"""Acts by which a list of people leaves the system as a file, each with its number; one with `how` may have been for the screen alone."""
HOUR = timedelta(hours=1)
_MOST_LOOKED_AT = 2_000
Note = Callable[..., None]


class TooManyOpened(TooManyAttempts):
    """You have opened as many people's data within an hour as the policy allows."""

    code = "too_many_opened"

    def __init__(self, number: int, retry_after: int) -> None:
        minutes = -(-retry_after // 60)
        super().__init__(
            retry_after,
            _(
                "You have opened the data of %(number)s people within an hour, as many as the policy allows. In %(minutes)s min it works "
                "again; until then a colleague can look, or command can allow more. The auditor sees this.",
                number=number,
                minutes=minutes,
            ),
        )


@contextmanager
def unmasking(object_type: str, object_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> Iterator[Note]:
    """The transaction in which one person, pair, application or company is opened; `purpose` is one of PURPOSES[`object_type`].

    Inside, find what is to be opened as `actor` may see it, then call what is yielded with the names of the `fields`, with how many
    `people` they are of, and with codes and counts besides (`data`), if any: that is the entry of the trail. Raises NotAllowed,
    InvalidInput, TooManyOpened.
    """
    if not actor.may(Permission.PEOPLE_UNMASK):
        raise NotAllowed
    if purpose not in PURPOSES[object_type]:
        raise InvalidInput.one("purpose", "literal_error", _("Say what you need it for."))
    _hold_back((object_type, str(object_id)), actor, at)
    noted = []

    def note(fields: Sequence[str], people: int = 1, data: Mapping[str, Any] | None = None) -> None:
        noted.append(object_id)
        _record(
            "people.unmask",
            object_type,
            object_id,
            actor,
            at,
            purpose,
            {"fields": list(fields), "people": people, **(data or {})},
        )

    with transaction():
        yield note
        if not noted:
            raise RuntimeError(f"{object_type} was opened without a word in the audit trail")


def _record(
    act: str,
    object_type: str,
    object_id: uuid.UUID,
    actor: Actor,
    at: datetime,
    purpose: str,
    data: dict[str, Any],
) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type=object_type,
        object_id=object_id,
        purpose=purpose,
        data=data,
    )


def exported(what: str, rows: int, *, actor: Actor, at: datetime) -> None:
    """Write down that somebody took a list of people out as a file, and how many rows it has; call it for each such file."""
    with transaction():
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="people.export",
            object_type=what,
            data={"rows": rows},
        )


def ceiling_of(actor: Actor, policy: PolicyData) -> int | None:
    """Of how many people somebody may open data within an hour; None where nothing bounds it."""
    return policy.ceiling_of(actor.role) if actor.kind == "user" else None


def _hold_back(wanted: tuple[str, str], actor: Actor, at: datetime) -> None:
    """Raise TooManyOpened for somebody who has reached their bound, and write down that they were refused. What they have opened within
    the hour stays open to them: a second look at one person is no second person."""
    ceiling = ceiling_of(actor, current_state(at).policy)
    if ceiling is None:
        return
    opened = _opened(actor, at)
    number = sum(people for people, _when in opened.values())
    if number < ceiling or wanted in opened:
        return
    with transaction():
        object_type, object_id = wanted
        _record(
            "people.unmask_refused",
            object_type,
            uuid.UUID(object_id),
            actor,
            at,
            "",
            {"opened": number, "limit": ceiling},
        )
    raise TooManyOpened(number, _seconds_left(list(opened.values()), ceiling, at))


def _opened(actor: Actor, at: datetime) -> dict[tuple[str, str], tuple[int, datetime]]:
    """What somebody has opened within the last hour: of how many people, and when last."""
    newest = (
        select(AuditEntry)
        .where(AuditEntry.actor_id == str(actor.id), AuditEntry.act == UNMASK, AuditEntry.at > at - HOUR)
        .order_by(AuditEntry.id.desc())
        .limit(_MOST_LOOKED_AT)
    )
    found: dict[tuple[str, str], tuple[int, datetime]] = {}
    for entry in db.session.scalars(newest):
        about = (entry.object_type or "", entry.object_id or "")
        found.setdefault(about, (int((entry.data or {}).get("people", 1)), entry.at))
    return found


def _seconds_left(opened: Sequence[tuple[int, datetime]], ceiling: int, at: datetime) -> int:
    """Until so much has become older than an hour that the bound is kept again."""
    left = sum(people for people, _when in opened)
    for people, when in sorted(opened, key=lambda one: one[1]):
        left -= people
        if left < ceiling:
            return max(1, int((when + HOUR - at).total_seconds()))
    return int(HOUR.total_seconds())
