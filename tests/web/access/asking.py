"""Who asks, and the application that they ask: with everything of it by name, and brought back after each request that may have written."""

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Permission
from checkpoint.regions.models import contains
from tests.factories import databases
from tests.web.access import leaks


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks: by session or bearer token, with what their role grants."""

    name: str
    role: Role | None = None
    division: str = ""
    permissions: frozenset[Permission] = frozenset()
    headers: dict[str, str] = field(default_factory=dict)
    id: uuid.UUID | None = None

    @property
    def known(self) -> bool:
        return bool(self.permissions)

    def within(self, division: str) -> bool:
        """Whether a division lies in what this asker may see."""
        return bool(self.division) and contains(self.division, division)


@dataclass
class World:
    """The application, the askers by name, and what there is by the name that rows use.

    `unsaid` are the columns of which the last answer showed a document or a phone in full without an entry in the audit trail.
    """

    app: Flask
    data: Path
    askers: dict[str, Asker] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)
    unmasked: int = 0
    unsaid: list[str] = field(default_factory=list)

    def __getitem__(self, key: str) -> Any:
        return self.things[key]

    def keep(self) -> None:
        """Remember the database as it is now."""
        self.unmasked = self._unmaskings()
        self._copy("checkpoint.sqlite", "kept.sqlite")

    def restore(self) -> None:
        """Bring the database back to what `keep` remembered."""
        self._copy("kept.sqlite", "checkpoint.sqlite")

    def _copy(self, source: str, target: str) -> None:
        databases.close(self.app)
        with (
            closing(sqlite3.connect(self.data / source)) as here,
            closing(sqlite3.connect(self.data / target)) as there,
        ):
            there.execute("PRAGMA synchronous=OFF")
            here.backup(there)

    def ask(self, asker: Asker, method: str, address: str, **more: Any) -> TestResponse:
        """One request, with the answer read to its end unless it never ends."""
        headers = {**asker.headers, **more.pop("headers", {})}
        with leaks.watching() as opened:
            answer = self.app.test_client(use_cookies=False).open(address, method=method, headers=headers, **more)
            body = answer.get_data() if answer.mimetype != "text/event-stream" else b""
            answer.close()
        shown = opened.shown_in(body.decode("utf-8", errors="replace")) if opened.texts else []
        self.unsaid = [] if shown and self._unmaskings() > self.unmasked else shown
        return answer

    def _unmaskings(self) -> int:
        with closing(sqlite3.connect(self.data / "checkpoint.sqlite")) as there:
            found = there.execute("SELECT count(*) FROM audit_entry WHERE act = 'people.unmask'").fetchone()
        return int(found[0])
