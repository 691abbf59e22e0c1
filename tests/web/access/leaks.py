"""What one answer shows in full that lay sealed: documents and phones, found in the body by what was opened to make it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from checkpoint.privacy import watchers

_NUMBERS = {"id_number", "phone", "contact_phone"}
_SHORTEST = 7  # digits and letters; shorter ones stand in a page by chance
ALLOWED = {
    "own_data.copy": "a traveller's own data, by the pass and the document",
    "traveller.amend": "a traveller changes their own declaration",
    "pass_reports.live": "a traveller sees the phone of those who look after them",
    "traveller.show_pass": "a traveller sees the phone of those who look after them",
}
"""Routes that answer people about themselves, and why; those who work here have one way only."""


@dataclass
class Opened:
    """Every document and phone that was opened while it watched, by table and column."""

    texts: dict[str, set[str]] = field(default_factory=dict)

    def watch(self, table: str, column: str, _row: uuid.UUID, text: str) -> None:
        if column in _NUMBERS and len(text) >= _SHORTEST:
            self.texts.setdefault(f"{table}.{column}", set()).add(text.removeprefix("+86"))

    def shown_in(self, body: str) -> list[str]:
        """The columns of which something stands in a body in full, however it is spaced."""
        packed = "".join(body.split())
        return sorted(column for column, texts in self.texts.items() if any(text in packed for text in texts))


@contextmanager
def watching() -> Iterator[Opened]:
    """Watch what is opened in here."""
    opened = Opened()
    token = watchers.set((*watchers.get(), opened.watch))
    try:
        yield opened
    finally:
        watchers.reset(token)
