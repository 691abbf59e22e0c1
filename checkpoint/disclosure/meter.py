"""How many people each colleague is shown, counted in memory and written down every few seconds: no request waits for it.

Whatever shows somebody has to open their name, masked or not (`privacy.watchers`), so nothing has to be remembered where pages are
made. Somebody who was shown before that day does not count again, as far as this process knows: of several processes each may count
them once. Counts of the last seconds of a process that is killed are lost; whoever reads on is counted on.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor
from checkpoint.database import db, transaction
from checkpoint.disclosure.models import PeopleShown

FLUSH_SECONDS = 5.0
SPAN = timedelta(minutes=10)
MOST_REMEMBERED = 20_000
METERED = (Role.VILLAGE, Role.TOWN, Role.COMMAND, Role.INTEGRATION)
"""Who is metered. A tablet's scans are stored one by one as it is, and a company sees whom it has written down itself."""
_COLUMNS = {
    "traveller": {"name", "id_number", "phone"},
    "approval": {"contact_name", "contact_phone"},
    "approval_holder": {"name", "id_number", "phone"},
    "company_member": {"name", "id_number", "phone"},
    "carried_refusal": {"declaration"},
    "inquiry_hit": {"listed"},
    "joint_person": {"listed"},
}
Person = tuple[str, uuid.UUID]
Key = tuple[str, str, datetime]


class Seen:
    """Whose name, document or phone one request has opened."""

    def __init__(self) -> None:
        self.people: set[Person] = set()

    def watch(self, table: str, column: str, row: uuid.UUID, _text: str) -> None:
        if column in _COLUMNS.get(table, ()):
            self.people.add((table, row))


@dataclass
class _Meter:
    """What this process has counted and not written yet, and whom it has counted today."""

    pending: Counter[Key] = field(default_factory=Counter)
    since: float = 0.0
    day: date | None = None
    known: dict[str, set[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, actor: Actor, people: Iterable[Person], more: int, at: datetime) -> None:
        with self.lock:
            if self.day != at.date():
                self.day, self.known = at.date(), {}
            known = self.known.setdefault(actor.key, set())
            marks = {hash(one) for one in people} - known
            if len(known) < MOST_REMEMBERED:
                known |= marks
            number = len(marks) + more
            if not number:
                return
            if not self.pending:
                self.since = time.monotonic()
            self.pending[actor.key, actor.role or "", _start(at)] += number

    def take(self) -> Counter[Key]:
        with self.lock:
            taken, self.pending = self.pending, Counter()
        return taken

    def give_back(self, counts: Mapping[Key, int]) -> None:
        with self.lock:
            self.pending.update(counts)
            self.since = time.monotonic()

    def is_due(self) -> bool:
        return bool(self.pending) and time.monotonic() - self.since >= FLUSH_SECONDS


def _start(at: datetime) -> datetime:
    """The beginning of the ten minutes in which a moment lies."""
    return at - timedelta(minutes=at.minute % 10, seconds=at.second, microseconds=at.microsecond)


def _meter() -> _Meter:
    meter: _Meter = current_app.extensions.setdefault("people_meter", _Meter())
    return meter


def is_metered(actor: Actor | None) -> bool:
    """Whether it is counted whom somebody is shown."""
    return actor is not None and actor.kind in ("user", "token") and actor.role in METERED


def shown(actor: Actor, people: Iterable[Person] = (), *, more: int = 0, at: datetime) -> None:
    """Count that somebody was shown some people; `more` are those whom no sealed column holds, such as the rows of a file."""
    if is_metered(actor):
        _meter().add(actor, people, more, at)


def is_due() -> bool:
    """Whether something waits to be written for FLUSH_SECONDS."""
    return _meter().is_due()


def flush() -> int:
    """Write down what was counted; returns how many people. What cannot be written now is kept for the next time."""
    meter = _meter()
    counts = meter.take()
    if not counts:
        return 0
    try:
        with transaction() as session:
            maker = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            for (reader, role, starts_at), number in sorted(counts.items()):
                row = maker(PeopleShown).values(reader=reader, role=role, starts_at=starts_at, people=number)
                session.execute(
                    row.on_conflict_do_update(
                        index_elements=["reader", "starts_at"],
                        set_={"people": PeopleShown.people + row.excluded.people},
                    )
                )
    except BaseException:
        meter.give_back(counts)
        raise
    finally:
        db.session.remove()
    return sum(counts.values())
